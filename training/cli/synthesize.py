"""`ctrl-harness synthesize`: drafts, critiques and revisions, and the rows that training reads."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import anyio
import click

from ctrl_harness.cli.options import executor_options
from ctrl_harness.critique.protocol import Sampling, Stage
from ctrl_harness.critique.revise import Replay
from ctrl_harness.errors import UserError
from ctrl_harness.problems.catalog import EXECUTABLE, open_dataset
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.leaks import LeakMode
from ctrl_harness.verification.comparators import COMPARATORS
from ctrl_harness.verification.extraction import EXTRACTIONS

EXIT_LEFT_OUT, EXIT_JUDGE_ERROR = 2, 3
_MAKES = ("sft", "rl", "both")


class _Problems(NamedTuple):
    """Problems that can be gone through again and again, and how many they are."""

    open: Callable[[], Iterable[Problem]]
    total: int


@click.command()
@click.argument("problems")
@click.option(
    "--source", default="hub", show_default=True, help="Of a data set: samples, hub, or a path."
)
@click.option("--load", "loading", multiple=True, help="Of a data set: split=train, tests=all, …")
@click.option("--limit", type=click.IntRange(1), help="Problems to take; all by default.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder; a run goes on there."
)
@click.option("--make", type=click.Choice(_MAKES), default="both", show_default=True)
@click.option("--model", required=True, help="The generator, by Inspect's name.")
@click.option("--model-base-url", help="Where the generator is served.")
@click.option("-M", "model_args", multiple=True, help="KEY=VALUE for the generator's provider.")
@click.option("--critic", "critic_model", help="The critic's model; the generator by default.")
@click.option("--critic-base-url", help="Where the critic is served.")
@click.option("--critic-arg", "critic_args", multiple=True, help="As -M, for the critic.")
@click.option("--drafts", type=click.IntRange(1), default=4, show_default=True)
@click.option(
    "--critiques",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="How many of a problem's drafts are criticised.",
)
@click.option("--temperature", type=float, default=0.7, show_default=True)
@click.option("--revision-temperature", type=float, default=0.0, show_default=True)
@click.option("--top-p", type=float, default=0.8, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1), default=1024, show_default=True)
@click.option("--repetition-penalty", type=float)
@click.option("--seed", type=int, default=0, show_default=True, help="Each call gets its own.")
@click.option("--prompts", default="default", show_default=True, help="Prompt set or folder.")
@click.option("--replay", type=click.Choice(get_args(Replay)), default="raw", show_default=True)
@click.option(
    "--leak", type=click.Choice(get_args(LeakMode)), default="report", show_default=True,
    help="Critiques that name the hint or hold a program.",
)  # fmt: skip
@click.option("--rejection", is_flag=True, help="SFT: only critiques whose revision passes.")
@click.option("--agreeing", is_flag=True, help="SFT: only critiques that judge as the judge does.")
@click.option("--balance", is_flag=True, help="SFT: as many of right drafts as of wrong ones.")
@click.option("--per-problem", type=click.IntRange(1), default=1, show_default=True)
@click.option("--tokenizer", help="Folder or repository; without it no row is too long.")
@click.option("--max-row-tokens", type=click.IntRange(1), default=2048, show_default=True)
@click.option("--max-prompt-tokens", type=click.IntRange(1), default=1536, show_default=True)
@click.option("--split", type=click.Choice(("train", "val")), default="train", show_default=True)
@click.option("--comparator", type=click.Choice(list(COMPARATORS)), help="Each problem's own.")
@click.option(
    "--extraction", type=click.Choice(list(EXTRACTIONS)), default="first_fence", show_default=True
)
@click.option("--time-limit", default="row", show_default=True, help="row, row*K or seconds.")
@click.option("--output-mb", default="row", show_default=True, help="row, or MiB of a test.")
@executor_options
@click.option(
    "--at-once", type=click.IntRange(1), default=16, show_default=True,
    help="Problems under way, and calls to a model.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), help="Programs judged at once; the cores.")
@click.option("--max-retries", type=click.IntRange(0), default=6, show_default=True)
@click.option("--timeout", type=click.IntRange(1), default=600, show_default=True)
@click.option("--engine", type=click.Choice(("local", "ray")), default="local", show_default=True)
@click.option("--ray-address", help="Of a cluster; else RAY_ADDRESS, else a cluster of its own.")
@click.option("--ray-workers", type=click.IntRange(1), help="One a core of the cluster.")
def synthesize(problems: str, **given: Any) -> None:
    """Make training data of PROBLEMS: a parquet of `ctrl-harness data taco`, or a data set's name.

    A try: ctrl-harness synthesize codecontests --source samples --out SYNTH --model gguf/NAME

    Exit status: 0 when all was made, 2 when samples were left out because a model failed, 3 when
    the judge failed on some. Run it again for those.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    # Inspect takes seconds to import, which `--help` should not
    from ctrl_harness.training.synthesis_run import run_synthesis

    ended = anyio.run(run_synthesis, _job(problems, given))
    print(ended.describe(), file=sys.stderr)
    if ended.report["left_out"]["by_judge"]:
        sys.exit(EXIT_JUDGE_ERROR)
    if ended.left_out:
        sys.exit(EXIT_LEFT_OUT)


def _job(problems: str, given: dict[str, Any]) -> Any:
    """The SynthesisJob of the command line. Raises UserError."""
    from ctrl_harness.training.engine import WorkSpec
    from ctrl_harness.training.rl_rows import EpisodeSettings
    from ctrl_harness.training.sft_rows import Selection
    from ctrl_harness.training.synthesis_files import Wanted
    from ctrl_harness.training.synthesis_run import SynthesisJob
    from ctrl_harness.training.synthesize import Recipe

    with_sft, with_rl = given["make"] != "rl", given["make"] != "sft"
    critiques = min(given["critiques"], given["drafts"]) if with_sft else 0
    settings = EpisodeSettings(
        _prompts(given["prompts"]),
        given["extraction"],
        given["comparator"],
        given["time_limit"],
        given["replay"],
        given["output_mb"],
    ).checked()
    spec = WorkSpec(
        generator=_model(given["model"], given["model_base_url"], given["model_args"]),
        critic=_critic(given),
        sampling=_sampling(given),
        seed=given["seed"],
        in_flight=given["at_once"],
        max_retries=given["max_retries"],
        timeout_s=given["timeout"],
        executor=given["executor"],
        unsafe_no_isolation=given["unsafe_no_isolation"],
        packages=given["packages"],
        extraction=settings.extraction,
        comparator=settings.comparator,
        time_limit=settings.time_limit,
        output_mb=settings.output_mb,
        jobs=given["jobs"],
    )
    recipe = Recipe(
        # drafts that nobody looks at are not written
        drafts=given["drafts"] if with_rl else critiques,
        critiques=critiques,
        prompts=settings.prompts,
        replay=settings.replay,
        leak=given["leak"],
    )
    if not recipe.drafts:
        raise UserError("--make sft with --critiques 0 makes nothing; change one of them")
    tokenizer = None
    if given["tokenizer"]:
        from ctrl_harness.training.pretrained import load_tokenizer

        tokenizer = load_tokenizer(given["tokenizer"])
    selection = Selection(
        rejection=given["rejection"],
        agreeing=given["agreeing"],
        balance=given["balance"],
        per_problem=given["per_problem"],
        max_tokens=given["max_row_tokens"],
        seed=given["seed"],
    )
    wanted = Wanted(
        selection if with_sft else None,
        settings,
        with_rl,
        given["split"],
        tokenizer,
        given["max_prompt_tokens"],
    )
    opened = _open(problems, given["source"], given["loading"], given["limit"])
    return SynthesisJob(
        problems=opened.open,
        total=opened.total,
        out=given["out"],
        spec=spec,
        recipe=recipe,
        wanted=wanted,
        at_once=given["at_once"],
        engine=given["engine"],
        ray_address=given["ray_address"],
        workers=given["ray_workers"],
        facts={"settings": _facts(problems, given)},
    )


def _facts(problems: str, given: dict[str, Any]) -> dict[str, Any]:
    """Every setting but where models are reached, which may name private machines."""
    private = {"model_base_url", "critic_base_url", "model_args", "critic_args", "ray_address"}
    kept = {key: value for key, value in given.items() if key not in private}
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in kept.items()}
    return {"problems": problems, **plain}


def _open(problems: str, source: str, loading: tuple[str, ...], limit: int | None) -> _Problems:
    """Raises UserError for what is neither a file of problems nor a data set."""
    from itertools import islice

    if problems in EXECUTABLE:
        chosen = open_dataset(problems, source, **_pairs("--load", loading))
        if source != "samples" and chosen.reference.options.get("split") != "train":
            print(f"{chosen.reference} is what critics are evaluated on", file=sys.stderr)
        ids = [summary.id for summary in chosen][:limit]
        return _Problems(lambda: (chosen[name] for name in ids), len(ids))
    if loading or source != "hub":
        raise UserError(
            f"--source and --load are for a data set, and {problems!r} is none of"
            f" {', '.join(EXECUTABLE)}; leave them out for a parquet"
        )
    from ctrl_harness.training.problem_parquet import count_problems, read_problems

    total = count_problems(problems)
    return _Problems(lambda: islice(read_problems(problems), limit), min(limit or total, total))


def _model(name: str, base_url: str | None, arguments: tuple[str, ...]) -> Any:
    from ctrl_harness.training.engine import ModelSpec

    return ModelSpec(name, base_url, tuple(sorted(_pairs("-M", arguments).items())))


def _critic(given: dict[str, Any]) -> Any:
    if given["critic_model"] is None:
        if given["critic_base_url"] or given["critic_args"]:
            raise UserError("--critic-base-url and --critic-arg need --critic; name its model")
        return None
    return _model(given["critic_model"], given["critic_base_url"], given["critic_args"])


def _sampling(given: dict[str, Any]) -> dict[Stage, Sampling]:
    hot = dict.fromkeys(get_args(Stage), given["temperature"])
    hot["revision"] = given["revision_temperature"]
    rest = (given["top_p"], given["max_tokens"], given["repetition_penalty"])
    return {stage: Sampling(hot[stage], *rest) for stage in get_args(Stage)}


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE as Inspect reads its own -M and -T: YAML values, commas make lists."""
    from inspect_ai._util.config import parse_cli_args

    for text in texts:
        if "=" not in text:
            raise UserError(f"{option} {text!r} is not KEY=VALUE; write it so")
    return parse_cli_args(texts)


def _prompts(source: str) -> str:
    """A folder's path in full, since rows are read from elsewhere."""
    from ctrl_harness.critique.critic_rl import PREFIX
    from ctrl_harness.critique.prompts import built_in_sets

    if source in built_in_sets():
        return source
    prefix = PREFIX if source.startswith(PREFIX) else ""
    return prefix + str(Path(source.removeprefix(prefix)).expanduser().absolute())

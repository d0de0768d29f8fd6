"""`ctrl-harness compare`: critics on the same frozen drafts, with intervals and tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ctrl_harness.cli.options import executor_options
from ctrl_harness.errors import UserError

_DATASETS = ("codecontests", "livecodebench", "mbppplus", "judgebench")


@click.command()
@click.argument("dataset", type=click.Choice(_DATASETS))
@click.option("--source", default="hub", help="samples, hub, or a file or folder of rows.")
@click.option(
    "--critic", "critics", multiple=True, required=True, metavar="SPEC",
    help="[NAME=]CRITIC[,model=M][,votes=N][,feedback_tests=judged]; none[,arm=NAME] is the "
    "compute-matched control of an arm, the first one by default.",
)
@click.option("--model", envvar="INSPECT_EVAL_MODEL", help="The generator, and self-critics.")
@click.option("-M", "model_args", multiple=True, metavar="NAME=VALUE", help="Of the model.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for it all.")
@click.option("--drafts", type=click.Path(), help="An Inspect log, or critic-rl's tree (.jsonl).")
@click.option("--protocol", default="default", help="default or ctrl.")
@click.option("-T", "settings", multiple=True, metavar="NAME=VALUE", help="Of the task.")
@click.option("--turns", type=click.IntRange(1), help="Critiques and revisions a draft gets.")
@click.option("--epochs", type=click.IntRange(1), help="Drafts a problem gets.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many problems.")
@click.option("--seed", type=int, help="Of the run; each call gets its own from it.")
@click.option("--temperature", type=float, help="Of drafts and critiques.")
@click.option("--top-p", type=float)
@click.option("--max-tokens", type=click.IntRange(1), help="New tokens a call.")
@click.option("--max-connections", type=click.IntRange(1))
@click.option("--max-samples", type=click.IntRange(1))
@click.option("--model-cost-config", type=click.Path(exists=True), help="Prices, as Inspect's.")
@click.option("--draws", type=click.IntRange(100), help="Bootstrap draws (2,000).")
@click.option("--mix-protocols", is_flag=True, help="Take drafts that another protocol made.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text",
    help="What is printed; OUT gets all three.",
)  # fmt: skip
@click.option(
    "--display", type=click.Choice(["none", "plain", "rich", "full"]), default="none",
    help="What Inspect shows of the run.",
)  # fmt: skip
@executor_options
def compare(
    dataset: str,
    source: str,
    critics: tuple[str, ...],
    model: str | None,
    model_args: tuple[str, ...],
    out: Path,
    drafts: str | None,
    protocol: str,
    settings: tuple[str, ...],
    turns: int | None,
    epochs: int | None,
    limit: int | None,
    seed: int | None,
    temperature: float | None,
    top_p: float | None,
    max_tokens: int | None,
    max_connections: int | None,
    max_samples: int | None,
    model_cost_config: str | None,
    draws: int | None,
    mix_protocols: bool,
    form: str,
    display: str,
    executor: str | None,
    unsafe_no_isolation: bool,
    packages: tuple[str, ...],
) -> None:
    """Compare critics on the same drafts of DATASET.

    Drafts are generated once, or taken from --drafts, and frozen; each critic reads them, and the
    same generator revises greedily. Interrupted, it goes on where it was: run the same command
    again. More --critic may be added later. The exit status is 1 where samples failed or a control
    is not matched. docs/compare.md has the rest.
    """
    if model is None and dataset != "judgebench":
        raise UserError("there is no model; give --model PROVIDER/NAME, the generator")
    # a second of imports, for this command alone
    from inspect_ai._util.config import parse_cli_args

    from ctrl_harness.analysis.comparison import DRAWS
    from ctrl_harness.evaluation.compare_arms import Request, parse_arms

    arms = parse_arms(critics)
    judging: dict[str, Any] = {"executor": executor} if executor else {}
    if unsafe_no_isolation:
        judging["unsafe_no_isolation"] = True
    if packages:
        judging["packages"] = list(packages)
    own = _given(turns=turns, epochs=epochs)
    if dataset == "judgebench":
        if own or drafts or judging:
            raise UserError(
                "judgebench has no turns, epochs, drafts, executor or packages; leave them out"
            )
        if any(arm.is_control for arm in arms):
            raise UserError("judgebench has no programs to resample; leave --critic none out")
    request = Request(
        dataset,
        source,
        model,
        protocol,
        {**parse_cli_args(settings), **own, **judging},
        parse_cli_args(model_args),
        _given(seed=seed, temperature=temperature, top_p=top_p, max_tokens=max_tokens),
        _given(
            max_connections=max_connections,
            max_samples=max_samples,
            model_cost_config=model_cost_config,
            display=display,
        ),
        limit,
        None if drafts is None else str(Path(drafts).resolve()),
        mix_protocols,
    )
    if dataset == "judgebench":
        from ctrl_harness.evaluation.compare_pairs import compare_judges

        complete = compare_judges(request, arms, out, draws or DRAWS)
    else:
        from ctrl_harness.evaluation.compare import compare_critics

        complete = compare_critics(request, arms, out, draws or DRAWS).complete
    print((out / f"comparison.{'txt' if form == 'text' else form}").read_text("utf-8"), end="")
    if not complete:
        sys.exit(1)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

"""`ctrl-harness table`: the numbers of Inspect logs, as tables."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctrl_harness.analysis import details as tables_of_samples
from ctrl_harness.analysis import slices
from ctrl_harness.analysis.logs import SCORER, LoggedChain, read_chains, with_similarity
from ctrl_harness.analysis.missing import missing_lines, missing_samples
from ctrl_harness.analysis.tables import judgement_line, leakage_line, percent, turns_table
from ctrl_harness.critique.protocol import identity, refuse_mixture
from ctrl_harness.errors import UserError

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

_SLICES: dict[str, slices.Labeller] = {
    "difficulty": slices.difficulty,
    "month": slices.month,
    "quarter": slices.quarter,
    "rating": slices.rating((1200, 1600, 2000, 2400)),
}

_COUNTED = {
    "malformed_critiques": "critiques were too long for a generator to read; nothing was revised",
    "leak_checks_failed": "critiques hold a program on which the judge failed; the log says why",
}


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--details",
    is_flag=True,
    help="Read the samples too: intervals, seeds, stopping at Correct, calls, similarity.",
)
@click.option("--by", type=click.Choice([*_SLICES]), help="Slice the problems.")
@click.option(
    "--around", metavar="YYYY-MM-DD", help="Slice the problems at a date, a training cut-off say."
)
@click.option("--mix-protocols", is_flag=True, help="Show logs of different protocols together.")
def table(
    logs: tuple[Path, ...], details: bool, by: str | None, around: str | None, mix_protocols: bool
) -> None:
    """Print Pass@1 per turn, Δ↑, Δ↓ and judgement F1 of LOGS (files, or folders of logs).

    Logs of different protocols are refused: their numbers do not compare (docs/protocols.md).
    What the numbers are and how their errors are found: docs/statistics.md.
    """
    labellers = [_SLICES[by]] if by else []
    if around:
        labellers.append(slices.around(around))
    headers = {path: _header(path) for path in _files(logs)}
    if not mix_protocols:
        refuse_mixture([log.eval.metadata or {} for log in headers.values()])
    unfinished = [
        not _print_log(path, log, details, labellers) for path, log in headers.items()
    ]
    if any(unfinished):
        sys.exit(1)


def _files(logs: tuple[Path, ...]) -> list[Path]:
    files: list[Path] = []
    for path in logs:
        found = sorted([*path.glob("*.eval"), *path.glob("*.json")]) if path.is_dir() else [path]
        if not found or not found[0].exists():
            raise UserError(f"{path} holds no Inspect log; run `inspect eval tasks/…` first")
        files.extend(found)
    return files


def _header(path: Path) -> EvalLog:
    from inspect_ai.log import read_eval_log  # a second of imports, for this command alone

    try:
        return read_eval_log(str(path), header_only=True)
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"{path} is not an Inspect log: {error}") from error


def _print_log(
    path: Path, log: EvalLog, details: bool, labellers: list[slices.Labeller]
) -> bool:
    """Prints one log's tables; false when it did not finish, or samples failed."""
    facts = log.eval.metadata or {}
    roles = ", ".join(
        f"{role} {config.model}"
        for role, configs in (log.eval.model_roles or {}).items()
        for config in (configs if isinstance(configs, list) else [configs])
    )
    print(f"## {log.eval.task} · {log.eval.model}{f' · {roles}' if roles else ''}\n")
    source = (facts.get("problem_set") or {}).get("source")
    print(f"{path.name}: {log.status}; source {source}; protocol {identity(facts)}")
    if facts.get("oracle"):
        print("ORACLE: the critic was told what the judged tests show; not comparable to others")
    # every sample was tried and some failed, a critic's perhaps: the others have their numbers
    failed = log.status == "error" and log.error is None
    missing = missing_samples(path) if failed or log.status == "success" else Counter[str]()
    if not (failed or log.status == "success") or log.results is None:
        if log.error is not None:
            print(f"\n{log.error.message.splitlines()[0]}\n")
        print("".join(f"{line}\n" for line in missing_lines(missing, missing.total())), end="")
        return False
    done, total = log.results.completed_samples, log.results.total_samples
    print(f"{done} of {total} samples; unusable rows: {facts.get('unusable', 0)}")
    print("".join(f"{line}\n" for line in missing_lines(missing, total)), end="")
    for score in log.results.scores:
        if score.unscored_samples:
            print(f"{score.unscored_samples} samples without a score are in no number")
        if "cut_short" in score.metrics and score.metrics["cut_short"].value:
            cut = int(score.metrics["cut_short"].value)
            print(f"{cut} chains cut short by a limit on their tokens or time (--token-limit, …)")
        for name, told in _COUNTED.items():
            if name in score.metrics and score.metrics[name].value:
                print(f"{int(score.metrics[name].value)} {told}")
        print()
        summary = {name: float(metric.value) for name, metric in score.metrics.items()}
        if "pass_at_1_turn_0" in summary:
            print(turns_table(summary))
            for line in (judgement_line(summary), leakage_line(summary)):
                print(f"\n{line}" if line else "")
            print()
        else:
            for name, value in summary.items():
                print(f"{name}: {percent(value)} %")
            print()
    if (details or labellers) and any(score.name == SCORER for score in log.results.scores):
        _print_samples(path, log, details, labellers)
    return not failed


def _print_samples(
    path: Path, log: EvalLog, details: bool, labellers: list[slices.Labeller]
) -> None:
    """Prints what only the samples say."""
    chains = list(read_chains(path))
    if not chains:
        return
    if details:
        facts: dict[str, Any] = log.eval.metadata or {}
        dataset = (facts.get("problem_set") or {}).get("dataset")
        extraction = facts.get("extraction", "first_fence")
        outcomes = [with_similarity(chain, extraction, dataset) for chain in chains]
        print(f"{tables_of_samples.interval_table(outcomes)}\n")
        show: list[Callable[[list[LoggedChain]], str]] = [tables_of_samples.calls_table]
        if chains[0].outcome.judgements:
            show.insert(0, tables_of_samples.stopping_table)
        for make in show:
            print(f"{make(chains)}\n")
    for label in labellers:
        print(f"{tables_of_samples.slices_table(chains, label)}\n")

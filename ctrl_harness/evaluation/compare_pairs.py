"""`compare judgebench`: critics as judges of the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inspect_ai.log import read_eval_log_samples

from ctrl_harness.analysis.comparison_judges import (
    Judged,
    compare_judged,
    of_decisions,
    of_votes,
)
from ctrl_harness.analysis.comparison_report import Report
from ctrl_harness.analysis.judgebench import PairOutcome
from ctrl_harness.analysis.votes import VotedPair
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.compare import write_report
from ctrl_harness.evaluation.compare_arms import ArmSpec, Request
from ctrl_harness.evaluation.compare_read import unjudged
from ctrl_harness.evaluation.compare_run import Ran, run_comparison


def compare_judges(request: Request, arms: Sequence[ArmSpec], out: Path, draws: int) -> bool:
    """Runs what is missing, writes the report; whether every pair of every judge is in it.

    Raises UserError for input that no judge can use, and where no pair was judged by all.
    """
    run = run_comparison(request, list(arms), out)
    judged = {ran.spec.name: read_judged(ran.log) for ran in run.arms}
    compared = compare_judged({name: found for name, found in judged.items() if found}, draws)
    report = Report(
        f"judgebench · {request.model or request.source}",
        {ran.spec.name: {**ran.spec.as_json(), "log": str(ran.log)} for ran in run.arms},
        compared,
        {},
        {ran.spec.name: _reasons(ran, len(judged[ran.spec.name])) for ran in run.arms},
        what="pairs, decided by every judge",
    )
    write_report(report, out)
    return all(ran.complete for ran in run.arms)


def read_judged(path: Path) -> list[Judged]:
    """The judged pairs of a log, whichever way they were judged.

    Raises UserError for pairs of several epochs, which are no more than one pair.
    """
    found: list[Judged] = []
    for sample in read_eval_log_samples(str(path), all_samples_required=False):
        if sample.epoch > 1:
            raise UserError(f"{path} has several epochs; compare judges on one")
        for name, score in (sample.scores or {}).items():
            data = score.metadata or {}
            if name == "pair_decisions" and "decisions" in data:
                first, second = data["decisions"]
                outcome = PairOutcome(data["category"], data["label"], (first, second), sample.id)
                found.append(of_decisions(sample.id, outcome))
            elif name == "pair_votes" and "votes_A" in data:
                votes = (tuple(data["votes_A"]), tuple(data["votes_B"]))
                found.append(
                    of_votes(sample.id, VotedPair(data["category"], data["label"], *votes))
                )
    return found


def _reasons(ran: Ran, judged: int) -> dict[str, int]:
    missing = unjudged(ran.log, judged)
    unscored = {"ended without a score": missing.unscored} if missing.unscored else {}
    return {**missing.failed, **unscored}

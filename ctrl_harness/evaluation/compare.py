"""The controlled comparison from request to report; the command line adds nothing but words."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.analysis.comparison import DRAWS, compare_arms, paired_outcomes
from ctrl_harness.analysis.comparison_control import (
    TOLERANCE,
    BesideControl,
    beside_control,
)
from ctrl_harness.analysis.comparison_report import Report, Spent, as_csv, as_json, as_text
from ctrl_harness.analysis.paired import Paired
from ctrl_harness.analysis.stopping import CallCost, tokens_of
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.tree_chains import forest_of
from ctrl_harness.analysis.trees import write_forest
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.compare_arms import ArmSpec, Request
from ctrl_harness.evaluation.compare_read import (
    ArmLog,
    check_same_drafts,
    read_arm,
    read_control,
    unjudged,
)
from ctrl_harness.evaluation.compare_run import Ran, run_comparison


class Told(NamedTuple):
    """What is told, and whether every sample of every arm is in it and every control matched."""

    report: Report
    complete: bool


def compare_critics(
    request: Request, arms: Sequence[ArmSpec], out: Path, draws: int = DRAWS
) -> Told:
    """Runs what is missing in the folder `out` and compares what stands there then.

    The report is written as `comparison.txt`, `.json` and `.csv`, and each arm's programs as a tree
    in critic-rl's form under `trees/`. Raises UserError for input that no arm can use, JudgeError
    where the arms turn out not to be about the same drafts.
    """
    run = run_comparison(request, list(arms), out)
    assert run.drafts is not None, "programs begin with drafts"
    logs = [read_arm(ran.spec, ran.log, run.drafts) for ran in run.arms if not ran.spec.is_control]
    same = check_same_drafts(logs)
    _write_trees(logs, out)
    judged = [arm for arm in logs if arm.outcomes]
    if not judged:
        raise UserError(f"no critic has a single judged sample; the logs under {out} say why")
    paired = paired_outcomes({arm.spec.name: arm.outcomes for arm in judged})
    compared = compare_arms(paired, draws)
    controls = _controls(run.arms, judged, draws)
    notes = [_drafts_note(run.drafts.origin, len(run.drafts), same)]
    notes += _notes(logs, controls, paired)
    report = Report(
        f"{request.dataset} · {request.model}",
        {ran.spec.name: {**ran.spec.as_json(), "log": str(ran.log)} for ran in run.arms},
        compared,
        {arm.spec.name: _spent(arm, paired.arms[arm.spec.name]) for arm in judged},
        {
            **{arm.spec.name: _reasons(arm) for arm in logs},
            **{ran.spec.name: _control_reasons(ran) for ran in run.arms if ran.spec.is_control},
        },
        controls,
        notes,
    )
    write_report(report, out)
    complete = all(ran.complete for ran in run.arms)
    return Told(report, complete and all(control.matched for control in controls.values()))


def _spent(arm: ArmLog, counted: Sequence[Outcome]) -> Spent:
    """Over the pairs that are counted, by chain."""
    pairs: set[tuple[Hashable, int]] = {(o.problem, o.epoch) for o in counted}
    calls: list[CallCost] = [call for pair in pairs for call in arm.calls.get(pair, ())]
    costs = [call.cost for call in calls]
    return Spent(
        tokens_of(calls, "generator") / len(counted),
        tokens_of(calls, "critic") / len(counted),
        None if None in costs else sum(c for c in costs if c is not None) / len(counted),
    )


def _controls(
    arms: Sequence[Ran], judged: Sequence[ArmLog], draws: int
) -> dict[str, BesideControl]:
    by_name = {arm.spec.name: arm for arm in judged}
    controls = {}
    for ran in arms:
        if ran.spec.arm is not None and ran.spec.arm in by_name:
            drawn = read_control(ran.log)
            if drawn:
                outcomes = by_name[ran.spec.arm].outcomes
                controls[ran.spec.name] = beside_control(ran.spec.arm, outcomes, drawn, draws)
    return controls


def _reasons(arm: ArmLog) -> dict[str, int]:
    unscored = {"ended without a score": arm.unjudged.unscored} if arm.unjudged.unscored else {}
    return {**arm.unjudged.failed, **unscored}


def _control_reasons(ran: Ran) -> dict[str, int]:
    return dict(unjudged(ran.log, len(read_control(ran.log))).failed)


def _drafts_note(origin: dict[str, Any], drafts: int, same: int) -> str:
    told = ", ".join(f"{key} {value}" for key, value in origin.items() if value)
    return (
        f"Drafts: {drafts} frozen ({told or 'generated'}); {same} were read by critics, each by "
        "all of them as the same bytes."
    )


def _notes(
    arms: Sequence[ArmLog], controls: dict[str, BesideControl], paired: Paired
) -> list[str]:
    notes = [
        f"ORACLE: {arm.spec.name} was told what the judged tests show; not comparable to others."
        for arm in arms
        if arm.oracle
    ]
    for name, control in controls.items():
        if not control.matched:
            ratios = ", ".join(f"{r.name} {r.tokens:.3f}" for r in control.readings)
            notes.append(
                f"NOT MATCHED: the control {name} spent {ratios} of {control.arm}'s tokens, not "
                f"within {TOLERANCE:.0%}, so nothing is compared with it; give more problems, "
                "epochs or turns."
            )
    cut = {
        name: sum(outcome.cut_short for outcome in outcomes)
        for name, outcomes in paired.arms.items()
    }
    notes += [
        f"{name}: {count} chains were cut short by a limit on their tokens or time."
        for name, count in cut.items()
        if count
    ]
    return notes


def _write_trees(arms: Sequence[ArmLog], out: Path) -> None:
    folder = out / "trees"
    folder.mkdir(exist_ok=True)
    for arm in arms:
        write_forest(folder / f"{arm.spec.folder}.jsonl", forest_of(arm.chains))


def write_report(report: Report, out: Path) -> None:
    """As text, JSON and CSV, into the comparison's folder."""
    texts = {
        "txt": as_text(report),
        "json": json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n",
        "csv": as_csv(report),
    }
    for suffix, text in texts.items():
        (out / f"comparison.{suffix}").write_text(text, encoding="utf-8")

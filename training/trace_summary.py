"""A trace told step by step: what the critiques did to the programs, and what was lost.

The shares are those of an evaluation (analysis/transitions.py, analysis/discrimination.py), over
the critiques that were rewarded. A critique that no revision was asked for counts as one whose
revision failed, as its reward does.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ctrl_harness.analysis import discrimination, transitions
from ctrl_harness.analysis.statistic import ratio
from ctrl_harness.analysis.tables import markdown_table, percent
from ctrl_harness.analysis.transitions import Outcome, sums_of
from ctrl_harness.errors import UserError


@dataclass(frozen=True, slots=True)
class StepSummary:
    """One step's numbers; shares are of the critiques rewarded, NaN where there are none.

    split: train or val. step: training steps that the weights had behind them, None where not
    known. critiques: asked for a reward; rewarded: of them. reward: the mean. up, down: Δ↑ and Δ↓,
    NaN for rewards that ask for no revision. f1, f1_passed, f1_failed: of verdicts on drafts.
    missing: without a verdict. malformed: rewarded as a failed revision, for whatever reason.
    leaks, leaked_solutions: with a program; with one that passes, of those that the judge could
    tell. leak_checks_failed: programs in critiques on which the judge failed. context_overflow: no
    room for the critique in the generator's context. faults: critiques lost. retries:
    requests to the generator beyond the first. groups: of at least two critiques of one draft;
    flat_groups: of them, those whose rewards are all the same, which GRPO learns nothing from.
    """

    split: str
    step: int | None
    critiques: int
    rewarded: int
    reward: float
    up: float
    down: float
    f1: float
    f1_passed: float
    f1_failed: float
    missing: float
    malformed: float
    cut_off: float
    context_overflow: float
    leaks: float
    leaked_solutions: float
    leak_checks_failed: int
    faults: int
    retries: int
    groups: int
    flat_groups: int

    @property
    def fault_share(self) -> float:
        return ratio(self.faults, self.critiques)

    @property
    def flat_share(self) -> float:
        return ratio(self.flat_groups, self.groups)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; null for NaN."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }


@dataclass
class _Step:
    """What is kept of a step's records."""

    outcomes: list[Outcome] = field(default_factory=list)
    revised: list[Outcome] = field(default_factory=list)
    scores: dict[Hashable, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, record: Mapping[str, Any]) -> None:
        counts = self.counts
        counts["critiques"] += 1
        counts["retries"] += record["retries"]
        if record["fault"] is not None:
            counts["faults"] += 1
            return
        draft = bool(record["draft"]["passed"])
        task = record["task_id"]
        self.scores[task, record["index"], record["draft_number"]].append(float(record["score"]))
        counts["malformed"] += record["malformed"] is not None
        counts["cut_off"] += record["malformed"] == "cut_off"
        counts["context_overflow"] += record["malformed"] == "context_overflow"
        counts["leak_checks_failed"] += record["leak"] == "unjudged"
        counts["leaks"] += record["leak"] != "none"
        counts["leaked_solutions"] += record["leak"] == "passing"
        said = (record["judgement"],)
        self.outcomes.append(Outcome(task, (draft,), said))
        if record["reward"] != "discrimination":
            ends = [bool(revision["passed"]) for revision in record["revisions"]] or [False]
            self.revised += [Outcome(task, (draft, end), said) for end in ends]

    def summary(self, split: str, step: int | None) -> StepSummary:
        counts, rewarded = self.counts, len(self.outcomes)
        scores = [score for group in self.scores.values() for score in group]
        groups = [group for group in self.scores.values() if len(group) > 1]

        def share(name: str) -> float:
            return ratio(counts[name], rewarded)

        return StepSummary(
            split=split,
            step=step,
            critiques=counts["critiques"],
            rewarded=rewarded,
            reward=ratio(math.fsum(scores), len(scores)),
            up=sums_of(self.revised, transitions.up(0, 1)).value(),
            down=sums_of(self.revised, transitions.down(0, 1)).value(),
            f1=sums_of(self.outcomes, discrimination.f1_macro()).value(),
            f1_passed=sums_of(self.outcomes, discrimination.f1_passed()).value(),
            f1_failed=sums_of(self.outcomes, discrimination.f1_failed()).value(),
            missing=sums_of(self.outcomes, discrimination.missing_verdicts()).value(),
            malformed=share("malformed"),
            cut_off=share("cut_off"),
            context_overflow=share("context_overflow"),
            leaks=share("leaks"),
            leaked_solutions=ratio(
                counts["leaked_solutions"], rewarded - counts["leak_checks_failed"]
            ),
            leak_checks_failed=counts["leak_checks_failed"],
            faults=counts["faults"],
            retries=counts["retries"],
            groups=len(groups),
            flat_groups=sum(max(group) == min(group) for group in groups),
        )


def summarise(records: Iterable[Mapping[str, Any]]) -> list[StepSummary]:
    """One entry a split and step, in order. Raises UserError for records without our fields."""
    steps: dict[tuple[str, int | None], _Step] = defaultdict(_Step)
    for record in records:
        try:
            # a row that could not be read has no split
            steps[record.get("split") or "train", record["step"]].add(record)
        except (KeyError, TypeError) as error:
            raise UserError(
                f"a line of the trace lacks {error}; give a folder that the reward wrote"
            ) from None
    ordered = sorted(steps, key=lambda key: (key[0], -1 if key[1] is None else key[1]))
    return [steps[key].summary(*key) for key in ordered]


def summary_table(summaries: Iterable[StepSummary]) -> str:
    """One row a step, shares in percent."""
    rows = [
        {
            "step": "–" if s.step is None else str(s.step),
            "critiques": str(s.critiques),
            "reward": "–" if math.isnan(s.reward) else f"{s.reward:.3f}",
            "Δ↑ %": percent(s.up),
            "Δ↓ %": percent(s.down),
            "F1 %": percent(s.f1),
            "F1 passed %": percent(s.f1_passed),
            "F1 failed %": percent(s.f1_failed),
            "missing %": percent(s.missing),
            "malformed %": percent(s.malformed),
            "cut off %": percent(s.cut_off),
            "overflow %": percent(s.context_overflow),
            "leaks %": percent(s.leaks),
            "solutions %": percent(s.leaked_solutions),
            "unjudged leaks": str(s.leak_checks_failed),
            "faults": str(s.faults),
            "retries": str(s.retries),
            "flat groups": f"{s.flat_groups}/{s.groups}",
        }
        for s in summaries
    ]
    return markdown_table(tuple(rows[0]) if rows else ("step",), rows)

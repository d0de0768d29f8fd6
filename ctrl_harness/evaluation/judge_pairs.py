"""JudgeBench's pairs as Inspect samples, and what both ways of judging them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

from ctrl_harness.analysis.judgebench import Decision
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.samples import report_unusable
from ctrl_harness.problems.judgebench import JudgePairSet

ANSWERS = "ctrl_harness:answers"
"""Where a sample's metadata keeps what the judge wrote."""

LoadPairs = Callable[..., JudgePairSet]
"""Makes the pairs of a source."""


def label_of(text: str) -> Decision:
    """A sample's target; raises UserError for one that prefers neither response."""
    if text not in ("A>B", "B>A"):
        raise UserError(f"a pair's label is {text!r}; it must be A>B or B>A")
    return "A>B" if text == "A>B" else "B>A"


def pairs_task(
    pairs: JudgePairSet, *, solver: Solver, scorer: Scorer, facts: Mapping[str, Any]
) -> Task:
    """A task over pairs of responses; facts: what its log says of the way of judging them."""
    samples = [
        Sample(
            id=pair.id,
            input=pair.question,
            target=pair.label,
            metadata={
                "category": pair.category,
                "source": pair.source,
                "question": pair.question,
                "response_A": pair.response_A,
                "response_B": pair.response_B,
            },
        )
        for pair in pairs
    ]
    return Task(
        dataset=MemoryDataset(samples, name="judgebench", location=str(pairs.reference)),
        solver=solver,
        scorer=scorer,
        headline_metric=HeadlineMetric(metric="accuracy"),
        metadata={
            "problem_set": pairs.reference.as_json(),
            "problems": len(samples),
            **report_unusable(pairs.unusable),
            **facts,
        },
    )

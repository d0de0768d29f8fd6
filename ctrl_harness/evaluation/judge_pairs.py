"""JudgeBench's pairs as Inspect samples, and what both ways of judging them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

from ctrl_harness.critique.critic import CriticContext, CriticFactory, Decision
from ctrl_harness.critique.critics import RUNNING
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Generate
from ctrl_harness.critique.pair_prompts import PairPrompts
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.roles import find_guarded
from ctrl_harness.evaluation.samples import report_rows
from ctrl_harness.problems.judgebench import JudgePairSet
from ctrl_harness.verification.verdict import Verdict

ANSWERS = "ctrl_harness:answers"
"""Where a sample's metadata keeps what the judge wrote."""

MODEL = "model"
"""The critic's name that stands for the model in the role `critic`, else the model itself."""

LoadPairs = Callable[..., JudgePairSet]
"""Makes the pairs of a source."""


def label_of(text: str) -> Decision:
    """A sample's target; raises UserError for one that prefers neither response."""
    if text not in ("A>B", "B>A"):
        raise UserError(f"a pair's label is {text!r}; it must be A>B or B>A")
    return "A>B" if text == "A>B" else "B>A"


def judge_named(critic: str) -> CriticFactory:
    """The critic of this name. Raises UserError as `find_critic`, and for one that runs tests."""
    if critic in RUNNING:
        raise UserError(f"critic={critic} runs tests, of which JudgeBench's pairs have none")
    return find_guarded(critic, votes=1, feedback_tests="public")


def context_of(generate: Generate, words: PairPrompts) -> CriticContext:
    """What a critic of responses may use: there is nothing to run."""
    return CriticContext(generate, _nothing_to_judge, words, _nothing_to_run)


async def _nothing_to_judge(program: str | None) -> Verdict:
    raise UserError("JudgeBench's responses have no tests; this critic needs some to judge by")


async def _nothing_to_run(program: str | None) -> Feedback | None:
    return None


def pairs_task(
    pairs: JudgePairSet,
    *,
    solver: Solver,
    scorer: Scorer,
    facts: Mapping[str, Any],
    continue_on_fail: bool | None = None,
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
        continue_on_fail=continue_on_fail,
        metadata={**report_rows(pairs), **facts},
    )

"""JudgeBench: a model as judge of two responses, each pair decided in both orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.analysis.judgebench import Decision, PairOutcome, summarise_pairs
from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.evaluation.calls import ModelCalls
from ctrl_harness.evaluation.judge_pairs import ANSWERS, label_of
from ctrl_harness.evaluation.sampling import Notices
from ctrl_harness.verification.extraction import strip_reasoning

_DECISION = re.compile(r"\[\[\s*([AB])\s*(>|=|<)\s*([AB])\s*\]\]|\b([AB])\s*(>|=|<)\s*([AB])\b")


def parse_decision(answer: str) -> Decision:
    """The last decision in a judge's answer, `missing` without one; brackets win over bare text."""
    matches = list(_DECISION.finditer(strip_reasoning(answer)))
    bracketed = [m for m in matches if m[1]]
    if not matches:
        return "missing"
    match = (bracketed or matches)[-1]
    left, sign, right = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
    if left == right:
        return "missing"
    if sign == "=":
        return "A=B"
    better = left if sign == ">" else right
    return "A>B" if better == "A" else "B>A"


@solver
def judge_both_orders(
    prompts: str = "default", sampling: Mapping[str, Any] | None = None
) -> Solver:
    """Asks the model in the role `critic` (else the model itself) once for each order.

    Args:
        prompts: A built-in prompt set or a folder of templates.
        sampling: temperature, top_p, max_tokens and repetition_penalty; what is null or left out is
            the role's and the command's.
    """
    templates = PromptSet(prompts, "judgebench", required=("pairwise",))
    asked = Sampling(**(sampling or {}))
    notices = Notices()

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        calls = ModelCalls(str(state.sample_id), state.epoch, {"critique": asked}, notices)
        first, second = state.metadata["response_A"], state.metadata["response_B"]
        answers = []
        for turn, (a, b) in enumerate(((first, second), (second, first)), start=1):
            messages = templates.ask(
                "pairwise",
                question=state.metadata["question"],
                response_a=a,
                response_b=b,
            )
            answers.append((await calls(Call("critic", turn, messages))).text)
        state.metadata[ANSWERS] = answers
        calls.configs.keep(state.metadata)
        calls.show(state, "critic")
        return state

    return solve


@metric(scores="unreduced")
def pair_accuracy() -> Metric:
    """JudgeBench's accuracy overall and per category, and how often the two orders disagree."""

    def compute(scores: list[SampleScore]) -> Value:
        return dict(summarise_pairs([_outcome(score) for score in scores]))

    return compute


@scorer(metrics=[pair_accuracy()])
def pair_decisions() -> Scorer:
    """Right when the two decisions' net count favours the labelled response."""

    async def score(state: TaskState, target: Target) -> Score:
        answers = state.metadata.get(ANSWERS)  # the second is about swapped responses
        if answers is None:
            return Score.unscored(reason="no answers", explanation="the solver did not finish")
        first, second = (parse_decision(answer) for answer in answers)
        outcome = PairOutcome(state.metadata["category"], label_of(target.text), (first, second))
        return Score(
            value={"right": int(outcome.right), "net": outcome.net},
            answer=f"{first}, swapped: {second}",
            metadata={
                "category": outcome.category,
                "label": outcome.label,
                "decisions": list(outcome.decisions),
            },
        )

    return score


def _outcome(sample: SampleScore) -> PairOutcome:
    data = sample.score.metadata or {}
    first, second = data["decisions"]
    return PairOutcome(data["category"], data["label"], (first, second), sample.sample_id)

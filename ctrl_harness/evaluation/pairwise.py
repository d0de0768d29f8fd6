"""JudgeBench: a critic as judge of two responses, each pair decided in both orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.analysis.judgebench import PairOutcome, summarise_pairs
from ctrl_harness.critique.critic import Comparing, CriticContext, Pair
from ctrl_harness.critique.pair_prompts import PairPrompts
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.calls import ModelCalls
from ctrl_harness.evaluation.judge_pairs import ANSWERS, MODEL, context_of, judge_named, label_of
from ctrl_harness.evaluation.samples import one_line_errors
from ctrl_harness.evaluation.sampling import Notices


@solver
def judge_both_orders(
    prompts: str = "default",
    sampling: Mapping[str, Any] | None = None,
    critic: str = MODEL,
) -> Solver:
    """Asks a critic, by default the model in the role `critic`, once for each order.

    Args:
        prompts: A built-in prompt set or a folder of templates.
        sampling: temperature, top_p, max_tokens and repetition_penalty; what is null or left out is
            the role's and the command's.
        critic: Name of a critic that can compare; model is the role `critic`, else the model.
    """
    words = PairPrompts(prompts, "pairwise")
    asked = Sampling(**(sampling or {}))
    notices = Notices()
    factory = judge_named(critic)

    def judge_of(context: CriticContext) -> Comparing:
        judge = factory(context)
        if not isinstance(judge, Comparing):
            raise UserError(
                f"critic {critic} reads one response at a time; have it judge with mode=pointwise"
            )
        return judge

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        calls = ModelCalls(str(state.sample_id), state.epoch, {"critique": asked}, notices)
        question = state.metadata["question"]
        first, second = state.metadata["response_A"], state.metadata["response_B"]
        answers = []
        with one_line_errors():
            judge = judge_of(context_of(calls, words))
            for pair in (
                Pair(str(state.sample_id), question, first, second),
                Pair(str(state.sample_id), question, second, first, swapped=True),
            ):
                said = await judge.compare(pair)
                answers.append({"text": said.text, "decision": said.decision})
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
        first, second = (answer["decision"] for answer in answers)
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

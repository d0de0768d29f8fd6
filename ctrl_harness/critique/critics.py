"""The critics that come with the project."""

from __future__ import annotations

from ctrl_harness.critique.critic import (
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    Pair,
)
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.pair_prompts import compare_by_asking
from ctrl_harness.problems.problem import Problem


class _ModelCritic:
    def __init__(self, context: CriticContext) -> None:
        self._context = context

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        return await _ask(self._context, problem, draft, None)

    async def compare(self, pair: Pair) -> Comparison:
        return await compare_by_asking(self._context, pair)


def model_critic(context: CriticContext) -> Critic:
    """The model in the role `critic`; without that role the generator criticises itself."""
    return _ModelCritic(context)


def execution_critic(context: CriticContext) -> Critic:
    """No model: what running the tests shows, `correct` when all of them pass."""

    async def criticise(problem: Problem, draft: Draft) -> Critique:  # noqa: ARG001
        feedback = await context.run_tests(draft.program)
        if feedback is None:
            return Critique("There were no test cases to run.", "missing")
        text = context.prompts.hint(feedback)
        return Critique(text, "correct" if feedback.passed else "incorrect")

    return criticise


def hinted_critic(context: CriticContext) -> Critic:
    """The model in the role `critic`, told what running the tests showed."""

    async def criticise(problem: Problem, draft: Draft) -> Critique:
        return await _ask(context, problem, draft, await context.run_tests(draft.program))

    return criticise


CRITICS: dict[str, CriticFactory] = {
    "model": model_critic,
    "execution": execution_critic,
    "model+execution": hinted_critic,
}
RUNNING = ("execution", "model+execution")
"""Those that run programs."""
UNASKED = ("execution",)
"""Those that ask no model."""


async def _ask(
    context: CriticContext, problem: Problem, draft: Draft, feedback: Feedback | None
) -> Critique:
    messages = context.prompts.critique(problem, draft, feedback)
    answer = await context.generate(Call("critic", draft.turn + 1, messages))
    # the generator is told the critique without the reasoning that led to it
    told, judgement = context.prompts.read(answer.text)
    return Critique(told, judgement, answer.cut_off, answer.usage)

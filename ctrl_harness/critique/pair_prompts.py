"""What a critic is told of JudgeBench's responses, one at a time or two at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ctrl_harness.critique.critic import Comparison, CriticContext, Draft, Pair
from ctrl_harness.critique.decision import parse_decision
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Call, Message
from ctrl_harness.critique.prompt_settings import Reading
from ctrl_harness.critique.prompts import PromptSet, fenced
from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem


class PairPrompts:
    """A prompt set's templates for JudgeBench, where a critic looks for those of its problem.

    mode: the template that is needed, `pairwise` or `pointwise`. Raises UserError as PromptSet.
    """

    def __init__(self, source: str, mode: str) -> None:
        self.name = source
        self._templates = PromptSet(source, "judgebench", required=(mode,))

    @property
    def digest(self) -> str:
        return self._templates.digest

    def critique(
        self, problem: Problem, draft: Draft, feedback: Feedback | None = None
    ) -> tuple[Message, ...]:
        """Of one response, which stands in the draft's completion; the question is the problem's
        statement."""
        return self._templates.ask(
            "pointwise", question=problem.statement, response=draft.completion
        )

    def comparison(self, pair: Pair) -> tuple[Message, ...]:
        """Of two responses."""
        return self._templates.ask(
            "pairwise",
            question=pair.question,
            response_a=pair.response_a,
            response_b=pair.response_b,
        )

    def read(self, answer: str) -> Reading:
        return self._templates.read(answer)

    def fenced(self, draft: Draft) -> str:
        return fenced(draft)

    def draft(self, problem: Problem) -> NoReturn:
        raise UserError("JudgeBench asks for no drafts; a critic of its responses needs none")

    def revision(self, problem: Problem, draft: Draft, critique: str) -> NoReturn:
        raise UserError("JudgeBench's responses are not revised; a critic of them needs none")

    def hint(self, feedback: Feedback) -> NoReturn:
        raise UserError("JudgeBench's responses are not run; a critic of them has no hint to tell")


async def compare_by_asking(
    context: CriticContext, pair: Pair, agent: Callable[[], object] | None = None
) -> Comparison:
    """What the role's model, or an agent with that model, says of a pair.

    Raises UserError where the context's prompts have no words for pairs.
    """
    if not isinstance(context.prompts, PairPrompts):
        raise UserError(
            f"the prompts {context.prompts.name!r} here have no words for pairs of responses; "
            "compare them with tasks/judgebench.py"
        )
    turn = 2 if pair.swapped else 1
    messages = context.prompts.comparison(pair)
    answer = await context.generate(Call("critic", turn, messages, agent=agent))
    return Comparison(parse_decision(answer.text), answer.text, answer.usage)

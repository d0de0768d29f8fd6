"""Runs the public tests, tells the model what failed, and asks it for the cause."""

from ctrl_harness.critique.critic import Critic, CriticContext, Critique, Draft
from ctrl_harness.critique.messages import Call, Message
from ctrl_harness.problems.problem import Problem


def make(context: CriticContext) -> Critic:
    """Tells the cause of a failing public test; says Correct where all of them pass."""

    async def criticise(problem: Problem, draft: Draft) -> Critique:
        # None without public tests; JudgeError, which is not for us to catch, where judging fails
        shown = await context.run_tests(draft.program)
        if shown is not None and shown.passed:
            return Critique(context.prompts.hint(shown), "correct")
        question = (
            f"{problem.statement}\n\nA program for this:\n\n{context.prompts.fenced(draft)}\n\n"
            f"{'' if shown is None else context.prompts.hint(shown)}\n\n"
            "In a few sentences: what is wrong with it, and how can it be mended? End with a line "
            '"Overall judgment: Correct" or "Overall judgment: Incorrect".'
        )
        # the model of the role `critic`; turns count from 1, the draft being turn 0
        answer = await context.generate(
            Call("critic", draft.turn + 1, (Message("user", question),))
        )
        told, judgement = context.prompts.read(answer.text)  # `missing` without that line
        return Critique(told or "No comment.", judgement, answer.cut_off, answer.usage)

    return criticise

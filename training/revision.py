"""One revision of a given draft after a given critique, by the evaluation's own loop."""

from __future__ import annotations

from ctrl_harness.critique.critic import Critique, Draft
from ctrl_harness.critique.messages import Call, Completion, Generate
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.critique.revise import Loop, Replay, Turn
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge


async def revise(
    problem: Problem,
    draft: Draft,
    critique: Critique,
    *,
    generate: Generate,
    prompts: Prompts,
    judge: Judge,
    replay: Replay = "raw",
) -> Turn:
    """The generator's next program, asked in the words of an evaluation with one turn, and the
    critique, which is malformed where the generator's context had no room for it.

    generate: asked once, for (generator, turn 1). judge: takes the program out of the answer;
    nothing is judged here. What else `generate` raises comes through.
    """

    async def given_or_asked(call: Call) -> Completion:
        return await generate(call) if call.turn else Completion(draft.completion)

    async def given_critique(problem: Problem, draft: Draft) -> Critique:  # noqa: ARG001
        return critique

    loop = Loop(given_or_asked, given_critique, prompts, judge, turns=1, replay=replay)
    return (await loop.run(problem)).turns[0]

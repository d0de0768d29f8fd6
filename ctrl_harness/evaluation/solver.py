"""The loop as an Inspect solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import LimitExceededError, sample_limits

from ctrl_harness.critique.critic import Critic, FeedbackTests
from ctrl_harness.critique.messages import Generate as Ask
from ctrl_harness.critique.protocol import Stage
from ctrl_harness.critique.revise import History, Loop, Replay
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.frozen import open_drafts, watched
from ctrl_harness.evaluation.growth import ChainGrowth, Growth, TreeGrowth
from ctrl_harness.evaluation.record import COMPLETE
from ctrl_harness.evaluation.roles import Roles
from ctrl_harness.evaluation.samples import one_line_errors, problem_of
from ctrl_harness.execution.inspect_sandbox import require_sandbox


@solver
def critique_and_revise(
    dataset: str,
    turns: int = 1,
    branches: Sequence[int] | None = None,
    drafts: str | None = None,
    critic: str = "model",
    stop_at_correct: bool = False,
    prompts: str = "default",
    extraction: str = "first_fence",
    comparator: str | None = None,
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] = (),
    time_limit: str | float = "row",
    output_mb: str | float = "row",
    feedback_tests: FeedbackTests = "public",
    votes: int = 1,
    history: History = "latest",
    replay: Replay = "raw",
    sampling: Mapping[Stage, Mapping[str, Any]] | None = None,
) -> Solver:
    """Draft, then `turns` times a critique and a revision; all of it goes into the sample's record.

    Args:
        dataset: Name of the data set, for its prompts.
        turns: Critiques and revisions a draft gets; 0 is the draft alone.
        branches: Critiques and revisions of each program, turn by turn; null is one.
        drafts: A file of frozen drafts, which are taken instead of asking for new ones.
        critic: Name of a critic: model, execution, model+execution, or a plug-in's.
        stop_at_correct: End the chain once the critic judges the program correct.
        prompts: A built-in prompt set, a folder of templates, or critic-rl:PATH.
        extraction: How a program is taken out of a completion.
        comparator: How the execution critics compare outputs; the problem's own by default.
        executor: Where the execution critics run programs.
        unsafe_no_isolation: Allows the executor `process`; see docs/security.md.
        packages: Third-party packages that programs may import beside numpy.
        time_limit: row, row*K or wall seconds a test, for the execution critics.
        output_mb: row, or MiB of a test's output, for the execution critics.
        feedback_tests: What the execution critics run: public, or judged, an oracle.
        votes: Critiques of each program; above 1 the judgement is the majority's.
        history: What a revision's chat holds: latest (program and critique) or full.
        replay: What stands there for the generator's answer: raw, or the code alone.
        sampling: For draft, critique and revision: temperature, top_p, max_tokens and
            repetition_penalty; what is null or left out is the role's and the command's.
    """
    if not isinstance(turns, int) or turns < 0:
        raise UserError(f"turns is {turns!r}; give 0 (drafts alone) or a positive whole number")
    roles = Roles.choose(
        dataset,
        prompts=prompts,
        critic=critic,
        votes=votes,
        feedback_tests=feedback_tests,
        sampling=sampling,
        extraction=extraction,
        comparator=comparator,
        executor=executor,
        unsafe_no_isolation=unsafe_no_isolation,
        packages=packages,
        time_limit=time_limit,
        output_mb=output_mb,
    )
    frozen_draft = open_drafts(drafts)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        with one_line_errors():
            require_sandbox(roles.judge.executor)  # before any model is asked
        problem = await problem_of(state)
        calls = roles.calls(state)
        frozen = frozen_draft(state)

        def critic_of(ask: Ask) -> Critic:
            made = roles.critic(ask, problem)
            return made if frozen is None else watched(made, state.metadata)

        loop = Loop(
            generate=calls,
            critic=critic_of(calls),
            prompts=roles.prompts,
            judge=roles.judge,
            turns=turns,
            stop_at_correct=stop_at_correct,
            history=history,
            replay=replay,
            frozen=None if frozen is None else frozen.completion,
        )
        growth: Growth = ChainGrowth(loop)
        if branches:
            growth = TreeGrowth(loop, critic_of, tuple(branches))
        ended: str | None = None
        try:
            with one_line_errors():
                await growth.run(problem)
            ended = COMPLETE
        except LimitExceededError as error:
            ended = error.type
            raise
        except anyio.get_cancelled_exc_class():
            ended = _time_that_ran_out()
            raise
        finally:
            growth.keep(state.metadata, ended)
            calls.configs.keep(state.metadata)
        calls.show(state, "generator")
        return state

    return solve


def _time_that_ran_out() -> str | None:
    """Which of the sample's two times was used up, None where the user cancelled it."""
    limits = sample_limits()
    for kind, limit in (("time", limits.time), ("working", limits.working)):
        if limit.limit is not None and limit.usage >= limit.limit:
            return kind
    return None

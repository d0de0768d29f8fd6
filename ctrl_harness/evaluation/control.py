"""The compute-matched control `none`: programs drawn anew for the tokens that a critic arm spent.

For each (problem, epoch) of the arm's log drafts are drawn, at T 0.7 unless the protocol says
otherwise, until its generator and critic tokens are spent, and a little further, since which of
them count is settled over all chains (analysis/control.py). The arm's critic reads them in turn
until drafts and critiques together have spent as much; that is what its choice of one may cost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai.log import read_eval_log
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.analysis.logs import read_chains
from ctrl_harness.analysis.stopping import tokens_of
from ctrl_harness.critique.critic import Critic, Draft, FeedbackTests, as_critics_see_it
from ctrl_harness.critique.messages import Call, Completion, Usage
from ctrl_harness.critique.protocol import Stage, identity
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.frozen import open_drafts
from ctrl_harness.evaluation.roles import Roles
from ctrl_harness.evaluation.samples import one_line_errors, problem_of
from ctrl_harness.execution.inspect_sandbox import require_sandbox

CONTROL = "ctrl_harness:control"
"""Where a sample's metadata keeps its budget and what was drawn."""
NONE = "none"
"""The critic's name that stands for this control."""
TEMPERATURE = 0.7
"""Of its drafts, where the protocol leaves that to the command."""
_EXTRA = 2
"""Samples beyond the budget, for what the chains before left over."""


def budgets_of(arm: str) -> dict[tuple[str, int], int]:
    """Input and output tokens of each (problem, epoch) of a critic arm's log, all roles together;
    for a tree what its chains took on average.

    Raises UserError for a log that does not tell them.
    """
    spent: dict[tuple[str, int], list[int]] = {}
    for chain in read_chains(Path(arm)):
        key = (str(chain.outcome.problem), chain.outcome.epoch)
        spent.setdefault(key, []).append(tokens_of(chain.calls))
    budgets = {key: round(sum(tokens) / len(tokens)) for key, tokens in spent.items()}
    if not all(budgets.values()):
        raise UserError(f"{arm} does not tell the tokens of its calls; its model counts none")
    return budgets


@solver
def resample_until_spent(
    dataset: str,
    arm: str,
    critic: str = "model",
    votes: int = 1,
    feedback_tests: FeedbackTests = "public",
    prompts: str = "default",
    extraction: str = "first_fence",
    comparator: str | None = None,
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] = (),
    time_limit: str | float = "row",
    output_mb: str | float = "row",
    drafts: str | None = None,
    sampling: Mapping[Stage, Mapping[str, Any]] | None = None,
) -> Solver:
    """Draws drafts, and critiques of them, for the tokens that the arm's log tells of.

    Args:
        dataset: Name of the data set, for its prompts.
        arm: The log of the critic arm, on the same problems and epochs.
        critic: The arm's critic, which chooses among the drafts.
        votes: Critiques of each draft, as in the arm.
        feedback_tests: What the execution critics run, as in the arm.
        prompts: A built-in prompt set, a folder of templates, or critic-rl:PATH.
        extraction: How a program is taken out of a completion.
        comparator: How the execution critics compare outputs; the problem's own by default.
        executor: Where the execution critics run programs.
        unsafe_no_isolation: Allows the executor `process`; see docs/security.md.
        packages: Third-party packages that programs may import beside numpy.
        time_limit: row, row*K or wall seconds a test, for the execution critics.
        output_mb: row, or MiB of a test's output, for the execution critics.
        drafts: The file of frozen drafts that the arm began with; the control's first draft is the
            same one, whose tokens count in neither.
        sampling: For draft and critique: temperature, top_p, max_tokens, repetition_penalty.
    """
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
    budgets = budgets_of(arm)
    frozen_draft = open_drafts(drafts)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        with one_line_errors():
            require_sandbox(roles.judge.executor)  # before any model is asked
            budget = _budget(budgets, state, arm)
            frozen = frozen_draft(state)
        problem = await problem_of(state)
        calls = roles.calls(state)

        def critic_of(number: int, counter: _Counter) -> Critic:
            async def ask(call: Call) -> Completion:
                answer = await calls(replace(call, vote=number * votes + call.vote))
                counter.add(answer.usage)
                return answer

            return roles.critic(ask, problem)

        async def draft(number: int) -> _Answer:
            if frozen is not None and number == 0:
                return _Answer(frozen.completion, 0)
            answer = await calls(Call("generator", 0, roles.prompts.draft(problem), number))
            return _Answer(answer.text, answer.usage.total_tokens)

        async def criticise(number: int, text: str) -> _Answer:
            counter = _Counter()
            program = Draft(text, roles.judge.extract(text, problem))
            critique = await critic_of(number, counter)(as_critics_see_it(problem), program)
            return _Answer(critique.judgement, counter.tokens)

        with one_line_errors():
            drawn = await _draw(budget, draft, criticise)
        state.metadata[CONTROL] = {"budget": budget, "samples": [d._asdict() for d in drawn]}
        calls.configs.keep(state.metadata)
        calls.show(state, "generator")
        return state

    return solve


class _Answer(NamedTuple):
    """What came of a draft or a critique, and its tokens."""

    text: str
    tokens: int


class _Counter:
    """Tokens of a critic's calls, whatever it says of them itself."""

    def __init__(self) -> None:
        self.tokens = 0

    def add(self, usage: Usage) -> None:
        self.tokens += usage.total_tokens


class _Drawn(NamedTuple):
    """A draft; judgement: None where the critic's budget was spent before it."""

    completion: str
    tokens: int
    judgement: str | None
    critic_tokens: int


async def _draw(
    budget: int,
    draft: Callable[[int], Awaitable[_Answer]],
    criticise: Callable[[int, str], Awaitable[_Answer]],
) -> list[_Drawn]:
    """Drafts until they have spent the budget, critiques until both have, and _EXTRA of each."""
    drawn: list[_Drawn] = []
    spent = spent_choosing = beyond = beyond_choosing = 0
    while beyond < _EXTRA:
        beyond += spent >= budget
        number = len(drawn)
        answer = await draft(number)
        if number and not answer.tokens:
            raise UserError("the model counts no tokens, so nothing can be matched with the arm's")
        spent += answer.tokens
        critique = None
        if beyond_choosing < _EXTRA:
            beyond_choosing += spent_choosing >= budget
            critique = await criticise(number, answer.text)
            spent_choosing += answer.tokens + critique.tokens
        drawn.append(
            _Drawn(
                *answer,
                None if critique is None else critique.text,
                0 if critique is None else critique.tokens,
            )
        )
    return drawn


def _budget(budgets: Mapping[tuple[str, int], int], state: TaskState, arm: str) -> int:
    budget = budgets.get((str(state.sample_id), state.epoch))
    if budget is None:
        raise UserError(
            f"{arm} has no chain of {state.sample_id}, epoch {state.epoch}; run the control on the "
            "arm's problems, with as many epochs"
        )
    return budget


class ArmCritic(NamedTuple):
    """The critic of an arm's log, which chooses in its control too."""

    critic: str
    votes: int
    feedback_tests: FeedbackTests


def critic_of_arm(arm: str, protocol_facts: Mapping[str, Any]) -> ArmCritic:
    """Which critic made a log.

    protocol_facts: what the control's own header will say of its protocol. Raises UserError for
    what is no log of a critic arm, or one made under another protocol.
    """
    try:
        facts = read_eval_log(arm, header_only=True).eval.metadata or {}
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"arm={arm} is not an Inspect log: {error}") from error
    if facts.get("critic") in (None, NONE) or not facts.get("turns"):
        raise UserError(f"arm={arm} is not the log of a critic; give one with turns and a critic")
    own, others = identity(protocol_facts), identity(facts)
    if own != others:
        raise UserError(f"arm={arm} was made with the protocol {others}, the control with {own}")
    return ArmCritic(facts["critic"], facts.get("votes", 1), facts.get("feedback_tests", "public"))

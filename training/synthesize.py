"""Drafts, critiques and revisions of problems: the data that critics are trained on.

For each problem some drafts by the generator, each judged; for the first of them a critique by the
critic, who is told what running the draft showed (hints.py), and a revision after it, judged too
(arXiv 2502.03492, section 3.2). All work goes through StoredWork, so running the same again asks
and judges nothing that was done before, and rows can be made from the store alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from ctrl_harness.critique.critic import Critique, Draft
from ctrl_harness.critique.feedback import describe
from ctrl_harness.critique.leakage import find_leak
from ctrl_harness.critique.messages import Call, Completion
from ctrl_harness.critique.revise import Replay
from ctrl_harness.errors import ContextOverflow, JudgeError
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.engine import ModelFailed, Question, Submission, with_cases
from ctrl_harness.training.hints import hinted_messages
from ctrl_harness.training.leaks import LeakMode, Leaks, names_hint, strip
from ctrl_harness.training.revision import revise
from ctrl_harness.training.rl_rows import prompts_of
from ctrl_harness.training.stored_work import NotDone, StoredWork
from ctrl_harness.verification.verdict import Verdict

_Stage = Literal["draft", "critique", "revision"]
Fault = Literal["empty", "cut_off", "leak", "context_overflow"]
"""Why a critique got no revision: it says nothing, it ends in mid-sentence, it gives away what it
must not, the generator's context has no room for it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made of a problem.

    drafts: how many the generator writes. critiques: how many of them, the first ones, are
    criticised. prompts, replay: as in an evaluation. leak: see leaks.py.
    """

    drafts: int = 4
    critiques: int = 1
    prompts: str = "default"
    replay: Replay = "raw"
    leak: LeakMode = "report"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A critique and what came of it.

    critique: as it is learnt and as the generator read it. stripped: it lost passages. fault: why
    there is no revision; revision and verdict are None then, and there only.
    """

    critique: Critique
    leaks: Leaks
    stripped: bool = False
    fault: Fault | None = None
    revision: Draft | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft, the judge's word on it, and its review, None where none was asked for or failed."""

    number: int
    draft: Draft
    verdict: Verdict
    reviewed: Reviewed | None = None


class LeftOut(NamedTuple):
    """A draft that got no further, since a model or the judge failed at a stage of it.

    number: which of the problem's drafts, from 0.
    """

    problem_id: str
    number: int
    stage: _Stage
    culprit: Literal["model", "judge"]
    reason: str


class Outcome(NamedTuple):
    """What was made of a problem: drafts in order of their numbers, and what is missing."""

    problem: Problem
    drafted: tuple[Drafted, ...]
    left_out: tuple[LeftOut, ...]


async def make_all(
    problems: Iterable[Problem],
    recipe: Recipe,
    work: StoredWork,
    at_once: int,
    done: Callable[[Outcome], None],
) -> None:
    """Makes everything, for some problems at once; `done` hears of each as it ends.

    Raises UserError where going on makes no sense (a full disk, a model that is not there, nothing
    but failures); what was made is in the store.
    """
    send, receive = anyio.create_memory_object_stream[Problem](0)
    try:
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(_make_each, receive.clone(), recipe, work, done)
            receive.close()
            rest = iter(problems)
            async with send:
                # reading and unpacking megabytes of tests is no work for the event loop
                while (problem := await anyio.to_thread.run_sync(next, rest, None)) is not None:
                    await send.send(problem)
    except BaseExceptionGroup as failures:
        raise first_of(failures) from failures


async def outcome_of(problem: Problem, recipe: Recipe, work: StoredWork) -> Outcome:
    """Drafts, critiques and revisions of one problem; what fails is left out with its reason."""
    drafted: dict[int, Drafted] = {}
    left_out: dict[int, LeftOut] = {}

    async def make(number: int) -> None:
        chain = _Chain(problem, number, recipe, work)
        try:
            drafted[number] = await chain.draft()
            if number < recipe.critiques:
                drafted[number] = await chain.review(drafted[number])
        except (ModelFailed, JudgeError) as error:
            of_model = isinstance(error, (ModelFailed, ContextOverflow))
            culprit: Literal["model", "judge"] = "model" if of_model else "judge"
            left_out[number] = LeftOut(problem.id, number, chain.stage, culprit, str(error))
        except NotDone:
            pass  # the run that was to do it has told why

    try:
        async with anyio.create_task_group() as group:
            for number in range(recipe.drafts):
                group.start_soon(make, number)
    except BaseExceptionGroup as failures:
        raise first_of(failures) from failures
    return Outcome(
        problem,
        tuple(drafted[number] for number in sorted(drafted)),
        tuple(left_out[number] for number in sorted(left_out)),
    )


class _Chain:
    """One draft of a problem and what follows it."""

    def __init__(self, problem: Problem, number: int, recipe: Recipe, work: StoredWork) -> None:
        self.stage: _Stage = "draft"
        self._problem = problem
        self._number = number
        self._recipe = recipe
        self._work = work
        self._prompts = prompts_of(recipe.prompts, problem.dataset)

    async def draft(self) -> Drafted:
        answer = await self._ask(Call("generator", 0, self._prompts.draft(self._problem)))
        program = self._work.judge.extract(answer.text, self._problem)
        draft = Draft(answer.text, program)
        # hints, and rewards by the share of cases, count the cases that a draft passes
        return Drafted(self._number, draft, await self._judge(program, all_cases=True))

    async def review(self, drafted: Drafted) -> Drafted:
        self.stage = "critique"
        draft = drafted.draft
        feedback = describe(self._problem, drafted.verdict)
        messages = hinted_messages(self._prompts, self._problem, draft, feedback)
        answer = await self._ask(Call("critic", 1, messages))
        told, judgement = self._prompts.read(answer.text)
        critique = Critique(told, judgement, answer.cut_off, answer.usage)
        leaks = await self._leaks(told, drafted)
        reviewed = self._without_leaks(Reviewed(critique, leaks), draft)
        if reviewed.fault is None:
            self.stage = "revision"
            turn = await revise(
                self._problem,
                draft,
                reviewed.critique,
                generate=self._ask,
                prompts=self._prompts,
                judge=self._work.judge,
                replay=self._recipe.replay,
            )
            if turn.critique.malformed is not None:
                return replace(drafted, reviewed=replace(reviewed, fault="context_overflow"))
            verdict = await self._judge(turn.revision.program)
            reviewed = replace(reviewed, revision=turn.revision, verdict=verdict)
        return replace(drafted, reviewed=reviewed)

    async def _leaks(self, critique: str, drafted: Drafted) -> Leaks:
        code = await find_leak(critique, drafted.draft.program, self._problem, self._passes)
        return Leaks(code, names_hint(critique, self._problem))

    def _without_leaks(self, reviewed: Reviewed, draft: Draft) -> Reviewed:
        critique = reviewed.critique
        if not critique.text.strip():
            return replace(reviewed, fault="empty")
        if critique.cut_off:
            return replace(reviewed, fault="cut_off")
        if not reviewed.leaks or self._recipe.leak == "report":
            return reviewed
        rest = None
        if self._recipe.leak == "strip":
            rest = strip(critique.text, draft.program, self._problem)
        if rest is None:
            return replace(reviewed, fault="leak")
        # what is left may have lost its verdict
        read = replace(critique, text=rest, judgement=self._prompts.read(rest).judgement)
        return replace(reviewed, critique=read, stripped=True)

    async def _ask(self, call: Call) -> Completion:
        return await self._work.ask(Question(self._problem.id, self._number, call))

    async def _judge(self, program: str | None, *, all_cases: bool = False) -> Verdict:
        if program is None:
            return await with_cases(self._work.judge, all_cases).verify(self._problem, None)
        submission = Submission(self._problem, program, all_cases=all_cases)
        return await self._work.verify(submission, draft=self._number, stage=self.stage)

    async def _passes(self, program: str) -> bool:
        submission = Submission(self._problem, program, bare=True)
        try:
            verdict = await self._work.verify(submission, draft=self._number, stage="leak")
        except NotDone as error:
            # the judge failed in the run before, which has told so; the critique stays
            raise JudgeError(str(error)) from None
        return verdict.passed


async def _make_each(
    receive: MemoryObjectReceiveStream[Problem],
    recipe: Recipe,
    work: StoredWork,
    done: Callable[[Outcome], None],
) -> None:
    async with receive:
        async for problem in receive:
            done(await outcome_of(problem, recipe, work))


def first_of(error: BaseException) -> BaseException:
    """The first plain exception in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

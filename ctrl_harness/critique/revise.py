"""The loop: draft, critique, revision, for a number of turns. Free of any framework."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

from ctrl_harness.critique.critic import Critic, Critique, Draft, as_critics_see_it
from ctrl_harness.critique.messages import Call, Completion, Generate, Message
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.errors import ContextOverflow
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge

History = Literal["latest", "full"]
"""What a revision's chat holds: the latest program and critique, or all so far."""

Replay = Literal["raw", "code"]
"""What stands for the generator's program there: its whole answer, or the program in a block."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One critique and the revision it caused."""

    critique: Critique
    revision: Draft


@dataclass(frozen=True, slots=True)
class Chain:
    """A draft and the turns that followed.

    closing: the last critique, where no revision followed it: the critic judged the program correct
    and the loop ended, or the chain was cut off there.
    """

    draft: Draft
    turns: tuple[Turn, ...] = ()
    closing: Critique | None = None

    @property
    def programs(self) -> tuple[Draft, ...]:
        """The draft and the revisions, in order."""
        return (self.draft, *(turn.revision for turn in self.turns))


@dataclass(frozen=True, slots=True)
class Loop:
    """How a chain is made (arXiv 2502.03492, section 3.1).

    turns: critiques and revisions a draft gets at most. stop_at_correct: end when the critic
    judges the program correct, as the paper's text has it; its code always goes on, which is the
    default here, since numbers per turn then mean the same for every critic. history, replay: what
    the generator sees when it revises; `latest` and `raw` are CTRL's evaluation, `code` its RL. The
    critic sees the problem and the latest program alone, whatever the history. frozen: the answer
    that holds the draft, where it was written before and all critics are to read the same one.
    """

    generate: Generate
    critic: Critic
    prompts: Prompts
    judge: Judge
    turns: int = 1
    stop_at_correct: bool = False
    history: History = "latest"
    replay: Replay = "raw"
    frozen: str | None = None

    async def run(self, problem: Problem) -> Chain:
        """Makes one chain; failures of models and judges are the caller's exceptions."""
        async for chain in self.grow(problem):  # noqa: B007 - the last one is whole
            pass
        return chain

    async def grow(self, problem: Problem) -> AsyncIterator[Chain]:
        """The chain after each of its calls, for a caller who may be cut off in the middle."""
        chain = Chain(await self.draft(problem))
        yield chain
        while chain.closing is None and len(chain.turns) < self.turns:
            async for chain in self.turn(problem, chain):  # noqa: B020 - each grows out of the last
                yield chain

    async def draft(self, problem: Problem) -> Draft:
        """The program of turn 0: the frozen one, or the generator's."""
        if self.frozen is not None:
            return self._draft(problem, self.frozen, 0)
        answer = await self.generate(Call("generator", 0, self.prompts.draft(problem)))
        return self._draft(problem, answer.text, 0)

    async def turn(self, problem: Problem, chain: Chain) -> AsyncIterator[Chain]:
        """The chain with a critique of its last program, then with the revision, unless the loop
        ends there."""
        critique = await self.critic(as_critics_see_it(problem), chain.programs[-1])
        yield Chain(chain.draft, chain.turns, critique)
        if self.stop_at_correct and critique.judgement == "correct":
            return
        turn = len(chain.turns) + 1
        critique, answer = await self._answered(problem, chain, critique)
        revision = self._draft(problem, answer.text, turn)
        yield Chain(chain.draft, (*chain.turns, Turn(critique, revision)))

    async def _answered(
        self, problem: Problem, chain: Chain, critique: Critique
    ) -> tuple[Critique, Completion]:
        """The critique, marked where no generator can read it, and the answer to it: empty then,
        since a critique that costs its sample would cost its critic nothing."""
        if critique.malformed is not None:
            return critique, Completion("")
        messages = self._revision(problem, chain, critique)
        try:
            return critique, await self.generate(
                Call("generator", len(chain.turns) + 1, messages)
            )
        except ContextOverflow:
            return replace(critique, malformed="context_overflow"), Completion("")

    def _revision(self, problem: Problem, chain: Chain, critique: Critique) -> tuple[Message, ...]:
        """What the generator reads before it revises the chain's last program."""
        told = [*(turn.critique for turn in chain.turns), critique]
        exchanges = list(zip(chain.programs, told, strict=True))
        messages = list(self.prompts.draft(problem))
        for program, said in exchanges if self.history == "full" else exchanges[-1:]:
            messages.append(Message("assistant", self._replayed(program)))
            messages += self.prompts.revision(problem, program, said.text)
        return tuple(messages)

    def _replayed(self, draft: Draft) -> str:
        return self.prompts.fenced(draft) if self.replay == "code" else draft.completion

    def _draft(self, problem: Problem, completion: str, turn: int) -> Draft:
        return Draft(completion, self.judge.extract(completion, problem), turn)

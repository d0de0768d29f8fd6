"""What one sample grows, a chain or a tree, kept as far as it came whatever cuts it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from inspect_ai.log import transcript

from ctrl_harness.analysis.logs import is_answer
from ctrl_harness.critique.critic import Critic
from ctrl_harness.critique.messages import Branch, Generate
from ctrl_harness.critique.revise import Chain, Loop
from ctrl_harness.critique.tree import Tree, grow_tree, on_branch
from ctrl_harness.evaluation.record import ChainRecord
from ctrl_harness.evaluation.tree_record import TreeRecord
from ctrl_harness.problems.problem import Problem


class Growth(Protocol):
    """One sample's programs and critiques."""

    async def run(self, problem: Problem) -> None:
        """Grows to the end."""
        ...

    def keep(self, metadata: dict[str, Any], ended: str | None) -> None:
        """Records what came so far."""
        ...


class ChainGrowth:
    """A draft and one revision a turn."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._chain: Chain | None = None

    async def run(self, problem: Problem) -> None:
        async for chain in self._loop.grow(problem):
            self._chain = chain

    def keep(self, metadata: dict[str, Any], ended: str | None) -> None:
        ChainRecord.of(self._chain, self._loop.turns, ended).keep(metadata)


class TreeGrowth:
    """A draft, and several revisions of each program.

    critic_of: makes the critic of a branch, from what that branch's calls go through.
    """

    def __init__(
        self, loop: Loop, critic_of: Callable[[Generate], Critic], branches: tuple[int, ...]
    ) -> None:
        self._loop = loop
        self._critic_of = critic_of
        self._branches = branches
        self._tree: Tree | None = None
        self._calls: dict[Branch, int] = {}

    async def run(self, problem: Problem) -> None:
        before = _answers_so_far()
        async for tree in grow_tree(self._loop_at, self._branches, problem):
            self._tree = tree
            latest = list(tree.nodes)[-1]
            # an agent answers one call with many events, so these are counted, not calls
            self._calls[latest] = _answers_so_far() - before - sum(
                made for branch, made in self._calls.items() if branch != latest
            )

    def keep(self, metadata: dict[str, Any], ended: str | None) -> None:
        TreeRecord.of(self._tree, self._branches, ended, self._calls).keep(metadata)

    def _loop_at(self, branch: Branch) -> Loop:
        generate = on_branch(self._loop.generate, branch)
        return replace(self._loop, generate=generate, critic=self._critic_of(generate))


def _answers_so_far() -> int:
    return sum(map(is_answer, transcript().events))

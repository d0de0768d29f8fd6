"""Trees of revisions: each program gets several critiques, and each of them a revision.

CTRL's released code grows them with `--widths 1 5 1 …` (HKUNLP/critic-rl, ctrl/gen/tree.py): one
root, five drafts of it, then so many critiques and revisions of every program. Here a draft is an
epoch, so that a tree begins at one draft, and `branches` are the widths after it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from ctrl_harness.critique.critic import Critique, Draft
from ctrl_harness.critique.messages import Branch, Call, Completion, Generate
from ctrl_harness.critique.revise import Chain, Loop, Turn
from ctrl_harness.problems.problem import Problem


@dataclass(frozen=True, slots=True)
class Node:
    """A program and the critique that caused it.

    critique: None for the draft. program: None where no revision followed the critique.
    """

    critique: Critique | None
    program: Draft | None


@dataclass(frozen=True, slots=True)
class Tree:
    """What has grown so far: nodes by their branch, in the order in which they came."""

    branches: tuple[int, ...]
    nodes: Mapping[Branch, Node]

    def chain(self, leaf: Branch) -> Chain:
        """From the draft towards a leaf, as far as it has grown."""
        draft = self.nodes[()].program
        assert draft is not None, "a tree begins with a program"
        chain = Chain(draft)
        for turn in range(1, len(leaf) + 1):
            node = self.nodes.get(leaf[:turn])
            if node is None or node.critique is None:
                break
            if node.program is None:
                return replace(chain, closing=node.critique)
            chain = replace(chain, turns=(*chain.turns, Turn(node.critique, node.program)))
        return chain


def leaves(branches: tuple[int, ...]) -> list[Branch]:
    """Every leaf of a whole tree, in order; the one leaf of a draft without turns is ()."""
    return list(product(*(range(width) for width in branches)))


async def grow_tree(
    loop_at: Callable[[Branch], Loop], branches: tuple[int, ...], problem: Problem
) -> AsyncIterator[Tree]:
    """The tree after each of its calls, level by level.

    loop_at: the loop of a branch; its calls should carry that branch (`on_branch`), so that
    siblings, which are asked the same, differ. branches: critiques and revisions that each program
    of a level gets, level by level.
    """
    nodes: dict[Branch, Node] = {(): Node(None, await loop_at(()).draft(problem))}
    yield Tree(branches, dict(nodes))
    for level, width in enumerate(branches):
        parents = [b for b, node in nodes.items() if len(b) == level and node.program is not None]
        for parent in parents:
            before = Tree(branches, nodes).chain(parent)
            for number in range(width):
                branch = (*parent, number)
                async for chain in loop_at(branch).turn(problem, before):
                    if chain.closing is not None:
                        nodes[branch] = Node(chain.closing, None)
                    else:
                        nodes[branch] = Node(chain.turns[-1].critique, chain.turns[-1].revision)
                    yield Tree(branches, dict(nodes))


def on_branch(generate: Generate, branch: Branch) -> Generate:
    """The same, with the branch in every call."""

    async def ask(call: Call) -> Completion:
        return await generate(replace(call, branch=branch))

    return ask

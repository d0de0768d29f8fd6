"""Trees of revisions: what branches, who is asked what, and which chains come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.critic import CriticContext, feedback_from, on_public_cases
from ctrl_harness.critique.critics import model_critic
from ctrl_harness.critique.messages import Branch, Call, Completion, Generate
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.critique.revise import Chain, Loop
from ctrl_harness.critique.seeds import call_seed
from ctrl_harness.critique.tree import Tree, grow_tree, leaves, on_branch
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Problem, StdioCase
from ctrl_harness.verification.judge import Judge

PROMPTS = PromptSet("default", "codecontests")
CASE = StdioCase("1\n", "1\n")
PROBLEM = Problem("p", "codecontests", "Echo.", cases=(CASE,), public_cases=(CASE,))


class Model:
    """Its answers name the call; a critique at one of `correct` says that all is well."""

    def __init__(self, correct: frozenset[Branch] = frozenset()) -> None:
        self.calls: list[Call] = []
        self._correct = correct

    async def __call__(self, call: Call) -> Completion:
        self.calls.append(call)
        if call.role == "critic":
            verdict = "Correct" if call.branch in self._correct else "Incorrect"
            return Completion(f"About {call.branch}.\n\nOverall judgment: {verdict}")
        return Completion(f"```python\nprint({call.branch})\n```")


def loop(model: Generate, **options: Any) -> Loop:
    judge = Judge(ProcessExecutor(1))

    def critic(generate: Generate) -> Any:
        return model_critic(
            CriticContext(
                generate,
                on_public_cases(judge, PROBLEM),
                PROMPTS,
                feedback_from(judge, PROBLEM, "public"),
            )
        )

    return Loop(model, critic(model), PROMPTS, judge, **options)


def grow(model: Model, branches: tuple[int, ...], **options: Any) -> list[Tree]:
    """Every state of the tree, the last one whole."""

    def at(branch: Branch) -> Loop:
        return loop(on_branch(model, branch), **options)

    async def collect() -> list[Tree]:
        return [tree async for tree in grow_tree(at, branches, PROBLEM)]

    return anyio.run(collect)


def programs(chain: Chain) -> list[str | None]:
    return [draft.program for draft in chain.programs]


def told(branch: Branch) -> str:
    return f"print({branch})\n"


def test_every_program_of_a_level_gets_as_many_critiques_and_revisions() -> None:
    model = Model()
    *_, tree = grow(model, (2, 3))
    assert leaves((2, 3)) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert list(tree.nodes) == [(), (0,), (1,), *leaves((2, 3))]
    for leaf in leaves((2, 3)):
        chain = tree.chain(leaf)
        assert programs(chain) == [told(()), told(leaf[:1]), told(leaf)]
        assert [turn.critique.text.split(".")[0] for turn in chain.turns] == [
            f"About {leaf[:1]}", f"About {leaf}",
        ]  # fmt: skip
        assert [draft.turn for draft in chain.programs] == [0, 1, 2]
    asked = [(call.role, call.turn, call.branch) for call in model.calls]
    assert len(asked) == len(set(asked)) == 1 + 2 * 2 + 2 * 6


def test_siblings_read_the_same_and_differ_in_their_seed() -> None:
    model = Model()
    grow(model, (3, 2))
    critiques = [call for call in model.calls if call.role == "critic" and call.turn == 1]
    assert len({call.messages for call in critiques}) == 1
    seeds = [call_seed(7, "p", 1, call) for call in model.calls]
    assert len(set(seeds)) == len(seeds)
    again = Model()
    grow(again, (3, 2))
    assert [call_seed(7, "p", 1, call) for call in again.calls] == seeds


def test_the_first_chain_of_a_tree_has_the_seeds_of_a_chain_alone() -> None:
    tree, chain = Model(), Model()
    grow(tree, (3, 2))
    anyio.run(loop(chain, turns=2).run, PROBLEM)
    firsts = [call for call in tree.calls if not any(call.branch)]
    assert [call_seed(1, "p", 1, c) for c in firsts] == [
        call_seed(1, "p", 1, c) for c in chain.calls
    ]


def test_branches_of_one_are_a_chain() -> None:
    model = Model()
    *_, tree = grow(model, (1, 1), history="full")
    plain = Model()

    async def unbranched(call: Call) -> Completion:
        return await plain(replace(call, branch=(0,) * call.turn))

    chain = anyio.run(loop(unbranched, turns=2, history="full").run, PROBLEM)
    assert tree.chain((0, 0)) == chain
    assert [call.messages for call in model.calls] == [call.messages for call in plain.calls]


def test_a_branch_that_stops_has_no_children_and_keeps_its_last_word() -> None:
    model = Model(correct=frozenset({(0,)}))
    *_, tree = grow(model, (2, 2), stop_at_correct=True)
    assert list(tree.nodes) == [(), (0,), (1,), (1, 0), (1, 1)]
    stopped = tree.chain((0, 1))
    assert programs(stopped) == [told(())]
    assert stopped.closing is not None and stopped.closing.judgement == "correct"


@pytest.mark.parametrize("calls", [1, 2, 3, 5])
def test_what_is_cut_off_can_still_be_read(calls: int) -> None:
    states = grow(Model(), (2, 2))
    chain_of: Callable[[Branch], Chain] = states[calls - 1].chain
    chains = [chain_of(leaf) for leaf in leaves((2, 2))]
    assert all(chain.draft.program == told(()) for chain in chains)
    made = {id(c.closing) for c in chains if c.closing} | {
        id(turn.revision) for chain in chains for turn in chain.turns
    }
    assert len(made) == calls // 2

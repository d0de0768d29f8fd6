"""critic-rl's tree files: nothing is lost on the way in and out, and chains are counted alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.analysis.logs import LoggedChain
from ctrl_harness.analysis.summary import summarise
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.tree_chains import forest_of, outcomes_of_forest
from ctrl_harness.analysis.trees import (
    Forest,
    TreeNode,
    drafts_of_forest,
    read_forest,
    write_forest,
)
from ctrl_harness.errors import UserError

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of characters too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def forests(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Nodes as anybody may have written them, with fields of their own."""
    nodes: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 12))):
        parents = [n for n in nodes if draw(st.booleans())]
        parent = parents[0] if parents else None
        kind = "root" if parent is None else "critique_revision"
        if parent is not None and parent["node_type"] == "root":
            kind = "generation"
        node = {
            "task_id": draw(st.integers(0, 5) | st.text(max_size=5)),
            "hash": f"{number:040x}",
            "node_type": kind,
            "prev_hash": None if parent is None else parent["hash"],
            "solution": None if kind == "root" else draw(TEXTS),
            "critique": draw(st.none() | TEXTS),
            "success": draw(st.none() | st.booleans() | st.floats(0, 1)),
            "metadata": draw(st.dictionaries(TEXTS, VALUES, max_size=2)),
        }
        nodes.append({**node, **draw(st.dictionaries(st.text("xyz", min_size=1), VALUES))})
    return nodes


@given(forests())
@settings(max_examples=60, deadline=None)
def test_a_tree_that_was_read_is_written_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, nodes: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    first, second = folder / "in.jsonl", folder / "out.jsonl"
    first.write_text("".join(json.dumps(node) + "\n" for node in nodes), encoding="utf-8")
    write_forest(second, read_forest(first))
    assert [json.loads(line) for line in second.read_text("utf-8").split("\n")[:-1]] == nodes
    assert [node.data for node in read_forest(second).nodes] == nodes


JUDGEMENTS = st.sampled_from(["correct", "incorrect", "missing"])
LEAKS = st.sampled_from(["none", "program", "passing"])


@st.composite
def logged_chains(draw: st.DrawFn) -> list[LoggedChain]:
    """Chains of one run: whole ones, some that stopped, were cut short, or have not even a draft.
    """
    turns = draw(st.integers(0, 3))
    leaks = draw(st.booleans())
    chains = []
    for problem in draw(st.lists(st.text(max_size=4), min_size=1, max_size=3, unique=True)):
        for epoch in range(1, draw(st.integers(1, 3)) + 1):
            written = draw(st.integers(0, turns + 1))
            flags = draw(st.lists(st.booleans(), min_size=written, max_size=written))
            clocks = [not flag and draw(st.booleans()) for flag in flags]
            missing = turns + 1 - written
            outcome = Outcome(
                problem=problem,
                passed=tuple(flags + [flags[-1] if flags else False] * missing),
                judgements=tuple(draw(st.lists(JUDGEMENTS, min_size=turns, max_size=turns))),
                time_limit=tuple(clocks + [clocks[-1] if clocks else False] * missing),
                epoch=epoch,
                leaks=tuple(draw(st.lists(LEAKS, min_size=turns, max_size=turns)))
                if leaks
                else (),
                cut_short=missing > 0 and draw(st.booleans()),
            )
            told = max(written - 1, 0) + (draw(st.integers(0, 1)) if 0 < written <= turns else 0)
            chains.append(
                LoggedChain(
                    outcome,
                    {},
                    tuple(draw(st.lists(TEXTS, min_size=written, max_size=written))),
                    (),
                    tuple(draw(st.lists(TEXTS, min_size=told, max_size=told))),
                    (0,) * turns,
                )
            )
    return chains


def same_numbers(a: list[Outcome], b: list[Outcome]) -> bool:
    return repr(summarise(a)) == repr(summarise(b))


@given(logged_chains())
@settings(max_examples=150, deadline=None)
def test_chains_come_out_of_their_tree_as_they_went_in(chains: list[LoggedChain]) -> None:
    found = outcomes_of_forest(forest_of(chains))
    assert (found.unjudged, found.unfinished) == (0, 0)
    outcomes = [chain.outcome for chain in chains]

    def key(o: Outcome) -> tuple[str, int, int]:
        return (str(o.problem), o.epoch, o.branch)

    assert sorted(found.outcomes, key=key) == sorted(outcomes, key=key)
    assert same_numbers(sorted(found.outcomes, key=key), sorted(outcomes, key=key))


@given(logged_chains())
@settings(max_examples=50, deadline=None)
def test_levels_come_in_order_and_parents_first(chains: list[LoggedChain]) -> None:
    depth: dict[str, int] = {}
    for node in forest_of(chains).nodes:
        depth[node.hash] = 0 if node.parent is None else depth[node.parent] + 1
    assert list(depth.values()) == sorted(depth.values())


# -- trees that the original repository wrote


def node(number: int, parent: int | None, **fields: Any) -> TreeNode:
    kind = "root" if parent is None else "generation" if parent < 2 else "critique_revision"
    data = {
        "task_id": "codecontests/test/1",
        "hash": f"{number:040x}",
        "node_type": kind,
        "prev_hash": None if parent is None else f"{parent:040x}",
        "solution": None if parent is None else "print(1)",
        "critique": None,
        "success": None,
        "metadata": {},
        **fields,
    }
    return TreeNode(data)


@pytest.fixture
def theirs() -> list[TreeNode]:
    """Two drafts of one problem, one turn each."""
    correct = "Fine.\n\nOverall judgment: Correct"
    return [
        node(1, None),
        node(2, 1, success=False),
        node(3, 1, success=1.0),
        node(4, 2, success=True, critique="Overall judgment: Incorrect"),
        node(5, 3, success=0.0, critique=correct),
    ]


def test_their_trees_are_read_as_they_read_them(theirs: list[TreeNode]) -> None:
    found = outcomes_of_forest(Forest(theirs)).outcomes
    told = [(o.epoch, o.branch, o.passed, o.judgements) for o in found]
    assert told == [
        (1, 0, (False, True), ("incorrect",)), (2, 0, (True, False), ("correct",)),
    ]  # fmt: skip


def test_each_leaf_ends_a_chain(theirs: list[TreeNode]) -> None:
    sibling = node(6, 2, success=False, critique="Hm.")
    found = outcomes_of_forest(Forest([*theirs, sibling])).outcomes
    assert [(o.epoch, o.branch, o.passed) for o in found] == [
        (1, 0, (False, True)), (1, 1, (False, False)), (2, 0, (True, False)),
    ]  # fmt: skip


def test_what_was_cut_off_or_not_judged_is_counted_apart(theirs: list[TreeNode]) -> None:
    found = outcomes_of_forest(Forest(theirs[:-1]))
    assert (len(found.outcomes), found.unjudged, found.unfinished) == (1, 0, 1)
    unjudged = [*theirs[:-1], node(5, 3, success=None)]
    found = outcomes_of_forest(Forest(unjudged))
    assert (len(found.outcomes), found.unjudged, found.unfinished) == (1, 1, 0)


@pytest.mark.parametrize(
    ("task_id", "problem"),
    [("b", "b"), ("codecontests/test/1", "b"), (0, "a"), ("x/7", None), ("nothing", None)],
)
def test_a_tree_s_problems_are_known_by_id_or_row(task_id: Any, problem: str | None) -> None:
    forest = Forest([node(1, None, task_id=task_id), node(2, 1, solution="one"), node(3, 1)])
    drafts, unknown = drafts_of_forest(forest, ["a", "b"])
    if problem is None:
        assert (drafts, unknown) == ([], [str(task_id)])
    else:
        assert [tuple(draft) for draft in drafts] == [
            (problem, 1, "one"), (problem, 2, "print(1)"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('{"task_id": 1, "hash": "a", "node_ty', "line 1 of .* is no JSON, perhaps cut off"),
        ("[1]", "is no node of a tree"),
        ("", "holds no tree"),
        (json.dumps(dict(node(2, 1).data)), "names a parent that does not stand before it"),
        (json.dumps({**node(1, None).data, "node_type": "leaf"}), "has the node_type 'leaf'"),
        ("\n".join([json.dumps(dict(node(1, None).data))] * 2), "line 2 .* a hash that stood"),
        (
            "\n".join(
                json.dumps(dict(n.data)) for n in (node(1, None), node(2, 1, solution=None))
            ),
            "is a generation without a solution",
        ),
    ],
)
def test_what_is_no_tree_is_one_sentence(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "tree.jsonl"
    path.write_text(lines)
    with pytest.raises(UserError, match=says):
        read_forest(path)

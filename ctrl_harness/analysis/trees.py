"""critic-rl's tree files: read and written.

A line of JSON a node (HKUNLP/critic-rl, ctrl/gen/tree.py): task_id, hash, node_type (root,
generation, critique_revision), prev_hash (the parent's), solution (a whole answer), critique (what
the revision answers), success, metadata; parents before children, level by level, as its own
reader wants them. Lines that were read are written again with all that they held.

What stands in them as chains: tree_chains.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError

OURS = "ctrl_harness"
_PARENTS = {
    "root": (None,),
    "generation": ("root",),
    "critique_revision": ("generation", "critique_revision"),
}


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One line. data: all of it, as it stands."""

    data: Mapping[str, Any]

    @property
    def hash(self) -> str:
        return str(self.data["hash"])

    @property
    def kind(self) -> str:
        return str(self.data["node_type"])

    @property
    def parent(self) -> str | None:
        found = self.data.get("prev_hash")
        return found if isinstance(found, str) else None  # pandas may write NaN for none

    @property
    def solution(self) -> str | None:
        found = self.data.get("solution")
        return found if isinstance(found, str) else None

    @property
    def passed(self) -> bool | None:
        """None where it was not judged."""
        found = self.data.get("success")
        return bool(found == 1) if isinstance(found, (bool, int, float)) else None

    @property
    def ours(self) -> Mapping[str, Any]:
        metadata = self.data.get("metadata")
        found = metadata.get(OURS) if isinstance(metadata, Mapping) else None
        return found if isinstance(found, Mapping) else {}


class Forest:
    """The trees of a file, in the order of its lines."""

    def __init__(self, nodes: Iterable[TreeNode]) -> None:
        """Raises UserError, naming the line, for nodes that make no tree."""
        self.nodes = tuple(nodes)
        self._by_hash: dict[str, TreeNode] = {}
        self._children: dict[str, list[TreeNode]] = {}
        for number, node in enumerate(self.nodes, start=1):
            _check(node, self._by_hash, number)
            self._by_hash[node.hash] = node
            self._children[node.hash] = []
            if node.parent is not None:
                self._children[node.parent].append(node)

    @property
    def roots(self) -> Iterator[TreeNode]:
        return (node for node in self.nodes if node.kind == "root")

    def children(self, node: TreeNode) -> Sequence[TreeNode]:
        return self._children[node.hash]

    def programs(self, node: TreeNode) -> list[TreeNode]:
        """From the draft to this node; none for a root."""
        found: list[TreeNode] = []
        while node.parent is not None:
            found.append(node)
            node = self._by_hash[node.parent]
        return found[::-1]


def _check(node: TreeNode, before: Mapping[str, TreeNode], number: int) -> None:
    if node.hash in before:
        raise UserError(f"line {number} of the tree has a hash that stood before: {node.hash}")
    if node.kind not in _PARENTS:
        raise UserError(
            f"line {number} of the tree has the node_type {node.kind!r}; it is one of "
            f"{', '.join(_PARENTS)}"
        )
    if node.parent is not None and node.parent not in before:
        raise UserError(
            f"line {number} of the tree names a parent that does not stand before it; give the "
            "whole file, as it was written"
        )
    parent = None if node.parent is None else before[node.parent].kind
    if parent not in _PARENTS[node.kind]:
        told = parent or "nothing"
        raise UserError(f"line {number} of the tree: a {node.kind} cannot follow {told}")
    if node.kind != "root" and node.solution is None:
        raise UserError(f"line {number} of the tree is a {node.kind} without a solution")


def read_forest(path: Path) -> Forest:
    """Raises UserError for a file that is cut off or no tree, naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the tree {path} cannot be read: {error}") from error
    nodes = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError(
                f"line {number} of {path} is no JSON, perhaps cut off; give the whole tree"
            ) from None
        if not isinstance(data, dict) or not {"task_id", "hash", "node_type"} <= data.keys():
            raise UserError(
                f"line {number} of {path} is no node of a tree, which has task_id, hash, node_type"
            )
        nodes.append(TreeNode(data))
    if not nodes:
        raise UserError(f"{path} holds no tree; give a file that run_gen.py or compare wrote")
    return Forest(nodes)


def write_forest(path: Path, forest: Forest) -> None:
    """Writes each node as it stands."""
    path.write_text("".join(f"{_line(node)}\n" for node in forest.nodes), encoding="utf-8")


def _line(node: TreeNode) -> str:
    line = json.dumps(node.data, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half of a character, which only an escape can write
        return json.dumps(node.data)
    return line


# -- drafts out of trees


class TreeDraft(NamedTuple):
    """The n-th draft of a problem, n from 1."""

    problem: str
    epoch: int
    completion: str


def drafts_of_forest(
    forest: Forest, problems: Sequence[str], by_row: bool = True
) -> tuple[list[TreeDraft], list[str]]:
    """The drafts, and the task_ids of roots that are none of these problems.

    problems: ids in the order of their rows. A task_id is a problem's id, or ends in the number of
    its row, counted from 0 (`codecontests/test/12`, as that repository's scripts number them);
    by_row: whether such numbers may be taken for rows.
    """
    drafts: list[TreeDraft] = []
    unknown: list[str] = []
    for root in forest.roots:
        problem = _problem_of(root.data["task_id"], problems, by_row)
        if problem is None:
            unknown.append(str(root.data["task_id"]))
            continue
        for n, node in enumerate(forest.children(root), start=1):
            epochs = {end["epoch"] for end in _ends_below(forest, node)}
            epoch = epochs.pop() if len(epochs) == 1 else n
            drafts.append(TreeDraft(problem, epoch, node.solution or ""))
    return drafts, unknown


def _ends_below(forest: Forest, node: TreeNode) -> Iterator[Mapping[str, Any]]:
    yield from node.ours.get("ends", ())
    for child in forest.children(node):
        yield from _ends_below(forest, child)


def _problem_of(task_id: object, problems: Sequence[str], by_row: bool) -> str | None:
    if str(task_id) in problems:
        return str(task_id)
    number = str(task_id).rpartition("/")[2]
    if by_row and number.isdecimal() and number.isascii() and int(number) < len(problems):
        return problems[int(number)]
    return None

"""Our chains as critic-rl's trees, and such trees as chains (trees.py has the format).

What the format has no place for stands under `metadata.ctrl_harness` of trees made from our logs:
of a program `judgement` and `leak` of the critique that caused it and `time_limit`; and for each
chain, at the last program it has, an `end`: epoch, branch, turns, cut_short, and what its further
critiques said. Trees without it are read as that repository reads them: the n-th generation of a
root is epoch n, every leaf ends a chain, and "Overall judgment: Correct" is the verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from ctrl_harness.analysis.logs import LoggedChain
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.trees import OURS, Forest, TreeNode
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.leakage import Leak
from ctrl_harness.critique.prompts import PromptSet


def forest_of(chains: Iterable[LoggedChain]) -> Forest:
    """The trees that hold these chains, one a problem, level by level."""
    levels: list[dict[str, dict[str, Any]]] = []

    def node(depth: int, name: str, **data: Any) -> dict[str, Any]:
        while len(levels) <= depth:
            levels.append({})
        return levels[depth].setdefault(name, {**data, "metadata": {OURS: {}}})

    for chain in chains:
        outcome = chain.outcome
        task = str(outcome.problem)
        last = node(0, _hash(task), **_fields(task, _hash(task), "root", None))
        for turn, completion in enumerate(chain.completions):
            place = (outcome.epoch, *chain.leaf[:turn])
            name = _hash(task, *place)
            kind = "critique_revision" if turn else "generation"
            said = chain.critiques[turn - 1] if turn else None
            last = node(
                turn + 1,
                name,
                **{
                    **_fields(task, name, kind, str(last["hash"])),
                    "solution": completion,
                    "critique": said,
                    "success": outcome.passed[turn],
                },
            )
            last["metadata"][OURS].update(_told(outcome, turn))
        rest = max(len(chain.completions) - 1, 0)
        end = {
            "epoch": outcome.epoch,
            "branch": outcome.branch,
            "turns": len(outcome.passed) - 1,
            "judgements": list(outcome.judgements[rest:]),
            "leaks": list(outcome.leaks[rest:]),
            "cut_short": outcome.cut_short,
            "unanswered": list(chain.critiques[rest:]),
        }
        last["metadata"][OURS].setdefault("ends", []).append(end)
    return Forest(TreeNode(data) for level in levels for data in level.values())


def _fields(task: str, name: str, kind: str, parent: str | None) -> dict[str, Any]:
    return {
        "task_id": task,
        "hash": name,
        "node_type": kind,
        "prev_hash": parent,
        "solution": None,
        "critique": None,
        "success": None,
    }


def _told(outcome: Outcome, turn: int) -> dict[str, Any]:
    """What is known of a program, and of the critique that caused it."""
    told: dict[str, Any] = {}
    if outcome.time_limit:
        told["time_limit"] = outcome.time_limit[turn]
    if turn and outcome.judgements:
        told["judgement"] = outcome.judgements[turn - 1]
    if turn and outcome.leaks:
        told["leak"] = outcome.leaks[turn - 1]
    return told


def _hash(*place: str | int) -> str:
    """40 hexadecimal digits, as theirs, but the same in each export."""
    return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:40]


# -- chains out of trees


class TreeOutcomes(NamedTuple):
    """outcomes: of the chains that can be counted. unjudged: chains with a program that nobody
    judged. unfinished: chains with fewer turns than others, of a file that was cut."""

    outcomes: list[Outcome]
    unjudged: int
    unfinished: int


class _Chain(NamedTuple):
    root: TreeNode
    programs: list[TreeNode]
    end: Mapping[str, Any]


def outcomes_of_forest(forest: Forest) -> TreeOutcomes:
    """Each chain's outcome, as the log would have told it that the tree was made from."""
    chains = list(_chains(forest))
    judged = [c for c in chains if all(node.passed is not None for node in c.programs)]
    turns = max((_turns(chain) for chain in judged), default=0)
    whole = [c for c in judged if _turns(c) == turns]
    return TreeOutcomes(
        [_outcome(chain) for chain in whole],
        len(chains) - len(judged),
        len(judged) - len(whole),
    )


def _chains(forest: Forest) -> Iterator[_Chain]:
    for root in forest.roots:
        for end in root.ours.get("ends", ()):
            yield _Chain(root, [], end)
        for epoch, draft in enumerate(forest.children(root), start=1):
            stack, branch = [draft], 0
            while stack:
                node = stack.pop()
                stack += reversed(forest.children(node))
                ends = node.ours.get("ends")
                if ends is None and not forest.children(node):
                    ends = [{"epoch": epoch, "branch": branch}]
                for end in ends or ():
                    branch += 1
                    yield _Chain(root, forest.programs(node), end)


def _turns(chain: _Chain) -> int:
    found: int = chain.end.get("turns", len(chain.programs) - 1)
    return found


def _outcome(chain: _Chain) -> Outcome:
    root, programs, end = chain
    missing = _turns(chain) + 1 - len(programs)
    passed = [bool(node.passed) for node in programs]
    clocks = [node.ours.get("time_limit") for node in programs]
    leaks = [node.ours.get("leak") for node in programs[1:]] + list(end.get("leaks", ()))
    return Outcome(
        problem=str(root.data["task_id"]),
        passed=tuple(passed + [passed[-1] if passed else False] * missing),
        judgements=(
            *(_judgement(node) for node in programs[1:]),
            *end.get("judgements", ()),
        ),
        time_limit=()
        if None in clocks
        else tuple([bool(c) for c in clocks] + [bool(clocks and clocks[-1])] * missing),
        epoch=end["epoch"],
        leaks=() if None in leaks else tuple(_leak(leak) for leak in leaks),
        cut_short=end.get("cut_short", False),
        branch=end["branch"],
    )


def _judgement(node: TreeNode) -> Judgement:
    told = node.ours.get("judgement")
    if told in ("correct", "incorrect", "missing"):
        found: Judgement = told
        return found
    critique = node.data.get("critique")
    return _read_judgement(critique) if isinstance(critique, str) else "missing"


@cache
def _prompts() -> PromptSet:
    return PromptSet("ctrl", "codecontests")


def _read_judgement(critique: str) -> Judgement:
    return _prompts().read(critique).judgement


def _leak(told: Any) -> Leak:
    return told if told in ("program", "passing", "unjudged") else "none"

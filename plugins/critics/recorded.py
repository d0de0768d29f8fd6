"""`recorded:FILE`: somebody's stored decisions about pairs of responses, judged as a critic's are.

A line is a JSON object with `pair_id` and the two decisions, the second made with the responses
swapped, as they were said of the order then shown:

    {"pair_id": "…", "decisions": ["A>B", "B>A"]}

or as JudgeBench's own code writes them: `"judgments": [{"decision": "A>B"}, {"decision": "B>A"}]`.
null is a decision that is missing; what else stands in a line is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ctrl_harness.critique.critic import (
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Decision,
    Draft,
    Pair,
    takes_argument,
)
from ctrl_harness.errors import UserError
from ctrl_harness.plugins.json_lines import read_lines
from ctrl_harness.problems.problem import Problem

_DECISIONS: dict[Any, Decision] = {
    "A>B": "A>B", "B>A": "B>A", "A<B": "B>A", "B<A": "A>B", "A=B": "A=B", "B=A": "A=B",
    "missing": "missing", None: "missing",
}  # fmt: skip


class Decisions(NamedTuple):
    """What was said of a pair as it stands, and of it swapped."""

    as_stored: Decision
    swapped: Decision


class Recorded:
    """Says again what stands in a file."""

    def __init__(self, path: str, known: Mapping[str, Decisions]) -> None:
        self._path = path
        self._known = known

    async def compare(self, pair: Pair) -> Comparison:
        """Raises UserError for a pair that the file says nothing of."""
        decisions = self._known.get(pair.id)
        if decisions is None:
            raise UserError(f"{self._path} has no decision about the pair {pair.id}; add its line")
        decision = decisions.swapped if pair.swapped else decisions.as_stored
        return Comparison(decision, f"recorded: {decision}")

    async def __call__(self, problem: Problem, draft: Draft) -> NoReturn:
        raise UserError(
            f"recorded:{self._path} holds decisions about pairs of responses, no critiques; "
            "use it with tasks/judgebench.py, mode=pairwise"
        )


@takes_argument("FILE")
def recorded(path: str) -> CriticFactory:
    """Stored decisions about pairs of responses.

    Raises UserError for a file that cannot be read as such.
    """
    known = _read(str(Path(path).expanduser()))

    def make(context: CriticContext) -> Critic:  # noqa: ARG001
        return Recorded(path, known)

    return make


@lru_cache(maxsize=8)
def _read(path: str) -> dict[str, Decisions]:
    known: dict[str, Decisions] = {}
    for where, row in read_lines(Path(path), "decisions"):
        pair, decisions = _decisions(row, where)
        if known.setdefault(pair, decisions) != decisions:
            raise UserError(f"{where} decides {pair} again and otherwise")
    if not known:
        raise UserError(f"{path} holds no decision; write one line a pair")
    return known


def _decisions(row: Any, where: str) -> tuple[str, Decisions]:
    if not isinstance(row, dict) or not isinstance(row.get("pair_id"), str):
        raise UserError(f"{where} has no text in the field pair_id; it names the pair")
    said = row.get("decisions")
    if said is None and isinstance(row.get("judgments"), list):
        said = [j.get("decision") if isinstance(j, dict) else j for j in row["judgments"]]
    if not isinstance(said, list) or len(said) != 2:
        raise UserError(
            f"{where} has not two decisions in the field decisions (or judgments); the second is "
            "about the responses swapped"
        )
    for decision in said:
        if not isinstance(decision, (str, type(None))) or decision not in _DECISIONS:
            raise UserError(f"{where} decides {decision!r:.80}; give A>B, B>A, A=B or null")
    return row["pair_id"], Decisions(_DECISIONS[said[0]], _DECISIONS[said[1]])

"""Tells training statements that are, or contain, a statement of an evaluation set.

Two tests. *Exact*: the same letters once white space, case, LaTeX, tags and punctuation are gone.
*Overlap*: runs of three words that two statements share. Only words of three letters or more count,
so renamed variables and other samples change little, and runs that many evaluation statements have
(`first line contains`) tell nothing and are left out. The score is the share of the smaller
statement's runs that the other has too, so a copy inside a longer text scores 1.

An evaluation set has a few thousand statements, so an exact index of its runs fits in memory (about
50 MB) and finds every pair that shares any; MinHash, which would estimate the same from sketches,
has nothing to save here and misses pairs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.training.decontamination_text import NormalText, normalise

THRESHOLD = 0.5
"""Unrelated statements score below 0.45, most of them 0 (measured: see docs/data.md)."""

_RUN = 3
_FEWEST_SHARED = 5
"""Fewer runs in common are chance, whatever share of a short statement they are."""
_COMMON_IN = 10
_COMMON_SHARE = 200
"""A run in more than 10 statements, or a 200th of all, is a turn of phrase."""
_FEWEST_OF_SHORT = 3
_SHORT_THRESHOLD = 0.6
"""Of a statement with too few telling runs (most of MBPP+) so many of all runs must be found."""


class Statement(NamedTuple):
    """A statement of an evaluation set."""

    dataset: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """The evaluation statement that a text is a copy of. score: 0 to 1, 1 where kind is exact."""

    dataset: str
    id: str
    score: float
    kind: Literal["exact", "overlap"]

    def as_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "id": self.id,
            "score": round(self.score, 4),
            "kind": self.kind,
        }


class _Known(NamedTuple):
    """An indexed statement; runs: how many telling ones it has, all of them if it is short."""

    statement: Statement
    runs: int
    is_short: bool


class _Overlap(NamedTuple):
    """A statement that shares runs with a text; needed: the score that makes the text a copy."""

    statement: Statement
    score: float
    needed: float

    def as_match(self) -> Match:
        return Match(self.statement.dataset, self.statement.id, self.score, "overlap")


class EvaluationIndex:
    """The statements of the evaluation sets, to compare any number of texts with.

    threshold: the overlap from which a text counts as a copy, above 0 and up to 1. Raises
    UserError for another threshold.
    """

    def __init__(self, statements: Iterable[Statement], threshold: float = THRESHOLD) -> None:
        if not 0 < threshold <= 1:
            raise UserError(f"threshold {threshold} is no share; give one above 0 and up to 1")
        self.threshold = threshold
        self._exact: dict[str, Statement] = {}
        texts: list[tuple[Statement, set[str]]] = []
        for statement in statements:
            text = normalise(statement.text)
            if text.letters and text.letters not in self._exact:
                self._exact[text.letters] = statement
                texts.append((statement, _runs(text)))
        of_id: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for statement, runs in texts:  # one may be known in two forms
            of_id[statement.dataset, statement.id] |= runs
        counts = Counter(run for runs in of_id.values() for run in runs)
        common = max(_COMMON_IN, len(of_id) // _COMMON_SHARE)
        self._common = frozenset(run for run, count in counts.items() if count > common)
        self._known: list[_Known] = []
        self._telling: defaultdict[str, list[int]] = defaultdict(list)
        self._of_short: defaultdict[str, list[int]] = defaultdict(list)
        for statement, runs in texts:
            self._add(statement, runs)

    def _add(self, statement: Statement, runs: set[str]) -> None:
        telling = runs - self._common
        is_short = len(telling) < _FEWEST_SHARED
        chosen, index = (runs, self._of_short) if is_short else (telling, self._telling)
        if is_short and len(runs) < _FEWEST_OF_SHORT:
            return  # nothing but the exact test can tell it
        for run in chosen:
            index[run].append(len(self._known))
        self._known.append(_Known(statement, len(chosen), is_short))

    def __len__(self) -> int:
        """How many different statements are known."""
        return len(self._exact)

    def find(self, text: str) -> Match | None:
        """The statement that the text is most likely a copy of; None where there is none."""
        normal = normalise(text)
        if (same := self._exact.get(normal.letters)) is not None:
            return Match(same.dataset, same.id, 1.0, "exact")
        found = (overlap for overlap in self._overlaps(normal) if overlap.score >= overlap.needed)
        best = max(found, key=lambda overlap: overlap.score, default=None)
        return None if best is None else best.as_match()

    def overlaps(self, text: str) -> list[Match]:
        """Every overlap, whatever the threshold: what a threshold is chosen by."""
        return [overlap.as_match() for overlap in self._overlaps(normalise(text))]

    def _overlaps(self, text: NormalText) -> Iterator[_Overlap]:
        runs = _runs(text)
        telling = runs - self._common
        counts = Counter(
            number
            for index, own in ((self._telling, telling), (self._of_short, runs))
            for run in own
            for number in index.get(run, ())
        )
        for number, shared in counts.items():
            known = self._known[number]
            if known.is_short and shared >= _FEWEST_OF_SHORT:
                needed = max(self.threshold, _SHORT_THRESHOLD)
                yield _Overlap(known.statement, shared / known.runs, needed)
            elif not known.is_short and shared >= _FEWEST_SHARED:
                score = shared / min(known.runs, len(telling))
                yield _Overlap(known.statement, score, self.threshold)


def _runs(text: NormalText) -> set[str]:
    words = text.words
    return {" ".join(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}

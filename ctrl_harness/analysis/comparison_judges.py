"""Judges of JudgeBench's pairs beside each other, on the pairs that all of them decided."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctrl_harness.analysis.comparison import DRAWS, Compared, Figure, compare_on
from ctrl_harness.analysis.judgebench import PairOutcome
from ctrl_harness.analysis.statistic import Statistic
from ctrl_harness.analysis.votes import VotedPair
from ctrl_harness.errors import UserError
from ctrl_harness.problems.judgebench import CATEGORIES


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair. net: above 0 where the better response won, 0 for a tie. position: decisions for
    the response shown first less those for the second, of two; None where each was judged alone.
    missing: share of decisions or votes that were none.
    """

    pair: Hashable
    category: str
    net: int
    missing: float
    position: int | None = None
    consistent: bool | None = None


def of_decisions(pair: Hashable, outcome: PairOutcome) -> Judged:
    """Of a pair that was decided in both orders."""
    missing = outcome.decisions.count("missing") / 2
    return Judged(
        pair, outcome.category, outcome.net, missing, outcome.position, outcome.consistent
    )


def of_votes(pair: Hashable, voted: VotedPair) -> Judged:
    """Of a pair whose responses were judged alone."""
    better, other = voted.counts()
    said = (*voted.votes_a, *voted.votes_b)
    return Judged(pair, voted.category, better - other, said.count("missing") / len(said))


def compare_judged(arms: Mapping[str, Sequence[Judged]], draws: int = DRAWS) -> Compared:
    """Accuracy, ties and bias of each judge, and of each two whether their accuracies differ.

    Raises UserError for judges without a pair in common.
    """
    held = {name: {judged.pair: judged for judged in found} for name, found in arms.items()}
    first, *others = held.values()
    common = [pair for pair in first if all(pair in other for other in others)]
    if not common:
        raise UserError("the judges have no pair in common; compare them on the same rows")
    kept = {name: [found[pair] for pair in common] for name, found in held.items()}
    every = [judged for found in kept.values() for judged in found]
    compared = compare_on(kept, _figures(every), lambda judged: judged.pair, draws)
    left_out = {name: len(found) - len(common) for name, found in held.items()}
    return Compared(
        compared.pairs,
        compared.problems,
        left_out,
        compared.labels,
        compared.numbers,
        compared.differences,
    )


def _figures(judged: Sequence[Judged]) -> list[Figure[Judged]]:
    found: list[Figure[Judged]] = [
        Figure("accuracy", "accuracy", Statistic(lambda j: (j.net > 0, 1)), tested=True)
    ]
    there = {j.category for j in judged}
    for category in (*CATEGORIES, *sorted(there - set(CATEGORIES))):
        if category in there:
            found.append(Figure(f"accuracy_{category}", f"… {category}", _of(category)))
    half: Statistic[Judged] = Statistic(
        lambda j: (0.5 if j.net == 0 else j.net > 0, 1), share=False
    )
    found += [
        Figure("accuracy_ties_half", "accuracy, ties half", half),
        Figure("tied", "tied", Statistic(lambda j: (j.net == 0, 1))),
        Figure("missing", "decision missing", Statistic(lambda j: (j.missing, 1))),
    ]
    if all(j.position is not None for j in judged):
        bias: Statistic[Judged] = Statistic(lambda j: ((j.position or 0) / 2, 1), share=False)
        found += [
            Figure("inconsistent", "orders disagree", Statistic(lambda j: (not j.consistent, 1))),
            Figure("position_bias", "position bias", bias),
        ]
    return found


def _of(category: str) -> Statistic[Judged]:
    def count(judged: Judged) -> tuple[Any, ...]:
        mine = judged.category == category
        return (mine and judged.net > 0, mine)

    return Statistic(count)

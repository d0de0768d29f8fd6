"""What the numbers of a run have in common: each is a weighted sum of ratios of sums.

    theta = c + sum_j w_j * Y_j / X_j,    Y_j = sum_i y_ij,    X_j = sum_i x_ij

over observations i, of which those of one problem (a cluster) go together. Pass@1 is one ratio with
x = 1; CL one with x = "right before"; F1 one with y = 2 * hit; macro F1 half of two; a difference
between arms is one arm's ratios less the other's. So one formula gives every standard error
(estimate.py), one loop every bootstrap interval (bootstrap.py), and one swap every paired test
(paired.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Generic, TypeVar

from ctrl_harness.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statistic(Generic[T]):
    """How a number is counted.

    count: what one observation adds, (y_1, x_1, y_2, x_2, …), two numbers for each weight.
    share: the number is a share of observations, so that its interval stays within 0 and 1.
    """

    count: Callable[[T], tuple[float, ...]]
    weights: tuple[float, ...] = (1.0,)
    constant: float = 0.0
    share: bool = True


@dataclass(frozen=True, slots=True)
class Sums:
    """A statistic's sums by cluster: rows[c] is (Y_1, X_1, Y_2, X_2, …) over cluster c."""

    clusters: tuple[Hashable, ...]
    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...] = (1.0,)
    constant: float = 0.0
    share: bool = True

    def totals(self) -> tuple[float, ...]:
        """The sums over all clusters, the same to the last bit whatever the order."""
        if not self.rows:
            return (0.0,) * (2 * len(self.weights))
        return tuple(math.fsum(column) for column in zip(*self.rows, strict=True))

    def value(self) -> float:
        """theta; NaN where a denominator is empty."""
        totals = self.totals()
        parts = zip(self.weights, totals[::2], totals[1::2], strict=True)
        return self.constant + math.fsum(w * ratio(y, x) for w, y, x in parts)


def ratio(numerator: float, denominator: float) -> float:
    """NaN for an empty denominator."""
    return numerator / denominator if denominator else math.nan


def collect(
    observations: Iterable[T], statistic: Statistic[T], cluster: Callable[[T], Hashable]
) -> Sums:
    """The statistic's sums by cluster, clusters in order of appearance."""
    rows: dict[Hashable, tuple[float, ...]] = {}
    count = statistic.count
    for observation in observations:
        counted = count(observation)
        key = cluster(observation)
        rows[key] = tuple(map(add, rows[key], counted)) if key in rows else counted
    return Sums(
        tuple(rows),
        tuple(rows.values()),
        statistic.weights,
        statistic.constant,
        statistic.share,
    )


def mean_sums(values: Sequence[float], clusters: Sequence[Hashable], *, share: bool) -> Sums:
    """The sums of a plain mean."""
    pairs = zip(values, clusters, strict=True)
    mean: Statistic[tuple[float, Hashable]] = Statistic(lambda pair: (pair[0], 1), share=share)
    return collect(pairs, mean, lambda pair: pair[1])


def difference(a: Sums, b: Sums) -> Sums:
    """The sums of theta(a) - theta(b), both over the same clusters.

    Raises UserError where they are not; pair the arms first (paired.py).
    """
    if set(a.clusters) != set(b.clusters):
        raise UserError("the two arms hold different problems; compare what both of them hold")
    of_b = dict(zip(b.clusters, b.rows, strict=True))
    return Sums(
        a.clusters,
        tuple(row + of_b[key] for key, row in zip(a.clusters, a.rows, strict=True)),
        (*a.weights, *(-weight for weight in b.weights)),
        a.constant - b.constant,
        share=False,
    )

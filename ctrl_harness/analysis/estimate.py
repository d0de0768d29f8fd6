"""A number with its standard error and interval, clustered by problem.

For theta = c + sum_j w_j Y_j/X_j (statistic.py) the first-order influence of cluster g is

    u_g = sum_j w_j (Y_gj - (Y_j/X_j) X_gj) / X_j

and the standard error is sqrt(G/(G-1) * sum_g u_g^2), G the number of clusters that add to the
denominator (the fewest, of several). This is the delta method for ratios of cluster totals
(Cochran, Sampling Techniques, 3rd ed., 6.3 and 11.3; arXiv 2411.00640, appendix A, for means), with
the finite-cluster factor G/(G-1) of Stata and statsmodels; for a mean it is their cluster-robust
error of a regression on a constant, to the digit.

Intervals use Student's t with G-1 degrees of freedom. A share gets Wilson's interval, with the
effective number of observations n* = p(1-p)/SE^2 in place of n (Dean and Pagano, J. Survey Stat.
Methodol. 3, 2015), at most n; and with G for p = 0 and p = 1, where SE is 0 but nothing seen in
165 problems is no proof of nothing. Everything else gets theta +- t * SE.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, repeat
from typing import NamedTuple

from ctrl_harness.analysis.statistic import Sums, mean_sums, ratio
from ctrl_harness.analysis.student import t_quantile


class Estimate(NamedTuple):
    """A number and how well it is known.

    value: NaN where n is 0. stderr, low, high: NaN with fewer than two clusters. n: the denominator
    (the smallest, of several). clusters: how many problems add to it.
    """

    value: float
    stderr: float
    low: float
    high: float
    n: float
    clusters: int


def estimate(sums: Sums, level: float = 0.95) -> Estimate:
    """The number of these sums, with standard error and two-sided interval (see above)."""
    totals = sums.totals()
    denominators = totals[1::2]
    n = min(denominators)
    value = sums.value()
    # flags make most clusters alike; what is alike is reckoned once
    alike = Counter(sums.rows)
    clusters = min(
        sum(times for row, times in alike.items() if row[column])
        for column in range(1, len(totals), 2)
    )
    if math.isnan(value) or clusters < 2:
        return Estimate(value, math.nan, math.nan, math.nan, n, clusters)
    rates = [ratio(y, x) for y, x in zip(totals[::2], denominators, strict=True)]
    parts = list(zip(sums.weights, rates, denominators, strict=True))
    squares: list[Iterable[float]] = []
    for row, times in alike.items():
        numbers = zip(parts, row[::2], row[1::2], strict=True)
        influence = sum(w * (y - r * x) / total for (w, r, total), y, x in numbers)
        squares.append(repeat(influence * influence, times))
    stderr = math.sqrt(clusters / (clusters - 1) * math.fsum(chain.from_iterable(squares)))
    t = t_quantile((1 + level) / 2, clusters - 1)
    if sums.share:
        low, high = _wilson(value, stderr, n, clusters, t)
    else:
        low, high = value - t * stderr, value + t * stderr
    return Estimate(value, stderr, low, high, n, clusters)


def mean_estimate(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    share: bool = False,
    level: float = 0.95,
) -> Estimate:
    """The mean of values, those of one cluster going together."""
    return estimate(mean_sums(values, clusters, share=share), level)


def _wilson(p: float, stderr: float, n: float, clusters: int, z: float) -> tuple[float, float]:
    """Wilson's score interval at the effective number of observations."""
    if not 0 < p < 1:
        effective = float(clusters)
    else:
        effective = min(p * (1 - p) / stderr**2, n) if stderr else n
    centre = p + z * z / (2 * effective)
    half = z * math.sqrt(p * (1 - p) / effective + (z / (2 * effective)) ** 2)
    scale = 1 + z * z / effective
    low, high = (centre - half) / scale, (centre + half) / scale
    # rounding may leave a bound a bit off: at p = 1 the upper one is 1
    return max(0.0, min(low, p)), min(1.0, max(high, p))

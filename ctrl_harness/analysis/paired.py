"""Two arms on the same drafts: which (problem, epoch) pairs both hold, and whether they differ.

The difference theta(a) - theta(b) is again a weighted sum of ratios, so its standard error,
interval and bootstrap are those of estimate.py and bootstrap.py, with one draw of problems for both
arms. The tests ask how often a difference at least as large comes out when in each problem the two
arms' labels are swapped at random (Good, Permutation Tests, 2nd ed., 3.6; clusters as the units).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ctrl_harness.analysis.bootstrap import Bootstrap, bootstrap, values_of
from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.statistic import Sums, difference
from ctrl_harness.analysis.transitions import ChainStatistic, Outcome, sums_of
from ctrl_harness.errors import UserError

_MAX_SUM = 200_000
"""Up to this sum of absolute differences the exact distribution is worked out."""


@dataclass(frozen=True, slots=True)
class Paired:
    """arms: each arm's outcomes, in the same order of (problem, epoch), or (problem, epoch, branch)
    of trees. left_out: how many of an arm's outcomes another arm lacks."""

    arms: Mapping[str, tuple[Outcome, ...]]
    left_out: Mapping[str, int]

    @property
    def pairs(self) -> int:
        return len(next(iter(self.arms.values())))


def pair_arms(arms: Mapping[str, Sequence[Outcome]]) -> Paired:
    """Keeps the (problem, epoch) pairs that all arms hold, and counts the rest.

    Raises UserError for fewer than two arms, an arm that holds a pair twice, and arms without any
    pair in common.
    """
    if len(arms) < 2:
        raise UserError(f"a comparison needs two arms or more, not {len(arms)}")
    by_key: dict[str, dict[tuple[Hashable, int, int], Outcome]] = {}
    for name, outcomes in arms.items():
        by_key[name] = {(o.problem, o.epoch, o.branch): o for o in outcomes}
        if len(by_key[name]) != len(outcomes):
            raise UserError(f"{name} holds a (problem, epoch) pair twice; give one log an arm")
    first, *others = by_key.values()
    common = [key for key in first if all(key in other for other in others)]
    if not common:
        raise UserError("the arms have no (problem, epoch) pair in common; compare like with like")
    return Paired(
        {name: tuple(found[key] for key in common) for name, found in by_key.items()},
        {name: len(found) - len(common) for name, found in by_key.items()},
    )


class Comparison(NamedTuple):
    """estimate: theta(a) - theta(b), error and interval by the delta method. interval: by paired
    bootstrap. p_value: two-sided, by the swap test; exact: worked out, not drawn."""

    estimate: Estimate
    interval: Bootstrap
    p_value: float
    exact: bool


def compare(
    a: Sequence[Outcome],
    b: Sequence[Outcome],
    statistic: ChainStatistic,
    draws: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Two paired arms (see pair_arms) in one statistic."""
    sums_a, sums_b = sums_of(a, statistic), sums_of(b, statistic)
    both = difference(sums_a, sums_b)
    test = swap_test(sums_a, sums_b, draws, seed)
    return Comparison(
        estimate(both, level), bootstrap(both, draws, seed, level), test.p_value, test.exact
    )


class SwapTest(NamedTuple):
    """p_value: two-sided; NaN where the statistic is undefined in an arm. exact: not drawn."""

    p_value: float
    exact: bool


def swap_test(a: Sums, b: Sums, draws: int = 10_000, seed: int = 0) -> SwapTest:
    """How often |theta(a) - theta(b)| is at least what it is when arms are swapped by problem.

    Exact where each problem's denominators are the same in both arms and its sums are whole numbers
    (Pass@1, Δ↑ and Δ↓ always; CL and CS on frozen drafts), then a matter of signs; otherwise drawn,
    with p = (1 + hits) / (1 + draws) (Phipson and Smyth, 2010). A draw that leaves a denominator
    empty counts as a hit.
    """
    observed = difference(a, b)  # which checks that both hold the same problems
    if math.isnan(observed.value()):
        return SwapTest(math.nan, False)
    of_b = dict(zip(b.clusters, b.rows, strict=True))
    rows_b = [of_b[key] for key in a.clusters]
    pairs = list(zip(a.rows, rows_b, strict=True))
    if len(a.weights) == 1 and all(x[1] == y[1] for x, y in pairs):
        off = [x[0] - y[0] for x, y in pairs]
        if all(float(d).is_integer() for d in off) and sum(map(abs, off)) <= _MAX_SUM:
            return SwapTest(sign_flip_p([int(d) for d in off]), True)
    return SwapTest(_drawn_p(a, rows_b, abs(observed.value()), draws, seed), False)


def sign_flip_p(differences: Sequence[int]) -> float:
    """P(|sum_g s_g d_g| >= |sum_g d_g|) over all signs s, each as likely; exact, by convolution.

    With differences of -1, 0 and 1 this is McNemar's exact test.
    """
    import numpy as np

    sizes = [abs(d) for d in differences if d]
    observed = abs(sum(differences))
    total = sum(sizes)
    # chance[i]: of the sum i - total; only sums of non-negative terms, so nothing cancels
    chance = np.zeros(2 * total + 1)
    chance[total] = 1.0
    for size in sizes:
        moved = np.zeros_like(chance)
        moved[size:] += chance[:-size] / 2
        moved[:-size] += chance[size:] / 2
        chance = moved
    if not observed:
        return 1.0
    tail = float(chance[total + observed :].sum() + chance[: total - observed + 1].sum())
    return min(1.0, tail)


def _drawn_p(
    a: Sums, rows_b: Sequence[tuple[float, ...]], observed: float, draws: int, seed: int
) -> float:
    import numpy as np

    rng = np.random.default_rng(seed)
    of_a, of_b = np.array(a.rows, dtype=float), np.array(rows_b, dtype=float)
    off = of_b - of_a
    hits = 0
    block = max(1, 2_000_000 // len(off))
    for start in range(0, draws, block):
        swapped = rng.integers(0, 2, size=(min(block, draws - start), len(off))) @ off
        found = values_of(of_a.sum(axis=0) + swapped, a) - values_of(of_b.sum(axis=0) - swapped, a)
        # equal ones may differ in the last bits
        hits += int(np.sum(~(np.abs(found) < observed - 1e-12)))
    return (1 + hits) / (1 + draws)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment (Scand. J. Stat. 6, 1979): max over j <= i of (m-j+1) p_(j), at
    most 1. NaN stays NaN and is not counted among the m tests."""
    known = sorted((p, name) for name, p in p_values.items() if not math.isnan(p))
    adjusted = dict.fromkeys(p_values, math.nan)
    highest = 0.0
    for position, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - position) * p))
        adjusted[name] = highest
    return adjusted

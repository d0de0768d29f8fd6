"""Critics on the same drafts: each one's numbers, and whether two of them differ.

Only (problem, epoch) pairs that every arm holds are counted (paired.py), so that all numbers of a
table are about the same drafts. Intervals of numbers and of differences are clustered by problem;
the tests of one figure are adjusted together, over all pairs of critics, after Holm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from ctrl_harness.analysis import discrimination, leakage
from ctrl_harness.analysis.bootstrap import Bootstrap, bootstrap
from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.paired import Paired, compare, holm, pair_arms
from ctrl_harness.analysis.statistic import Statistic
from ctrl_harness.analysis.transitions import (
    ChainStatistic,
    Outcome,
    corrected,
    down,
    kept,
    mean_similarity,
    passes,
    sums_of,
    time_limits,
    up,
)
from ctrl_harness.errors import UserError

DRAWS = 2_000
"""Bootstrap draws of each interval, and swaps of a test that is not worked out exactly."""


class Figure(NamedTuple):
    """key: its name in JSON and CSV. label: its name in a table. tested: critics are compared in
    it. share: told in per cent."""

    key: str
    label: str
    statistic: ChainStatistic
    tested: bool = False


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """What is said of each critic, the effects from the draft to the last turn."""
    last = len(outcomes[0].passed) - 1
    found = [
        Figure(
            f"pass_at_1_turn_{turn}",
            f"Pass@1, turn {turn}" if turn else "Pass@1, draft",
            passes(turn),
            tested=turn == last > 0,
        )
        for turn in range(last + 1)
    ]
    if last:
        found += [
            Figure("delta_up", "Δ↑", up(0, last), tested=True),
            Figure("delta_down", "Δ↓", down(0, last), tested=True),
            Figure("cl", "CL", kept(0, last)),
            Figure("cs", "CS", corrected(0, last)),
        ]
    if last and all(outcome.judgements for outcome in outcomes):
        found += [
            Figure("f1_passed", "F1 passed", discrimination.f1_passed()),
            Figure("f1_failed", "F1 failed", discrimination.f1_failed()),
            Figure("f1_macro", "F1 macro", discrimination.f1_macro(), tested=True),
            Figure("missing", "verdict missing", discrimination.missing_verdicts()),
        ]
    if all(outcome.time_limit for outcome in outcomes):
        found.append(Figure("time_limit", "time limit", time_limits(last)))
    if last and all(outcome.similarity for outcome in outcomes):
        found.append(Figure("similarity", "similarity to the draft", mean_similarity(last)))
    if last and all(outcome.leaks for outcome in outcomes):
        found += [
            Figure("with_program", "critiques with a program", leaked("program", "passing")),
            Figure("with_solution", "… that passes", leaked("passing")),
            Figure("delta_up_without_leaks", "Δ↑ without those",
                   leakage.up_without_leaks(0, last)),
        ]  # fmt: skip
    return found


def leaked(*kinds: str) -> ChainStatistic:
    """Share of the critiques of all turns that hold code of these kinds."""
    return Statistic(lambda o: (sum(leak in kinds for leak in o.leaks), len(o.leaks)))


class Number(NamedTuple):
    """estimate: with the interval of the delta method (Wilson's for a share). bootstrap: the same
    number, its interval from draws of problems that are the same ones in every arm."""

    estimate: Estimate
    bootstrap: Bootstrap


class Difference(NamedTuple):
    """first less second in a figure. p_value: of the swap test; adjusted: after Holm, over all
    pairs of arms in this figure."""

    figure: str
    first: str
    second: str
    estimate: Estimate
    bootstrap: Bootstrap
    p_value: float
    exact: bool
    adjusted: float


@dataclass(frozen=True, slots=True)
class Compared:
    """paired: what was counted. numbers: by arm and figure."""

    paired: Paired
    figures: tuple[Figure, ...]
    numbers: Mapping[str, Mapping[str, Number]]
    differences: tuple[Difference, ...]

    @property
    def problems(self) -> int:
        return len({outcome.problem for outcome in next(iter(self.paired.arms.values()))})


def compare_arms(
    arms: Mapping[str, Sequence[Outcome]], draws: int = DRAWS, seed: int = 0
) -> Compared:
    """All numbers of two arms or more, and of each pair of them whether it differs.

    Raises UserError for arms with different numbers of turns, and where nothing can be paired.
    """
    lengths = {len(outcome.passed) for outcomes in arms.values() for outcome in outcomes}
    if len(lengths) > 1:
        raise UserError(f"the arms have different numbers of turns: {sorted(lengths)}")
    paired = pair_arms(arms)
    listed = figures([outcome for outcomes in paired.arms.values() for outcome in outcomes])
    numbers = {
        arm: {figure.key: _number(outcomes, figure.statistic, draws, seed) for figure in listed}
        for arm, outcomes in paired.arms.items()
    }
    differences: list[Difference] = []
    for figure in listed:
        if figure.tested:
            differences += _differences(paired, figure, draws, seed)
    return Compared(paired, tuple(listed), numbers, tuple(differences))


def _number(
    outcomes: Sequence[Outcome], statistic: ChainStatistic, draws: int, seed: int
) -> Number:
    sums = sums_of(outcomes, statistic)
    return Number(estimate(sums), bootstrap(sums, draws, seed))


def _differences(paired: Paired, figure: Figure, draws: int, seed: int) -> list[Difference]:
    found = {
        (a, b): compare(paired.arms[a], paired.arms[b], figure.statistic, draws, seed)
        for a, b in combinations(paired.arms, 2)
    }
    names = {f"{i}": pair for i, pair in enumerate(found)}
    adjusted = holm({name: found[pair].p_value for name, pair in names.items()})
    return [
        Difference(
            figure.key,
            *pair,
            found[pair].estimate,
            found[pair].interval,
            found[pair].p_value,
            found[pair].exact,
            adjusted[name],
        )
        for name, pair in names.items()
    ]

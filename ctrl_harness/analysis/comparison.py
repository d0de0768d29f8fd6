"""Critics on the same drafts: each one's numbers, and whether two of them differ.

Only (problem, epoch) pairs that every arm holds are counted (paired.py), so that all numbers of a
table are about the same drafts. Intervals of numbers and of differences are clustered by problem;
the tests of one figure are adjusted together, over all pairs of critics, after Holm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Generic, NamedTuple, TypeVar

from ctrl_harness.analysis import discrimination, leakage
from ctrl_harness.analysis.bootstrap import Bootstrap, bootstrap
from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.paired import Paired, holm, pair_arms, swap_test
from ctrl_harness.analysis.statistic import Statistic, Sums, collect, difference
from ctrl_harness.analysis.transitions import (
    ChainStatistic,
    Outcome,
    corrected,
    down,
    kept,
    mean_similarity,
    passes,
    time_limits,
    up,
)
from ctrl_harness.errors import UserError

T = TypeVar("T")

DRAWS = 2_000
"""Bootstrap draws of each interval, and swaps of a test that is not worked out exactly."""


class Figure(NamedTuple, Generic[T]):
    """key: its name in JSON and CSV. label: its name in a table. tested: critics are compared in
    it."""

    key: str
    label: str
    statistic: Statistic[T]
    tested: bool = False


def figures(outcomes: Sequence[Outcome]) -> list[Figure[Outcome]]:
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
            Figure("with_program", "critiques with a program",
                   leaked("program", "passing", "unjudged")),
            Figure("with_solution", "… that passes", leaked("passing")),
            Figure("delta_up_without_leaks", "Δ↑ without those",
                   leakage.up_without_leaks(0, last)),
        ]  # fmt: skip
    return found


def leaked(*kinds: str) -> ChainStatistic:
    """Share of the critiques of all turns that hold code of these kinds, of those known."""
    known = {"none", "program", "passing", *kinds}
    return Statistic(
        lambda o: (sum(leak in kinds for leak in o.leaks), sum(leak in known for leak in o.leaks))
    )


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
    """pairs: (problem, epoch) pairs that all arms hold, or leaves of trees. left_out: how many of
    an arm's another arm lacks. labels: of the figures, by key. numbers: by arm and figure."""

    pairs: int
    problems: int
    left_out: Mapping[str, int]
    labels: Mapping[str, str]
    numbers: Mapping[str, Mapping[str, Number]]
    differences: tuple[Difference, ...]


def paired_outcomes(arms: Mapping[str, Sequence[Outcome]]) -> Paired:
    """What all arms hold; a single arm is all held.

    Raises UserError for arms with different numbers of turns, and where nothing can be paired.
    """
    lengths = {len(outcome.passed) for outcomes in arms.values() for outcome in outcomes}
    if len(lengths) > 1:
        raise UserError(f"the arms have different numbers of turns: {sorted(lengths)}")
    if len(arms) == 1:
        ((name, outcomes),) = arms.items()
        return Paired({name: tuple(outcomes)}, {name: 0})
    return pair_arms(arms)


def compare_arms(paired: Paired, draws: int = DRAWS, seed: int = 0) -> Compared:
    """All numbers of the arms, and of each two of them whether they differ."""
    every = [outcome for outcomes in paired.arms.values() for outcome in outcomes]
    compared = compare_on(paired.arms, figures(every), lambda o: o.problem, draws, seed)
    return replace(compared, left_out=paired.left_out)


def compare_on(
    arms: Mapping[str, Sequence[T]],
    listed: Sequence[Figure[T]],
    cluster: Callable[[T], Hashable],
    draws: int,
    seed: int = 0,
) -> Compared:
    """The same for any kind of observations, which the arms hold in the same order."""
    sums = {
        figure.key: {arm: collect(held, figure.statistic, cluster) for arm, held in arms.items()}
        for figure in listed
    }
    first = next(iter(arms.values()))
    return Compared(
        len(first),
        len({cluster(observation) for observation in first}),
        dict.fromkeys(arms, 0),
        {figure.key: figure.label for figure in listed},
        {
            arm: {
                key: Number(estimate(by_arm[arm]), bootstrap(by_arm[arm], draws, seed))
                for key, by_arm in sums.items()
            }
            for arm in arms
        },
        tuple(
            found
            for figure in listed
            if figure.tested
            for found in _differences(figure.key, sums[figure.key], draws, seed)
        ),
    )


def _differences(
    figure: str, sums: Mapping[str, Sums], draws: int, seed: int
) -> list[Difference]:
    pairs = list(combinations(sums, 2))
    tests = [swap_test(sums[a], sums[b], draws, seed) for a, b in pairs]
    adjusted = holm({str(i): test.p_value for i, test in enumerate(tests)})
    found = []
    for i, ((a, b), test) in enumerate(zip(pairs, tests, strict=True)):
        both = difference(sums[a], sums[b])
        found.append(
            Difference(
                figure,
                a,
                b,
                estimate(both),
                bootstrap(both, draws, seed),
                test.p_value,
                test.exact,
                adjusted[str(i)],
            )
        )
    return found

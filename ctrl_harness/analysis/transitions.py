"""What critique does to programs: Pass@1 per turn and transitions, as statistics (statistic.py).

Shares are fractions of ALL (problem, epoch) pairs, as in CTRL (arXiv 2502.03492, tables 1 and 3)
and SCoRe (2409.12917), so that Pass@1(t) = Pass@1(0) + up(t) - down(t) always. The conditional
forms CL = P(right at t | right before) and CS = P(right at t | wrong before) follow 2412.19513.
Where nothing is to be divided by, the answer is NaN, never 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.statistic import Statistic, Sums, collect
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.leakage import Leak


@dataclass(frozen=True, slots=True)
class Outcome:
    """One (problem, epoch): what was true of each turn's program.

    passed: turn 0 (the draft) to turn T. judgements: what the critic said of the programs of
    turns 0 to T-1, so judgements[0] is its verdict on the draft. time_limit: whether a program's
    verdict was `time_limit`, per turn. epoch: the seed's number; arms are paired by problem and
    epoch. leaks: what code the critiques of turns 1 to T hold. similarity: of the program of turns
    1 to T to the draft, 0 to 1, NaN where one of them is missing. The last four may be empty: not
    recorded. cut_short: a limit on the sample's tokens or time ended the chain early. branch:
    which of the chains that a tree grew from one draft, from 0; each weighs the same.
    """

    problem: Hashable
    passed: tuple[bool, ...]
    judgements: tuple[Judgement, ...] = ()
    time_limit: tuple[bool, ...] = ()
    epoch: int = 1
    leaks: tuple[Leak, ...] = ()
    similarity: tuple[float, ...] = ()
    cut_short: bool = False
    branch: int = 0


ChainStatistic = Statistic[Outcome]


def sums_of(outcomes: Sequence[Outcome], statistic: ChainStatistic) -> Sums:
    """The statistic's sums by problem."""
    return collect(outcomes, statistic, attrgetter("problem"))


def estimate_of(
    outcomes: Sequence[Outcome], statistic: ChainStatistic, level: float = 0.95
) -> Estimate:
    """The statistic over these outcomes, its error and interval clustered by problem."""
    return estimate(sums_of(outcomes, statistic), level)


def passes(turn: int) -> ChainStatistic:
    """Pass@1: the share of outcomes whose program of this turn passes."""
    return Statistic(lambda o: (o.passed[turn], 1))


def up(start: int, end: int) -> ChainStatistic:
    """Δ↑: wrong at turn `start`, right at turn `end`; share of all outcomes."""
    return Statistic(lambda o: (not o.passed[start] and o.passed[end], 1))


def down(start: int, end: int) -> ChainStatistic:
    """Δ↓: right at turn `start`, wrong at turn `end`; share of all outcomes."""
    return Statistic(lambda o: (o.passed[start] and not o.passed[end], 1))


def change(start: int, end: int) -> ChainStatistic:
    """Δ = Δ↑ - Δ↓ = Pass@1(end) - Pass@1(start), paired within each outcome."""
    return Statistic(lambda o: (o.passed[end] - o.passed[start], 1), share=False)


def kept(start: int, end: int) -> ChainStatistic:
    """CL: share right at turn `end` of those right at turn `start`."""
    return Statistic(lambda o: (o.passed[start] and o.passed[end], o.passed[start]))


def corrected(start: int, end: int) -> ChainStatistic:
    """CS: share right at turn `end` of those wrong at turn `start`."""
    return Statistic(lambda o: (not o.passed[start] and o.passed[end], not o.passed[start]))


def relative_gain(start: int, end: int) -> ChainStatistic:
    """Pass@1(end) / Pass@1(start) - 1: CTRL's "relative improvement" (arXiv 2502.03492, table 4);
    NaN where nothing passed at turn `start`."""
    return Statistic(lambda o: (o.passed[end], o.passed[start]), constant=-1.0, share=False)


def time_limits(turn: int) -> ChainStatistic:
    """Share of outcomes whose program of this turn was stopped by the clock (CTRL, table 5)."""
    return Statistic(lambda o: (o.time_limit[turn], 1))


def mean_similarity(turn: int) -> ChainStatistic:
    """Mean similarity of the program of this turn to the draft, over outcomes that have both
    (CTRL, figure 7; similarity.py says how one is measured)."""

    def count(outcome: Outcome) -> tuple[float, ...]:
        found = outcome.similarity[turn - 1]
        return (found, 1) if found == found else (0, 0)

    return Statistic(count, share=False)


def by_problem(outcomes: Sequence[Outcome], turn: int) -> Mapping[Hashable, list[bool]]:
    """Each problem's epochs: did the program of this turn pass. Of a tree the first chain alone,
    since programs that grew from one draft are not drawn independently."""
    groups: dict[Hashable, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.branch == 0:
            groups[outcome.problem].append(outcome.passed[turn])
    return groups

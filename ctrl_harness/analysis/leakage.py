"""Solution leakage: critiques that hand over code, and what is left of Δ↑ without them.

A critic that writes the solution is a second generator. Each critique's code is taken out and
judged elsewhere; `Outcome.leaks` says what came of it: no program, a program, or one that passes.
A program on which the judge failed is in no number that asks whether it passes.
The turn t of a critique is that of the revision it caused, from 1.
"""

from __future__ import annotations

from ctrl_harness.analysis.statistic import Statistic
from ctrl_harness.analysis.transitions import ChainStatistic, Outcome


def with_program(turn: int = 1) -> ChainStatistic:
    """Share of the turn's critiques that contain a program, passing or not."""
    return Statistic(lambda o: (o.leaks[turn - 1] != "none", 1))


def with_passing_program(turn: int = 1) -> ChainStatistic:
    """Share of the turn's critiques that contain a program which the judge accepts."""
    return Statistic(lambda o: (o.leaks[turn - 1] == "passing", o.leaks[turn - 1] != "unjudged"))


def gave_the_solution(outcome: Outcome, start: int, end: int) -> bool:
    """Whether a critique between the two turns contained a passing program."""
    return "passing" in outcome.leaks[start:end]


def _nobody_knows(outcome: Outcome, start: int, end: int) -> bool:
    leaks = outcome.leaks[start:end]
    return "unjudged" in leaks and "passing" not in leaks


def up_without_leaks(start: int, end: int) -> ChainStatistic:
    """Δ↑ over the outcomes in which no critique between the turns gave the solution; n is how many
    these are. Easy problems leak more, so this is a share of another, harder population: read it
    beside `up_not_leaked`."""

    def count(outcome: Outcome) -> tuple[float, ...]:
        if gave_the_solution(outcome, start, end) or _nobody_knows(outcome, start, end):
            return (0, 0)
        return (not outcome.passed[start] and outcome.passed[end], 1)

    return Statistic(count)


def up_not_leaked(start: int, end: int) -> ChainStatistic:
    """The part of Δ↑ (of all outcomes) that no passing program in a critique explains; Δ↑ less this
    is the part that one may explain."""

    def count(outcome: Outcome) -> tuple[float, ...]:
        if _nobody_knows(outcome, start, end):
            return (0, 0)
        risen = not outcome.passed[start] and outcome.passed[end]
        return (risen and not gave_the_solution(outcome, start, end), 1)

    return Statistic(count)

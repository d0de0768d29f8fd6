"""What a chain of fixed turns would have been had it stopped at "Correct", and what it cost.

CTRL's text ends a chain once the critic says "Correct" (arXiv 2502.03492, section 3.1); its code,
and our default, go on. The log of a fixed run holds both answers: up to the stop the two are the
same calls, so nothing is asked again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.statistic import Statistic, collect
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.critique.leakage import Leak
from ctrl_harness.critique.messages import Role

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CallCost:
    """One call of a chain. turn: as in `Call`, so 0 is the draft, and the critic's turn t is about
    the program of turn t-1. Tokens as the provider counts them. cut_off: it ended at max_tokens.
    cost: dollars, None where no price is known.
    """

    role: Role
    turn: int
    input_tokens: int = 0
    output_tokens: int = 0
    cut_off: bool = False
    cost: float | None = None

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


def stop_turn(outcome: Outcome) -> int:
    """The turn of the first program that the critic calls "Correct", else the last turn."""
    last = len(outcome.passed) - 1
    calls = (turn for turn, said in enumerate(outcome.judgements) if said == "correct")
    return min(next(calls, last), last)


def stopped(outcome: Outcome) -> Outcome:
    """The outcome with everything frozen from `stop_turn` on; the same one where it never stops.

    `passed`, `time_limit` and `similarity` keep the last program's value, `judgements` goes on
    saying "correct", and critiques that would not have been written leak nothing.
    """
    stop = stop_turn(outcome)
    if stop == len(outcome.passed) - 1:
        return outcome
    frozen = replace(
        outcome,
        passed=_freeze(outcome.passed, stop),
        judgements=_freeze(outcome.judgements, stop),
        time_limit=_freeze(outcome.time_limit, stop),
    )
    if outcome.similarity:
        # similarity[0] is turn 1's; a draft that stands is like itself
        at_stop = outcome.similarity[stop - 1] if stop else 1.0
        rest = (at_stop,) * (len(outcome.similarity) - stop)
        frozen = replace(frozen, similarity=(*outcome.similarity[:stop], *rest))
    if outcome.leaks:
        heard = outcome.leaks[: stop + 1]
        unsaid: list[Leak] = ["none"] * (len(outcome.leaks) - len(heard))
        frozen = replace(frozen, leaks=(*heard, *unsaid))
    return frozen


def _freeze(values: tuple[_T, ...], turn: int) -> tuple[_T, ...]:
    return values and (*values[: turn + 1], *(values[turn],) * (len(values) - turn - 1))


def calls_until_stop(calls: Iterable[CallCost], outcome: Outcome) -> list[CallCost]:
    """The calls that a chain stopping at "Correct" would have made: programs up to `stop_turn`, and
    critiques up to the one that says so, which causes no revision."""
    stop = stop_turn(outcome)
    heard = stop + 1 if stop < len(outcome.judgements) else stop
    return [c for c in calls if c.turn <= (heard if c.role == "critic" else stop)]


def tokens_of(calls: Iterable[CallCost], role: Role | None = None) -> int:
    """Input and output tokens of all calls, or of one role's."""
    return sum(call.tokens for call in calls if role in (None, call.role))


def cut_off_share(
    chains: Sequence[tuple[Hashable, Sequence[CallCost]]], role: Role, level: float = 0.95
) -> Estimate:
    """Share of a role's outputs that ended at max_tokens, over all calls of all chains.

    chains: (problem, calls) each. A call is an observation, problems are the clusters; n is the
    number of calls, 0 with NaN for a role that was never asked.
    """
    calls = [(problem, call) for problem, made in chains for call in made if call.role == role]
    cut: Statistic[tuple[Hashable, CallCost]] = Statistic(lambda pair: (pair[1].cut_off, 1))
    return estimate(collect(calls, cut, lambda pair: pair[0]), level)

"""An arm beside its compute-matched control, on the pairs that both hold (control.py)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from ctrl_harness.analysis.bootstrap import Bootstrap, bootstrap
from ctrl_harness.analysis.control import Drawn, control_arm
from ctrl_harness.analysis.estimate import Estimate, estimate
from ctrl_harness.analysis.statistic import difference, mean_sums
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.errors import UserError

TOLERANCE = 0.05
"""How far the control's tokens may be from the arm's, as a share of these."""


class Reading(NamedTuple):
    """One way to read the control. value: its Pass@1. less: the arm's last Pass@1 less that, and
    the bootstrap interval of it. tokens: the control's as a share of the arm's. matched: whether
    that lies within the tolerance; without it nothing is said of `less`."""

    name: str
    value: Estimate
    less: Estimate
    interval: Bootstrap
    tokens: float
    matched: bool


class BesideControl(NamedTuple):
    """readings: mean, best of n, oracle bound. pairs: (problem, epoch) pairs that both hold.
    exhausted: of these, ones whose samples did not last."""

    arm: str
    readings: tuple[Reading, ...]
    pairs: int
    exhausted: int

    @property
    def matched(self) -> bool:
        return all(reading.matched for reading in self.readings)


def beside_control(
    arm: str, outcomes: Sequence[Outcome], drawn: Sequence[Drawn], draws: int, seed: int = 0
) -> BesideControl:
    """Raises UserError where the two have no pair in common."""
    passed: Mapping[tuple[Hashable, int], list[bool]] = _by_pair(outcomes)
    held = [chain for chain in drawn if (chain.problem, chain.epoch) in passed]
    chains = sorted(held, key=lambda chain: (str(chain.problem), chain.epoch))
    if not chains:
        raise UserError(f"the control of {arm} has no (problem, epoch) in common with it")
    control = control_arm([chain.samples for chain in chains], [chain.budget for chain in chains])
    plain, choosing = control.sampling, control.choosing
    problems = [chain.problem for chain in chains]
    own = [sum(flags) / len(flags) for c in chains for flags in (passed[c.problem, c.epoch],)]
    readings = []
    for name, ratio, values in (
        ("mean", plain.ratio, [c.mean for c in control.chains]),
        ("best of n", choosing.ratio, [c.best_of_n for c in control.chains]),
        ("oracle bound", plain.ratio, [c.oracle_bound for c in control.chains]),
    ):
        theirs = mean_sums(values, problems, share=True)
        less = difference(mean_sums(own, problems, share=True), theirs)
        readings.append(
            Reading(
                name,
                estimate(theirs),
                estimate(less),
                bootstrap(less, draws, seed),
                ratio,
                abs(ratio - 1) <= TOLERANCE,
            )
        )
    return BesideControl(arm, tuple(readings), len(chains), plain.exhausted + choosing.exhausted)


def _by_pair(outcomes: Sequence[Outcome]) -> dict[tuple[Hashable, int], list[bool]]:
    """Whether the last programs of each (problem, epoch) pass: one, or a tree's."""
    found: dict[tuple[Hashable, int], list[bool]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.problem, outcome.epoch), []).append(outcome.passed[-1])
    return found

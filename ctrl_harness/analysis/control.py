"""The compute-matched control: what resampling buys for the tokens that a critic arm spent.

After theoxo/self-repair and arXiv 2504.01005. For each (problem, epoch) programs are drawn anew at
T 0.7 until the critic arm's generator and critic tokens are spent. Three readings of them:

* mean: an ordinary Pass@1, of a program taken at random;
* best of n: the program that the same critic prefers, its tokens counted, so that n is smaller;
* oracle: any of the n passes. A bound that no method can reach which must choose without the tests.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.errors import UserError

_RANK: dict[Judgement, int] = {"correct": 2, "missing": 1, "incorrect": 0}


@dataclass(frozen=True, slots=True)
class Resample:
    """A program drawn anew: does it pass, its tokens (input and output), and what the critic said
    of it for how many tokens. judgement: None where the critic never read it."""

    passed: bool
    tokens: int
    judgement: Judgement | None = None
    critic_tokens: int = 0


class Drawn(NamedTuple):
    """A (problem, epoch) of the control: its budget in tokens and what was drawn, in order."""

    problem: Hashable
    epoch: int
    budget: int
    samples: tuple[Resample, ...]


class Matched(NamedTuple):
    """counts: how many of each chain's samples are used. spent, budget: tokens, over all chains.
    exhausted: chains whose samples did not last."""

    counts: tuple[int, ...]
    spent: int
    budget: int
    exhausted: int

    @property
    def ratio(self) -> float:
        """spent / budget, to be within 0.95 and 1.05."""
        return self.spent / self.budget


def match_tokens(costs: Sequence[Sequence[int]], budgets: Sequence[int]) -> Matched:
    """How many of each chain's samples spend its budget.

    costs: tokens of each chain's samples, in the order drawn. budgets: tokens of the critic arm's
    chain of the same (problem, epoch). Of each chain the first n >= 1 samples are taken that come
    nearest to its budget and what the chains before left over or overspent (the smaller n, of two
    as near), so that the totals agree although single chains cannot. Raises UserError for a chain
    without samples or budget.
    """
    counts: list[int] = []
    carried = total = exhausted = 0
    for samples, budget in zip(costs, budgets, strict=True):
        if not samples or budget <= 0:
            raise UserError("each chain of the control needs a sample and a budget above 0 tokens")
        aim = budget + carried
        n, spent = 1, samples[0]
        while n < len(samples) and abs(spent + samples[n] - aim) < abs(spent - aim):
            spent += samples[n]
            n += 1
        exhausted += n == len(samples) and 2 * (aim - spent) > max(samples)
        counts.append(n)
        total += spent
        carried = aim - spent
    return Matched(tuple(counts), total, sum(budgets), exhausted)


def mean_pass(samples: Sequence[Resample]) -> float:
    """Share of the samples that pass."""
    return _mean(sample.passed for sample in samples)


def best_of_n(samples: Sequence[Resample]) -> float:
    """The chance that the critic's choice passes, among the samples that it read.

    It prefers "correct" to no verdict and that to "incorrect"; among those it holds equal it takes
    one at random, of which this is the expectation.
    """
    ranked = [(_RANK[s.judgement], s.passed) for s in samples if s.judgement is not None]
    top = max((rank for rank, _ in ranked), default=0)
    return _mean(passed for rank, passed in ranked if rank == top)


def oracle_pass(samples: Sequence[Resample]) -> float:
    """1 where any sample passes, else 0: pass@n, a bound and not a method."""
    if not samples:
        raise UserError("there are no samples to choose from")
    return float(any(sample.passed for sample in samples))


class Control(NamedTuple):
    """A chain's control, each between 0 and 1. oracle_bound: chosen with the tests' help."""

    mean: float
    best_of_n: float
    oracle_bound: float


class ControlArm(NamedTuple):
    """chains: one a (problem, epoch). sampling: what mean and oracle spent; choosing: what best of
    n did, the critic's tokens included."""

    chains: tuple[Control, ...]
    sampling: Matched
    choosing: Matched


def control_arm(chains: Sequence[Sequence[Resample]], budgets: Sequence[int]) -> ControlArm:
    """The control of each chain for the tokens that the critic arm spent on it (match_tokens).

    chains: the samples of each (problem, epoch), in the order drawn, more than are needed. The
    critic chooses among those that it read. Raises UserError as `match_tokens`.
    """
    read = [[sample for sample in chain if sample.judgement is not None] for chain in chains]
    sampling = match_tokens([[s.tokens for s in chain] for chain in chains], budgets)
    choosing = match_tokens([[s.tokens + s.critic_tokens for s in c] for c in read], budgets)
    found = tuple(
        Control(mean_pass(chain[:n]), best_of_n(judged[:m]), oracle_pass(chain[:n]))
        for chain, judged, n, m in zip(
            chains, read, sampling.counts, choosing.counts, strict=True
        )
    )
    return ControlArm(found, sampling, choosing)


def _mean(flags: Iterable[bool]) -> float:
    values = list(flags)
    if not values:
        raise UserError("there are no samples to choose from")
    return sum(values) / len(values)

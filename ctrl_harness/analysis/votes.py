"""JudgeBench as CTRL plays it: each response is criticised alone, n times, and the one that is more
often called Correct wins (arXiv 2502.03492, appendix C.4 and figure 10a). No verdict is not
"Correct". As often is a tie, of which the paper does not say how it counts: both ways stand here.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ctrl_harness.analysis.estimate import Estimate, mean_estimate
from ctrl_harness.analysis.judgebench import check_label
from ctrl_harness.critique.critic import Decision
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.errors import UserError
from ctrl_harness.problems.judgebench import CATEGORIES


@dataclass(frozen=True, slots=True)
class VotedPair:
    """One pair: its label and what the n critiques of each response said.

    pair: its id, as in PairOutcome.
    """

    category: str
    label: Decision
    votes_a: tuple[Judgement, ...]
    votes_b: tuple[Judgement, ...]
    pair: Hashable = None

    def counts(self) -> tuple[int, int]:
        """How often the better response, and the other, was called Correct."""
        a, b = self.votes_a.count("correct"), self.votes_b.count("correct")
        return (a, b) if self.label == "A>B" else (b, a)


class Chances(NamedTuple):
    """A pair's chance of the better response winning, and of a tie."""

    right: float
    tied: float


class VotesPoint(NamedTuple):
    """With so many votes a response: accuracy with ties wrong and with ties half, share of ties."""

    votes: int
    accuracy: Estimate
    accuracy_ties_half: Estimate
    tied: Estimate


def chances(pair: VotedPair, votes: int) -> Chances:
    """With `votes` critiques of each response, drawn from the n that there are.

    The mean over all C(n, m)^2 ways to draw m of each: with c of n Correct, the number among m is
    hypergeometric. So the curve over votes needs no more calls, and no luck in which come first.
    """
    n = len(pair.votes_a)
    better, other = (_drawn(n, correct, votes) for correct in pair.counts())
    tied = math.fsum(p * q for p, q in zip(better, other, strict=True))
    below = 0.0
    right = []
    for p, q in zip(better, other, strict=True):
        right.append(p * below)
        below += q
    return Chances(math.fsum(right), tied)


def _drawn(n: int, correct: int, votes: int) -> list[float]:
    """P(i Correct among `votes` drawn without putting back), i from 0."""
    ways = math.comb(n, votes)
    return [
        math.comb(correct, i) * math.comb(n - correct, votes - i) / ways for i in range(votes + 1)
    ]


def accuracy_at(pairs: Sequence[VotedPair], votes: int, level: float = 0.95) -> VotesPoint:
    """Accuracy with so many votes a response; errors clustered by pair.

    Raises UserError for an even number, which invites ties, and for more votes than a pair has.
    """
    if votes < 1 or votes % 2 == 0:
        raise UserError(f"{votes} votes a response have no majority for sure; give an odd number")
    for pair in pairs:
        check_label(pair.label)
        if not votes <= len(pair.votes_a) == len(pair.votes_b):
            raise UserError(
                f"a pair has {len(pair.votes_a)} and {len(pair.votes_b)} votes, not {votes} or "
                "more of each"
            )
    found = [chances(pair, votes) for pair in pairs]
    names = [i if pair.pair is None else pair.pair for i, pair in enumerate(pairs)]
    return VotesPoint(
        votes,
        mean_estimate([c.right for c in found], names, level=level),
        mean_estimate([c.right + c.tied / 2 for c in found], names, level=level),
        mean_estimate([c.tied for c in found], names, level=level),
    )


def accuracy_by_votes(pairs: Sequence[VotedPair], level: float = 0.95) -> list[VotesPoint]:
    """The curve: 1, 3, 5, … votes, as far as every pair has them."""
    most = min((min(len(p.votes_a), len(p.votes_b)) for p in pairs), default=0)
    return [accuracy_at(pairs, votes, level) for votes in range(1, most + 1, 2)]


def summarise_votes(pairs: Sequence[VotedPair], votes: int) -> dict[str, float]:
    """Accuracy overall and per category with all `votes`, ties, and the curve below it."""
    point = accuracy_at(pairs, votes)
    summary = {"accuracy": point.accuracy.value}
    for category in (*CATEGORIES, *sorted({p.category for p in pairs} - set(CATEGORIES))):
        members = [pair for pair in pairs if pair.category == category]
        summary[f"accuracy_{category}"] = accuracy_at(members, votes).accuracy.value
    summary["accuracy_stderr"] = point.accuracy.stderr
    summary["accuracy_ties_half"] = point.accuracy_ties_half.value
    summary["accuracy_ties_half_stderr"] = point.accuracy_ties_half.stderr
    summary["tied"] = point.tied.value
    said = [vote for pair in pairs for vote in (*pair.votes_a, *pair.votes_b)]
    summary["missing_verdicts"] = said.count("missing") / len(said) if said else math.nan
    for below in range(1, votes, 2):
        summary[f"accuracy_{below}_votes"] = accuracy_at(pairs, below).accuracy.value
    return summary

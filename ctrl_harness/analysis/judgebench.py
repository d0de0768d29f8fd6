"""JudgeBench's official score of a judge that compares two responses, and what it hides.

Each pair is decided twice, the second time with the responses swapped. A decision for the better
response counts +1, for the other -1, a tie or none 0; the pair is right when the sum is above 0
(JudgeBench, arXiv 2410.12784, and utils/metrics.py of its repository). A sum of 0 is a tie, which
the official accuracy counts as wrong; `accuracy_ties_half` counts it as a coin's throw.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from ctrl_harness.analysis.estimate import Estimate, mean_estimate
from ctrl_harness.analysis.statistic import ratio
from ctrl_harness.critique.critic import Decision
from ctrl_harness.errors import UserError
from ctrl_harness.problems.judgebench import CATEGORIES

_SWAPPED: dict[Decision, Decision] = {"A>B": "B>A", "B>A": "A>B"}


@dataclass(frozen=True, slots=True)
class PairOutcome:
    """One pair's category, its label and the two decisions, the second on swapped responses.

    pair: its id; what several epochs decide of one pair goes together in the standard error.
    """

    category: str
    label: Decision
    decisions: tuple[Decision, Decision]
    pair: Hashable = None

    @property
    def net(self) -> int:
        """-2 to 2: decisions for the better response less those for the other."""
        first, second = self.decisions
        return _points(first, self.label) + _points(_SWAPPED.get(second, second), self.label)

    @property
    def right(self) -> bool:
        return self.net > 0

    @property
    def consistent(self) -> bool:
        """Whether both orders led to the same response."""
        first, second = self.decisions
        return first == _SWAPPED.get(second, second)

    @property
    def position(self) -> int:
        """-2 to 2: decisions for the response shown first less those for the one shown second."""
        return sum(_points(decision, "A>B") for decision in self.decisions)


def _points(decision: Decision, label: Decision) -> int:
    if decision not in _SWAPPED:
        return 0
    return 1 if decision == label else -1


def check_label(label: str) -> None:
    """Raises UserError for a label that prefers neither response."""
    if label not in _SWAPPED:
        raise UserError(f"a pair's label is {label!r}; it must be A>B or B>A")


def summarise_pairs(outcomes: Sequence[PairOutcome]) -> dict[str, float]:
    """Accuracy overall and per category, share of inconsistent pairs, of ties and missing ones.

    Shares between 0 and 1; NaN for a category without pairs. `position_bias` is the share of
    decisions for the response shown first less the share for the one shown second, -1 to 1: since
    each pair is shown both ways, 0 whatever the labels for a judge that looks at content alone.
    `always_first` and `always_second` are the shares of pairs decided for one place both times.
    """
    for outcome in outcomes:
        check_label(outcome.label)
    accuracy = _mean(outcomes, lambda o: o.right)
    half = _mean(outcomes, lambda o: 0.5 if o.net == 0 else o.right)
    bias = _mean(outcomes, lambda o: o.position / 2)
    summary = {"accuracy": accuracy.value}
    for category in (*CATEGORIES, *sorted({o.category for o in outcomes} - set(CATEGORIES))):
        members = [o for o in outcomes if o.category == category]
        summary[f"accuracy_{category}"] = _mean(members, lambda o: o.right).value
    summary["accuracy_stderr"] = accuracy.stderr
    summary["accuracy_ties_half"] = half.value
    summary["accuracy_ties_half_stderr"] = half.stderr
    summary["inconsistent"] = _mean(outcomes, lambda o: not o.consistent).value
    summary["tied"] = _mean(outcomes, lambda o: o.net == 0).value
    summary["position_bias"] = bias.value
    summary["position_bias_stderr"] = bias.stderr
    summary["always_first"] = _mean(outcomes, lambda o: o.position == 2).value
    summary["always_second"] = _mean(outcomes, lambda o: o.position == -2).value
    decisions = [decision for o in outcomes for decision in o.decisions]
    summary["missing_decisions"] = ratio(decisions.count("missing"), len(decisions))
    return summary


def _mean(outcomes: Sequence[PairOutcome], number: Callable[[PairOutcome], float]) -> Estimate:
    pairs = [i if o.pair is None else o.pair for i, o in enumerate(outcomes)]
    return mean_estimate([number(o) for o in outcomes], pairs)

"""Do the intervals of a comparison hold the truth: scripted critics, whose effects are known."""

from __future__ import annotations

import numpy as np
import pytest

from ctrl_harness.analysis.bootstrap import bootstrap
from ctrl_harness.analysis.comparison import figures, paired_outcomes
from ctrl_harness.analysis.estimate import estimate
from ctrl_harness.analysis.statistic import difference
from ctrl_harness.analysis.transitions import Outcome, sums_of

PROBLEMS, EPOCHS, DRAWS = 120, 3, 1_000
PASS = 0.4
# chance to repair a wrong program and to spoil a right one, to know right ones and wrong ones
STRONG, WEAK = (0.25, 0.05, 0.8, 0.7), (0.15, 0.15, 0.6, 0.5)


def f1(know: float, spot: float) -> float:
    said = PASS * know + (1 - PASS) * (1 - spot)
    passed = 2 * PASS * know / (PASS + said)
    return (passed + 2 * (1 - PASS) * spot / (1 - PASS + 1 - said)) / 2


TRUTH = {
    "delta_up": (1 - PASS) * (STRONG[0] - WEAK[0]),
    "delta_down": PASS * (STRONG[1] - WEAK[1]),
    "pass_at_1_turn_1": (1 - PASS) * (STRONG[0] - WEAK[0]) - PASS * (STRONG[1] - WEAK[1]),
    "f1_macro": f1(*STRONG[2:]) - f1(*WEAK[2:]),
}


def scripted(
    rng: np.random.Generator, critic: tuple[float, ...], drafts: np.ndarray
) -> list[Outcome]:
    """A critic on drafts (problem by epoch); how well it does differs from problem to problem."""
    fix, spoil, know, spot = (
        rng.binomial(1, rng.beta(6 * mean, 6 * (1 - mean), PROBLEMS)[:, None], drafts.shape)
        for mean in critic
    )
    ends = np.where(drafts, 1 - spoil, fix)
    correct = np.where(drafts, know, 1 - spot)
    return [
        Outcome(problem, (bool(drafts[problem, epoch]), bool(ends[problem, epoch])),
                ("correct" if correct[problem, epoch] else "incorrect",), epoch=epoch + 1)
        for problem in range(PROBLEMS)
        for epoch in range(EPOCHS)
    ]  # fmt: skip


@pytest.mark.slow
def test_intervals_of_differences_cover_at_their_level(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(21)
    hits = {name: [0, 0] for name in TRUTH}
    for _ in range(DRAWS):
        easy = rng.beta(2 * PASS, 2 * (1 - PASS), PROBLEMS)
        drafts = rng.binomial(1, easy[:, None], (PROBLEMS, EPOCHS))
        paired = paired_outcomes(
            {"strong": scripted(rng, STRONG, drafts), "weak": scripted(rng, WEAK, drafts)}
        )
        for figure in figures(paired.arms["strong"]):
            if figure.tested:
                strong, weak = (sums_of(o, figure.statistic) for o in paired.arms.values())
                both = difference(strong, weak)
                for kind, found in enumerate((estimate(both), bootstrap(both, 600))):
                    hits[figure.key][kind] += found.low <= TRUTH[figure.key] <= found.high
    shares = {name: [100 * n / DRAWS for n in counts] for name, counts in hits.items()}
    with capsys.disabled():
        print(f"\ncovered, delta method and paired bootstrap: {shares}")
    assert all(93 <= share <= 97 for pair in shares.values() for share in pair), shares

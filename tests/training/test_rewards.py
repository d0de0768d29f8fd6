"""The rewards as pure functions, and what GRPO makes of them."""

from __future__ import annotations

import math
import random
from statistics import fmean, stdev
from typing import NamedTuple

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.rewards import REWARDS, get_reward, needs_every_case, score


class Of(NamedTuple):
    """A verdict's outcome."""

    passed: bool
    fraction: float


RIGHT, HALF, WRONG = Of(True, 1.0), Of(False, 0.5), Of(False, 0.0)


@pytest.mark.parametrize(
    ("name", "draft", "revised", "said", "reward"),
    [
        ("refine", WRONG, RIGHT, "incorrect", 1.0),
        ("refine", RIGHT, HALF, "correct", 0.0),
        ("fraction", WRONG, HALF, "incorrect", 0.5),
        ("delta", WRONG, RIGHT, "incorrect", 1.0),
        ("delta", RIGHT, HALF, "correct", -1.0),
        ("delta", RIGHT, RIGHT, "incorrect", 0.0),
        ("quadrant", RIGHT, RIGHT, "correct", 0.5),
        ("quadrant", RIGHT, WRONG, "correct", -1.0),
        ("quadrant", WRONG, RIGHT, "incorrect", 1.0),
        ("quadrant", WRONG, WRONG, "incorrect", 0.0),
        ("discrimination", WRONG, RIGHT, "incorrect", 1.0),
        ("discrimination", WRONG, RIGHT, "correct", 0.0),
        ("discrimination", RIGHT, WRONG, "correct", 1.0),
        ("mixed", WRONG, RIGHT, "incorrect", 1.2),
        ("mixed", WRONG, WRONG, "incorrect", 0.2),
        ("mixed", WRONG, RIGHT, "correct", 1.0),
        ("utility", HALF, RIGHT, "incorrect", 1.0),
        ("utility", HALF, HALF, "incorrect", 0.5),
        ("utility", HALF, WRONG, "incorrect", 0.0),
    ],
)
def test_each_reward(name: str, draft: Of, revised: Of, said: str, reward: float) -> None:
    assert score(get_reward(name), draft, [revised], said) == pytest.approx(reward)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize("draft", [RIGHT, HALF, WRONG])
def test_without_a_verdict_every_reward_is_that_of_a_failed_revision(name: str, draft: Of) -> None:
    reward = get_reward(name)
    wrongly_judged = "incorrect" if draft.passed else "correct"
    failed = reward(draft, WRONG, wrongly_judged)
    assert score(reward, draft, [RIGHT], "missing") == failed
    assert score(reward, draft, [], "missing") == failed
    assert failed <= score(reward, draft, [RIGHT], wrongly_judged)


def test_options_change_the_weights() -> None:
    harsh = get_reward("quadrant", {"broken": -5, "left": -0.5})
    assert score(harsh, RIGHT, [WRONG], "correct") == -5
    assert score(harsh, WRONG, [WRONG], "correct") == -0.5
    assert score(get_reward("mixed", {"weight": 1}), WRONG, [RIGHT], "incorrect") == 2
    assert score(get_reward("delta", {"share": True}), HALF, [RIGHT], "incorrect") == 0.5


def test_utility_is_the_mean_over_several_revisions() -> None:
    assert score(get_reward("utility"), HALF, [RIGHT, HALF, WRONG, WRONG], "correct") == 0.375


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("refined", {}, "unknown reward 'refined'; choose one of refine,"),
        ("refine", {"weight": 1}, "has no option 'weight'; it has none"),
        ("mixed", {"lambda": 1}, "has no option 'lambda'; it has weight"),
        ("mixed", {"weight": "0.2"}, "cannot be '0.2'; give a number"),
        ("mixed", {"weight": True}, "cannot be True; give a number"),
        ("delta", {"share": 1}, "cannot be 1; give a true or false"),
        ("quadrant", {"broken": 0.7}, "kept above broken"),
    ],
)
def test_what_cannot_be_used_is_refused(
    name: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        get_reward(name, options)


def test_which_rewards_need_every_case() -> None:
    assert [name for name in REWARDS if needs_every_case(name)] == ["fraction", "utility"]
    assert needs_every_case("delta", {"share": True})


# -- GRPO: advantage = (r - mean) / deviation, over one group


def advantages(rewards: list[float]) -> list[float]:
    deviation = stdev(rewards)
    return [(r - fmean(rewards)) / deviation if deviation else 0.0 for r in rewards]


@pytest.mark.parametrize("draft", [RIGHT, WRONG])
@pytest.mark.parametrize("seed", range(20))
def test_refine_delta_and_quadrant_have_one_advantage_in_a_group_on_one_draft(
    draft: Of, seed: int
) -> None:
    """Group of eight, programs that pass or fail, some critiques without a verdict."""
    chance = random.Random(seed)
    group = [
        (chance.choice((RIGHT, WRONG)), chance.choice(("correct", "incorrect", "missing")))
        for _ in range(8)
    ]

    def of(name: str) -> list[float]:
        reward = get_reward(name)
        return advantages([score(reward, draft, [end], said) for end, said in group])  # type: ignore[arg-type]

    passed = [end.passed and said != "missing" for end, said in group]
    share = fmean(passed)
    expected = [0.0] * 8
    if 0 < share < 1:  # the closed form for k right of n: (x - k/n) / sqrt(k/n (1 - k/n) n/(n-1))
        deviation = math.sqrt(share * (1 - share) * 8 / 7)
        expected = [(p - share) / deviation for p in passed]
    for name in ("refine", "delta", "quadrant"):
        assert of(name) == pytest.approx(expected), name


def test_in_groups_on_several_drafts_they_differ() -> None:
    group = [(RIGHT, RIGHT), (RIGHT, WRONG), (WRONG, RIGHT), (WRONG, WRONG)]
    seen = {
        name: advantages([get_reward(name)(draft, end, "correct") for draft, end in group])
        for name in ("refine", "delta", "quadrant")
    }
    assert seen["refine"] != pytest.approx(seen["delta"])
    assert seen["delta"] != pytest.approx(seen["quadrant"])

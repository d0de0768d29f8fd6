"""The reward for verl: `pkg://ctrl_harness.training.reward`, function `compute_score`.

verl 0.9.1 finds out with `inspect.iscoroutinefunction` that it is asynchronous, so it is a plain
`async def`; calls it by keyword once for each critique, many at once; and leaves a critique out of
its group where it raises. docs/reward.md has the configuration.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.training.critique_reward import CritiqueReward, Rewarded
from ctrl_harness.training.reward_settings import RewardSettings, plain
from ctrl_harness.training.rl_rows import Episode

KEYS = (
    "score", "acc", "draft_passed", "revised_passed", "revised_fraction", "delta_up", "delta_down",
    "said_correct", "said_incorrect", "verdict_right", "malformed", "cut_off", "leaks_program",
    "leaks_solution", "generator_retries",
)  # fmt: skip
"""What every answer of `compute_score` has, in this order, all floats."""

_lock = threading.Lock()
_rewards: dict[tuple[str, str | None], CritiqueReward] = {}


async def compute_score(
    data_source: str,  # noqa: ARG001 (verl's own, and the row says it too)
    solution_str: str,
    ground_truth: str,  # noqa: ARG001 (tests are in the row's problem)
    extra_info: Mapping[str, Any] | None = None,
    *,
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,  # noqa: ARG001 (the generator's; texts are sent, no tokens)
    **reward_kwargs: Any,
) -> dict[str, float]:
    """The reward of a critique, as verl's reward manager asks for it.

    solution_str: the critique. extra_info: of a row by `ctrl-harness synthesize`. reward_kwargs:
    `RewardSettings`. Answers KEYS: `score` is the reward; `acc` whether the revision passes, or,
    for `discrimination`, which asks for none, whether the verdict is right; the others are 0 or 1
    but for `revised_fraction` and `generator_retries`. What a reward without revisions cannot know
    is NaN, and so is `revised_fraction` where judging ends at the first failing case, and
    `leaks_solution` where the judge failed on the program in the critique.

    Raises JudgeError where nothing is known of the critique, which is then no sample; RunStopped
    once too many were lost; UserError for settings or a row that cannot be used.
    """
    reward = open_reward(reward_kwargs, reward_router_address)
    info = extra_info or {}
    place = place_of(info)
    try:
        episode = Episode.from_extra_info(info)
    except UserError as error:
        reward.lose_row(error, place)
        raise
    return as_verl(await reward(episode, solution_str, place=place), reward.settings)


def open_reward(
    settings: Mapping[str, Any], router_address: str | None = None
) -> CritiqueReward:
    """This process's reward of these settings, made on first use. Raises UserError."""
    key = (json.dumps(plain(settings), sort_keys=True, default=repr), router_address)
    with _lock:
        if key not in _rewards:
            _rewards[key] = CritiqueReward(RewardSettings.of(settings), router_address)
        return _rewards[key]


async def close_rewards() -> None:
    """Ends every reward that this process has opened. A later call opens them anew."""
    with _lock:
        opened = list(_rewards.values())
        _rewards.clear()
    for reward in opened:
        await reward.aclose()


def place_of(extra_info: Mapping[str, Any]) -> dict[str, Any]:
    """Where in the run a sample stands, for the trace.

    step: training steps that the weights have behind them, which verl's rollout says.
    """
    step = plain(extra_info.get("global_steps"))
    return {"step": step if isinstance(step, int) else None}


def as_verl(done: Rewarded, settings: RewardSettings) -> dict[str, float]:
    """The flat, numeric form that verl logs: `val-core` for `acc`, `val-aux` for the others."""
    before, fraction = done.draft.passed, math.nan
    if done.revisions:
        share = 1 / len(done.revisions)
        after = sum(revision.verdict.passed for revision in done.revisions) * share
        if settings.judges_all_cases:
            fraction = sum(revision.verdict.fraction for revision in done.revisions) * share
    elif settings.revises:
        after = 0.0
        fraction = 0.0 if settings.judges_all_cases else math.nan
    else:
        after = math.nan
    right = float(done.said_right)
    values = (
        done.score,
        after if settings.revises else right,
        float(before),
        after,
        fraction,
        0.0 if before else after,
        1.0 - after if before else 0.0,
        float(done.judgement == "correct"),
        float(done.judgement == "incorrect"),
        right,
        float(done.malformed is not None),
        float(done.malformed == "cut_off"),
        float(done.leak != "none"),
        math.nan if done.leak == "unjudged" else float(done.leak == "passing"),
        float(done.retries),
    )
    return dict(zip(KEYS, values, strict=True))

"""Loaded by verl as an external module: writes down what its GRPO estimator is given and returns.

It changes nothing: the estimator is called as it is, and its answer is handed on.
"""

from __future__ import annotations

import json
import os
from typing import Any

from verl.trainer.ppo import core_algos

_estimate = core_algos.compute_grpo_outcome_advantage


def _recorded(token_level_rewards: Any, response_mask: Any, index: Any, **settings: Any) -> Any:
    rewards = token_level_rewards.sum(dim=-1).tolist()  # before: the estimator writes into a copy
    advantages, returns = _estimate(
        token_level_rewards=token_level_rewards,
        response_mask=response_mask,
        index=index,
        **settings,
    )
    # every token of a response has the same
    lengths = response_mask.sum(dim=-1).clamp(min=1)
    mean = (advantages * response_mask).sum(dim=-1) / lengths
    record = {"group": [str(uid) for uid in index], "reward": rewards, "advantage": mean.tolist()}
    with open(os.environ["ADVANTAGES"], "a") as file:
        file.write(json.dumps(record) + "\n")
    return advantages, returns


core_algos.compute_grpo_outcome_advantage = _recorded

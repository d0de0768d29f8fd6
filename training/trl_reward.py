"""The reward for TRL's GRPOTrainer: a reward function over a batch.

::

    GRPOTrainer(model, reward_funcs=critique_reward(generator_url="http://host:8000/v1"), …)

TRL (1.16) hands the data set's columns over by name, so a data set of `ctrl-harness synthesize`'s
RL rows brings all that the reward needs. A critique that could not be rewarded gets None, which TRL
leaves out of its group's mean and deviation; its advantage is 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ctrl_harness.errors import CtrlHarnessError, UserError
from ctrl_harness.training.critique_reward import CritiqueReward, Rewarded
from ctrl_harness.training.faults import RunStopped
from ctrl_harness.training.reward import as_verl, open_reward
from ctrl_harness.training.rl_rows import Episode

RewardFunction = Callable[..., Awaitable[list[float | None]]]
_LOGGED = (
    "revised_passed", "delta_up", "delta_down", "verdict_right", "malformed", "cut_off",
    "leaks_program", "leaks_solution",
)  # fmt: skip


def critique_reward(
    *, max_completion_length: int | None = None, eos_token_id: int | None = None, **settings: Any
) -> RewardFunction:
    """A reward function with these settings (`RewardSettings`).

    max_completion_length: the trainer's; a critique of so many tokens that does not end with
    `eos_token_id` was cut off, and counts as one whose revision failed. Raises UserError for
    settings that cannot be used.
    """
    reward = open_reward(settings)

    def cut_off(tokens: Sequence[int] | None) -> bool | None:
        if tokens is None or max_completion_length is None:
            return None
        return len(tokens) >= max_completion_length and tokens[-1] != eos_token_id

    async def ctrl_critique_reward(
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        extra_info: Sequence[Mapping[str, Any]] | None = None,
        trainer_state: Any = None,
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,  # noqa: ARG001 (the data set's others)
    ) -> list[float | None]:
        """One reward a completion, in order; None where it could not be had.

        Raises RunStopped once too many are lost, UserError where the data set lacks `extra_info`.
        """
        if extra_info is None:
            raise UserError(
                "the data set has no column extra_info; train on the RL rows of "
                "`ctrl-harness synthesize` with all their columns (remove_unused_columns=False)"
            )
        step = getattr(trainer_state, "global_step", None)
        ids: Sequence[Sequence[int] | None] = completion_ids or [None] * len(prompts)
        asked = (
            _one(reward, info, text_of(completion), cut_off(tokens), step)
            for info, completion, tokens in zip(extra_info, completions, ids, strict=True)
        )
        done = await asyncio.gather(*asked)
        if log_metric is not None:
            _log(log_metric, [one for one in done if one is not None], reward)
        return [None if one is None else one.score for one in done]

    return ctrl_critique_reward


def text_of(completion: Any) -> str:
    """The critique in a completion, which is text, or a list of messages for chats."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    return content if isinstance(content, str) else ""


async def _one(
    reward: CritiqueReward,
    info: Mapping[str, Any],
    critique: str,
    cut_off: bool | None,
    step: int | None,
) -> Rewarded | None:
    place = {"step": step}
    try:
        episode = Episode.from_extra_info(info)
    except UserError as error:
        reward.lose_row(error, place)
        raise
    try:
        return await reward(episode, critique, cut_off=cut_off, place=place)
    except RunStopped:
        raise
    except CtrlHarnessError as error:
        if isinstance(error, UserError):  # it will be no better the next time
            raise
        return None


def _log(
    log_metric: Callable[[str, float], None], done: Sequence[Rewarded], reward: CritiqueReward
) -> None:
    told = [as_verl(one, reward.settings) for one in done]
    for key in _LOGGED:
        values = [one[key] for one in told if one[key] == one[key]]
        if values:
            log_metric(f"critique/{key}", sum(values) / len(values))

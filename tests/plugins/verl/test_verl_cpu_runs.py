"""verl's real main_ppo on a CPU with the real reward, judge and launcher: minutes each."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.training.checkpoints import merge_checkpoint

pytest.importorskip("verl", reason="needs the extra `training`")
pytestmark = pytest.mark.slow

EPSILON = 1e-6
"""verl's, which keeps a group without variance from dividing by zero."""


def groups(call: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """(reward, advantage) of the trajectories of each group."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for uid, reward, advantage in zip(
        call["group"], call["reward"], call["advantage"], strict=True
    ):
        if not uid.startswith("pad"):  # verl fills the batch up with rows that it masks out
            found[uid].append((reward, advantage))
    return list(found.values())


def closed_form(rewards: list[float]) -> list[float]:
    """GRPO's advantages: less the mean, over the deviation (of a sample)."""
    mean, deviation = statistics.fmean(rewards), statistics.stdev(rewards)
    return [(reward - mean) / (deviation + EPSILON) for reward in rewards]


def test_two_steps_with_a_fault_each_train_the_critic_and_leave_a_checkpoint(
    launch: Any, scripted_generator: Any, toy: Any, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    scripted_generator.refuse = {4, 24}  # of the 16 revisions of either step
    run = launch()

    sevens = []
    for call in run.advantages:
        # the fault left one trajectory out, and no number in its place
        assert sorted(len(group) for group in groups(call)) == [7, 8]
        for group in groups(call):
            rewards = [reward for reward, _ in group]
            assert set(rewards) <= {0.0, 1.0}
            # those of a group of seven for the seven, of eight for the eight
            assert [advantage for _, advantage in group] == pytest.approx(
                closed_form(rewards), abs=1e-4
            )
            if len(group) == 7:
                sevens.append(rewards)
    # rewards vary within such a group, so the advantages are not all 0
    assert any(len(set(rewards)) > 1 for rewards in sevens)

    assert len(run.steps) == 2
    assert all(step.metrics["actor/grad_norm"] > 0 for step in run.steps)

    merged = merge_checkpoint(run.folder, tmp_path / "merged")
    trained = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    start = AutoModelForCausalLM.from_pretrained(toy.model, dtype=torch.float32)
    moved = [
        name
        for name, weight in trained.named_parameters()
        # beyond what rounding to bfloat16 does
        if not torch.equal(weight, start.get_parameter(name).bfloat16().float())
    ]
    assert len(moved) > len(list(start.named_parameters())) // 2
    tokenizer = AutoTokenizer.from_pretrained(merged)
    assert tokenizer.chat_template
    ids = tokenizer("Analysis:", return_tensors="pt").input_ids
    assert trained.generate(ids, max_new_tokens=4).shape == (1, ids.shape[1] + 4)


def test_fifteen_steps_raise_the_mean_reward(launch: Any, toy: Any) -> None:
    """A third of the critiques propose what is right, at first; the answer is always the same.

    Either mean is of 160 rewards of 0 or 1, so 0.2 is four standard errors of their difference.
    """
    actor = "actor_rollout_ref.actor"
    run = launch(
        f"data.train_files={toy.easy}", "trainer.total_training_steps=15", "trainer.save_freq=-1",
        "data.train_batch_size=4", f"{actor}.ppo_mini_batch_size=4",
        # Adam takes a full step along every weight however small its gradient is, which in so few
        # steps undoes the form of the critiques before it moves the choice of the operation.
        f"{actor}.optim.optimizer=SGD", f"{actor}.optim.lr=0.1", f"{actor}.optim.weight_decay=0",
        f"{actor}.optim.clip_grad=0.5", f"{actor}.kl_loss_coef=0.05",
        "actor_rollout_ref.rollout.seed=1",
    )  # fmt: skip
    scores = [step.mean_score for step in run.steps]
    assert len(scores) == 15
    assert all(len(groups(call)) == 4 for call in run.advantages)
    assert statistics.fmean(scores[-5:]) > statistics.fmean(scores[:5]) + 0.2, scores


def test_a_lora_run_merges_into_one_model_without_an_adapter(
    launch: Any, toy: Any, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = "actor_rollout_ref.model"
    run = launch(
        f"{model}.lora_rank=8", f"{model}.lora_alpha=16", f"{model}.lora.merge=true",
        "actor_rollout_ref.actor.optim.lr=0.003",
    )  # fmt: skip
    assert all(step.metrics["actor/grad_norm"] > 0 for step in run.steps)

    merged = merge_checkpoint(run.folder, tmp_path / "merged")
    assert not (merged / "lora_adapter").exists()
    trained = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    start = AutoModelForCausalLM.from_pretrained(toy.model, dtype=torch.float32)
    moved = {
        name.rsplit(".", 2)[-2]
        for name, weight in trained.named_parameters()
        if not torch.equal(weight, start.get_parameter(name).bfloat16().float())
    }
    # what has adapters, and nothing else
    assert moved
    assert moved <= {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

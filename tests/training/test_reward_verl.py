"""The reward in verl's own hands: its worker, its manager under a local Ray, its advantages."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

verl: Any = pytest.importorskip("verl", reason="needs the extra `training`")
ray: Any = pytest.importorskip("ray", reason="needs the extra `training`")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from omegaconf import OmegaConf, open_dict  # noqa: E402
from tensordict import TensorDict  # noqa: E402
from verl import DataProto  # noqa: E402
from verl.experimental.reward_loop.reward_loop import (  # noqa: E402
    RewardLoopManager,
    RewardLoopWorker,
)
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage  # noqa: E402
from verl.trainer.ppo.metric_utils import process_validation_metrics  # noqa: E402
from verl.trainer.ppo.reward import get_custom_reward_fn  # noqa: E402

from ctrl_harness.plugins.verl.tiny_model import make_tiny_model  # noqa: E402
from ctrl_harness.training.frozen_generator import GeneratorError  # noqa: E402
from ctrl_harness.training.reward import KEYS, close_rewards, compute_score  # noqa: E402
from ctrl_harness.training.reward_settings import RewardSettings  # noqa: E402
from ctrl_harness.training.trace import TraceReader  # noqa: E402

RIGHT = "```python\nprint(sum(map(int, input().split())))\n```"
WRONG = "```python\nprint(0)\n```"
GROUP = 8
MAX_TOKENS = 96


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model's folder; of it, only the tokenizer is used."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    make_tiny_model(folder, [critique(1, True), critique(2, False)])
    return folder


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


def config(model: Path, **settings: Any) -> Any:
    """verl's stock configuration, with our reward as docs/reward.md plugs it in."""
    ours = "reward.custom_reward_function"
    given = {
        "generator_model": "frozen", "generator_first_pause_s": 0.001, "judge_jobs": 1, **settings
    }  # fmt: skip
    folder = Path(verl.__file__).parent / "trainer" / "config"
    with initialize_config_dir(str(folder), version_base=None):
        return compose(
            "ppo_trainer",
            [
                f"actor_rollout_ref.model.path={model}",
                "reward.num_workers=2",
                f"{ours}.path=pkg://ctrl_harness.training.reward",
                *(f"+{ours}.reward_kwargs.{key}={value}" for key, value in given.items()),
            ],
        )


def batch(rows: list[dict[str, Any]], critiques: list[str], tokenizer: Any) -> Any:
    """What the agent loop hands over: prompts to the left, responses to the right."""
    ended = [[*tokenizer.encode(text), tokenizer.eos_token_id] for text in critiques]
    assert max(map(len, ended)) <= MAX_TOKENS
    pad = tokenizer.pad_token_id
    responses = torch.tensor([ids + [pad] * (MAX_TOKENS - len(ids)) for ids in ended])
    mask = torch.tensor([[1] * len(ids) + [0] * (MAX_TOKENS - len(ids)) for ids in ended])
    prompts = torch.full((len(rows), 4), tokenizer.encode("a")[0])
    tensors = {
        "prompts": prompts,
        "responses": responses,
        "input_ids": torch.cat([prompts, responses], dim=1),
        "attention_mask": torch.cat([torch.ones_like(prompts), mask], dim=1),
    }
    columns = {
        name: np.array([row[name] for row in rows], dtype=object)
        for name in ("data_source", "reward_model", "extra_info")
    }
    columns["data_source"] = np.array([row["data_source"] for row in rows])
    columns["__num_turns__"] = np.array([2] * len(rows))
    extra = [{"global_steps": 5, "min_global_steps": 5, "turn_scores": []} for _ in rows]
    columns["tool_extra_fields"] = np.array(extra, dtype=object)
    return DataProto(TensorDict(tensors, batch_size=len(rows)), columns)


def critique(number: int, right: bool, judgement: str | None = "Incorrect") -> str:
    verdict = "" if judgement is None else f"\n\nOverall judgment: {judgement}"
    return f"{'good' if right else 'bad'} {number}{verdict}"


def say(messages: list[dict[str, str]]) -> str:
    return RIGHT if "good " in messages[-1]["content"] else WRONG


# -- the worker, in this process


@pytest.fixture
def closed() -> Iterator[None]:
    yield
    asyncio.run(close_rewards())


def scores(worker: Any, data: Any) -> list[Any]:
    async def main() -> list[Any]:
        calls = (worker.compute_score(data[i : i + 1]) for i in range(len(data)))
        return await asyncio.gather(*calls, return_exceptions=True)

    return worker.loop.run_until_complete(main())


def test_verl_sees_a_coroutine_function_with_its_arguments_bound(model: Path) -> None:
    bound = get_custom_reward_fn(config(model, generator_url="http://h/v1", reward="delta"))
    assert inspect.iscoroutinefunction(bound)
    assert bound.args[0] is compute_score
    assert bound.args[1]["reward"] == "delta"


def test_the_fragment_of_the_page_is_one_that_verl_takes(model: Path, root: Path) -> None:
    page = (root / "docs" / "reward.md").read_text(encoding="utf-8")
    fragment = OmegaConf.create(page.partition("```yaml\n")[2].partition("```")[0])
    assert set(fragment) == {"reward", "trainer"}  # the older key stood at the top
    stock = config(model, generator_url="http://h/v1")
    with open_dict(stock):
        merged = OmegaConf.merge(stock, fragment)
    bound = get_custom_reward_fn(merged)
    settings = RewardSettings.of(bound.args[1])
    assert settings.generator("").url == fragment.reward.custom_reward_function.reward_kwargs[
        "generator_url"
    ]
    known = stock.trainer.v1.sampler
    assert set(fragment.trainer.v1.sampler) <= set(known)


def test_the_worker_gets_the_same_keys_for_every_kind_of_critique(
    model: Path, tokenizer: Any, serve_generator: Callable[..., Any],
    make_row: Callable[..., Any], tmp_path: Path, closed: None,
) -> None:  # fmt: skip
    server = serve_generator(say)
    worker = RewardLoopWorker(config(model, generator_url=server.url, trace=tmp_path))
    texts = [critique(1, True), critique(2, False), critique(3, True, None), "", "x\n" * 20]
    data = batch([make_row(index=n) for n in range(5)], texts, tokenizer)
    found = scores(worker, data)
    assert [one["reward_score"] for one in found] == [1.0, 0.0, 0.0, 0.0, 0.0]
    for one in found:
        assert tuple(one["reward_extra_info"]) == KEYS
        assert {type(value) for value in one["reward_extra_info"].values()} == {float}
    traced = {record["index"]: record for record in TraceReader(tmp_path)}
    assert {record["step"] for record in traced.values()} == {5}
    assert traced[0]["critique"] == texts[0]
    assert [traced[n]["asked"] for n in range(5)] == [True, True, False, False, False]


def test_a_fault_is_raised_to_verl_and_traced_and_the_others_are_scored(
    model: Path, tokenizer: Any, serve_generator: Callable[..., Any], generators: Any,
    make_row: Callable[..., Any], tmp_path: Path, closed: None,
) -> None:  # fmt: skip
    def fails_at_3(messages: list[dict[str, str]]) -> Any:
        return generators.Raw(503) if " 3\n" in messages[-1]["content"] else say(messages)

    server = serve_generator(fails_at_3)
    worker = RewardLoopWorker(
        config(model, generator_url=server.url, generator_attempts=2, trace=tmp_path)
    )
    data = batch([make_row()] * GROUP, [critique(n, n > 3) for n in range(GROUP)], tokenizer)
    found = scores(worker, data)
    assert isinstance(found[3], GeneratorError)
    kept = [one["reward_score"] for n, one in enumerate(found) if n != 3]
    assert kept == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    faults = [record for record in TraceReader(tmp_path) if record["fault"] is not None]
    assert [fault["retries"] for fault in faults] == [1]


def test_a_generator_that_is_down_is_nobodys_score(
    model: Path, tokenizer: Any, make_row: Callable[..., Any], closed: None
) -> None:
    down = config(model, generator_url="http://127.0.0.1:9/v1", generator_attempts=1)
    data = batch([make_row()] * 3, [critique(n, True) for n in range(3)], tokenizer)
    assert {type(one) for one in scores(RewardLoopWorker(down), data)} == {GeneratorError}


def test_what_verl_makes_of_the_keys_in_validation(
    model: Path, tokenizer: Any, serve_generator: Callable[..., Any],
    make_row: Callable[..., Any], closed: None,
) -> None:  # fmt: skip
    for settings in ({"generator_url": serve_generator(say).url}, {"reward": "discrimination"}):
        worker = RewardLoopWorker(config(model, **settings))
        data = batch(
            [make_row(index=n) for n in range(2)], [critique(1, True), critique(2, False)],
            tokenizer,
        )  # fmt: skip
        found = [one["reward_extra_info"] for one in scores(worker, data)]
        columns = {key: [one[key] for one in found] for key in KEYS}
        told = process_validation_metrics(["taco"] * 2, ["a", "b"], columns)
        discriminates = settings.get("reward") == "discrimination"
        assert told["taco"]["acc"]["mean@1"] == (1.0 if discriminates else 0.5)
        assert set(told["taco"]) == set(KEYS)


# -- the manager, under Ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def end(manager: Any) -> None:
    """Ends the workers and waits until their names are free."""
    for worker in manager.reward_loop_workers:
        ray.kill(worker)
    until = time.monotonic() + 30
    while ray.util.list_named_actors() and time.monotonic() < until:
        time.sleep(0.1)


def advantages(data: Any, scored: Any, groups: list[str]) -> list[float]:
    """verl's own, of each sample's response."""
    rewards = scored.batch["rm_scores"]
    mask = data.batch["attention_mask"][:, -MAX_TOKENS:]
    found, _ = compute_grpo_outcome_advantage(
        rewards, mask.float(), np.array(groups, dtype=object), norm_adv_by_std_in_grpo=True
    )
    return [float(found[i, 0]) for i in range(len(groups))]


@pytest.mark.slow
def test_the_managers_rewards_give_the_advantages_of_the_closed_form(
    model: Path, tokenizer: Any, serve_generator: Callable[..., Any],
    make_row: Callable[..., Any], tmp_path: Path, cluster: None,
) -> None:  # fmt: skip
    """Four groups of eight, on a right and on wrong drafts; and for refine, delta and quadrant the
    same advantages."""
    server = serve_generator(say)
    right_of = (3, 8, 0, 5)  # how many of each group's critiques lead to a right program
    rows, texts, groups = [], [], []
    for group, right in enumerate(right_of):
        for n in range(GROUP):
            rows.append(make_row(right=group == 3, index=group))
            texts.append(critique(n, n < right, None if (group, n) == (0, 0) else "Incorrect"))
            groups.append(f"draft {group}")
    passes = [2, 8, 0, 5]  # one of the first group's has no verdict
    data = batch(rows, texts, tokenizer)
    found = {}
    for reward in ("refine", "delta", "quadrant"):
        trace = tmp_path / reward
        manager = RewardLoopManager(
            config(model, generator_url=server.url, trace=trace, reward=reward)
        )
        scored = manager.compute_rm_score(data)
        assert scored.meta_info["reward_extra_keys"] == list(KEYS)
        assert scored.non_tensor_batch["revised_passed"].tolist() == pytest.approx(
            [1.0 if n < right_of[g] and (g, n) != (0, 0) else 0.0
             for g in range(4) for n in range(GROUP)]
        )  # fmt: skip
        found[reward] = advantages(data, scored, groups)
        workers = {record["worker"] for record in TraceReader(trace)}
        assert len(workers) == 2
        assert len(list(TraceReader(trace))) == 4 * GROUP
        end(manager)
    expected: list[float] = []
    for group, passed in enumerate(passes):
        earned = [0.0] * GROUP
        first = 1 if group == 0 else 0
        for n in range(first, first + passed):
            earned[n] = 1.0
        spread = stdev(earned)
        expected += [(e - fmean(earned)) / spread if spread else 0.0 for e in earned]
    for reward, values in found.items():
        # verl adds 1e-6 to the deviation
        assert values == pytest.approx(expected, abs=1e-5), reward

"""TRL's own GRPOTrainer on a CPU with a tiny model: what it makes of our rewards, and of faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.reward import close_rewards
from ctrl_harness.training.trace import TraceReader
from ctrl_harness.training.trl_reward import critique_reward, text_of

RIGHT = "```python\nprint(sum(map(int, input().split())))\n```"
GOOD = "It reads nothing.\n\nOverall judgment: Incorrect"
FAST = {"generator_first_pause_s": 0.001, "judge_jobs": 1}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    asyncio.run(close_rewards())


def call(reward: Any, completions: list[Any], rows: list[Any], **given: Any) -> list[float | None]:
    infos = [row["extra_info"] for row in rows]
    return asyncio.run(
        reward(prompts=["?"] * len(rows), completions=completions, extra_info=infos, **given)
    )


def test_one_reward_a_completion_and_none_for_what_is_lost(
    serve_generator: Callable[..., Any], generators: Any, make_row: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    def say(messages: list[dict[str, str]]) -> Any:
        return generators.Raw(400) if "lost" in messages[-1]["content"] else RIGHT

    reward = critique_reward(generator_url=serve_generator(say).url, trace=str(tmp_path), **FAST)
    completions = [GOOD, [{"role": "assistant", "content": GOOD}], f"lost {GOOD}", "no verdict"]
    told: dict[str, float] = {}

    class State:
        global_step = 7

    rows = [make_row(index=n) for n in range(4)]
    found = call(reward, completions, rows, trainer_state=State, log_metric=told.__setitem__)
    assert found == [1.0, 1.0, None, 0.0]
    assert told["critique/revised_passed"] == pytest.approx(2 / 3)
    assert told["critique/malformed"] == pytest.approx(1 / 3)
    assert {record["step"] for record in TraceReader(tmp_path)} == {7}


def test_a_completion_that_fills_its_limit_without_an_end_is_cut_off(
    serve_generator: Callable[..., Any], make_row: Callable[..., Any]
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    reward = critique_reward(
        generator_url=server.url, max_completion_length=4, eos_token_id=0, **FAST
    )
    ids = [[1, 2, 3], [1, 2, 3, 0], [1, 2, 3, 4]]
    assert call(reward, [GOOD] * 3, [make_row()] * 3, completion_ids=ids) == [1.0, 1.0, 0.0]


def test_a_data_set_without_our_columns_is_refused(make_row: Callable[..., Any]) -> None:
    reward = critique_reward(generator_url="http://127.0.0.1:9", **FAST)
    with pytest.raises(UserError, match="no column extra_info"):
        asyncio.run(reward(prompts=["?"], completions=[GOOD]))
    with pytest.raises(UserError, match="ctrl-harness synthesize"):
        call(reward, [GOOD], [{"extra_info": {"index": 1}}])
    with pytest.raises(UserError, match="no setting 'url'"):
        critique_reward(url="http://h")


def test_text_of_every_form_of_completion() -> None:
    assert text_of("a") == "a"
    assert text_of([{"role": "assistant", "content": "b"}]) == "b"
    assert text_of([]) == text_of([{"role": "assistant", "content": None}]) == ""


@pytest.mark.slow
def test_the_real_trainer_trains_on_our_rewards_and_leaves_faults_out(
    serve_generator: Callable[..., Any], generators: Any, make_row: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    trl = pytest.importorskip("trl", reason="needs the extra `training`")
    torch = pytest.importorskip("torch", reason="needs the extra `training`")
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ctrl_harness.plugins.verl.tiny_model import make_tiny_model

    model = make_tiny_model(tmp_path / "model", [GOOD])
    server = serve_generator(lambda messages: RIGHT)
    reward = critique_reward(
        generator_url=server.url, trace=str(tmp_path / "trace"), max_completion_length=8, **FAST
    )
    # a model that knows nothing writes no critique: it gets one put into its mouth, a good one,
    # a bad one, one whose generator fails, and another good one
    said = [GOOD, "no verdict", f"lost {GOOD}", GOOD]
    seen: list[Any] = []

    async def scripted(**given: Any) -> list[float | None]:
        given["completions"] = [said[n % 4] for n in range(len(given["completions"]))]
        given["completion_ids"] = None
        seen.append(await reward(**given))
        return seen[-1]

    def say(messages: list[dict[str, str]]) -> Any:
        return generators.Raw(400) if "lost" in messages[-1]["content"] else RIGHT

    server.say = say
    rows = [make_row(index=n) for n in range(2)]
    config = trl.GRPOConfig(
        str(tmp_path / "out"), per_device_train_batch_size=4, num_generations=4, max_steps=2,
        max_completion_length=8, learning_rate=1e-2, use_cpu=True, report_to=[], logging_steps=1,
        save_strategy="no", bf16=False, remove_unused_columns=False,
    )  # fmt: skip
    trainer = trl.GRPOTrainer(
        str(model), reward_funcs=scripted, args=config, train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(model),
    )  # fmt: skip
    taken: list[Any] = []
    compute = trainer._generate_and_score_completions

    def spied(inputs: Any) -> Any:
        taken.append(compute(inputs))
        return taken[-1]

    monkeypatch.setattr(trainer, "_generate_and_score_completions", spied)
    trainer.train()
    assert seen == [[1.0, 0.0, None, 1.0]] * 2
    # of 1, 0, 1: the mean 2/3, the deviation 0.57735; the fault weighs nothing
    step = 1 / 3 / (3**-0.5 + 1e-4)
    for one in taken:
        found = one["advantages"].flatten().tolist()
        assert found == pytest.approx([step, -2 * step, 0.0, step], abs=1e-3)
    before = AutoModelForCausalLM.from_pretrained(model).state_dict()
    after = trainer.model.state_dict()
    assert any(not torch.equal(before[name], after[name].cpu()) for name in before)
    assert len(list(TraceReader(tmp_path / "trace"))) == 8

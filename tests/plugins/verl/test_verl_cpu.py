"""The parts of the CPU plug-in: its sampling, the tiny model, the environment that verl reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.plugins.verl.cpu_environment import PLUGIN, cpu_environment

pytest.importorskip("torch", reason="needs the extra `training`")
pytest.importorskip("transformers", reason="needs the extra `training`")


@pytest.fixture(scope="module")
def model(toy: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(toy.model, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer(toy: Any) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(toy.model)


def prompt(tokenizer: Any, text: str) -> tuple[int, ...]:
    chat = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, tokenize=True, return_dict=False
    )
    return tuple(ids)


def request(ids: tuple[int, ...], **changes: Any) -> Any:
    from ctrl_harness.plugins.verl.cpu_sampling import Request

    settings = {"max_new_tokens": 40, "temperature": 1.0, "top_p": 1.0, "top_k": -1}
    return Request(ids, **{**settings, **changes})


# -- sampling


def test_log_probabilities_are_those_of_one_forward_pass(model: Any, tokenizer: Any) -> None:
    """Of prompts of different lengths, padded into one batch."""
    import torch

    from ctrl_harness.plugins.verl.cpu_sampling import sample

    prompts = [prompt(tokenizer, text) for text in ("sum", "a much longer question than that")]
    for ids, drawn in zip(
        prompts, sample(model, [request(ids, temperature=0.7) for ids in prompts]), strict=True
    ):
        with torch.no_grad():
            logits = model(torch.tensor([[*ids, *drawn.ids]])).logits[0, len(ids) - 1 : -1]
        expected = torch.log_softmax(logits / 0.7, dim=-1)
        rows = torch.arange(len(drawn.ids))
        assert drawn.log_probs == pytest.approx(
            expected[rows, torch.tensor(drawn.ids)].tolist(), abs=1e-4
        )


def test_greedy_answers_are_the_same_alone_and_in_a_batch(model: Any, tokenizer: Any) -> None:
    from ctrl_harness.plugins.verl.cpu_sampling import sample

    prompts = [prompt(tokenizer, text) for text in ("sum", "product of all", "x")]
    together = sample(model, [request(ids, temperature=0) for ids in prompts])
    alone = [sample(model, [request(ids, temperature=0)])[0] for ids in prompts]
    assert [drawn.ids for drawn in together] == [drawn.ids for drawn in alone]


def test_an_answer_ends_with_the_first_token_that_ends_it(
    model: Any, tokenizer: Any, toy: Any
) -> None:
    from ctrl_harness.plugins.verl.cpu_sampling import sample

    ids = prompt(tokenizer, "sum")
    for drawn in sample(model, [request(ids) for _ in range(16)]):
        assert len(drawn.ids) == len(drawn.log_probs)
        assert tokenizer.eos_token_id not in drawn.ids[:-1]
        assert len(drawn.ids) == 40 or drawn.ids[-1] == tokenizer.eos_token_id
    (short,) = sample(model, [request(ids, max_new_tokens=3)])
    assert len(short.ids) == 3


# -- the tiny model


def test_a_taught_model_answers_in_the_form_it_was_taught(
    model: Any, tokenizer: Any, toy: Any
) -> None:
    from pyarrow import parquet

    from ctrl_harness.critique.judgement import parse_judgement
    from ctrl_harness.plugins.verl.cpu_sampling import sample

    row = parquet.read_table(toy.parquet).to_pylist()[0]
    ids = tokenizer.apply_chat_template(
        row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    drawn = sample(model, [request(tuple(ids)) for _ in range(16)])
    texts = [tokenizer.decode(one.ids, skip_special_tokens=True) for one in drawn]
    judgements = [parse_judgement(text) for text in texts]
    assert judgements.count("incorrect") >= 12, texts
    assert len(set(texts)) > 1  # and not always the same


def test_the_same_seed_makes_the_same_model(tmp_path: Path) -> None:
    from ctrl_harness.plugins.verl.tiny_model import make_tiny_model

    one, two = (make_tiny_model(tmp_path / name, ["some words"]) for name in ("one", "two"))
    weights = "model.safetensors"
    assert (one / weights).read_bytes() == (two / weights).read_bytes()
    other = make_tiny_model(tmp_path / "other", ["some words"], seed=1)
    assert (one / weights).read_bytes() != (other / weights).read_bytes()


# -- the environment


def test_the_environment_keeps_the_modules_that_are_already_named() -> None:
    env = cpu_environment({"VERL_USE_EXTERNAL_MODULES": "mine,other", "OMP_NUM_THREADS": "3"})
    assert env["VERL_USE_EXTERNAL_MODULES"] == f"{PLUGIN},mine,other"
    assert cpu_environment(env) == env
    assert env["VERL_PLATFORM"] == "cpu"
    assert env["OMP_NUM_THREADS"] == "3"

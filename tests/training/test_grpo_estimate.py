"""What `--estimate` says: shapes against real counts, memory and work against hand arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.estimate_shapes import known_shape, shape_of


@pytest.mark.parametrize(
    ("size", "parameters"),
    [  # as the models' own safetensors count them
        ("0.5B", 494_032_768),
        ("1.5B", 1_543_714_304),
        ("3B", 3_085_938_688),
        ("7B", 7_615_616_512),
        ("14B", 14_770_033_664),
        ("32B", 32_763_876_352),
    ],
)
def test_the_models_that_we_name_have_the_weights_they_have(size: str, parameters: int) -> None:
    assert shape_of(f"Qwen/Qwen2.5-Coder-{size}-Instruct").parameters == parameters
    shape = known_shape(f"Qwen/Qwen2.5-Coder-{size}")
    assert shape is not None and shape.parameters == parameters
    assert known_shape(f"Other/Qwen2.5-Coder-{size}") is None


def test_a_token_of_the_32b_models_cache_takes_a_quarter_of_a_mebibyte() -> None:
    # 64 layers × keys and values × 8 heads × 128 × 2 bytes
    assert shape_of("Qwen/Qwen2.5-Coder-32B").cache_bytes == 2**18


@pytest.mark.parametrize("tied", [True, False])
def test_a_folders_shape_is_read_off_its_config(tmp_path: Path, tied: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra `training`")
    pytest.importorskip("torch", reason="needs the extra `training`")
    config = transformers.Qwen2Config(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=tied,
    )  # fmt: skip
    model = transformers.Qwen2ForCausalLM(config)
    model.save_pretrained(tmp_path)
    counted = sum(weight.numel() for weight in model.parameters())
    assert shape_of(str(tmp_path)).parameters == counted


def test_adapters_are_counted_as_peft_makes_them(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra `training`")
    peft = pytest.importorskip("peft", reason="needs the extra `training`")
    config = transformers.Qwen2Config(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    model = transformers.Qwen2ForCausalLM(config)
    model.save_pretrained(tmp_path)
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules="all-linear"))
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    assert shape_of(str(tmp_path)).lora_parameters(4) == trained


def test_a_folder_that_describes_no_decoder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UserError, match="does not describe a dense decoder"):
        shape_of(str(tmp_path))


# -- whole runs


def test_the_papers_step_in_numbers() -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    from ctrl_harness.training.estimate import estimate_run
    from ctrl_harness.training.grpo_config import load_config

    estimate = estimate_run(load_config("paper_8x8"))
    assert estimate.work.drafts == 1024
    assert estimate.work.critiques == estimate.work.revisions == 8192
    assert estimate.work.critic_tokens == 8192 * 768
    assert estimate.work.generator_tokens == 8192 * 1024
    assert estimate.work.tests is None and estimate.steps is None
    # weights, gradients and two moments in float32 over 64 GPUs are 8.2 GB of it
    assert 8.2e9 < estimate.memory.training < 80e9
    assert estimate.fits
    assert estimate.generator_gpu == 32_763_876_352 * 2 / 4
    text = str(estimate)
    assert "8,192" in text and "32.76B" in text and "fits" in text


def test_every_gpu_configuration_fits_its_gpus_by_its_own_estimate() -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    from ctrl_harness.training.estimate import estimate_run
    from ctrl_harness.training.grpo_config import load_config, shipped

    for name in shipped():
        if name != "cpu_smoke":
            assert estimate_run(load_config(name)).fits, name


def test_a_32b_critic_does_not_fit_on_one_gpu() -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    from ctrl_harness.training.estimate import estimate_run
    from ctrl_harness.training.grpo_config import load_config

    small = load_config(
        "one_gpu_lora", ["ctrl_harness.critic=Qwen/Qwen2.5-Coder-32B-Instruct"]
    )
    assert not estimate_run(small).fits
    assert "does NOT fit" in str(estimate_run(small))


def test_verdicts_alone_cost_no_revision() -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    from ctrl_harness.training.estimate import estimate_run
    from ctrl_harness.training.grpo_config import load_config

    work = estimate_run(load_config("two_stage_1_discrimination")).work
    assert (work.critiques, work.revisions, work.generator_tokens) == (2048, 0, 0)

"""The configurations of GRPO: verl accepts the shipped ones, and a wrong one is one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training import grpo_verl
from ctrl_harness.training.grpo_config import (
    CONFIGS,
    REWARD_PATH,
    GrpoConfig,
    load_config,
    shipped,
    validate,
)

pytest.importorskip("verl", reason="needs the extra `training`")

GPUS = {
    "cpu_smoke": 1,
    "one_gpu_lora": 1,
    "one_node_1x8": 4,
    "paper_8x8": 64,
    "two_stage_1_discrimination": 4,
    "two_stage_2_mixed": 4,
}
"""That train; the generator's come on top."""


@pytest.fixture(params=sorted(GPUS))
def config(request: pytest.FixtureRequest) -> GrpoConfig:
    return load_config(request.param)


def user_config(folder: Path, text: str) -> str:
    file = folder / "mine.yaml"
    file.write_text("defaults:\n  - grpo_paper_8x8\n  - _self_\n" + text)
    return str(file)


# -- what is shipped


def test_every_shipped_configuration_is_one_of_these() -> None:
    assert shipped() == sorted(GPUS)


def test_verl_accepts_it_with_the_gpus_it_declares(config: GrpoConfig) -> None:
    assert config.gpus == GPUS[config.name]
    validate(config)


def test_it_has_our_reward_and_refills_groups_without_any_trajectory(config: GrpoConfig) -> None:
    assert config.value("reward.custom_reward_function.path") == REWARD_PATH
    assert config.value("reward.custom_reward_function.name") == "compute_score"
    assert config.value("trainer.v1.sampler.sync_refill_failed_groups") is True
    assert config.value("data.filter_overlong_prompts") is True


def test_the_papers_run_has_the_papers_values() -> None:
    paper = load_config("paper_8x8")
    table_9 = {
        "algorithm.adv_estimator": "grpo",
        "data.train_batch_size": 1024,
        "actor_rollout_ref.actor.ppo_mini_batch_size": 256,
        "actor_rollout_ref.rollout.n": 8,
        "actor_rollout_ref.actor.optim.lr": 1e-5,
        "actor_rollout_ref.actor.use_kl_loss": True,
        "actor_rollout_ref.actor.kl_loss_coef": 0.001,
        "actor_rollout_ref.actor.kl_loss_type": "low_var_kl",
        "data.max_prompt_length": 1536,
        "data.max_response_length": 768,
        "actor_rollout_ref.rollout.temperature": 1.0,
        "trainer.total_epochs": 2,
        "trainer.nnodes": 8,
        "trainer.n_gpus_per_node": 8,
        "reward.custom_reward_function.reward_kwargs.reward": "refine",
        "algorithm.filter_groups.enable": False,
    }
    assert {key: paper.value(key) for key in table_9} == table_9


def test_the_two_stages_reward_verdicts_first_and_then_both() -> None:
    first, second = load_config("two_stage_1_discrimination"), load_config("two_stage_2_mixed")
    reward = "reward.custom_reward_function.reward_kwargs.reward"
    assert (first.value(reward), second.value(reward)) == ("discrimination", "mixed")
    # the reference of the KL term is the model that training starts from
    assert second.value("actor_rollout_ref.model.path") == "models/critic-7b-stage-1"
    assert second.value("actor_rollout_ref.actor.use_kl_loss") is True


def test_lora_starts_from_merged_weights() -> None:
    lora = load_config("one_gpu_lora")
    assert lora.value("actor_rollout_ref.model.lora_rank") > 0
    assert lora.value("actor_rollout_ref.model.lora_adapter_path") is None


def test_nothing_of_ours_sets_a_reward_by_the_key_that_verl_ignores(root: Path) -> None:
    """`custom_reward_function` belongs below `reward`; on the top level main_ppo ignores it."""
    key = re.compile(r"(?<!reward\.)(?<!reward\.\+)\bcustom_reward_function[.=]")
    folders = ("training", "plugins", "docs", "ctrl_harness", "benchmarks", ".ci")
    files = [root / "README.md", root / "Makefile"]
    for folder in folders:
        files += [path for path in (root / folder).rglob("*") if path.is_file()]
    texts = {
        file: file.read_text(encoding="utf-8", errors="replace")
        for file in files
        if file.suffix in ("", ".md", ".py", ".sh", ".toml", ".yaml", ".yml")
    }
    assert [str(file) for file, text in texts.items() if key.search(text)] == []
    top_level = re.compile(r"^(custom_reward_function|reward_model|sandbox_fusion):", re.MULTILINE)
    configs = {path.name: path.read_text() for path in CONFIGS.glob("*.yaml")}
    assert [name for name, text in configs.items() if top_level.search(text)] == []


# -- a user's own


def test_a_file_starts_from_a_shipped_one_and_changes_values(tmp_path: Path) -> None:
    name = user_config(tmp_path, "data:\n  train_batch_size: 512\n")
    config = load_config(name, ["trainer.nnodes=4"])
    assert config.value("data.train_batch_size") == 512
    assert config.gpus == 32
    assert config.value("actor_rollout_ref.rollout.n") == 8
    validate(config)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("data:\n  train_batchsize: 512\n", r"data\.train_batchsize .* data\.train_batch_size\?"),
        ("optimiser: adam\n", r"optimiser is no key of verl 0\.9\.1; remove it"),
        (
            "custom_reward_function:\n  path: mine.py\n",
            r"older versions of verl, .* write reward\.custom_reward_function\.path",
        ),
        ("reward_model:\n  enable: true\n", r"write reward\.reward_model\.enable"),
        (
            "reward:\n  custom_reward_function:\n    path: null\n",
            r"reward\.custom_reward_function\.path is not set",
        ),
        (
            "reward:\n  custom_reward_function:\n    reward_kwargs:\n      generator_ulr: x\n",
            r"reward_kwargs: the reward has no setting 'generator_ulr'; it has reward, ",
        ),
        ("ctrl_harness:\n  outt: x\n", r"ctrl_harness\.outt is no key of ours; did you mean out\?"),
        (
            "ctrl_harness:\n  generator:\n    gpus: -1\n",
            r"ctrl_harness\.generator\.gpus: .* \(it is -1\)",
        ),
        ("data: [1\n", r"cannot be read"),
        ("data: ${nothing}\n", r"nothing"),
    ],
)
def test_a_wrong_key_or_value_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as error:
        load_config(user_config(tmp_path, text))
    assert "\n" not in str(error.value)


def test_what_has_to_be_given_and_is_not_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("defaults:\n  - grpo_common\n  - _self_\n")
    with pytest.raises(UserError, match=r"ctrl_harness\.out has no value; give it one, as"):
        load_config(str(file))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["data.train_batchsize=1"], "train_batchsize"),
        (["data.train_batch_size"], "train_batch_size"),
        (["custom_reward_function.path=mine.py"], "older versions of verl"),
    ],
)
def test_so_is_a_wrong_setting_of_the_command_line(settings: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as error:
        load_config("paper_8x8", settings)
    assert "\n" not in str(error.value)


def test_a_key_that_only_verls_code_knows_can_be_added_in_so_many_words() -> None:
    config = load_config("paper_8x8", ["+data.cache_dir=/scratch"])
    assert config.value("data.cache_dir") == "/scratch"


def test_what_verl_refuses_is_one_sentence() -> None:
    config = load_config("paper_8x8", ["data.train_batch_size=100"])
    with pytest.raises(UserError, match=r"verl 0\.9\.1 refuses paper_8x8: .*\(800\)") as error:
        validate(config)
    assert "\n" not in str(error.value)


def test_an_unknown_configuration_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'paper'; give a \.yaml file or one of cpu_smoke, "):
        load_config("paper")
    with pytest.raises(UserError, match=r"there is no configuration .*nowhere\.yaml"):
        load_config(str(tmp_path / "nowhere.yaml"))


# -- the pin


def test_another_verl_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpo_verl, "version", lambda name: "0.10.0")
    with pytest.raises(UserError, match=r"verl 0\.10\.0 is installed, .* 'verl==0\.9\.1'"):
        load_config("paper_8x8")


def test_the_pin_is_that_of_the_extra(root: Path) -> None:
    assert f'"verl=={grpo_verl.VERL_VERSION}' in (root / "pyproject.toml").read_text()

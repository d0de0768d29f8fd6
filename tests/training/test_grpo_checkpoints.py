"""Which checkpoint a path means, and what merging refuses; merges: test_verl_cpu_runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.checkpoints import find_checkpoint, merge_checkpoint


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with checkpoints of steps 5 and 10, the latter being the last."""
    for step in (5, 10):
        actor = tmp_path / f"checkpoints/global_step_{step}/actor"
        actor.mkdir(parents=True)
        (actor / "fsdp_config.json").write_text("{}")
    (tmp_path / "checkpoints/latest_checkpointed_iteration.txt").write_text("10\n")
    return tmp_path


def test_a_runs_folder_means_its_last_checkpoint(run: Path) -> None:
    last = run / "checkpoints/global_step_10/actor"
    assert find_checkpoint(run) == last
    assert find_checkpoint(run / "checkpoints") == last


def test_a_steps_folder_means_that_step(run: Path) -> None:
    step = run / "checkpoints/global_step_5"
    assert find_checkpoint(step) == step / "actor"
    assert find_checkpoint(step / "actor") == step / "actor"


def test_a_folder_without_one_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no checkpoint of verl's FSDP engine"):
        find_checkpoint(tmp_path)
    with pytest.raises(UserError, match="holds no checkpoint"):
        find_checkpoint(tmp_path / "nowhere")


def test_a_model_that_is_there_is_not_written_over(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    target = tmp_path / "model"
    target.mkdir()
    (target / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is not an empty folder"):
        merge_checkpoint(run, target)
    assert (target / "config.json").read_text() == "{}"


def test_shards_that_are_broken_are_one_sentence(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("verl", reason="needs the extra `training`")
    with pytest.raises(UserError, match=r"verl cannot merge .*global_step_10") as error:
        merge_checkpoint(run, tmp_path / "model")
    assert "\n" not in str(error.value)

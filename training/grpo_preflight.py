"""What can be known to be wrong before a run of many GPUs starts, each said in one sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio

from ctrl_harness.critique.messages import Message
from ctrl_harness.errors import UserError, first_line
from ctrl_harness.training.frozen_generator import FrozenGenerator, GeneratorError
from ctrl_harness.training.grpo_config import GrpoConfig
from ctrl_harness.training.pretrained import load_tokenizer
from ctrl_harness.training.rl_rows import Episode, arrow_schema

_ENGINES = {"vllm": "vllm", "sglang": "sglang", "trtllm": "tensorrt_llm"}
"""Rollout names of verl and the package that each needs."""
_PROBE_SECONDS = 20.0
_PROBES = 2


def check_engine(config: GrpoConfig) -> None:
    """Raises UserError where the rollout engine or the GPUs of this machine are missing."""
    name = str(config.value("actor_rollout_ref.rollout.name"))
    package = _ENGINES.get(name)
    if package is not None and find_spec(package) is None:
        raise UserError(
            f"the rollout {name} needs {package}, which is not installed; install it with: "
            "pip install 'ctrl-harness[training-gpu]'"
        )
    elsewhere = config.value("ray_kwargs.ray_init.address") or os.environ.get("RAY_ADDRESS")
    if config.on_cpu or elsewhere:
        return  # Ray counts the GPUs of its cluster itself
    import torch

    here = torch.cuda.device_count()
    if here < config.gpus:
        raise UserError(
            f"{config.name} trains on {config.gpus} GPUs and {here} are visible here; give "
            "trainer.nnodes and trainer.n_gpus_per_node other values, or submit the run to a Ray "
            "cluster (docs/grpo.md)"
        )


def check_model(config: GrpoConfig) -> None:
    """Raises UserError where there is no model or tokenizer, or no chat template."""
    path = str(config.value("actor_rollout_ref.model.path"))
    load_tokenizer(str(config.value("actor_rollout_ref.model.tokenizer_path") or path))
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:
        reason = first_line(error)
        raise UserError(
            f"no model can be loaded from {path!r} ({reason}); give actor_rollout_ref.model.path "
            "the folder that SFT wrote"
        ) from error


def check_data(config: GrpoConfig) -> int:
    """The number of training rows.

    Raises:
        UserError: a file is missing, is no parquet, has other columns, or holds no row that the
            reward can read; or there are fewer rows than a batch takes.
    """
    ours = config.reward is not None
    counts = {
        key: sum(_rows(Path(file), check_first=ours) for file in data_files(config, key))
        for key in ("data.train_files", "data.val_files")
    }
    batch = int(config.value("data.train_batch_size"))
    rows = counts["data.train_files"]
    if rows < batch:
        raise UserError(
            f"data.train_files hold {rows} rows and a step takes {batch}; give "
            "data.train_batch_size a smaller value"
        )
    if not counts["data.val_files"]:
        raise UserError("data.val_files hold no row; give a parquet of the val split")
    return rows


def data_files(config: GrpoConfig, key: str) -> list[str]:
    """The paths under `data.train_files` or `data.val_files`, which may be one or a list."""
    value = config.value(key)
    return [value] if isinstance(value, str) else [str(file) for file in value or ()]


def _rows(file: Path, *, check_first: bool) -> int:
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as table:
            _check_columns(file, table.schema_arrow)
            rows = int(table.metadata.num_rows)
            if rows and check_first:
                batch = next(table.iter_batches(batch_size=1, columns=["extra_info"]))
                _check_episode(file, batch.to_pylist()[0]["extra_info"])
            return rows
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{file} cannot be read ({reason}); give another file") from None
    except pyarrow.ArrowException as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{file} is no parquet file ({reason}); give another file") from None


def _check_columns(file: Path, schema: Any) -> None:
    for wanted in arrow_schema():
        if wanted.name not in schema.names:
            raise UserError(
                f"{file} has no column {wanted.name}, so it is no RL data; make it with: "
                "ctrl-harness synthesize"
            )


def _check_episode(file: Path, extra_info: dict[str, Any]) -> None:
    try:
        Episode.from_extra_info(extra_info)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def probe_generator(config: GrpoConfig) -> None:
    """Have the generator write one token, asked as the reward asks it.

    Raises:
        UserError: it cannot be reached, serves other models, or answers something else.
    """
    reward = config.reward
    if reward is None or not reward.revises or config.value("reward.reward_model.enable"):
        return  # nobody is asked, or verl itself serves whom the reward asks
    settings = replace(
        reward.generator(None), max_tokens=1, timeout_s=_PROBE_SECONDS, attempts=_PROBES
    )

    async def ask() -> None:
        frozen = FrozenGenerator(settings)
        await frozen.ask([Message("user", "Is anybody there?")])
        await frozen.aclose()

    try:
        anyio.run(ask)
    except GeneratorError as error:
        raise UserError(
            f"{error}; start its server first (docs/grpo.md), or give ctrl_harness.generator "
            "another url or model"
        ) from None

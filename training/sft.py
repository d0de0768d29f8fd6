"""Supervised fine-tuning of a critic on synthesised critiques: CTRL's first stage.

The trainer is TRL's SFTTrainer, over Hugging Face's Trainer and accelerate: the same process runs
on a CPU, on one GPU, and under `accelerate launch` on many with FSDP or ZeRO. (verl's SFT trainer
drops the rows that do not fill a batch, knows CUDA and NPU only, and tokenises each message apart
from the others.) Tokens and labels are ours (sft_data.py); TRL neither cuts nor masks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.training.pretrained import load_tokenizer, require_extra
from ctrl_harness.training.sft_config import SftConfig
from ctrl_harness.training.sft_data import SftData, read_examples
from ctrl_harness.training.sft_folder import RunFolder, write_json

Say = Callable[[str], None]

_DECIDES_NO_WEIGHT = {
    "output", "train", "validation", "over_long", "rows_per_device", "gradient_checkpointing",
    "save_every", "keep",
}  # fmt: skip
"""What may change when a run goes on; the rows themselves are compared token by token."""

_DISK_WORDS = ("No space left", "PytorchStreamWriter", "inline_container", "Disk quota")
"""What torch and safetensors say, in errors that carry no number, of a disk that is full."""


def run(config: SftConfig, say: Say = print, *, check_only: bool = False) -> Path:
    """Trains, or goes on where a killed run stopped; the folder of the finished model.

    Under `accelerate launch` every process calls this, and the first one writes the model, after
    the others have gone. check_only: all is read and checked, and said, and nothing trained or
    written.

    Raises UserError for input that cannot be used and for a full disk.
    """
    require_extra("torch", "transformers", "trl", "peft")
    rank, devices = _place()
    tell: Say = say if rank == 0 else _silent
    accumulation = config.accumulation(devices)
    tokenizer = load_tokenizer(config.model, config.revision)
    data = _read(config, config.train, tokenizer, tell)
    validation = None
    if config.validation is not None:
        validation = _read(config, config.validation, tokenizer, tell)
    folder = RunFolder(config.output)
    identity = _identity(config, data)
    folder.check(identity)
    if check_only:
        tell(f"nothing trained: {config.batch} rows a step, {accumulation} pass(es) a device")
        return folder.model
    if folder.finished:
        tell(f"{folder.model} is finished already; nothing to do")
        return folder.model
    # trl loads here and no sooner: a fault of the input is told at once
    from ctrl_harness.training.sft_trainer import Training

    with _disk_trouble(config.output):
        training = Training(config, tokenizer, data, validation, folder, accumulation, tell)
        if rank == 0:
            folder.begin(identity)
            for name in folder.remove_broken():
                tell(f"removed {name}, which was left half-written")
        training.wait_for_all()
        outcome = training.train()
        if rank == 0:
            write_json(folder.report, {**_counts(data), **outcome})
            training.export()
            tell(f"the trained critic is in {folder.model}")
    return folder.model


def _place() -> tuple[int, int]:
    """This process' rank and how many there are, as torchrun and accelerate say it."""
    import torch

    devices = int(os.environ.get("WORLD_SIZE", "1"))
    if devices == 1 and torch.cuda.device_count() > 1:
        raise UserError(
            f"{torch.cuda.device_count()} GPUs are visible and one process runs; start it with"
            " accelerate launch (docs/training.md), or set CUDA_VISIBLE_DEVICES to one of them"
        )
    return int(os.environ.get("RANK", "0")), devices


def _silent(line: str) -> None:
    del line


def _read(config: SftConfig, path: Path, tokenizer: Any, tell: Say) -> SftData:
    data = read_examples(path, tokenizer, config.max_tokens, config.over_long)
    left_out = f", {len(data.too_long)} longer than {config.max_tokens} tokens left out"
    tell(
        f"{path}: {len(data.examples)} rows{left_out if data.too_long else ''};"
        f" {data.n_tokens} tokens, {data.n_learnt} of them learnt"
    )
    return data


def _counts(data: SftData) -> dict[str, Any]:
    return {
        "rows": len(data.examples),
        "rows_too_long": len(data.too_long),
        "lines_too_long": list(data.too_long),
        "tokens": data.n_tokens,
        "tokens_learnt": data.n_learnt,
    }


def _identity(config: SftConfig, data: SftData) -> dict[str, Any]:
    settings = config.model_dump(mode="json", exclude=_DECIDES_NO_WEIGHT)
    return {**settings, "rows": data.digest}


@contextmanager
def _disk_trouble(folder: Path) -> Iterator[None]:
    """A full disk is one sentence; any other trouble stays what it was."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        number = getattr(error, "errno", None)
        if number not in (ENOSPC, EDQUOT) and not any(word in str(error) for word in _DISK_WORDS):
            raise
        raise UserError(
            f"the disk that holds {folder} is full; free some room and give the same command"
            " again: the run goes on from its last whole checkpoint"
        ) from error

"""Turns a checkpoint of verl's into a Hugging Face folder, through verl's own model merger.

A LoRA checkpoint becomes one model too: its adapter is merged into the weights it was trained on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ctrl_harness.errors import UserError
from ctrl_harness.training.grpo_verl import require_verl

_LATEST = "latest_checkpointed_iteration.txt"
_STEP = "global_step_"
_ADAPTER = "lora_adapter"
"""Where verl's merger leaves the adapter, beside the weights without it."""
_LAST_LINES = 3


def find_checkpoint(path: Path) -> Path:
    """The folder of an actor's shards that `path` means.

    path: that folder, a step's (`global_step_N`), that of all steps, or a run's.

    Raises:
        UserError: there is none.
    """
    for folder in (path, path / "checkpoints"):
        latest = folder / _LATEST
        steps = [folder / f"{_STEP}{latest.read_text().strip()}"] if latest.is_file() else []
        for candidate in (folder, folder / "actor", *(step / "actor" for step in steps)):
            if (candidate / "fsdp_config.json").is_file():
                return candidate
    raise UserError(
        f"{path} holds no checkpoint of verl's FSDP engine; give a run's folder, or one of its "
        f"{_STEP}N folders"
    )


def merge_checkpoint(path: Path, target: Path) -> Path:
    """Write the checkpoint that `path` means to `target`, as bfloat16 weights with tokenizer.

    Returns:
        `target`, which transformers, vLLM and `ctrl-harness train grpo` can load.

    Raises:
        UserError: there is no checkpoint, `target` is not empty, or verl's merger fails.
    """
    require_verl()
    shards = find_checkpoint(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} exists and is not an empty folder; give another one")
    command = [
        *(sys.executable, "-m", "verl.model_merger", "merge", "--backend", "fsdp"),
        *("--local_dir", str(shards), "--target_dir", str(target)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        reason = " ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise UserError(f"verl cannot merge {shards}: {reason}")
    if (target / _ADAPTER).is_dir():
        _merge_adapter(target)
    return target


def _merge_adapter(target: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(target, dtype=torch.bfloat16)
    merged = PeftModel.from_pretrained(base, str(target / _ADAPTER)).merge_and_unload()
    merged.save_pretrained(target)
    shutil.rmtree(target / _ADAPTER)

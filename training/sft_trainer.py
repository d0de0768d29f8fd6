"""TRL's SFTTrainer with our rows and settings. Imports torch, transformers and trl."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import PrinterCallback, TrainerCallback
from transformers.utils.logging import disable_progress_bar
from trl import SFTConfig, SFTTrainer

from ctrl_harness.errors import UserError
from ctrl_harness.training.pretrained import load_model
from ctrl_harness.training.sft_config import SftConfig
from ctrl_harness.training.sft_data import SftData
from ctrl_harness.training.sft_folder import RunFolder


class Training:
    """One run, in one of its processes. accumulation: passes of a device in a step."""

    def __init__(
        self,
        config: SftConfig,
        tokenizer: Any,
        data: SftData,
        validation: SftData | None,
        folder: RunFolder,
        accumulation: int,
        tell: Callable[[str], None],
    ) -> None:
        self._config = config
        self._tokenizer = tokenizer
        self._folder = folder
        self._tell = tell
        disable_progress_bar()
        self._trainer = SFTTrainer(
            model=load_model(config.model, config.revision, _weights(config)),
            args=_arguments(config, folder, accumulation, validation is not None),
            train_dataset=_dataset(data),
            eval_dataset=None if validation is None else _dataset(validation),
            processing_class=tokenizer,
            peft_config=None if config.lora is None else _adapters(config),
            callbacks=[_Progress(tell)],
        )
        self._trainer.remove_callback(PrinterCallback)

    @property
    def trainer(self) -> SFTTrainer:
        return self._trainer

    def train(self) -> dict[str, Any]:
        """To the last step, from the last whole checkpoint if there is one."""
        start = self._folder.last_checkpoint()
        if start is not None:
            self._tell(f"going on from {start.name}")
        began = time.monotonic()
        result = self._trainer.train(resume_from_checkpoint=None if start is None else str(start))
        losses = [entry["loss"] for entry in self._trainer.state.log_history if "loss" in entry]
        return {
            "steps": result.global_step,
            "resumed_from": None if start is None else start.name,
            "seconds": round(time.monotonic() - began, 1),
            "losses": losses,
            "eval_losses": [
                entry["eval_loss"]
                for entry in self._trainer.state.log_history
                if "eval_loss" in entry
            ],
        }

    def export(self) -> None:
        """Writes the model as it is to be served, out of the last checkpoint. One process' work.

        Weights in the precision that was computed in, adapters merged, the tokenizer as it came.
        """
        last = self._folder.last_checkpoint()
        if last is None or not any(last.glob("*.safetensors")):
            raise UserError(
                f"{last or self._folder.checkpoints} holds no whole weights; have the launcher"
                " gather them: fsdp_state_dict_type FULL_STATE_DICT, or zero3_save_16bit_model"
            )
        dtype = "bfloat16" if self._config.precision == "bf16" else "float32"
        if self._config.lora is None:
            model = load_model(str(last), dtype=dtype)
        else:
            base = load_model(self._config.model, self._config.revision, dtype)
            model = PeftModel.from_pretrained(base, str(last)).merge_and_unload()
        part = self._folder.model_in_writing
        model.save_pretrained(part)
        self._tokenizer.save_pretrained(part)
        part.replace(self._folder.model)

    def wait_for_all(self) -> None:
        """Until every process of the run is here."""
        self._trainer.accelerator.wait_for_everyone()


class _Progress(TrainerCallback):  # type: ignore[misc]  # trl's types are not looked at
    """A line for each logged step."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        del args, control
        logs = logs or {}
        if "loss" in logs:
            rate, norm = logs.get("learning_rate", 0.0), logs.get("grad_norm", 0.0)
            self._tell(
                f"step {state.global_step} of {state.max_steps}: loss {float(logs['loss']):.4f},"
                f" gradient {float(norm):.3f}, learning rate {float(rate):.3g}"
            )
        elif "eval_loss" in logs:
            self._tell(f"step {state.global_step}: validation loss {logs['eval_loss']:.4f}")


def _weights(config: SftConfig) -> str:
    """Weights that are trained stay in float32; frozen ones need not."""
    return "bfloat16" if config.lora is not None and config.precision == "bf16" else "float32"


def _arguments(
    config: SftConfig, folder: RunFolder, accumulation: int, validate: bool
) -> SFTConfig:
    settings: dict[str, Any] = {
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "eval_steps": config.save_every,
        "per_device_eval_batch_size": config.rows_per_device,
        **config.trainer,
        "output_dir": str(folder.checkpoints),
        "num_train_epochs": config.epochs,
        "max_steps": -1 if config.max_steps is None else config.max_steps,
        "per_device_train_batch_size": config.rows_per_device,
        "gradient_accumulation_steps": accumulation,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup_steps,
        "bf16": config.precision == "bf16",
        "gradient_checkpointing": config.gradient_checkpointing,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": config.keep,
        "eval_strategy": "steps" if validate else "no",
        "seed": config.seed,
        "data_seed": config.seed,
        "max_length": None,
        "packing": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "use_cpu": not torch.accelerator.is_available(),
    }
    try:
        return SFTConfig(**settings)
    except (TypeError, ValueError, ImportError) as error:
        raise UserError(
            f"the trainer refuses these settings: {' '.join(str(error).split())}"
        ) from error


def _dataset(data: SftData) -> Dataset:
    return Dataset.from_dict(
        {
            "input_ids": [example.input_ids for example in data.examples],
            "labels": [example.labels for example in data.examples],
        }
    )


def _adapters(config: SftConfig) -> LoraConfig:
    lora = config.lora
    assert lora is not None
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )

"""What a run of fine-tuning is told: a small YAML file, checked before anything loads."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctrl_harness.errors import UserError
from ctrl_harness.training.pretrained import require_extra

CONFIGS = Path(__file__).with_name("configs")
_PREFIX = "sft_"
_NOT_OURS = ("sft_fsdp",)  # for `accelerate launch`

_OURS = {
    "output_dir": "output",
    "num_train_epochs": "epochs",
    "max_steps": "max_steps",
    "per_device_train_batch_size": "rows_per_device",
    "gradient_accumulation_steps": "batch",
    "learning_rate": "learning_rate",
    "lr_scheduler_type": "schedule",
    "warmup_steps": "warmup_steps",
    "warmup_ratio": "warmup_steps",
    "bf16": "precision",
    "fp16": "precision",
    "gradient_checkpointing": "gradient_checkpointing",
    "max_length": "max_tokens",
    "seed": "seed",
    "data_seed": "seed",
    "save_strategy": "save_every",
    "save_steps": "save_every",
    "save_total_limit": "keep",
    "eval_strategy": "validation",
}
"""Settings of TRL that a key of ours decides."""

_FIXED = (
    "assistant_only_loss", "chat_template_path", "completion_only_loss", "dataset_kwargs",
    "dataset_text_field", "eos_token", "eval_packing", "model_init_kwargs", "packing",
    "packing_strategy", "pad_token", "remove_unused_columns", "resume_from_checkpoint",
    "save_only_model", "shuffle_dataset", "truncation_mode",
)  # fmt: skip
"""Settings of TRL that would change which tokens are trained on, or that resuming relies upon."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoraConfig(_Strict):
    """Low-rank adapters, merged into the weights at the end. targets: as peft names modules."""

    rank: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: str | list[str] = "all-linear"


class SftConfig(_Strict):
    """One run. The defaults are the paper's (arXiv 2502.03492, appendix C, SFT).

    model, revision: a folder or repository of an instruct model. train, validation: JSONL of chat
    messages. output: a folder of this run alone. max_tokens: of a whole row; longer ones are left
    out (`drop`) or stop the run (`refuse`), and never cut. batch: rows a step over all devices.
    rows_per_device: of these, how many go through a device at once. warmup_steps: of the schedule.
    precision: bf16 computes in bfloat16 over float32 weights. save_every: steps between
    checkpoints, of which `keep` stay. trainer: further settings of TRL's
    SFTConfig.
    """

    model: str
    train: Path
    output: Path
    revision: str | None = None
    validation: Path | None = None
    max_tokens: int = Field(default=2048, gt=0)
    over_long: Literal["drop", "refuse"] = "drop"
    epochs: float = Field(default=1, gt=0)
    max_steps: int | None = Field(default=None, gt=0)
    batch: int = Field(default=256, gt=0)
    rows_per_device: int = Field(default=4, gt=0)
    learning_rate: float = Field(default=2e-5, gt=0)
    schedule: str = "cosine"
    warmup_steps: int = Field(default=0, ge=0)
    precision: Literal["bf16", "fp32"] = "bf16"
    gradient_checkpointing: bool = True
    save_every: int = Field(default=50, gt=0)
    keep: int = Field(default=2, gt=0)
    seed: int = 0
    lora: LoraConfig | None = None
    trainer: dict[str, Any] = Field(default_factory=dict)

    def accumulation(self, devices: int) -> int:
        """Passes of every device in a step. Raises UserError where they do not make up `batch`."""
        rows = self.rows_per_device * devices
        if self.batch % rows:
            raise UserError(
                f"batch={self.batch} cannot be made of {self.rows_per_device} rows on each of"
                f" {devices} device(s); make it a multiple of {rows}, or change rows_per_device"
            )
        return self.batch // rows


def shipped() -> list[str]:
    """Names that `--config` takes beside paths."""
    return sorted(
        path.stem.removeprefix(_PREFIX)
        for path in CONFIGS.glob(f"{_PREFIX}*.yaml")
        if path.stem not in _NOT_OURS
    )


def read_config(source: str, settings: Iterable[str] = ()) -> SftConfig:
    """The run of a file or a shipped name, with `key=value` settings laid over it.

    Raises UserError, in one sentence, for a file that cannot be read, an unknown key, a value that
    does not fit, and a setting of TRL that is unknown or decided elsewhere.
    """
    path = CONFIGS / f"{_PREFIX}{source}.yaml" if source in shipped() else Path(source)
    data = _read(path, source)
    for setting in settings:
        _lay_over(data, setting)
    try:
        config = SftConfig.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{source}: {_first_fault(error)}") from None
    _check_trainer(config.trainer, source)
    return config


def _read(path: Path, source: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(
            f"the configuration {source!r} cannot be read ({reason}); give the path of a YAML file"
            f" or one of {', '.join(shipped())}"
        ) from None
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(data, dict):
        raise UserError(f"{source} holds no settings; write lines such as `model: NAME`")
    return {str(key): value for key, value in data.items()}


def _lay_over(data: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise UserError(f"{setting!r} is no setting; write key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    *parents, last = key.split(".")
    place = data
    for parent in parents:
        inner = place.get(parent)
        inner = dict(inner) if isinstance(inner, Mapping) else {}
        place[parent] = inner
        place = inner
    place[last] = value


def _first_fault(error: ValidationError) -> str:
    faults = error.errors()
    # a misspelt key is also a missing one; the misspelling says more
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        model = LoraConfig if key.startswith("lora.") else SftConfig
        return _unknown(key, key.split(".")[-1], model.model_fields)
    if fault["type"] == "missing":
        return f"{key} is missing; say it in the file or with --set {key}=…"
    return f"{key}: {fault['msg'][0].lower()}{fault['msg'][1:]} (it is {fault['input']!r})"


def _unknown(key: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(names)}"
    return f"{key} is an unknown key; {hint}"


def _check_trainer(settings: Mapping[str, Any], source: str) -> None:
    if not settings:
        return
    require_extra("torch", "transformers", "trl")
    from trl import SFTConfig

    known = {field.name for field in dataclasses.fields(SFTConfig)}
    for name in settings:
        if name in _OURS:
            raise UserError(f"{source}: trainer.{name} is decided by {_OURS[name]}; set that")
        if name in _FIXED:
            raise UserError(
                f"{source}: trainer.{name} is not to be set, since rows are told in the model's own"
                " chat template, trained on their answers alone and never cut; take it out"
            )
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = _OURS.get(near[0], f"trainer.{near[0]}") if near else ""
            raise UserError(
                f"{source}: trainer.{name} is no setting of the trl that is installed; "
                + (f"did you mean {hint}?" if hint else "take it out")
            )

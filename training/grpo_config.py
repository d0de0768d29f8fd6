"""Reads a GRPO configuration: verl's own keys, on top of verl's own defaults, and our section.

A configuration is a Hydra file that starts from verl's `ppo_trainer`, or from one of ours. Hydra
takes any key a file has, and main_ppo ignores those it does not know; here they are errors.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctrl_harness.errors import UserError
from ctrl_harness.training.grpo_verl import VERL_VERSION, require_verl
from ctrl_harness.training.reward_settings import RewardSettings

CONFIGS = Path(__file__).with_name("configs")
_PREFIX = "grpo_"
_COMMON = "common"
"""Holds what the shipped configurations share; names no model, so it is none itself."""
SECTION = "ctrl_harness"
REWARD_PATH = "pkg://ctrl_harness.training.reward"
_SEARCH = f"[pkg://verl.trainer.config,'file://{CONFIGS}']"
_REWARD_KWARGS = "reward.custom_reward_function.reward_kwargs"
_FREE = (_REWARD_KWARGS, "ray_kwargs.ray_init")
"""Mappings whose keys are those of a function's signature, not of verl's file."""
_LEGACY = ("custom_reward_function", "reward_model", "sandbox_fusion")
"""Top-level keys of older versions: verl still parses them, and main_ppo reads them nowhere."""


_MISSING = "???"
"""Stands in verl's files, and in ours, for a value that has to be given."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Generator(_Strict):
    """The frozen model that revises. context: tokens it serves, prompt and answer together.

    gpus: those that serve it beside the trainer's; 0 where it shares theirs, or needs none.
    gpu_share: of the memory of a training GPU, where it shares them.
    """

    model: str
    url: str
    gpus: int = Field(ge=0)
    tensor_parallel: int = Field(gt=0)
    context: int = Field(gt=0)
    gpu_share: float = Field(default=0.0, ge=0, lt=1)


class OurSection(_Strict):
    """What verl has no key for.

    out: folder of the run: its configuration, trace and checkpoints. critic: the model that SFT
    started from, whose shape `--estimate` uses while `actor_rollout_ref.model.path` is not there.
    gpu_memory_gb: of one GPU, in 10^9 bytes.
    """

    out: str
    critic: str
    gpu_memory_gb: float = Field(gt=0)
    generator: Generator


@dataclass(frozen=True)
class GrpoConfig:
    """A configuration that verl will accept, as far as can be known without running it."""

    name: str
    verl: Any
    """The composed `DictConfig`, interpolations unresolved, our section in it."""
    ours: OurSection
    reward: RewardSettings | None
    """Of our reward; None where the configuration has another."""

    def value(self, key: str) -> Any:
        """What `key` (dots between its parts) comes to; None where it is not set."""
        from omegaconf import OmegaConf

        return OmegaConf.select(self.verl, key, default=None)

    @property
    def on_cpu(self) -> bool:
        return bool(self.value("trainer.device") == "cpu")

    @property
    def gpus(self) -> int:
        """GPUs that train, over all nodes."""
        return int(self.value("trainer.nnodes")) * int(self.value("trainer.n_gpus_per_node"))


def shipped() -> list[str]:
    """Names of the configurations that come with the project."""
    names = (path.stem.removeprefix(_PREFIX) for path in CONFIGS.glob(f"{_PREFIX}*.yaml"))
    return sorted(name for name in names if name != _COMMON)


def load_config(name: str, overrides: Sequence[str] = ()) -> GrpoConfig:
    """Compose `name` (a shipped configuration or a file) with `overrides` in Hydra's grammar.

    Raises:
        UserError: verl is missing or another version; the file cannot be read or composed; a key
            is unknown or of an older verl; a value that must be given is missing.
    """
    require_verl()
    from omegaconf.errors import OmegaConfBaseException

    config = _compose(name, overrides)
    try:
        _refuse_legacy(config)
        added = (override for override in overrides if override.startswith("+"))
        asked = {override.lstrip("+").partition("=")[0] for override in added}
        _refuse_unknown(config, _stock(), asked)
        _refuse_missing(config)
        ours, reward = _our_section(config), _reward_settings(config)
    except OmegaConfBaseException as error:  # an interpolation that leads nowhere
        reason = " ".join(str(error).split())
        raise UserError(f"configuration {name} cannot be used: {reason}; correct it") from error
    return GrpoConfig(Path(name).stem, config, ours, reward)


def validate(config: GrpoConfig) -> None:
    """Ask verl's own validation, with the number of GPUs the configuration declares.

    Raises:
        UserError: with verl's reason, in one line.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    refusals = (AssertionError, ValueError, TypeError, ImportError)
    try:
        with redirect_stdout(io.StringIO()):
            validate_config(
                config=config.verl,
                use_reference_policy=need_reference_policy(config.verl),
                use_critic=need_critic(config.verl),
            )
    except (*refusals, HydraException, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"verl {VERL_VERSION} refuses {config.name}: {reason}") from error


@lru_cache(maxsize=1)
def _stock() -> Any:
    """verl's own configuration, whose keys are those there are."""
    from hydra import compose, initialize_config_module

    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer")


def _compose(name: str, overrides: Sequence[str]) -> Any:
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        file = _file_of(name)
        with initialize_config_dir(str(file.parent), version_base=None):
            return compose(file.stem, [f"hydra.searchpath={_SEARCH}", *overrides])
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
        reason = " ".join(str(cause).split())
        raise UserError(f"configuration {name} cannot be read: {reason}; correct it") from error


def _file_of(name: str) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise UserError(f"there is no configuration {name}; give another file")
        return path.resolve()
    if name not in shipped():
        raise UserError(
            f"there is no configuration {name!r}; "
            f"give a .yaml file or one of {', '.join(shipped())}"
        )
    return CONFIGS / f"{_PREFIX}{name}.yaml"


def _refuse_legacy(config: Any) -> None:
    for section in _LEGACY:
        for key, value in _leaves(config.get(section), section):
            if value is not None:
                raise UserError(
                    f"{key} is a key of older versions of verl, which {VERL_VERSION} ignores; "
                    f"write reward.{key}"
                )


def _refuse_unknown(config: Any, stock: Any, asked: set[str]) -> None:
    """Keys that verl's own file lacks, unless a `+` of the command line asked for them."""
    for key in _unknown_keys(config, stock, ""):
        if any(key == one or key.startswith(f"{one}.") for one in asked):
            continue
        names = [name for name, _ in _leaves(stock, "")]
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.8)
        instead = f"did you mean {near[0]}?" if near else "remove it"
        raise UserError(f"{key} is no key of verl {VERL_VERSION}; {instead}")


def _unknown_keys(config: Any, stock: Any, prefix: str) -> Iterator[str]:
    known = set(stock)  # asked itself, it would deny what is still to be given
    for name in config:
        key = f"{prefix}{name}"
        if key in (SECTION, *_FREE):
            continue
        if name not in known:
            yield key
            continue
        ours, theirs = config._get_node(name), stock._get_node(name)
        # what is empty or null in verl's file is for the user to fill in
        if _is_mapping(ours) and _is_mapping(theirs) and len(theirs):
            yield from _unknown_keys(ours, theirs, f"{key}.")


def _is_mapping(node: Any) -> bool:
    from omegaconf import DictConfig

    return isinstance(node, DictConfig) and not node._is_none() and not node._is_interpolation()


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Keys (dots between their parts) and unresolved values below `node`."""
    if not _is_mapping(node):
        yield prefix, None if node is None or node._is_none() else node
        return
    for name in node:
        key = f"{prefix}.{name}" if prefix else str(name)
        child = node._get_node(name)
        if _is_mapping(child):
            yield from _leaves(child, key)
        else:
            yield key, child._value()


def _refuse_missing(config: Any) -> None:
    unused = ("critic.", "distillation.", "reward.reward_model.", "reward_model.")
    for key, value in _leaves(config, ""):
        if value == _MISSING and not key.startswith(unused):
            raise UserError(f"{key} has no value; give it one, as in {key}=VALUE")


def _reward_settings(config: Any) -> RewardSettings | None:
    from omegaconf import OmegaConf

    path = OmegaConf.select(config, "reward.custom_reward_function.path")
    if not path:
        raise UserError(
            "reward.custom_reward_function.path is not set, and verl would score by the data "
            f"set's name; set it to {REWARD_PATH}"
        )
    if path != REWARD_PATH:
        return None  # a reward of the user's own has its own arguments
    node = OmegaConf.select(config, _REWARD_KWARGS, default=None)
    # of the node in its place, since its values point to other keys
    kwargs = {} if node is None else OmegaConf.to_container(node, resolve=True)
    try:
        return RewardSettings.of(kwargs)
    except UserError as error:
        raise UserError(f"{_REWARD_KWARGS}: {error}") from None


def _our_section(config: Any) -> OurSection:
    from omegaconf import OmegaConf

    section = config.get(SECTION)
    if section is None:
        raise UserError(
            f"the configuration has no section {SECTION}; start it from one of "
            f"{', '.join(shipped())} (docs/grpo.md)"
        )
    try:
        return OurSection.model_validate(OmegaConf.to_container(section, resolve=True))
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join([SECTION, *map(str, fault["loc"])])
        if fault["type"] != "extra_forbidden":
            reason = f"{fault['msg'][0].lower()}{fault['msg'][1:]}"
            raise UserError(f"{key}: {reason} (it is {fault['input']!r})") from None
        kind = Generator if "generator" in fault["loc"] else OurSection
        raise UserError(
            f"{key} is no key of ours; {_instead(str(fault['loc'][-1]), kind.model_fields)}"
        ) from None


def _instead(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(names)}"

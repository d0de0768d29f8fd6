"""Launches verl's own `main_ppo` on a checked configuration.

What runs is `python -m verl.trainer.main_ppo` in a process of its own, with the composed
configuration as a file in the run's folder, so that a run can be read and repeated without us.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ctrl_harness.errors import UserError
from ctrl_harness.training.faults import ended_by_faults
from ctrl_harness.training.grpo_config import SECTION, GrpoConfig, validate
from ctrl_harness.training.grpo_preflight import (
    check_data,
    check_engine,
    check_model,
    data_files,
    probe_generator,
)
from ctrl_harness.training.grpo_verl import EXTERNAL_MODULES, load_in_verl

_PLUGIN = "ctrl_harness.training.grpo_plugin"
CONFIG_NAME = "grpo"
"""The composed configuration is RUN/grpo.yaml."""
_POLL_S = 0.5
_GRACE_S = 30.0


def prepare(config: GrpoConfig) -> None:
    """Check what can be checked before a run.

    Raises:
        UserError: the first thing that is wrong.
    """
    validate(config)
    check_engine(config)
    check_model(config)
    check_data(config)
    probe_generator(config)


def write_run(config: GrpoConfig, env: Mapping[str, str]) -> list[str]:
    """Write the configuration into the run's folder, and say which command runs it.

    Paths on this machine become absolute, since verl's workers have other working folders. What
    verl is to import goes to the workers of other nodes, too, which do not see `env`.

    Raises:
        UserError: the folder cannot be written.
    """
    from omegaconf import OmegaConf, open_dict

    composed = config.verl.copy()
    with open_dict(composed):
        out = Path(config.ours.out).expanduser().absolute()
        composed[SECTION].out = str(out)
        for key in ("data.train_files", "data.val_files"):
            files = [_absolute(file) for file in data_files(config, key)]
            OmegaConf.update(composed, key, files)
        model = str(config.value("actor_rollout_ref.model.path"))
        OmegaConf.update(composed, "actor_rollout_ref.model.path", _absolute(model))
        variables = f"ray_kwargs.ray_init.runtime_env.env_vars.{EXTERNAL_MODULES}"
        OmegaConf.update(composed, variables, env[EXTERNAL_MODULES], force_add=True)
    file = out / f"{CONFIG_NAME}.yaml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(OmegaConf.to_yaml(composed), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{file} cannot be written ({error.strerror}); give {SECTION}.out another folder"
        ) from error
    return [
        *(sys.executable, "-m", "verl.trainer.main_ppo"),
        *("--config-path", str(out), "--config-name", CONFIG_NAME),
        *(f"hydra.run.dir={out}", "hydra.output_subdir=null"),
    ]


def environment(config: GrpoConfig, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of verl's processes."""
    env = load_in_verl(inherited, _PLUGIN)
    if config.on_cpu:
        from ctrl_harness.plugins.verl.cpu_environment import cpu_environment

        env = cpu_environment(env)
    return env


def run(config: GrpoConfig) -> None:
    """Check, write and run; verl's output comes through.

    Raises:
        UserError: something is wrong beforehand, or verl ended with another code than 0.
        RunStopped: too many critiques could not be rewarded.
    """
    prepare(config)
    env = environment(config, os.environ)
    command = write_run(config, env)
    watched: AbstractContextManager[None] = nullcontext()
    if config.reward is not None and config.reward.trace is not None:
        watched = ended_by_faults(Path(config.reward.trace).absolute())
    code = _watch(command, env, watched)
    if code:
        raise UserError(
            f"verl ended with code {code}; its output above says why, and "
            f"{config.ours.out}/{CONFIG_NAME}.yaml is what it was given"
        )


def _watch(command: list[str], env: dict[str, str], watched: AbstractContextManager[None]) -> int:
    """The exit code of `command`, which ends with Ctrl-C, or where `watched` says so."""
    process = subprocess.Popen(command, env=env)
    try:
        with watched:
            # no plain wait: what interrupts this thread from another would not wake it
            while process.poll() is None:
                time.sleep(_POLL_S)
    finally:
        if process.poll() is None:
            process.terminate()  # Ray ends its workers
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
    return process.returncode


def _absolute(path: str) -> str:
    """Of what exists here; a repository's name stays as it is."""
    here = Path(path).expanduser()
    return str(here.absolute()) if here.exists() else path

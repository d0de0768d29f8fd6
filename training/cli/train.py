"""`ctrl-harness train`: its subcommands, each imported only when it is named."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click


class _Place(NamedTuple):
    module: str
    name: str


_COMMANDS = {
    "grpo": _Place("ctrl_harness.training.cli.train_grpo", "grpo"),
    "merge": _Place("ctrl_harness.training.cli.train_merge", "merge"),
    "sft": _Place("ctrl_harness.training.cli.train_sft", "sft"),
}


class _Subcommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        command = getattr(importlib.import_module(place.module), place.name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Subcommands)
def train() -> None:
    """Train a critic: supervised fine-tuning, then GRPO with the judge as its reward."""

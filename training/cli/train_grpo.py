"""`ctrl-harness train grpo`: verl's main_ppo on a checked configuration."""

from __future__ import annotations

import shlex

import click

from ctrl_harness.training.estimate import estimate_run
from ctrl_harness.training.grpo import environment, prepare, run, write_run
from ctrl_harness.training.grpo_config import load_config, shipped, validate


@click.command()
@click.option(
    "--config",
    "name",
    required=True,
    metavar="NAME|FILE",
    help=f"One of {', '.join(shipped())}, or a .yaml file.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A value of the configuration, in Hydra's grammar; as often as you like.",
)
@click.option("--estimate", is_flag=True, help="Print what a step needs and does; run nothing.")
@click.option("--check", is_flag=True, help="Check all that a run checks first; run nothing.")
def grpo(name: str, overrides: tuple[str, ...], estimate: bool, check: bool) -> None:
    """Train a critic with GRPO: a frozen generator revises, the judge decides.

    The configuration is verl's own, checked before anything starts (docs/grpo.md).
    """
    config = load_config(name, overrides)
    if estimate:
        validate(config)
        click.echo(str(estimate_run(config)))
    elif check:
        prepare(config)
        added = environment(config, {})
        words = [*(f"{key}={value}" for key, value in added.items()), *write_run(config, added)]
        click.echo(f"nothing is wrong with {config.name}; this runs it:\n{shlex.join(words)}")
    else:
        run(config)

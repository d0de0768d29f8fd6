"""`ctrl-harness train sft`: supervised fine-tuning of a critic."""

from __future__ import annotations

import click

from ctrl_harness.training.sft import run
from ctrl_harness.training.sft_config import read_config, shipped


@click.command("sft")
@click.option(
    "--config", "source", required=True, help=f"A YAML file, or one of: {', '.join(shipped())}."
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay a setting over the file's."
)
@click.option("--check", "check_only", is_flag=True, help="Read and check everything, then stop.")
def sft(source: str, settings: tuple[str, ...], check_only: bool) -> None:
    """Fine-tune a model on critiques, or go on with a run that was stopped."""
    run(read_config(source, settings), click.echo, check_only=check_only)

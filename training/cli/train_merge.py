"""`ctrl-harness train merge`: from verl's shards to a folder that every engine loads."""

from __future__ import annotations

from pathlib import Path

import click

from ctrl_harness.training.checkpoints import merge_checkpoint


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
def merge(checkpoint: Path, target: Path) -> None:
    """Merge CHECKPOINT (a run's folder for its last one, or a global_step_N) into TARGET.

    TARGET becomes a Hugging Face folder: serve it with vLLM, evaluate it as the critic role, or
    train it further.
    """
    click.echo(f"merged into {merge_checkpoint(checkpoint, target)}")

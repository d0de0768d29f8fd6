"""`ctrl-harness trace`: what the rewards of a training run say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ctrl_harness.errors import UserError
from ctrl_harness.training.trace import TraceReader, read_stop
from ctrl_harness.training.trace_plot import plot_html
from ctrl_harness.training.trace_summary import summarise, summary_table


@click.group()
def trace() -> None:
    """Read the trace of a training run."""


@trace.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Write the curves here, as one HTML page."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a step instead.")
def summarize(path: Path, plot: Path | None, as_json: bool) -> None:
    """Print reward, Δ↑, Δ↓, F1, malformed critiques, leaks, faults and flat groups by step.

    PATH is the folder that the reward's setting `trace` names, or one file of it.
    """
    reader = TraceReader(path)
    summaries = summarise(reader)
    if not summaries:
        raise UserError(f"{path} holds no reward yet; look again once training has begun")
    if as_json:
        for summary in summaries:
            print(json.dumps(summary.as_json()))
    else:
        for split in dict.fromkeys(summary.split for summary in summaries):
            print(f"## {split}\n")
            print(f"{summary_table([s for s in summaries if s.split == split])}\n")
    if reader.broken:
        print(f"{reader.broken} lines are cut short or damaged and left out", file=sys.stderr)
    stopped = read_stop(path) if path.is_dir() else None
    if stopped is not None:
        print(stopped, file=sys.stderr)
    if plot is not None:
        _write(plot, plot_html(summaries, f"Rewards in {path.resolve().name}"))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}); give --plot another file"
        ) from None

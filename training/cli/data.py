"""`ctrl-harness data`: rows of a training set to problems that can be trained on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ctrl_harness.training import splits
from ctrl_harness.training.decontamination import THRESHOLD, EvaluationIndex
from ctrl_harness.training.decontamination_sets import parse_against, read_evaluation_sets
from ctrl_harness.training.filters import filter_names, make_filters
from ctrl_harness.training.taco import ALL, SPLITS, open_taco
from ctrl_harness.training.taco_data import REPORT, DataJob, make_data, refuse_taken


@click.group()
def data() -> None:
    """Prepare training data."""


@data.command()
@click.option(
    "--source", default="hub", show_default=True, help="samples, hub, or a file or folder."
)
@click.option("--revision", help="Commit of the Hub's repository.")
@click.option(
    "--split", type=click.Choice([*SPLITS, ALL]), default="train", show_default=True
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to be written."
)
@click.option(
    "--filters",
    default="ctrl",
    show_default=True,
    help="Presets (none, ctrl, strict) and filters, with commas between: see docs/data.md.",
)
@click.option("--tokenizer", help="Name on the Hub or folder; needed to filter by length (ctrl).")
@click.option(
    "--against",
    multiple=True,
    default=("hub",),
    show_default=True,
    help="Evaluation sets whose problems are dropped: hub, samples, NAME=SOURCE, or none.",
)
@click.option(
    "--threshold",
    type=float,
    default=THRESHOLD,
    show_default=True,
    help="Overlap from which a statement counts as a copy.",
)
@click.option(
    "--shares",
    default=splits.DEFAULT,
    show_default=True,
    help="Expected share of each file.",
)
@click.option("--overlap", is_flag=True, help="Give sft and rl the same problems, as the paper.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the split.")
@click.option("--limit", type=click.IntRange(1), help="Rows to read; all by default.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run wrote.")
def taco(
    source: str,
    revision: str | None,
    split: str,
    out: Path,
    filters: str,
    tokenizer: str | None,
    against: tuple[str, ...],
    threshold: float,
    shares: str,
    overlap: bool,
    seed: int,
    limit: int | None,
    overwrite: bool,
) -> None:
    """TACO's rows to sft.parquet, rl.parquet, val.parquet and report.json.

    A try: ctrl-harness data taco --source samples --against samples --filters none --out DATA
    """
    refuse_taken(out, overwrite)  # what is cheap to refuse comes before what is downloaded
    names = filter_names(filters)
    sources = parse_against(against)
    chosen = splits.Shares.parse(shares, overlap=overlap)
    asked = make_filters(names, tokenizer)
    evaluation = read_evaluation_sets(sources)
    index = EvaluationIndex(
        (statement for found in evaluation for statement in found.statements), threshold
    )
    job = DataJob(
        taco=open_taco(source, revision=revision, split=split),
        out=out,
        filters=asked,
        evaluation=evaluation,
        index=index if evaluation else None,
        shares=chosen,
        seed=seed,
        settings={
            "filters": list(names),
            "tokenizer": tokenizer if "length" in names else None,
            "threshold": threshold,
            "shares": {name: getattr(chosen, name) for name in splits.NAMES},
            "overlap": overlap,
            "seed": seed,
            "limit": limit,
        },
        limit=limit,
        overwrite=overwrite,
    )
    outcome = make_data(job)
    print(f"{outcome.describe()}; see {out / REPORT}", file=sys.stderr)

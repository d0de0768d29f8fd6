"""`ctrl-harness verify`: programs from a file, judged in bulk; or one program on one problem."""

from __future__ import annotations

import io
import json
import logging
import sys
import tokenize
from pathlib import Path
from typing import Any

import anyio
import click

from ctrl_harness.cli.bulk import BulkJob, run_bulk
from ctrl_harness.cli.options import executor_options
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems.catalog import EXECUTABLE, open_dataset
from ctrl_harness.problems.problem_file import read_problem_file
from ctrl_harness.verification.comparators import COMPARATORS
from ctrl_harness.verification.extraction import EXTRACTIONS
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.output_limit import OutputLimit
from ctrl_harness.verification.time_limit import TimeLimit

EXIT_UNUSABLE, EXIT_JUDGE_ERROR = 2, 3


@click.command()
@click.argument("dataset", required=False, type=click.Choice(EXECUTABLE))
@click.option(
    "--source", default="hub", show_default=True, help="samples, hub, or a file or folder."
)
@click.option("--revision", help="Commit of the Hub's repository.")
@click.option("--split", help="Split, for data sets that have several.")
@click.option("--release", help="LiveCodeBench: release_v1 to release_v6.")
@click.option("--start", help="LiveCodeBench: first contest day, YYYY-MM-DD.")
@click.option("--end", help="LiveCodeBench: last contest day, YYYY-MM-DD.")
@click.option(
    "--samples", type=click.Path(path_type=Path), help="JSONL of id and program or completion."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="JSONL of verdicts; appended to, resumable."
)
@click.option("--tests", help="Subset of the tests: all, public, private, first10.")
@click.option("--problem", type=click.Path(path_type=Path), help="One problem, as JSON.")
@click.option("--program", type=click.Path(path_type=Path), help="One program, for --problem.")
@click.option(
    "--comparator", type=click.Choice(list(COMPARATORS)), help="The problem's own by default."
)
@click.option(
    "--extraction", type=click.Choice(list(EXTRACTIONS)), default="first_fence", show_default=True
)
@executor_options
@click.option(
    "--time-limit", default="row", show_default=True, help="row, row*K or wall seconds a test."
)
@click.option(
    "--output-mb", default="row", show_default=True, help="row, or MiB a test may print or return."
)
@click.option(
    "--all-cases/--fail-fast",
    default=False,
    show_default=True,
    help="Run all cases, or stop a program at its first failing one.",
)
@click.option(
    "--jobs", type=click.IntRange(1), help="Programs judged at once; the cores by default."
)
def verify(
    dataset: str | None,
    source: str,
    samples: Path | None,
    out: Path | None,
    tests: str | None,
    problem: Path | None,
    program: Path | None,
    comparator: str | None,
    extraction: str,
    executor: str | None,
    unsafe_no_isolation: bool,
    packages: tuple[str, ...],
    time_limit: str,
    output_mb: str,
    all_cases: bool,
    jobs: int | None,
    **loader_options: str | None,
) -> None:
    """Judge programs.

    In bulk: ctrl-harness verify DATASET --source SOURCE --samples FILE.jsonl --out OUT.jsonl

    One: ctrl-harness verify --problem FILE.json --program FILE.py

    Exit status: 0 when all was judged, 2 when a sample's id was unknown or its row unusable, 3 when
    the judge failed on something.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    judge = Judge(
        get_executor(
            executor, jobs=jobs, unsafe_no_isolation=unsafe_no_isolation, packages=packages
        ),
        comparator=comparator,
        time_limit=TimeLimit.parse(time_limit),
        extraction=extraction,
        all_cases=all_cases,
        output_limit=OutputLimit.parse(output_mb),
    )
    if problem is not None or program is not None:
        if problem is None or program is None or dataset is not None:
            raise UserError("judging one program takes --problem and --program, and no DATASET")
        sys.exit(anyio.run(_verify_one, judge, problem, program))
    if dataset is None or samples is None or out is None:
        raise UserError(
            "give DATASET with --samples and --out, or --problem with --program (see --help)"
        )
    options = {"tests": tests, **loader_options}
    problems = open_dataset(
        dataset, source, **{key: value for key, value in options.items() if value is not None}
    )
    counts = anyio.run(run_bulk, BulkJob(problems, samples, out, judge, jobs))
    print(counts.describe(), file=sys.stderr)
    if counts.judge_errors:
        sys.exit(EXIT_JUDGE_ERROR)
    if counts.unusable:
        sys.exit(EXIT_UNUSABLE)


async def _verify_one(judge: Judge, problem_path: Path, program_path: Path) -> int:
    """Prints the verdict as JSON; the exit status."""
    problem = read_problem_file(problem_path)
    try:
        source = _decode_program(program_path.read_bytes())
    except OSError as error:
        raise UserError(f"the program {program_path} cannot be read: {error.strerror}") from error
    try:
        verdict: dict[str, Any] = (await judge.verify(problem, source, bare=True)).as_json()
    except JudgeError as error:
        # not False: nothing is known of the program
        print(json.dumps({"status": "judge_error", "passed": None, "error": str(error)}))
        return EXIT_JUDGE_ERROR
    finally:
        await judge.executor.aclose()
    print(json.dumps(verdict))
    return 0


def _decode_program(data: bytes) -> str:
    """A file's text in Python's choice of encoding: that of `# coding: latin-1`, else UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:  # judged as it stands; it does not compile
        encoding = "utf-8-sig"
    with io.TextIOWrapper(io.BytesIO(data), encoding, errors="surrogateescape") as text:
        return text.read()

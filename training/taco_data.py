"""From TACO's rows to three parquet files of problems and a report of what became of each row."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.problems.problem_set import refuse_if_empty
from ctrl_harness.training import splits
from ctrl_harness.training.decontamination import EvaluationIndex
from ctrl_harness.training.decontamination_sets import EvaluationSet
from ctrl_harness.training.filters import NamedFilter
from ctrl_harness.training.problem_parquet import ProblemWriter
from ctrl_harness.training.taco import TacoProblem, TacoRows

REPORT = "report.json"
FORMAT = 1
_PROGRESS_S = 5.0


@dataclass(frozen=True, slots=True)
class DataJob:
    """What `ctrl-harness data taco` does.

    taco: the rows. filters: asked in this order; the first that has a reason drops the problem.
    evaluation: what nothing may be trained on, compared by `index` (None: with nothing). settings:
    what the user chose, for the report. limit: how many rows to read, None for all.
    """

    taco: TacoRows
    out: Path
    filters: Sequence[NamedFilter]
    evaluation: Sequence[EvaluationSet]
    index: EvaluationIndex | None
    shares: splits.Shares
    seed: int
    settings: dict[str, Any]
    limit: int | None = None
    overwrite: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of the rows. dropped and unusable name each row; counts add them up."""

    rows: int = 0
    kept: int = 0
    tests: int = 0
    unusable: list[UnusableRow] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    splits: Counter[str] = field(default_factory=Counter)
    of_kept: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    tests_left_out: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "unusable": dict(Counter(_class_of(row.reason) for row in self.unusable)),
            "dropped": dict(Counter(f"{row['filter']}: {row['reason']}" for row in self.dropped)),
            "kept": self.kept,
            "splits": {name: self.splits[name] for name in splits.NAMES},
            "of_kept": dict(self.of_kept),
            "difficulties": dict(self.difficulties),
            "tests": self.tests,
            "tests_left_out": dict(self.tests_left_out),
        }

    def describe(self) -> str:
        """One line for people."""
        numbers = ", ".join(f"{name} {self.splits[name]}" for name in splits.NAMES)
        return (
            f"{self.rows} rows: {self.kept} kept ({numbers}), {len(self.dropped)} dropped,"
            f" {len(self.unusable)} unusable"
        )


def make_data(job: DataJob) -> Outcome:
    """Writes `<split>.parquet` and report.json into `job.out`, all of them or nothing.

    A few rows are in memory at a time, besides the evaluation sets' statements. Raises UserError
    where the folder holds something already, no row is kept, or the disk fails.
    """
    refuse_taken(job.out, job.overwrite)
    outcome = Outcome()
    try:
        job.out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{job.out.name}.", dir=job.out.parent))
    except OSError as error:
        raise _trouble(job.out, error) from None
    try:
        _write_splits(job, partial, outcome)
        refuse_if_empty(job.taco.reference, outcome.kept + len(outcome.dropped),
                        tuple(outcome.unusable))
        if not outcome.kept:
            raise UserError(
                f"{outcome.describe()}: nothing is left to train on; the commonest reasons are"
                f" {_commonest(outcome)}; choose other --filters or rows"
            )
        report = json.dumps(_report(job, outcome), indent=1, ensure_ascii=False) + "\n"
        (partial / REPORT).write_text(report, encoding="utf-8", errors="backslashreplace")
        refuse_taken(job.out, job.overwrite)  # another run may have been faster
        _put_in_place(partial, job.out)
    except OSError as error:
        raise _trouble(job.out, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return outcome


def refuse_taken(out: Path, overwrite: bool) -> None:
    """Raises UserError where `out` may not be written: a folder may be replaced when asked, and
    when it holds nothing but what this command writes."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise UserError(f"{out} is no folder; give another --out")
    ours = {REPORT, *(f"{name}.parquet" for name in splits.NAMES)}
    names = {path.name for path in out.iterdir()}
    if foreign := sorted(names - ours):
        raise UserError(
            f"{out} holds other files too ({', '.join(foreign[:3])}); give a folder of its own"
        )
    if names and not overwrite:
        raise UserError(f"{out} holds data already; give --overwrite or another --out")


def _put_in_place(partial: Path, out: Path) -> None:
    """Renames are atomic; between the two of a replacement, the old data has another name."""
    os.chmod(partial, 0o777 & ~_umask())  # mkdtemp's folders are their owner's alone
    if not out.exists():
        partial.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
    out.rename(old)
    try:
        partial.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _write_splits(job: DataJob, folder: Path, outcome: Outcome) -> None:
    provenance = {
        "taco": job.taco.reference.as_json(),
        "evaluation": [found.reference.as_json() for found in job.evaluation],
        "settings": job.settings,
    }
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                ProblemWriter(folder / f"{name}.parquet", {"split": name, **provenance})
            )
            for name in splits.NAMES
        }
        for item in _with_progress(islice(job.taco.rows, job.limit), outcome):
            outcome.rows += 1
            if isinstance(item, UnusableRow):
                outcome.unusable.append(item)
            elif (dropped := _reason_to_drop(job, item)) is not None:
                outcome.dropped.append({"id": item.problem.id, **dropped})
            else:
                _count(item, outcome)
                for name in job.shares.of(item.problem.id, job.seed):
                    writers[name].write(item.problem)
                    outcome.splits[name] += 1


def _reason_to_drop(job: DataJob, item: TacoProblem) -> dict[str, Any] | None:
    for name, reason_of in job.filters:
        if (reason := reason_of(item)) is not None:
            return {"filter": name, "reason": reason}
    if job.index is None or (match := job.index.find(item.question)) is None:
        return None
    reason = f"{match.kind} match with {match.dataset}"
    return {"filter": "decontamination", "reason": reason, "match": match.as_json()}


def _count(item: TacoProblem, outcome: Outcome) -> None:
    problem, facts = item.problem, item.problem.metadata
    outcome.kept += 1
    outcome.tests += len(problem.cases)
    outcome.difficulties[str(facts["difficulty"])] += 1
    outcome.tests_left_out.update(facts["tests_left_out"])
    outcome.of_kept.update(
        {
            "calls": int(facts["function"] is not None),
            "wrapped_outputs": int(facts["wrapped_outputs"]),
            "single_test": int(len(problem.cases) == 1),
            "special_judge": int(facts["special_judge"]),
            "with_public_cases": int(bool(problem.public_cases)),
        }
    )


def _with_progress(
    items: Iterable[TacoProblem | UnusableRow], outcome: Outcome
) -> Iterator[TacoProblem | UnusableRow]:
    started = told = time.monotonic()
    for item in items:
        yield item
        now = time.monotonic()
        if now - told >= _PROGRESS_S:
            told = now
            rate = outcome.rows / (now - started)
            print(f"{outcome.describe()}; {rate:.0f} rows/s", file=sys.stderr, flush=True)


def _report(job: DataJob, outcome: Outcome) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "taco": job.taco.reference.as_json(),
        "settings": job.settings,
        "evaluation": [
            {
                **found.reference.as_json(),
                "statements": len({statement.id for statement in found.statements}),
                "unusable": len(found.unusable),
            }
            for found in job.evaluation
        ],
        "counts": outcome.counts(),
        "dropped": outcome.dropped,
        "unusable": [{"id": row.row_id, "reason": row.reason} for row in outcome.unusable],
    }


def _class_of(reason: str) -> str:
    """The reason without what it says of its row alone: `the line is not JSON (Expecting …)`."""
    return reason.partition(" (")[0]


def _commonest(outcome: Outcome) -> str:
    reasons = Counter(str(row["reason"]) for row in outcome.dropped).most_common(3)
    return "; ".join(f"{count} × {reason}" for reason, count in reasons)


def _trouble(out: Path, error: OSError) -> UserError:
    return UserError(
        f"{out} cannot be written ({error.strerror or error}); make room or give another --out"
    )

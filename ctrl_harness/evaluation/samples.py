"""Problems as Inspect samples: statement and reference go into the log, tests never do."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio.to_thread
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import Dataset, MemoryDataset, Sample
from inspect_ai.solver import TaskState
from rich.markup import escape

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.problems.catalog import load_problem_set
from ctrl_harness.problems.judgebench import JudgePairSet
from ctrl_harness.problems.problem import Problem
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.reference import ProblemSetReference

logger = logging.getLogger(__name__)

_MAX_LISTED = 1_000
_MAX_WARNED = 10


class InputError(PrerequisiteError):
    """What is wrong with the user's input, as Inspect prints it; as text, without the markup."""

    def __init__(self, error: UserError) -> None:
        super().__init__(f"[bold]ERROR[/bold]: {escape(str(error))}")
        self._text = str(error)

    def __str__(self) -> str:
        return self._text


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Lets Inspect print what is wrong with the user's input in one line, without a traceback.

    Raises InputError for a UserError.
    """
    # a sample's error Inspect prints with rich, which leaves out the frames above this word
    _rich_traceback_guard = True
    try:
        yield
    except UserError as error:
        raise InputError(error) from None  # rich would print the frames of a cause


def problem_dataset(problems: ProblemSet) -> Dataset:
    """One sample a problem; its id is the problem's own."""
    reference = problems.reference.as_json()
    samples = [
        Sample(
            id=summary.id,
            input=summary.statement,
            metadata={
                "problem_set": reference,
                "digest": summary.digest,
                **{key: value for key, value in summary.metadata.items() if value is not None},
            },
        )
        for summary in problems
    ]
    return MemoryDataset(samples, name=problems.reference.dataset, location=str(problems.reference))


class _Recent:
    """The problems used last, by digest, as far as a share of memory goes: solver, scorer and the
    epochs of a sample want the same one."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Problem, int]] = OrderedDict()

    def get(self, digest: str) -> Problem | None:
        with self._lock:
            kept = self._kept.get(digest)
            if kept is None:
                return None
            self._kept.move_to_end(digest)
            return kept[0]

    def put(self, digest: str, problem: Problem, size: int) -> None:
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = (problem, size)
                self._left -= size
            while self._left < 0:
                _, (_, freed) = self._kept.popitem(last=False)
                self._left += freed


_recent = _Recent(32 * 2**20)


async def problem_of(state: TaskState) -> Problem:
    """The problem behind a sample, from disk; the same in `inspect score` as in the eval.

    Raises InputError where the data set no longer holds the problem the log speaks of, or the disk
    it is kept on fails.
    """
    digest = state.metadata["digest"]
    problem = _recent.get(digest)
    if problem is None:
        reference = ProblemSetReference.from_json(state.metadata["problem_set"])
        find = partial(_find, reference, str(state.sample_id), digest)
        with one_line_errors():
            problem = await anyio.to_thread.run_sync(find)
    return problem


def _find(reference: ProblemSetReference, problem_id: str, digest: str) -> Problem:
    problems = load_problem_set(reference)
    if problem_id not in problems:
        raise UserError(
            f"{problem_id} is no longer in {reference}; score the log against the original rows"
        )
    if problems.summary(problem_id).digest != digest:
        raise UserError(
            f"{problem_id} is not the problem this log was made with: {reference} has changed; "
            "score it against the original rows"
        )
    problem = problems[problem_id]
    _recent.put(digest, problem, problems.size(problem_id))
    return problem


def report_rows(problems: ProblemSet | JudgePairSet) -> Mapping[str, Any]:
    """What a log records of the rows in use; warns of those that could not become problems."""
    return {
        "problem_set": problems.reference.as_json(),
        "problems": len(problems),
        **_report_unusable(problems.unusable),
    }


def _report_unusable(rows: Sequence[UnusableRow]) -> Mapping[str, Any]:
    if not rows:
        return {"unusable": 0}
    shown = "; ".join(f"{row.row_id}: {row.reason}" for row in rows[:_MAX_WARNED])
    left = len(rows) - _MAX_WARNED
    more = f"; and {left} more (all in the log)" if left > 0 else ""
    logger.warning("%d rows cannot be used and are left out: %s%s", len(rows), shown, more)
    return {
        "unusable": len(rows),
        "unusable_rows": [{"id": row.row_id, "reason": row.reason} for row in rows[:_MAX_LISTED]],
    }

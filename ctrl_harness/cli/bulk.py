"""Bulk verification: a stream of samples in, a stream of verdicts out, resumable at any point."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from ctrl_harness.cli.verdict_file import VerdictFile
from ctrl_harness.errors import JudgeError, UnusableRow, UserError
from ctrl_harness.execution.threads import usable_cores
from ctrl_harness.integers import load_json
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.verification.judge import Judge

_PROGRESS_S = 2.0


class Sample(NamedTuple):
    """One line of the samples: a bare program, or a completion that one is taken out of."""

    line: int
    id: str
    program: str | None
    completion: str | None


@dataclass(slots=True)
class BulkJob:
    """What is judged (`samples`, a JSONL file) against what, and where the verdicts go (`out`)."""

    problems: ProblemSet
    samples: Path
    out: Path
    judge: Judge
    jobs: int | None = None


@dataclass(slots=True)
class Counts:
    """What came of a run."""

    judged: int = 0
    passed: int = 0
    resumed: int = 0
    judge_errors: int = 0
    unusable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def describe(self) -> str:
        parts = [f"{self.judged} judged, {self.passed} accepted"]
        if self.resumed:
            parts.append(f"{self.resumed} were there already")
        if self.unusable:
            common = "; ".join(f"{n} × {reason}" for reason, n in self.reasons.most_common(5))
            parts.append(f"{self.unusable} not judged ({common})")
        if self.judge_errors:
            parts.append(f"the judge failed on {self.judge_errors}; run again to retry them")
        return ", ".join(parts)


async def run_bulk(job: BulkJob) -> Counts:
    """Judges every sample that OUT has no verdict of yet.

    A repeated sample is judged and kept once for each time it stands in the samples. Raises
    UserError where a file cannot be read or written, or another run writes OUT.
    """
    counts = Counts()
    _refuse_same_file(job)
    unusable = {row.row_id: row for row in job.problems.unusable}
    limit = job.jobs or usable_cores()
    send, receive = anyio.create_memory_object_stream[Sample](limit)
    with VerdictFile(job.out) as out:
        progress = _Progress(counts)
        try:
            async with anyio.create_task_group() as group:
                for _ in range(limit):
                    group.start_soon(_work, job, receive.clone(), out, counts, progress)
                receive.close()
                async with send:
                    async for sample in _samples(job, unusable, counts):
                        await send.send(sample)
        except BaseExceptionGroup as failures:
            error = _first(failures)
            if isinstance(error, OSError):
                raise UserError(
                    f"the samples or the problems cannot be read on: {error}; what was judged is "
                    "kept, run again to go on"
                ) from error
            raise error from failures
        finally:
            await job.judge.executor.aclose()
    _tell_of_other_rows(list(unusable.values()))
    return counts


def _first(error: BaseException) -> BaseException:
    """The first plain exception of a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _samples(
    job: BulkJob, unusable: dict[str, UnusableRow], counts: Counts
) -> AsyncIterator[Sample]:
    """Those that can be judged. What is asked for and unusable is counted, and only the other rows
    stay in `unusable`."""
    asked: dict[str, UnusableRow] = {}
    for item in _read_samples(job.samples):
        await anyio.lowlevel.checkpoint()
        if isinstance(item, UnusableRow):
            _count_unusable(counts, item)
        elif item.id not in job.problems:
            if item.id in unusable:
                asked[item.id] = unusable.pop(item.id)
            broken = asked.get(item.id)
            reason = f"its row is unusable: {broken.reason}" if broken else "unknown id"
            _count_unusable(counts, UnusableRow(f"{item.id} (line {item.line})", reason))
        else:
            yield item


async def _work(
    job: BulkJob,
    receive: MemoryObjectReceiveStream[Sample],
    out: VerdictFile,
    counts: Counts,
    progress: _Progress,
) -> None:
    async with receive:
        async for sample in receive:
            row = await _judge(job, sample, out.done, counts)
            if row is not None:
                out.append(row)
            progress.show()


async def _judge(
    job: BulkJob, sample: Sample, done: Counter[tuple[str, str]], counts: Counts
) -> dict[str, Any] | None:
    """The sample's line of OUT, None when an earlier run wrote it."""
    problem = await anyio.to_thread.run_sync(lambda: job.problems[sample.id])
    bare = sample.program is not None
    program = sample.program if bare else job.judge.extract(sample.completion or "", problem)
    digest = job.judge.digest(problem, program, bare=bare)
    if done[sample.id, digest] > 0:
        done[sample.id, digest] -= 1
        counts.resumed += 1
        return None
    try:
        verdict = await job.judge.verify(problem, program, bare=bare)
    except JudgeError as error:
        counts.judge_errors += 1
        _tell(f"the judge failed on {sample.id} (line {sample.line}): {error}")
        return {
            "id": sample.id,
            "status": "judge_error",
            "passed": None,  # not False: nothing is known of the program
            "n_passed": None,
            "n_cases": len(problem.cases),
            "cases": [None] * len(problem.cases),
            "digest": digest,
            "error": str(error),
        }
    counts.judged += 1
    counts.passed += verdict.passed
    return {"id": sample.id, **verdict.as_json()}


# -- files


def _read_samples(path: Path) -> Iterator[Sample | UnusableRow]:
    """Lines end in \\n or \\r\\n; byte order marks before them mean nothing."""
    try:
        stream = path.open(encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as error:
        raise UserError(f"the samples {path} cannot be read: {error.strerror}") from error
    with stream:
        for number, line in enumerate(stream, start=1):
            if number == 1 and _is_utf_16(line):
                raise UserError(f"the samples {path} are UTF-16; save them as UTF-8")
            line = line.lstrip("\ufeff")
            if line.strip():
                yield _parse_sample(number, line)


def _is_utf_16(line: str) -> bool:
    """By its byte order mark, or by the zeros beside the first brace."""
    return line.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "\0" in line[:2]


def _parse_sample(number: int, line: str) -> Sample | UnusableRow:
    place = f"line {number}"
    try:
        row = load_json(line)
    except (ValueError, RecursionError):
        return UnusableRow(place, "not JSON")
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        return UnusableRow(place, "a sample needs an 'id' that is a string")
    program, completion = row.get("program"), row.get("completion")
    if (program is None) == (completion is None):
        return UnusableRow(place, "a sample needs either 'program' or 'completion'")
    if not isinstance(program if program is not None else completion, str):
        return UnusableRow(place, "'program' or 'completion' must be a string")
    return Sample(number, row["id"], program, completion)


def _refuse_same_file(job: BulkJob) -> None:
    if job.out.exists() and job.samples.exists() and job.out.samefile(job.samples):
        raise UserError("--samples and --out are the same file; give another name for --out")


# -- telling people


def _tell_of_other_rows(unusable: Sequence[UnusableRow]) -> None:
    if not unusable:
        return
    common = Counter(row.reason for row in unusable).most_common(5)
    reasons = "; ".join(f"{n} × {reason}" for reason, n in common)
    _tell(
        f"note: {len(unusable)} rows of the data set cannot be used, and no sample is of them "
        f"({reasons})"
    )


def _count_unusable(counts: Counts, row: UnusableRow) -> None:
    counts.unusable += 1
    counts.reasons[row.reason] += 1
    _tell(f"not judged: {row}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


class _Progress:
    """A line on stderr every two seconds."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._start = self._last = time.monotonic()

    def show(self) -> None:
        now = time.monotonic()
        if now - self._last < _PROGRESS_S:
            return
        self._last = now
        rate = self._counts.judged / (now - self._start)
        _tell(f"{self._counts.judged} judged, {self._counts.passed} accepted, {rate:.1f} a second")

"""The harness's side of remote.py: what is sent to run a program elsewhere, how results are read.

Shared by the executors that run programs in somebody else's sandbox. One program with all of its
inputs is one job. Where the inputs take long together, or bring back much, a job ends early and
the rest goes into the next: `until` is asked between jobs, not between inputs.
"""

from __future__ import annotations

import json
import marshal
import os
from collections.abc import Awaitable, Callable
from typing import Any

from ctrl_harness.errors import JudgeError, PreludeError
from ctrl_harness.execution.cell_job import Job, end_of_compiler
from ctrl_harness.execution.executor import Run
from ctrl_harness.execution.judging import Judging
from ctrl_harness.execution.records import (
    NO_MODULE,
    NOT_COMPILED,
    OUTCOME,
    PRELUDE_FAILED,
    FrameReader,
    Outcome,
    end_of_text,
)
from ctrl_harness.execution.script_job import missing_import

JOB_FILE, RESULTS_FILE = "ctrl_harness_job.bin", "ctrl_harness_results.bin"
_ATTEMPTS = 2
_MARSHAL_VERSION = 4  # what every Python from 3.4 on reads


def packed(job: Job) -> bytes:
    """The job as remote.py reads it: the head's length and marshal, then every standard input."""
    head = marshal.dumps(job.head, _MARSHAL_VERSION)
    return b"".join((len(head).to_bytes(8, "little"), head, *job.stdin))


async def judge_elsewhere(
    judging: Judging, run_job: Callable[[Job], Awaitable[Results]], where: str
) -> list[Run]:
    """Job after job until every input has its run or no further one is wanted.

    Raises JudgeError, naming `where`, after the second job that brought nothing back.
    """
    failures = 0
    while len(judging.runs) < len(judging.inputs):
        before = len(judging.runs)
        results = await run_job(judging.job())
        if results.read(judging) or results.compile_error is not None:
            break
        if len(judging.runs) == before:
            failures += 1
            if failures == _ATTEMPTS:
                raise JudgeError(f"{where}: {results.end}; tried twice, in vain")
    if results.compile_error is not None:
        judging.runs.append(Run("compile_error", error=results.compile_error))
    return judging.runs


class Results:
    """What one job brought back.

    results: the results file. said: the driver's standard output, for what it says of its host.
    end: how the driver ended, for people.
    """

    def __init__(self, results: bytes, max_frame_bytes: int, said: str, end: str) -> None:
        self._frames = FrameReader(max_frame_bytes)
        self._frames.feed(results)
        self._status = _host_status(said)
        self.end = end
        self.compile_error: str | None = None

    def read(self, judging: Judging) -> bool:
        """Hands every outcome over; true where no further one is wanted. Raises JudgeError."""
        ready = False
        try:
            while (message := self._frames.take()) is not None:
                kind, body = message
                if kind == OUTCOME:
                    if judging.take(Outcome.unpack(body)):
                        return True
                elif kind == NOT_COMPILED:
                    self.compile_error = end_of_text(body)
                elif kind == NO_MODULE:
                    raise PreludeError(missing_import(end_of_text(body)))
                elif kind == PRELUDE_FAILED:
                    said = end_of_text(body)
                    raise PreludeError(f"the prelude failed before the program: {said}")
                else:
                    ready = True
        except ValueError as error:
            raise JudgeError(f"the driver's results make no sense: {error}") from error
        status = self._status
        if not ready and self.compile_error is None and status and os.WIFSIGNALED(status):
            self.compile_error = end_of_compiler(status)
        return False


def _host_status(stdout: Any) -> int | None:
    """The host's wait status; None where the driver was not the one to end it, or says nothing."""
    try:
        said = json.loads(str(stdout).strip().rpartition("\n")[2])
        return None if said["spent"] else int(said["status"])
    except (ValueError, KeyError, TypeError):
        return None

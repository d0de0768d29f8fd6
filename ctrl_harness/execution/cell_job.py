"""A cell's settings and jobs, what its host tells of a job, and what can go wrong with it."""

from __future__ import annotations

import marshal
import math
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NoReturn

from ctrl_harness.execution.descriptors import write_all
from ctrl_harness.execution.handout import Call
from ctrl_harness.execution.records import (
    FILES,
    NO_MODULE,
    NOT_COMPILED,
    OUT_OF_MEMORY,
    OUTCOME,
    PRELUDE_FAILED,
    READY,
    FrameReader,
    Outcome,
    end_of_text,
    unpack_files,
)
from ctrl_harness.execution.script_job import missing_import


class LayerMissing(Exception):
    """The cell could not isolate: `layer` is what it could not put in force, `reason` why."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason


class JobLost(Exception):
    """A job ended with inputs left, for no reason that it gave.

    stage: how far its program had come. out_of_memory: whether the kernel ended a process of the
    cell because the cell had come to its memory limit.
    """

    stage: Literal["none", "compiling", "compiled"] = "none"
    out_of_memory = False


class CellDied(JobLost):
    """The cell ended, stopped answering or talked nonsense; it has been removed."""


class HostLost(JobLost):
    """A host ended with inputs left; its cell goes on."""


class PreludeFailed(JobLost):
    """The prelude raised, or the tests import what is not there; the program never ran."""


class NotCompiled(Exception):
    """The program does not compile; the message is the compiler's, or says what ended it."""


@dataclass(frozen=True, slots=True)
class CellSettings:
    """How cells are made.

    packages: names of third-party modules that programs may import. sources: (path, path in the
    cell) of what they need. without: layers left out, for tests that show what each is for.
    """

    packages: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Job:
    """One program and what it is to run on; made by embedded.py, read by host.py.

    calls: where it is nothing but calls, how many of them; such a job needs no host in a cell.
    later: further calls, which the process gets when it has answered those.
    """

    head: dict[str, Any]
    stdin: Sequence[bytes]
    cell_memory_mb: float
    longest_silence_s: float
    max_frame_bytes: int
    calls: int = 0
    later: Sequence[Call] = ()


class JobEnd(NamedTuple):
    """How the first process of a job ended: as os.wait4 tells, and the end of its stderr."""

    status: int
    cpu_s: float
    peak_kib: int
    stderr: bytes

    @classmethod
    def unpack(cls, answer: bytes) -> JobEnd:
        """Raises ValueError for anything that pid 1 would not have said."""
        facts, _, stderr = answer.partition(b"\n")
        status, cpu_us, peak_kib = (int(field) for field in facts.split(b" "))
        return cls(status, cpu_us / 1e6, peak_kib, stderr)


class Progress:
    """What a host has told so far."""

    def __init__(
        self,
        results: int,
        job: Job,
        patience_s: float,
        on_outcome: Callable[[Outcome], bool],
        is_out_of_memory: Callable[[], bool],
    ) -> None:
        self.results = results
        self.enough = self.at_end = self.compiled = False
        self._patience_s = patience_s
        self._is_out_of_memory = is_out_of_memory
        self._frames = FrameReader(job.max_frame_bytes)
        self._on_outcome = on_outcome
        self._files: tuple[tuple[int, bytes], ...] = ()
        self._trouble: Exception | None = None

    def wait_ms(self) -> int:
        """How long nothing need be heard of it."""
        return math.ceil(1000 * self._patience_s)

    inputs = -1
    is_sending = False

    def send(self) -> None:
        """A host has all of its inputs."""

    def overdue(self) -> bool:
        """To be asked when nothing was heard. A host keeps its programs' time: a cell is stuck."""
        return False

    def read(self) -> None:
        """All that is there. Raises ValueError where it makes no sense."""
        while not (self.at_end or self.enough):
            try:
                chunk = os.read(self.results, 1 << 20)
            except BlockingIOError:
                return
            self.at_end = not chunk
            self._frames.feed(chunk)
            while not self.enough and (message := self._frames.take()) is not None:
                self._take(*message)

    def _take(self, kind: bytes, body: bytes) -> None:
        if kind == OUTCOME:
            outcome = Outcome.unpack(body)
            if self._files:
                outcome, self._files = outcome._replace(files=self._files), ()
            if outcome.was_killed() and self._is_out_of_memory():
                outcome = outcome._replace(message=OUT_OF_MEMORY)
            self.enough = self._on_outcome(outcome)
        elif kind == FILES:
            self._files = unpack_files(body)
        elif kind == READY:
            self.compiled = True
        else:
            self._trouble = refuse_start(kind, body)

    def check(self, end: JobEnd) -> None:
        """Raises what the end of the host means, where it means trouble."""
        if self._trouble is not None or not (end.status == 0 or self.enough):
            check_start(self._trouble, self.compiled, end.status)


def refuse_start(kind: bytes, body: bytes) -> Exception:
    """What a message means by which a program does not get to run.

    Raises ValueError where it is none.
    """
    if kind == NOT_COMPILED:
        return NotCompiled(end_of_text(body))
    if kind == NO_MODULE:
        return PreludeFailed(missing_import(end_of_text(body)))
    if kind == PRELUDE_FAILED:
        return PreludeFailed(f"the prelude failed before the program: {end_of_text(body).strip()}")
    raise ValueError(f"a frame of kind {kind!r}")


def check_start(trouble: Exception | None, compiled: bool, status: int) -> NoReturn:
    """Raises why a job ended before it was through; status: as os.wait4 gives it."""
    if trouble is not None:
        raise trouble
    if compiled or not os.WIFSIGNALED(status):
        # a source can crash the compiler, but makes no host give up by itself
        raise HostLost(f"the host ended with status {status}")
    raise NotCompiled(end_of_compiler(status))


def end_of_compiler(status: int) -> str:
    """What a signal says that ended a host while it compiled; status: as os.wait4 gives it."""
    if os.WTERMSIG(status) == signal.SIGALRM:
        return "compiling takes longer than a test may"
    return f"compiling ended the compiler (wait status {status})"


def job_file(job: Job) -> int:
    """An anonymous file: the head's length and marshal, then every standard input in turn."""
    head = marshal.dumps(job.head)
    descriptor = os.memfd_create("ctrl-harness-job", os.MFD_CLOEXEC)
    try:
        write_all(descriptor, len(head).to_bytes(8, "little") + head)
        if job.stdin:
            with os.fdopen(descriptor, "wb", buffering=1 << 16, closefd=False) as stream:
                stream.writelines(job.stdin)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor

"""A started guest (process_child.py): its process, its life, what it reports within its time."""

from __future__ import annotations

import contextlib
import marshal
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ctrl_harness.errors import JudgeError, PreludeError
from ctrl_harness.execution.scratch import remove
from ctrl_harness.execution.script_job import missing_import
from ctrl_harness.execution.temporary import new_folder
from ctrl_harness.execution.threads import Cancelled

MIB = 1024 * 1024
_CHILD = Path(__file__).with_name("process_child.py")
_START_GRACE_S = 20.0
"""How long an interpreter may take to start; that time is the machine's, not the program's."""
_LATE_READS = 8
"""How often a child's reports are read after its time is up: we may have been the late ones."""
_STDERR_BYTES, _CHUNKS = 16_000, 64


class Marker:
    """A reason why there is no message."""


TIMEOUT, GONE, _FULL, _REPORT = Marker(), Marker(), Marker(), Marker()
_WATCH_S = 0.05
"""How often a guest's standard output is looked at."""


def _own_peak_mb() -> float:
    """Peak resident MiB of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else MIB)


@dataclass
class GuestProcess:
    """A started guest and what it writes to.

    errors: the pipe that is its stderr, of which the end is kept. output_bytes: how much it may
    report. wake: a descriptor that can be read once nobody waits for it any more; what waits for
    the guest then raises Cancelled.
    """

    process: subprocess.Popen[bytes]
    reports: int
    stdout: IO[bytes]
    errors: int
    scratch: str
    output_bytes: int
    wake: int
    started: float = field(default_factory=time.monotonic)
    buffer: bytearray = field(default_factory=bytearray)
    reports_open: bool = True
    pidfd: int | None = None
    floor_mb: float = field(default_factory=_own_peak_mb)
    """A new process inherits its parent's peak, so a smaller peak of its own cannot be told."""
    exit_status: int | None = None
    memory_mb: float | None = None
    late_reads: int = 0
    stderr: bytes = b""

    def __post_init__(self) -> None:
        if hasattr(os, "pidfd_open"):  # elsewhere, and where it is refused, its end is polled for
            with contextlib.suppress(OSError):
                self.pidfd = os.pidfd_open(self.process.pid)

    def await_start(self) -> None:
        """Waits for the guest's word that the program starts; its clock runs from there."""
        message = self.next_message(self.started + _START_GRACE_S)
        if isinstance(message, tuple) and message[0] == b"I":
            self.kill()
            raise PreludeError(missing_import(message[1].decode("utf-8", "replace")))
        if message is TIMEOUT or message is GONE or message[0] != b"S":
            self.kill()
            raise JudgeError(
                "the interpreter did not get as far as the program "
                f"(exit status {self.exit_status}): {self.error_text()[-500:] or 'no message'}"
            )
        self.started = time.monotonic()

    def next_message(self, deadline: float) -> Any:
        """(kind, payload), TIMEOUT or GONE (the process ended and said nothing more)."""
        while True:
            message = _take_message(self.buffer)
            if message is not None:
                return message
            if self.exit_status is not None:
                return GONE
            if len(self.buffer) > self.output_bytes + 64:
                return self._end_early(b"the result is larger than the limit")
            event = self._wait(deadline)
            if event is _REPORT:
                self.late_reads += time.monotonic() > deadline
                chunk = os.read(self.reports, 1 << 20)
                self.buffer += chunk
                self.reports_open = bool(chunk)
            elif event is GONE:
                self.kill()
            elif event is _FULL:
                return self._end_early(b"the output is larger than the limit")
            else:
                return event

    def _end_early(self, why: bytes) -> tuple[bytes, bytes]:
        self.kill()
        self.buffer.clear()
        return (b"O", why)

    def _wait(self, deadline: float) -> Marker:
        """What comes first: bytes of a report, the child's end or the deadline."""
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        if self.pidfd is not None:
            poll.register(self.pidfd, select.POLLIN)
        if self.reports_open:
            poll.register(self.reports, select.POLLIN)
        poll.register(self.errors, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            step = min(left, _WATCH_S if self.pidfd is not None else 0.02)
            ready = {fd for fd, _ in poll.poll(max(0.0, step) * 1000)}
            if self.wake in ready:
                raise Cancelled
            if self.errors in ready and not self._drain():
                poll.unregister(self.errors)
            # before its end and late: the last words count, though not a stream of them
            if self.reports in ready and (left > 0 or self.late_reads < _LATE_READS):
                return _REPORT
            if self.pidfd in ready or (self.pidfd is None and _has_ended(self.process.pid)):
                return GONE
            if left <= 0:
                return TIMEOUT
            if os.fstat(self.stdout.fileno()).st_size > self.output_bytes:
                return _FULL

    def _drain(self) -> bool:
        """Takes what there is of stderr; false once nobody can write more."""
        try:
            for _ in range(_CHUNKS):  # no more: who writes without end keeps nobody here
                if not (chunk := os.read(self.errors, 1 << 16)):
                    return False
                self.stderr = (self.stderr + chunk)[-_STDERR_BYTES:]
        except BlockingIOError:
            pass
        return True

    def kill(self) -> None:
        """Kills the group while its leader is still unreaped, so that no id can be reused."""
        if self.exit_status is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # macOS: EPERM for a zombie's group
        _, status, usage = os.wait4(self.process.pid, 0)
        self.exit_status = os.waitstatus_to_exitcode(status)
        self.process.returncode = self.exit_status
        self._drain()
        peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else MIB)
        if peak > self.floor_mb:
            self.memory_mb = round(peak, 1)

    def close(self) -> None:
        self.kill()
        if self.pidfd is not None:
            os.close(self.pidfd)
        os.close(self.reports)
        self.stdout.close()
        os.close(self.errors)
        _remove_folder(self.scratch)

    def error_text(self) -> str:
        return self.stderr.decode("utf-8", "replace")

    def output(self, most: int) -> str:
        """What it wrote to stdout, bytes that are no UTF-8 as surrogate escapes."""
        self.stdout.seek(0)
        return self.stdout.read(most).decode("utf-8", "surrogateescape")


def start_guest(job: dict[str, Any], stdin: str, wake: int) -> GuestProcess:
    """Starts a guest in a session, an environment and a scratch folder of its own.

    job: what process_child.py reads. wake: see GuestProcess. Raises JudgeError where no process
    can be started.
    """
    with contextlib.ExitStack() as on_failure, contextlib.ExitStack() as always:
        try:
            scratch = new_folder("run")
            on_failure.callback(_remove_folder, scratch)
            reader, writer = os.pipe()
            on_failure.callback(os.close, reader)
            always.callback(os.close, writer)
            stdout = on_failure.enter_context(tempfile.TemporaryFile())
            errors, errors_writer = os.pipe()
            on_failure.callback(os.close, errors)
            always.callback(os.close, errors_writer)
            os.set_blocking(errors, False)
            job_file = always.enter_context(tempfile.TemporaryFile())
            stdin_file = always.enter_context(tempfile.TemporaryFile())
            marshal.dump(job, job_file)
            job_file.seek(0)
            stdin_file.write(stdin.encode("utf-8", "surrogatepass"))
            stdin_file.seek(0)
            process = subprocess.Popen(
                [
                    # -I, but that the environment below counts: it fixes the hash seed
                    *(sys.executable, "-s", "-P", "-S", "-B", str(_CHILD)),
                    *(str(job_file.fileno()), str(writer)),
                ],
                stdin=stdin_file,
                stdout=stdout,
                stderr=errors_writer,
                cwd=scratch,
                env=_environment(scratch),
                pass_fds=(job_file.fileno(), writer),
                start_new_session=True,
            )
        except OSError as error:
            raise JudgeError(f"no process could be started: {error}") from error
        on_failure.pop_all()
    return GuestProcess(process, reader, stdout, errors, scratch, job["output_bytes"], wake)


def _take_message(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Removes and returns the first whole message, None where there is none yet."""
    if len(buffer) < 5:
        return None
    length = int.from_bytes(buffer[:4], "little")
    if length < 1 or len(buffer) < 4 + length:
        return None
    kind, payload = bytes(buffer[4:5]), bytes(buffer[5 : 4 + length])
    del buffer[: 4 + length]
    return kind, payload


def _has_ended(pid: int) -> bool:
    """Whether the child is a zombie; it stays one."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _remove_folder(folder: str) -> None:
    """Removes what a program made of its scratch folder, however deep or locked it is."""
    with contextlib.suppress(OSError):  # a daemon of the program may still be at work in it
        remove(folder)


def _environment(scratch: str) -> dict[str, str]:
    """All that a program sees of the environment; one thread a library, as judges do."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",  # each reserves 64 MiB of address space, which a limit counts
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }

"""Small tools of a host: anonymous files under fixed numbers, whole reads and writes, waiting.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import os
import resource
import signal
import time

from ctrl_harness.execution import linux

CHILD_ENDED = frozenset((int(signal.SIGCHLD),))
_STDERR_BYTES = 16_000
_LONG_BYTES = 1 << 20
LOOK_S = 0.01
"""How long a host looks away from what a process writes: too short for it to fill a file."""


def put_fresh_file(target: int, data: bytes = b"") -> None:
    """Puts a new, anonymous file under this descriptor's number, to be read from its beginning.

    New for every program: flags, permissions and times of one that was used would tell of its user.
    """
    descriptor = os.memfd_create("stream")
    offset = 0
    while offset < len(data):
        offset += os.pwrite(descriptor, data[offset:] if offset else data, offset)
    move(descriptor, target)


def move(descriptor: int, target: int) -> None:
    """Gives a descriptor another number, not inherited by what is executed.

    A descriptor that has the number already is kept: dup3 refuses two equal ones.
    """
    if descriptor == target:
        os.set_inheritable(target, False)
        return
    os.dup2(descriptor, target, inheritable=False)
    os.close(descriptor)


class ErrorFile:
    """Standard error of one process: an anonymous file, made under the number 2, of which the end
    is kept.

    What is written is appended, and what is long is cut while it grows (`look`), so that any amount
    may be written although a file has a limit.
    """

    def __init__(self) -> None:
        put_fresh_file(2)
        linux.append_to(2)
        self._end = b""

    def look(self) -> None:
        """To be done every LOOK_S."""
        if os.fstat(2).st_size > _LONG_BYTES:
            self._end = self.end()
            os.ftruncate(2, 0)

    def end(self) -> bytes:
        """The end of what has been written."""
        size = os.fstat(2).st_size
        if not size:
            return self._end
        offset = max(0, size - _STDERR_BYTES)
        return (self._end + read_at(2, size - offset, offset))[-_STDERR_BYTES:]


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def size_of(descriptor: int) -> int:
    """Of a file that nobody reads or writes now; at a fraction of what fstat's answer costs."""
    return os.lseek(descriptor, 0, os.SEEK_END)


def write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def wait(
    child: int, deadline: float, errors: ErrorFile, most_output: int | None = None
) -> tuple[int, resource.struct_rusage, bool]:
    """Waits for the child's end, by force at the deadline; status, usage, whether it came in time.

    SIGCHLD is blocked, so it waits to be taken even when the child was the faster. most_output:
    bytes of standard output with which the child is ended early, and in time.
    """
    in_time = False
    while not in_time and (left := deadline - time.perf_counter()) > 0:
        if signal.sigtimedwait(CHILD_ENDED, min(left, LOOK_S)) is None:
            errors.look()
            in_time = most_output is not None and os.fstat(1).st_size > most_output
            continue
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage, True
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, usage, in_time

"""Follows a program's process through its calls, from the host.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import math
import os
import resource
import select
import signal
import time
from collections.abc import Iterator
from typing import Any

from ctrl_harness.execution.descriptors import LOOK_S, ErrorFile, wait, write_all
from ctrl_harness.execution.records import (
    AGAIN,
    ALIVE,
    ENDED,
    OVERSIZED,
    TIMED_OUT,
    FrameReader,
    Outcome,
)

_NAP_S = 0.0002
"""How long a host looks away from a process that is calling: the short calls of that time are read
at once, which costs a wake-up in place of one a call. They share the time among them."""


class CallChild:
    """Follows one process through its calls: times each, ends the process that overruns."""

    def __init__(
        self, pid: int, reports: int, errors: ErrorFile, job: dict[str, Any], results_fd: int
    ) -> None:
        self._errors = errors
        self._pid, self._reports, self._results_fd = pid, reports, results_fd
        self._time_s: float = job["time_s"]
        self._reader = FrameReader(max_bytes=job["output_bytes"] + 64)
        self._open = True
        self._outcomes: list[bytes] = []

    def follow(self, wanted: int) -> int:
        """Until the process ends, the last call is through or one is to be made again in a new
        process; how many inputs are done, at least one.
        """
        start = time.perf_counter()
        message = self._next(start)
        if message is None or message[0] != b"L":
            self._tell_end(message, start, inputs=0)
            return wanted
        done = 0
        while done < wanted:
            start = time.perf_counter()
            message = self._next(start)
            if message is None:
                return done + self._tell_end(None, start, inputs=1, first=done == 0)
            messages = [message, *self._at_hand(wanted - done - 1)]
            wall = (time.perf_counter() - start) / len(messages)
            again = messages[-1][0] == AGAIN and done + len(messages) > 1
            if again:
                messages.pop()
            for each in messages:
                self._outcomes.append(Outcome(ALIVE, wall_s=wall, message=b"".join(each)).pack())
            done += len(messages)
            if again:
                break
        self._end()
        self._flush()
        return done

    def _at_hand(self, limit: int) -> Iterator[tuple[bytes, bytes]]:
        """Messages that came with the last one; an absurd one is left for `_next` to find."""
        for _ in range(limit):
            try:
                message = self._reader.take()
            except ValueError:
                return
            if message is None:
                return
            yield message

    def _next(self, start: float) -> tuple[bytes, bytes] | None:
        """The next message; None where the time is up, the process gone or the message absurd."""
        deadline = start + self._time_s
        poll = select.poll()
        poll.register(self._reports, select.POLLIN)
        self._ended_by = ENDED
        napped = False
        while True:
            try:
                message = self._reader.take()
            except ValueError:
                self._ended_by = OVERSIZED
                return None
            if message is not None or not self._open:
                return message
            if not self._is_heard(poll, 0):
                if not napped:
                    time.sleep(_NAP_S)
                    napped = True
                    continue
                self._flush()  # before a wait, not after each of a thousand short calls
                left = max(0.0, deadline - time.perf_counter())
                if not self._is_heard(poll, math.ceil(min(left, LOOK_S) * 1000)):
                    if time.perf_counter() < deadline:
                        continue
                    self._ended_by = TIMED_OUT
                    return None
            chunk = os.read(self._reports, 1 << 18)
            self._reader.feed(chunk)
            self._open = bool(chunk)

    def _is_heard(self, poll: select.poll, milliseconds: int) -> bool:
        """Waits as long at most, with an eye on stderr; whether a report is there."""
        self._errors.look()
        return bool(poll.poll(milliseconds))

    def _tell_end(
        self,
        message: tuple[bytes, bytes] | None,
        start: float,
        inputs: int,
        *,
        first: bool = True,
    ) -> int:
        """How many inputs it is the end of; none where earlier calls may have brought it about."""
        wall = time.perf_counter() - start
        status, usage = self._end()
        if not first and self._ended_by == ENDED and os.WIFSIGNALED(status):
            self._flush()
            return 0
        cpu = usage.ru_utime + usage.ru_stime
        said = b"".join(message) if message is not None else b""
        how = self._ended_by if message is None else ENDED
        ended = Outcome(how, inputs, status, wall, cpu, usage.ru_maxrss, said, self._errors.end())
        self._outcomes.append(ended.pack())
        self._flush()
        return inputs

    def _end(self) -> tuple[int, resource.struct_rusage]:
        """Its status; where it closed its pipe, it is given a moment to end by itself."""
        if not self._open:
            status, usage, _ = wait(self._pid, time.perf_counter() + 0.1, self._errors)
        else:
            os.kill(self._pid, signal.SIGKILL)
            _, status, usage = os.wait4(self._pid, 0)
        return status, usage

    def _flush(self) -> None:
        if self._outcomes:
            write_all(self._results_fd, b"".join(self._outcomes))
            self._outcomes.clear()

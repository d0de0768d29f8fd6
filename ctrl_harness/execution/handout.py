"""Hands the calls of one program over to its process, a few at a time.

A process that knew all of them could work on a late one during the calls before it, and the time
limit of a call would be one of their sum. So it gets no more at once than it is likely to make in a
small part of that time, and the calls that it knows have little more than one limit together.
"""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Sequence

FIRST_CALLS = 32
"""What a process gets before it is known how long its calls take: one that takes long is made again
alone, where those before it have used up the time of all."""
_MOST_CALLS, _MOST_BYTES = 256, 32 << 10
_GROWTH = 4
_SHARE = 0.1
"""Of one call's time limit: what the calls should take that are handed out together, and what they
may take beyond the time of one."""

Call = tuple[str, bytes]
"""A function's name and its marshalled arguments."""


class Handout:
    """What one process has been given, and its time.

    later: the calls beyond the first, which it was started with. descriptor: a pipe that it reads.
    """

    def __init__(self, first: int, later: Sequence[Call], descriptor: int, time_s: float) -> None:
        self._later = later
        self._position = 0
        self._descriptor = descriptor
        self._time_s = time_s
        self._size = self.unanswered = first
        self._spent_s = 0.0
        self._since = 0.0
        self._unsent = memoryview(b"")

    # -- time

    def restart_clock(self) -> None:
        self._since = time.perf_counter()

    @property
    def deadline(self) -> float:
        """When the call under way has to be done."""
        return self._since + min(self._time_s, (1 + _SHARE) * self._time_s - self._spent_s)

    @property
    def since_answer_s(self) -> float:
        return time.perf_counter() - self._since

    @property
    def is_crowded(self) -> bool:
        """Whether the call under way has less than its time limit, for the sake of others."""
        return self._spent_s > _SHARE * self._time_s

    def answered(self, calls: int) -> float:
        """Takes note of answers; seconds since the last ones. Hands out the next calls in time."""
        elapsed = self.since_answer_s
        self._spent_s += elapsed
        self.unanswered -= calls
        if self.unanswered == 0 and self._position < len(self._later):
            self._hand_out()
        return elapsed

    # -- calls

    def _hand_out(self) -> None:
        likely = _SHARE * self._time_s / max(self._spent_s / self._size, 1e-9)
        wanted = max(1, int(min(likely, _GROWTH * self._size, _MOST_CALLS)))
        calls: list[Call] = []
        size = 0
        for call in self._later[self._position : self._position + wanted]:
            size += len(call[1])
            if calls and size > _MOST_BYTES:
                break
            calls.append(call)
        self._position += len(calls)
        self._size = self.unanswered = len(calls)
        self._spent_s = 0.0
        data = marshal.dumps(calls)
        self._unsent = memoryview(len(data).to_bytes(4, "little") + data)
        self.send()

    @property
    def is_sending(self) -> bool:
        return bool(self._unsent)

    def send(self) -> None:
        """What the pipe takes now of what is handed out."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # it closed its end, and will answer nothing
            self._unsent = memoryview(b"")

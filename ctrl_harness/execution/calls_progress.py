"""Follows a process of calls, which reports to the harness itself, without a host in between.

What the process says after the mark `S` is the program's word: it says how a call failed or what
it returned, in the same messages as through a host, and nothing else. Its time is measured here,
and pid 1 of the cell, which it cannot reach, ends it when it is told to and says how it ended.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

from ctrl_harness.execution.cell_job import Job, JobEnd, check_start, refuse_start
from ctrl_harness.execution.handout import Handout
from ctrl_harness.execution.records import (
    AGAIN,
    ALIVE,
    CROWDED,
    ENDED,
    OUT_OF_MEMORY,
    OVERSIZED,
    READY,
    STARTED,
    TIMED_OUT,
    FrameReader,
    Outcome,
)

_LOADED = b"L"
_NAP_S = 0.0004
"""How long the harness looks away once a report is there: the short calls of that time are read at
once, for one wake-up in place of one a call. They share the time among them."""
_CLOSED_S = 0.1
"""How long a process may live on that closed its reports."""


class CallsProgress:
    """What is known of a process of calls. The same surface as cell_job.py's Progress."""

    def __init__(
        self,
        results: int,
        job: Job,
        patience_s: float,
        on_outcome: Callable[[Outcome], bool],
        is_out_of_memory: Callable[[], bool],
        inputs: int,
    ) -> None:
        """inputs: the end of a pipe that takes the calls beyond the first."""
        self.results, self.inputs = results, inputs
        self.enough = self.at_end = self.compiled = self._again = False
        self._patience_s = patience_s
        self._is_out_of_memory = is_out_of_memory
        self._wanted = job.calls + len(job.later)
        self._handout = Handout(job.calls, job.later, inputs, job.head["time_s"])
        self._done = 0
        self._on_outcome = on_outcome
        self._frames = FrameReader(max_bytes=job.head["output_bytes"] + 64)
        self._started = self._loaded = False
        self._closed_deadline = math.inf
        self._how = ENDED
        self._said = b""
        self._trouble: Exception | None = None

    def wait_ms(self) -> int:
        """How long nothing need be heard of it."""
        if not self._started:
            return math.ceil(1000 * self._patience_s)
        left = max(0.0, self._deadline - time.perf_counter())
        return math.ceil(1000 * min(left, 1e6))

    @property
    def _deadline(self) -> float:
        return min(self._handout.deadline, self._closed_deadline)

    @property
    def is_sending(self) -> bool:
        """Whether something is to be done once `inputs` can be written to."""
        return self._handout.is_sending

    def send(self) -> None:
        self._handout.send()

    def overdue(self) -> bool:
        """To be asked when nothing was heard: whether it has to be ended for that."""
        if not self._started or time.perf_counter() < self._deadline:
            return False
        if not self.at_end:
            self._how = TIMED_OUT
            self._again = self._handout.is_crowded
        return True

    def read(self) -> None:
        """All that is there. Raises ValueError where what is the cell's own makes no sense."""
        if self._started and not self.at_end:
            time.sleep(_NAP_S)
        while not (self.at_end or self.enough):
            try:
                chunk = os.read(self.results, 1 << 20)
            except BlockingIOError:
                break
            self._frames.feed(chunk)
            self._take_messages()
            if not chunk:
                self.at_end = True
                self._closed_deadline = time.perf_counter() + _CLOSED_S

    def _take_messages(self) -> None:
        while messages := self._next_messages():
            self._tell(messages)

    def _next_messages(self) -> list[bytes]:
        """Answers to calls that were handed out; a program's word on others waits."""
        messages: list[bytes] = []
        while not self.enough and len(messages) < self._handout.unanswered:
            try:
                message = self._frames.take_message()
            except ValueError:
                if not self._started:
                    raise
                self._how = OVERSIZED
                self.enough = True
                break
            if message is None:
                break
            if message[:1] == AGAIN and self._done + len(messages):
                self._again = self.enough = True
            elif self._loaded:
                messages.append(message)
            else:
                self._take_beginning(message[:1], message[1:])
        return messages

    def _take_beginning(self, kind: bytes, body: bytes) -> None:
        if self._started:
            self._loaded = kind == _LOADED
            if not self._loaded:
                self._said, self.enough = kind + body, True
        elif kind == STARTED:
            self._started = True
        elif kind == READY:
            self.compiled = True
        else:
            self._trouble = refuse_start(kind, body)
        if self._started:
            self._handout.restart_clock()

    def _tell(self, messages: list[bytes]) -> None:
        wall_s = self._handout.answered(len(messages)) / len(messages)
        for message in messages:
            self._done += 1
            if self._on_outcome(Outcome(ALIVE, wall_s=wall_s, message=message)):
                self._done = self._wanted
                break
        self.enough = self.enough or self._done == self._wanted
        self._handout.restart_clock()

    def check(self, end: JobEnd) -> None:
        """Once nothing of the job is left: tells of a call that did not return.

        Tells nothing where that may be the doing of earlier calls: the next job begins with it.
        Raises what the end means, where it means trouble.
        """
        if not self._started:
            check_start(self._trouble, self.compiled, end.status)
        if self._how == TIMED_OUT and self._again:
            self._on_outcome(Outcome(CROWDED))
        if self._done == self._wanted or self._again:
            return
        if self._done and self._how == ENDED and os.WIFSIGNALED(end.status):
            return
        wall_s = self._handout.since_answer_s
        inputs = 1 if self._loaded else 0
        outcome = Outcome(
            *(self._how, inputs, end.status, wall_s, end.cpu_s, end.peak_kib),
            *(self._said, end.stderr),
        )
        if outcome.was_killed() and self._is_out_of_memory():
            outcome = outcome._replace(message=OUT_OF_MEMORY)
        self._on_outcome(outcome)

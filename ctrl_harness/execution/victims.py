"""Whom the kernel ends first when memory runs out: programs and hosts, then cells, then others.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import contextlib
import os

from ctrl_harness.execution.descriptors import move

_PATH = "/proc/self/oom_score_adj"
_CELL, _PROGRAM = 500, 1000
"""Thousandths of the machine's memory that a process counts for beside what it uses, proc(5)."""


def prefer_cell() -> None:
    """This process, and what it forks, to all that are not of a cell."""
    with contextlib.suppress(OSError):  # a container's masked /proc: nothing relies on the mark
        with open(_PATH, encoding="ascii") as file:
            current = int(file.read())
        with open(_PATH, "w", encoding="ascii") as file:
            file.write(str(max(current, _CELL)))


class Victims:
    """For pid 1, which hands its own mark down by forking; programs cannot open theirs.

    descriptor: the number that the mark's file is to have.
    """

    def __init__(self, descriptor: int) -> None:
        self._mark, self._own = -1, b""
        with contextlib.suppress(OSError):
            move(os.open(_PATH, os.O_RDWR), descriptor)
            self._mark, self._own = descriptor, os.pread(descriptor, 16, 0)

    def mark(self, programs: bool) -> None:
        """Whether what is forked from now on is preferred as programs are, or as this process."""
        if self._mark >= 0:
            os.write(self._mark, b"%d" % _PROGRAM if programs else self._own)

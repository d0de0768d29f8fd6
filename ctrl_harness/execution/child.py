"""What runs in a program's own process.

Nothing here returns: the process ends with the program. Nothing here is trusted either, for the
program shares its memory; what is true of a run is what the host sees from outside.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
from types import CodeType, ModuleType
from typing import Any

from ctrl_harness.execution import guest
from ctrl_harness.execution.ending import end
from ctrl_harness.execution.main_program import run_main

# functions take their builtins from here, so those that a program replaces are not ours
__builtins__ = vars(builtins).copy()  # type: ignore[assignment]

REPORT_FD, INPUTS_FD = 3, 4
"""Where a program's process writes its messages, and where one of many calls reads what to call;
0, 1 and 2 are its streams, the rest is closed."""


MOST_DESCRIPTORS = 256
"""What a cell and its programs may have open."""

_exit, _search_first = os._exit, sys.path.insert


class Loaded:
    """A compiled program and the modules, by name, in which its prelude has run.

    folder: where it works. No dataclass: importing those would weigh on every fork.
    """

    def __init__(self, source: str, code: CodeType, output_bytes: int, folder: str) -> None:
        self.source = source
        self.code = code
        self.output_bytes = output_bytes
        self.folder = folder
        self.modules: dict[str, ModuleType] = {}


def run_stdio(program: Loaded) -> None:
    try:
        _search_first(0, program.folder)
        end(run_main(program.code, program.modules, _report_memory_error))
    finally:
        _exit(1)


def run_script(program: Loaded, tests: dict[str, Any]) -> None:
    """tests: what script_job.py makes of a script."""
    try:
        _search_first(0, program.folder)
        job = {**_guest_job(program), "mode": "script", **tests}
        guest.run_script(job, program.modules["solution"], _reporter(program))
    finally:
        _exit(0)


def run_calls(
    program: Loaded, calls: list[tuple[str, bytes]], inputs_fd: int | None = None
) -> None:
    try:
        _search_first(0, program.folder)
        job = {**_guest_job(program), "mode": "calls", "calls": calls, "inputs": inputs_fd}
        guest.run_calls(job, program.modules["solution"], _reporter(program))
    finally:
        _exit(0)


def _reporter(program: Loaded) -> guest.Reporter:
    return guest.Reporter(REPORT_FD, program.output_bytes)


def _report_memory_error() -> None:
    guest.make_room()
    with contextlib.suppress(OSError):  # the program closed what it could be reported on
        guest.Reporter(REPORT_FD, 0).send(b"M")


def _guest_job(program: Loaded) -> dict[str, Any]:
    return {"source": program.source, "code": program.code}

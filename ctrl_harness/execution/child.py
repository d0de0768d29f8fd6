"""What runs in a program's own process: the program, and what an interpreter does at its end.

Nothing here returns: the process ends with the program. Nothing here is trusted either, for the
program shares its memory; what is true of a run is what the host sees from outside.

Part of what runs inside a cell: the standard library only.
"""

import _thread
import atexit
import contextlib
import gc
import os
import sys
import threading
from types import CodeType, ModuleType
from typing import Any

from ctrl_harness.execution import guest

REPORT_FD = 3
"""Where a program's process writes its messages; 0, 1 and 2 are its streams, the rest is closed."""


MOST_DESCRIPTORS = 256
"""What a cell and its programs may have open."""


class Loaded:
    """A compiled program and the modules, by name, in which its prelude has run.

    No dataclass: importing those would weigh on every fork.
    """

    def __init__(self, source: str, code: CodeType, output_bytes: int) -> None:
        self.source = source
        self.code = code
        self.output_bytes = output_bytes
        self.modules: dict[str, ModuleType] = {}
        self.old_collections = 0
        """Full garbage collections before any of the program's."""


def run_stdio(program: Loaded) -> None:
    status = 1
    try:
        module = program.modules["__main__"]
        try:
            exec(program.code, module.__dict__)
            status = 0
        except SystemExit as error:
            status = _exit_status(error)
        except BaseException as error:  # noqa: BLE001 - the program's, and its end
            _report_exception(program, error)
        if not _finish(program, module, status == 0) and status == 0:
            status = 120  # what Python exits with where its last words cannot be written
    finally:
        os._exit(status & 255)


def run_script(program: Loaded, tests: dict[str, Any]) -> None:
    """tests: what script_job.py makes of a script."""
    try:
        job = {**_guest_job(program), "mode": "script", **tests}
        guest._run_script(job, program.modules["solution"], _reporter(program))
    finally:
        os._exit(0)


def run_calls(program: Loaded, calls: list[tuple[str, bytes]]) -> None:
    try:
        job = {**_guest_job(program), "mode": "calls", "calls": calls}
        guest._run_calls(job, program.modules["solution"], _reporter(program))
    finally:
        os._exit(0)


def _reporter(program: Loaded) -> guest.Reporter:
    return guest.Reporter(REPORT_FD, program.output_bytes)


def _report_exception(program: Loaded, error: BaseException) -> None:
    with contextlib.suppress(OSError):  # the program closed what it could be reported on
        _reporter(program).send_exception(error, program.source)


def _exit_status(error: SystemExit) -> int:
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 255
    print(code, file=sys.stderr, flush=True)
    return 1


def _finish(program: Loaded, module: ModuleType, succeeded: bool) -> bool:
    """What an interpreter does at its end, in its order; false where output was lost."""
    if _thread._count() or threading._threading_atexits:  # type: ignore[attr-defined]
        threading._shutdown()  # type: ignore[attr-defined]  # joins the program's threads
    atexit._run_exitfuncs()
    flushed = _flush_streams()
    if succeeded:  # files left open are flushed as they go, and __del__ may print
        for name in [n for n in module.__dict__ if n != "__builtins__"]:
            module.__dict__[name] = None
        _collect_garbage(program.old_collections)
        flushed = _flush_streams() and flushed
    return flushed


def _collect_garbage(old_collections: int) -> None:
    """All of the program's: a full collection only where it had one, so that something is old."""
    had_one = gc.get_stats()[2]["collections"] != old_collections
    gc.collect(2 if had_one or sys.version_info >= (3, 13) else 1)


def _flush_streams() -> bool:
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - a program may put anything in its place
        return False
    try:  # noqa: SIM105 - suppress() writes to more of the shared pages
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001, S110 - likewise
        pass
    return True


def _guest_job(program: Loaded) -> dict[str, Any]:
    return {"source": program.source, "code": program.code}

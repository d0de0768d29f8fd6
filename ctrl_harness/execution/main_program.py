"""Runs a program as `__main__`, up to its exit status, as CPython does it.

In the order of pythonrun.c: pyrun_file, which flushes after the last line; PyErr_Print, which asks
the program's own excepthook; the status of a SystemExit. What is left is the interpreter's end.

A program may replace what it likes, so names are looked up here, before it runs.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from types import CodeType, ModuleType

from ctrl_harness.execution.recursion import Depth

# functions take their builtins from here, so those that a program replaces are not ours
__builtins__ = vars(builtins).copy()  # type: ignore[assignment]

INTERRUPTED = 256 + 128 + 2
"""After a KeyboardInterrupt, which ends a process by SIGINT; no status of a program's own."""

_sys = vars(sys)
_write = os.write
_own_hook = sys.excepthook
_with_traceback = BaseException.with_traceback
_depth = Depth()
_MOST_FRAMES = 1000
"""CPython shows as many of a traceback."""


def run_main(
    code: CodeType, modules: dict[str, ModuleType], on_memory_error: Callable[[], None]
) -> int:
    """Runs the program in the module `__main__` of `modules`, takes it out, returns the status.

    on_memory_error: called where it ends in a MemoryError, before that is printed.
    """
    module = modules.pop("__main__")  # sys.modules alone may hold it at the end
    namespace = module.__dict__
    arguments = code, namespace
    words, left, limit, extra = _depth.parts
    status, by_itself = 0, False
    try:
        words[left] = words[limit] + extra
        exec(*arguments)
        _flush()
    except BaseException as error:  # noqa: BLE001 - the program's, and its end
        _flush()
        kind = type(error)
        if issubclass(kind, MemoryError):
            on_memory_error()
        status = _print(error)
        if kind is KeyboardInterrupt:
            status = INTERRUPTED
        by_itself = issubclass(kind, SystemExit)
    if not by_itself:  # these are taken away once the source has been run
        namespace.pop("__file__", None)
        namespace.pop("__cached__", None)
    return status


def _flush() -> None:
    for name in ("stderr", "stdout"):
        try:  # noqa: SIM105 - suppress() writes to more of the shared pages
            _sys[name].flush()
        except BaseException:  # noqa: BLE001, S110 - a program may put anything in its place
            pass


def _print(error: BaseException) -> int:
    """PyErr_Print of what ended a program; the exit status."""
    if issubclass(type(error), SystemExit):
        return _exit_status(error)
    frames = error.__traceback__
    frames = frames.tb_next if frames is not None else None  # the first is ours
    _with_traceback(error, frames)
    _sys["last_type"], _sys["last_value"], _sys["last_traceback"] = type(error), error, frames
    if sys.version_info >= (3, 12):
        _sys["last_exc"] = error
    if "excepthook" not in _sys:
        _say("sys.excepthook is missing\n")
    hook = _sys.get("excepthook", _own_hook)
    if hook is _own_hook:
        _display(error)
        return 1
    try:
        hook(type(error), error, frames)
    except BaseException as second:  # noqa: BLE001 - the hook's
        if issubclass(type(second), SystemExit):
            return _exit_status(second)
        frames = second.__traceback__
        _with_traceback(second, frames.tb_next if frames is not None else None)
        _say("Error in sys.excepthook:\n")
        _display(second)
        _say("\nOriginal exception was:\n")
        _display(error)
    return 1


def _exit_status(error: BaseException) -> int:
    try:
        code = error.code  # type: ignore[attr-defined]
    except BaseException:  # noqa: BLE001 - a class of the program's
        code = error
    if code is None:
        return 0
    if issubclass(type(code), int):
        number = int.__index__(code)
        return number & 255 if -(1 << 63) <= number < 1 << 63 else 255
    try:
        text = str(code)
    except BaseException:  # noqa: BLE001 - it is not to be had
        text = ""
    _say(text)
    _say("\n")
    return 1


def _say(text: str) -> None:
    stream = _sys.get("stderr")
    try:
        if stream is None:
            _write(2, text.encode("utf-8", "backslashreplace"))
        else:
            stream.write(text)
    except BaseException:  # noqa: BLE001, S110 - nobody can be told
        pass


def _display(error: BaseException) -> None:
    """As CPython's own hook, but with the lines of a source that is in no file."""
    stream = _sys.get("stderr")
    if stream is None:
        return
    try:
        from traceback import TracebackException

        frames = error.__traceback__
        shown = TracebackException(type(error), error, frames, limit=-_MOST_FRAMES, compact=True)
        for line in shown.format():
            stream.write(line)
        stream.flush()
    except BaseException:  # noqa: BLE001 - no memory, no stream, a module replaced
        try:  # noqa: SIM105
            _own_hook(type(error), error, error.__traceback__)
        except BaseException:  # noqa: BLE001, S110 - nor can that
            pass

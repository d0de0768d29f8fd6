"""The end of a program's process, which is the interpreter's own.

CPython (pylifecycle.c, Py_FinalizeEx) joins threads, runs atexit functions, flushes the streams,
collects garbage, restores the streams, lets all modules go and with each object runs its finaliser;
the exit status is 120 where a stream cannot be flushed. So does Py_Exit here. But it takes a whole
interpreter to pieces, which in a fork costs several times what a test costs. So it is left out
where it could do nothing that anybody sees: no thread, no atexit function, no stream replaced, and
not one object left whose end runs code or writes anything. Every object is looked at, and a doubt
means Py_Exit.

A program may replace what it likes, so names are looked up here, before it runs.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import ctypes
import gc
import io
import os
import signal
import sys
import threading
import types
import weakref
from collections.abc import Callable
from itertools import compress
from typing import Any, NoReturn

from ctrl_harness.execution.main_program import INTERRUPTED

# functions take their builtins from here, so those that a program replaces are not ours
__builtins__ = vars(builtins).copy()  # type: ignore[assignment]

_py_exit = ctypes.pythonapi.Py_Exit
_py_exit.argtypes = [ctypes.c_int]
_exit, _kill, _getpid = os._exit, os.kill, os.getpid
_set_signal = signal.signal
_objects, _unfreeze = gc.get_objects, gc.unfreeze
_threads, _atexit_functions = _thread._count, atexit._ncallbacks
_modules, _sys = sys.modules, vars(sys)
_shutdown: Callable[[], None] = threading._shutdown  # type: ignore[attr-defined]
_ends_of_threading: list[Any] = threading._threading_atexits  # type: ignore[attr-defined]
_mro, _class_dict = (type.__dict__[name].__get__ for name in ("__mro__", "__dict__"))
_callback = weakref.ref.__dict__["__callback__"].__get__
_BUILTIN = types.BuiltinFunctionType

_TELLING_MODULES = ("gc", "ctypes", "_ctypes")
"""A program that loads one can have what is not seen here: callbacks of the collector, objects
withdrawn from it, C's own buffers. They are taken out of `sys.modules` before, so that it shows."""
_READERS = frozenset((io.BufferedReader, io.FileIO, io.StringIO, io.BytesIO))
"""Their end writes to nothing that outlives them."""


def hide_telling_modules() -> None:
    """For the process that programs are forked from. See _TELLING_MODULES."""
    for name in _TELLING_MODULES:
        _modules.pop(name, None)


def end(status: int) -> NoReturn:
    """Ends the process; nothing of the program's may be referred to from here any more."""
    try:
        if nothing_is_left():
            _flush_both()
            if status == INTERRUPTED:
                _set_signal(signal.SIGINT, signal.SIG_DFL)
                _kill(_getpid(), signal.SIGINT)
            _exit(status & 255)
    except BaseException:  # noqa: BLE001, S110 - no memory, a signal, a stream that fails
        pass
    leave, own = _py_exit, _own
    # what is shared may hold the program's, as typing's caches do: it is to be collected, so it is
    # no longer withheld from the collector, nor held by us
    _unfreeze()
    for namespace in own:
        namespace.clear()
    leave(status)
    while True:  # not reached
        pass


# -- the end of the interpreter


def _flush_both() -> None:
    """Raises where one cannot be written: then Py_Exit finds that out, too, and says 120."""
    if not _stdout.closed:
        _stdout.flush()
    if not _stderr.closed:
        _stderr.flush()


_own: list[dict[str, Any]] = []
"""What our modules hold: the original streams, for one thing, which are flushed as they go."""
_stdout: Any = None
_stderr: Any = None
_harmless: frozenset[type] = frozenset()


def remember(namespaces: list[dict[str, Any]]) -> None:
    """For the process that programs are forked from, when streams and modules are ready.

    namespaces: of our own modules.
    """
    global _stdout, _stderr, _harmless
    _own[:] = namespaces
    _stdout, _stderr = sys.stdout, sys.stderr
    found: set[type] = set()
    waiting: list[type] = [object]
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting += type.__subclasses__(kind)
    _harmless = frozenset(
        kind
        for kind in found
        if not issubclass(kind, (type, weakref.ref)) and not _has_finaliser(kind)
    )


def _has_finaliser(kind: type) -> bool:
    """C's types show theirs by the same name."""
    return any("__del__" in _class_dict(base) for base in _mro(kind))


def nothing_is_left() -> bool:
    """Whether the interpreter's end would run no code of anybody's and write nothing."""
    if _threads() or _atexit_functions() or _ends_of_threading:
        return False
    if _sys.get("stdout") is not _stdout or _sys.get("stderr") is not _stderr:
        return False
    if _sys.get("__stdout__") is not _stdout or _sys.get("__stderr__") is not _stderr:
        return False
    if _modules.get("threading") is not threading or threading._shutdown is not _shutdown:  # type: ignore[attr-defined]
        return False
    for name in _TELLING_MODULES:
        if name in _modules:
            return False
    objects = _objects()  # not those that were there before the program, which are frozen
    kinds = set(map(type, objects)) - _harmless
    if not kinds:
        return True
    looked_at = set()
    for kind in kinds:
        if _is_looked_at_one_by_one(kind):
            looked_at.add(kind)
        elif _has_finaliser(kind):
            return False
    chosen = compress(objects, map(looked_at.__contains__, map(type, objects)))
    return all(map(_ends_silently, chosen))


def _is_looked_at_one_by_one(kind: type) -> bool:
    return (
        issubclass(kind, (type, weakref.ref))
        or kind in _READERS
        or kind is io.TextIOWrapper
        or kind is types.GeneratorType
    )


def _ends_silently(thing: Any) -> bool:
    kind = type(thing)
    if issubclass(kind, type):  # its instances may be such as the collector does not know
        return "__del__" not in _class_dict(thing)
    if issubclass(kind, weakref.ref):
        callback = _callback(thing)
        # abc's own: every class that is asked about gets one
        return callback is None or (type(callback) is _BUILTIN and callback.__name__ == "_destroy")
    if kind is types.GeneratorType:
        frame = thing.gi_frame
        if frame is None or frame.f_lasti < 0:
            return True
        return thing.gi_yieldfrom is None and not thing.gi_code.co_exceptiontable
    if "close" in thing.__dict__ or "flush" in thing.__dict__:
        return False
    return kind in _READERS or type(thing.buffer) in (io.BufferedReader, io.BytesIO)

"""The depth of calls, as CPython counts it: without the frames of ours below a program's.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import _ctypes  # ctypes takes half as long to load as Python
import sys
from typing import Any

_WORDS = 24
_PROBE = 54_321
_PYTHON_API = 1 | 4
"""FUNCFLAG_CDECL and FUNCFLAG_PYTHONAPI of CPython's ctypes.h."""


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _Pointer(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "P"


class _ThreadStateGet(_ctypes.CFuncPtr):
    _flags_ = _PYTHON_API
    _restype_ = _Pointer


def _thread_state() -> Any:
    """The first words of this thread's PyThreadState."""
    library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None: this process
    address = _ThreadStateGet(_ctypes.dlsym(library, "PyThreadState_Get"))()
    return (_Int * _WORDS).from_address(address)


def _place_of_the_count(words: Any) -> int:
    """Where the number of calls that are left stands; its neighbour is the limit."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_PROBE)
    try:
        found = [
            place
            for place in range(_WORDS - 1)
            if words[place + 1] == _PROBE and 0 < _PROBE - words[place] < 500
        ]
    finally:
        sys.setrecursionlimit(limit)
    return found[0] if len(found) == 1 else -1


class Depth:
    """Makes the next `exec` start at depth nought.

        words, left, limit, extra = depth.parts
        words[left] = words[limit] + extra
        exec(*arguments)

    in one function, and nothing of that function but `exec` between the last two lines. Its
    arguments come as a tuple: other calls count once less when they have been made often, for
    CPython specialises them. Where the count is not found the words are nobody's, and the depth
    stays what it is.
    """

    def __init__(self) -> None:
        words = _thread_state()
        left = _place_of_the_count(words)
        if left < 0:
            self.parts: tuple[Any, int, int, int] = ([0, 0], 0, 1, 0)
            return
        limit = left + 1
        seen: dict[str, Any] = {"words": words, "left": left}
        probe = compile("found = words[left]", "<probe>", "exec")
        before = words[left]
        arguments = probe, seen
        words[left] = words[limit]
        exec(*arguments)
        words[left] = before
        # one is the program's own first frame, and what else there is, exec's
        extra = words[limit] - 1 - seen["found"]
        # a view of the words writes to fewer of the pages that a process shares
        self.parts = (memoryview(words).cast("B").cast("i"), left, limit, extra)

"""What an interpreter has ready for a program: its streams, its path, the names of `__main__`.

As CPython makes them (pylifecycle.c: create_stdio, add_main_module), so that a program finds what
it would find in an interpreter of its own.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import importlib.machinery
import io
import linecache
import os
import sys
from typing import Any

PROGRAM = "program.py"
"""The program's name, in its working folder."""
CODE_NAME = "<program>"
"""The name that its code has, wherever it runs."""
_MAX_LISTED_CHARS = 1 << 20


def open_streams() -> None:
    """Python's streams over the descriptors 0, 1 and 2."""
    streams: Any = sys
    streams.stdin = streams.__stdin__ = _stream(0, "r", "<stdin>", "surrogateescape")
    streams.stdout = streams.__stdout__ = _stream(1, "w", "<stdout>", "surrogateescape")
    streams.stderr = streams.__stderr__ = _stream(2, "w", "<stderr>", "backslashreplace")


def _stream(descriptor: int, mode: str, name: str, errors: str) -> io.TextIOWrapper:
    buffer = open(descriptor, mode + "b", closefd=False)
    buffer.raw.name = name  # type: ignore[attr-defined]
    # CPython translates no line ends here, but on Windows
    stream = io.TextIOWrapper(
        buffer, encoding="utf-8", errors=errors, newline="\n", line_buffering=descriptor == 2
    )
    stream.mode = mode  # type: ignore[misc]
    return stream


def name_main(namespace: dict[str, Any], folder: str) -> None:
    """Gives a new `__main__` the names of one that runs from a file in this folder."""
    path = os.path.join(folder, PROGRAM)
    builtins = namespace.pop("__builtins__")
    namespace["__loader__"] = importlib.machinery.SourceFileLoader("__main__", path)
    if sys.version_info < (3, 14):
        namespace["__annotations__"] = {}
    namespace["__builtins__"] = builtins
    namespace["__file__"] = path
    namespace["__cached__"] = None


def names_its_file(source: str) -> bool:
    """Whether the program may want to open its own file."""
    return "__file__" in source or "argv" in source


def remember_source(source: str) -> None:
    """For tracebacks: the code's name is no file's. Not where its lines would take long to list."""
    if len(source) > _MAX_LISTED_CHARS:
        return
    linecache.cache[CODE_NAME] = (len(source), None, source.splitlines(True), CODE_NAME)

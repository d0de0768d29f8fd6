"""Syntax trees of code that others wrote; every thread of the harness reads them here.

Until 3.13, Python keeps the depth that it has reached in building a tree in one place for all
threads (python/cpython, Parser/asdl_c.py: `state->recursion_depth`). Building allocates, a
collection may run finalisers, and in those another thread may get its turn and build a tree too;
the first one then fails with a SystemError about a "recursion depth mismatch", which says nothing
of the code.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from typing import Any

from ctrl_harness.integers import in_hex, in_quotes

_FILE = "<code>"
_QUIET = ("ignore", None, Warning, re.compile(_FILE), 0)
"""An entry of `warnings.filters`, which stays there. Filters belong to the whole process:
`warnings.catch_warnings` in one thread would undo what another has set meanwhile."""
_TRIES = 100
_LOCK = threading.RLock()  # a finaliser may want a tree of its own


def parse_module(code: str) -> ast.Module:
    """As `ast.parse`, without a warning: an invalid escape in it is no concern of ours.

    Decimal integers may have MAX_DIGITS digits. Raises SyntaxError for what is no Python,
    TooManyDigits, and ValueError, RecursionError or MemoryError for what the parser does not get
    through.
    """
    tree: ast.Module = _parse(in_hex(code), "exec")
    return tree


def parse_runnable(code: str) -> ast.Module:
    """As `parse_module`; what only the compiler refuses is a SyntaxError too (a stray `return`)."""
    tree = parse_module(code)
    compile(in_hex(code), _FILE, "exec", dont_inherit=True)  # quiet, by its file's name
    return tree


def parse_expression(code: str) -> ast.expr:
    """The tree of one expression. Raises as `parse_module` does."""
    tree: ast.Expression = _parse(in_hex(code.strip()), "eval")
    return tree.body


def parse_program(program: str) -> ast.Module:
    """The tree of a program that is looked at, not run: long integers are texts in it.

    Raises as `parse_module` does, but for TooManyDigits.
    """
    tree: ast.Module = _parse(in_quotes(program), "exec")
    return tree


def _parse(code: str, mode: str) -> Any:
    if _QUIET not in warnings.filters:
        warnings.filterwarnings("ignore", module=_FILE)
    with _LOCK:
        for _ in range(_TRIES):
            try:
                return ast.parse(code, _FILE, mode)
            except SystemError as error:  # a library's thread was building a tree
                failed = error
    raise failed

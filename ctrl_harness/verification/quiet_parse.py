"""Parses programs that others wrote."""

from __future__ import annotations

import ast
import warnings

from ctrl_harness.integers import in_quotes


def parse_program(program: str) -> ast.Module:
    """The syntax tree, without a warning of an invalid escape, which is no concern of ours.

    Integers of more digits than Python reads are texts in it.

    Raises SyntaxError for what is no Python, and ValueError, RecursionError or MemoryError for what
    the parser does not get through.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(in_quotes(program))

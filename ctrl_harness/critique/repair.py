"""Parses code with a fault or two in it, as a reader does who sees what was meant.

A critique hands a program over as well where a bracket is missing, or where a line of it is prose
or a placeholder.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_FAULTS = 2
LEAST_LINES = 3
"""For each fault: of fewer, what is left after a repair says little of what was written."""
ELISION = "..."


class Repaired(NamedTuple):
    """Code as mended, and its tree. written: the code with "..." for every line that was mended."""

    code: str
    tree: ast.Module
    written: str


def repaired(
    code: str, fault: int, parse: Callable[[str], ast.Module | int | None]
) -> Repaired | None:
    """The code as it was meant; None where no repair is found.

    fault: the line, from 1, at which it does not parse. parse: the tree of a text, or the line of
    its fault, or None.
    """
    lines = code.split("\n")
    mended: dict[int, str] = {}
    for _ in range(min(MOST_FAULTS, len(lines) // LEAST_LINES)):
        furthest: tuple[int, int, str] | None = None
        for at, instead in _attempts(lines, fault):
            attempt = "\n".join({**dict(enumerate(lines)), **mended, at: instead}.values())
            tree = parse(attempt)
            if isinstance(tree, ast.Module):
                elided = dict.fromkeys([*mended, at], ELISION)
                written = "\n".join({**dict(enumerate(lines)), **elided}.values())
                return Repaired(attempt, tree, written)
            if tree is not None and tree > fault and (furthest is None or tree > furthest[0]):
                furthest = tree, at, instead
        if furthest is None:
            return None
        fault, at, instead = furthest
        mended[at] = instead
    return None


def _attempts(lines: list[str], fault: int) -> Iterator[tuple[int, str]]:
    """What a line may have been meant to be, the smallest change first: its index and text."""
    for at in (fault - 1, fault - 2):  # an open bracket is noticed a line too late
        if not 0 <= at < len(lines):
            continue
        line = lines[at].rstrip()
        depth = line[: len(line) - len(line.lstrip(" \t"))]
        for instead in (f"{line})", f"{line}:", f"{line}]", depth + ELISION, ""):
            yield at, instead

"""The beginning of a value's text, at a cost that does not grow with the value."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Array, Iterated
from ctrl_harness.integers import MAX_DIGITS, readable

_MOST_BITS = 3 * MAX_DIGITS
_ROWS = frozenset((list, tuple))
_SCALARS = frozenset((bool, float, int, str, type(None)))
_OF_INTEGERS = b"-0123456789,[]"
"""What the JSON of lists of integers is made of: with a blank behind each comma it is what Python
writes, but for -0."""
_SMALL_BYTES = 300
"""In memory. An integer of so many has fewer digits than Python ever refuses to write."""


def preview(value: Any, most: int, payload: bytes | None = None) -> str:
    """The first characters of `readable(value)`, at most so many.

    payload: the JSON that it was read from, if it was: of a short one less is to be looked at.
    """
    pieces: list[str] = []
    size = 0
    try:
        if payload is not None and len(payload) <= most and payload.find(b"{") < 0:
            if type(value) is list and not payload.translate(None, _OF_INTEGERS):
                text = payload.decode("ascii")
                if "-0" not in text:
                    return text.replace(",", ", ")[:most]
            return repr(value)[:most]
        if _is_short(value, most):
            return repr(value)[:most]
        for piece in _pieces(value, most):
            pieces.append(piece)
            size += len(piece)
            if size >= most:
                break
    except RecursionError:
        return "a value nested hundreds deep"
    return "".join(pieces)[:most]


def _is_short(value: Any, most: int) -> bool:
    """Whether it is a small scalar or not many of them, in rows at most: the usual result, of
    which Python's own repr is the text and takes a tenth of the time."""
    items = value if type(value) in _ROWS else (value,)
    if len(items) > most:
        return False
    kinds = set(map(type, items))
    if kinds and kinds <= _ROWS:
        if sum(map(len, items)) > most:
            return False
        items = [each for row in items for each in row]
        kinds = set(map(type, items))
    return kinds <= _SCALARS and max(map(sys.getsizeof, items), default=0) <= _SMALL_BYTES


def _pieces(value: Any, most: int) -> Iterator[str]:
    match value:
        case str() | bytes():
            yield repr(value[: most + 1])
        case bool():
            yield repr(value)
        case int() if value.bit_length() > _MOST_BITS:
            yield f"an integer of {value.bit_length()} bits"
        case list():
            yield from _joined("[", value, "]", most)
        case tuple():
            yield from _joined("(", value, ",)" if len(value) == 1 else ")", most)
        case set() | Members() if len(value):
            yield from _joined("{", value, "}", most)
        case frozenset() if value:
            yield from _joined("frozenset({", value, "})", most)
        case dict():
            yield from _pairs(value.items(), most)
        case Pairs():
            yield from _pairs(value.items, most)
        case Iterated():
            yield from _joined("Iterated(items=(", value.items, "))", most)
        case Array():
            yield "Array(items="
            yield from _pieces(value.items, most)
            yield ")"
        case _:
            yield readable(value)


def _joined(start: str, items: Iterable[Any], end: str, most: int) -> Iterator[str]:
    yield start
    for position, item in enumerate(items):
        if position:
            yield ", "
        yield from _pieces(item, most)
    yield end


def _pairs(items: Iterable[tuple[Any, Any]], most: int) -> Iterator[str]:
    yield "{"
    for position, (key, value) in enumerate(items):
        if position:
            yield ", "
        yield from _pieces(key, most)
        yield ": "
        yield from _pieces(value, most)
    yield "}"

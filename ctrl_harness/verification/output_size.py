"""How large an output limit has to be, so that it refuses no right program.

`output_mb` bounds what a program prints or returns. It is no part of a task: a program whose output
is as large as the expected one is never stopped by it.
"""

from __future__ import annotations

import json
import re
import weakref
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Array, Iterated
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase, TestCase
from ctrl_harness.verification.digest import largest_case

_MIB = 1 << 20
_MARGIN = 2.0
"""Blanks at the ends of lines, `\\r\\n`, tuples for lists: what comparators do not look at."""
_MARGIN_BYTES = 1 << 10
_DIGITS = 20
"""What a float may take more than the expected one: all of its digits."""
_DECIMAL_POINT = re.compile(r"\d\.\d")
_CONTAINER, _SCALAR, _FLOAT = 16, 24, 28
_MOST_PER_CHAR = _DIGITS + 1
"""No character of a case's JSON stands for more bytes of output."""


class _Known(NamedTuple):
    problem: weakref.ref[Problem]
    size: int


_KNOWN: dict[int, _Known] = {}
"""By the problem's identity; goes with the problem."""


def with_room(limits: Limits, problem: Problem) -> Limits:
    """The limits, `output_mb` raised where an expected value of the problem needs more."""
    output_mb = _room_mb(_MOST_PER_CHAR * largest_case(problem))
    if output_mb > limits.output_mb:  # hardly ever, so that sizes are taken of few problems
        output_mb = _room_mb(_largest_expected(problem))
    return replace(limits, output_mb=output_mb) if output_mb > limits.output_mb else limits


def _room_mb(size: int) -> float:
    return (_MARGIN * size + _MARGIN_BYTES) / _MIB if size else 0.0


def _largest_expected(problem: Problem) -> int:
    known = _KNOWN.get(id(problem))
    if known is None or known.problem() is not problem:
        size = max(map(size_of_case, problem.cases), default=0)
        forget = partial(_forget, id(problem))
        known = _KNOWN[id(problem)] = _Known(weakref.ref(problem, forget), size)
    return known.size


def _forget(key: int, gone: weakref.ref[Problem]) -> None:
    known = _KNOWN.get(key)
    if known is not None and known.problem is gone:
        del _KNOWN[key]


def size_of_case(case: TestCase) -> int:
    """Bytes of the expected output. A value that a reference program computes has none here: it
    runs under the limit that holds for the program too.
    """
    match case:
        case StdioCase(stdout=text):
            decimals = sum(1 for _ in _DECIMAL_POINT.finditer(text))
            return len(text.encode("utf-8", "surrogatepass")) + _DIGITS * decimals
        case CallCase(expected=value):
            return size_of_value(value)
    return 0


def size_of_value(value: Any) -> int:
    """An upper bound of the bytes of guest.py's JSON, and of its 8 bytes a value."""
    size = 0
    values = [value]
    while values:
        match values.pop():
            case str() as text:
                size += _SCALAR + _size_of_text(text)
            case float():
                size += _FLOAT
            case bool() | None:
                size += _SCALAR
            case int() as number:
                size += _SCALAR + number.bit_length() // 4
            case list() | tuple() | set() | frozenset() as members:
                size += _CONTAINER
                values.extend(members)
            case dict() as pairs:
                size += _CONTAINER + 4 * len(pairs)
                values.extend(pairs.keys())
                values.extend(pairs.values())
            case bytes() as data:
                size += _SCALAR + 2 * len(data)
            case complex():
                size += 3 * _FLOAT
            case Iterated(items) | Members(items):
                size += _CONTAINER
                values.extend(items)
            case Array(items):
                size += _CONTAINER
                values.append(items)
            case Pairs(items):
                size += _CONTAINER + 4 * len(items)
                values.extend(item for pair in items for item in pair)
            case Decimal() as number:
                size += _SCALAR + number.__sizeof__() * 3
            case Fraction() as number:
                bits = number.numerator.bit_length() + number.denominator.bit_length()
                size += _SCALAR + bits // 4
    return size


def _size_of_text(text: str) -> int:
    if len(text) < _SCALAR:
        return 6 * len(text)
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))

"""The `default` comparator: what we hold for equal, on text and on values."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from decimal import Context, Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Iterated, Opaque
from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.oracle import by_oracle, plain

TOLERANCE = 1e-6
"""Absolute or relative, whichever is met: what CodeContests' floating-point problems ask for."""

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?\Z")
_ZERO_TO_A_POWER = re.compile(r"[+-]?0+[eE][0-9]+\Z")
"""0e12: a word of hexadecimal digits. What prints zero as a number writes no such exponent."""
_MAX_NUMBER_CHARS = 400
_EXACT = Context(prec=2 * _MAX_NUMBER_CHARS, traps=[])
_TOLERANCE = Decimal("1e-6")


# -- text


def tokens_equal(output: str, expected: str) -> bool:
    """Equal token by token, tokens being what ASCII white space (line ends too) separates.

    Case matters. Integers are exact at any size. Numbers with a point or an exponent are equal
    within TOLERANCE; an integer is expected to be met within TOLERANCE absolute, so that 3.0
    answers 3 but no rounding of a large integer does. Where a word such as 0e12 is expected, only
    that word answers it.
    """
    # bytes, as str.split() separates at a no-break space too, which is text like any other sign
    want = expected.encode("utf-8", "surrogatepass").split()
    # no more than are wanted: an output of millions of words takes gigabytes in pieces
    got = output.encode("utf-8", "surrogatepass").split(None, len(want))
    if got == want:
        return True
    return len(got) == len(want) and all(map(_token_bytes_equal, got, want))


def _token_bytes_equal(got: bytes, want: bytes) -> bool:
    if got == want:
        return True
    return _token_equal(got.decode("utf-8", "replace"), want.decode("utf-8", "replace"))


def _token_equal(got: str, want: str) -> bool:
    got_is_integer, want_is_integer = bool(_INTEGER.match(got)), bool(_INTEGER.match(want))
    if got_is_integer and want_is_integer:
        return _canonical_integer(got) == _canonical_integer(want)
    if max(len(got), len(want)) > _MAX_NUMBER_CHARS:
        return False
    if not (_NUMBER.match(got) and _NUMBER.match(want)) or _ZERO_TO_A_POWER.match(want):
        return False
    if any(_INTEGER.match(token) and _has_leading_zero(token) for token in (got, want)):
        return False
    if want_is_integer:
        return _difference(got, want) <= _TOLERANCE
    got_float, want_float = float(got), float(want)
    if math.isinf(got_float) or math.isinf(want_float):  # 1e400 is no infinity
        return _difference(got, want) <= _EXACT.multiply(_TOLERANCE, Decimal(want).copy_abs())
    return floats_close(got_float, want_float)


def _has_leading_zero(integer: str) -> bool:
    """0101 is a string of digits, not the number 101."""
    digits = integer.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0"


def _canonical_integer(text: str) -> str:
    """One spelling an integer: no plus sign, no negative zero."""
    if _has_leading_zero(text):
        return text
    text = text.lstrip("+")
    return "0" if text == "-0" else text


def _difference(got: str, want: str) -> Decimal:
    """|got - want| without rounding either, which floats would above 2^53."""
    return _EXACT.subtract(Decimal(got), Decimal(want)).copy_abs()


def floats_close(got: float, want: float, tolerance: float = TOLERANCE) -> bool:
    """Within `tolerance` absolute or relative to `want`; nan equals nan, inf only itself."""
    if math.isnan(got) or math.isnan(want):
        return math.isnan(got) and math.isnan(want)
    if math.isinf(got) or math.isinf(want):
        return got == want
    return abs(got - want) <= tolerance * max(1.0, abs(want))


# -- values


def values_equal(value: Any, case: CallCase) -> bool:
    """The `default` equality of a returned value: lists and tuples alike, floats within TOLERANCE,
    integers exact, strings to the letter, sets and dicts by content."""
    return by_oracle(value, case, _equal_or_close)


def _equal_or_close(got: Any, want: Any) -> bool:
    try:
        if bool(got == want):  # what Python holds for equal is so here; large lists take no time
            return True
    except RecursionError:
        pass
    return _loosely_equal(got, want)


def _loosely_equal(got: Any, want: Any) -> bool:
    got, want = plain(got), plain(want)
    if isinstance(got, Opaque):
        return False
    if isinstance(got, Iterated) or isinstance(want, Iterated):
        # an iterator is met by an iterator only; one is expected where a reference returns it
        return (
            isinstance(got, Iterated)
            and isinstance(want, Iterated)
            and _loosely_equal(got.items, want.items)
        )
    if isinstance(want, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(want)
            and all(map(_loosely_equal, got, want))
        )
    if isinstance(want, dict):
        if isinstance(got, Pairs):
            beside = got.beside(want)
            return beside is not None and all(_loosely_equal(one, other) for one, other in beside)
        return (
            isinstance(got, dict)
            and len(got) == len(want)
            and all(key in got and _loosely_equal(got[key], want[key]) for key in want)
        )
    if isinstance(want, (set, frozenset)):
        if not isinstance(got, (set, frozenset, Members)):
            return False
        return got == want or _sets_close(got, want)
    return _scalars_equal(got, want)


def _sets_close(got: Iterable[Any], want: Collection[Any]) -> bool:
    """Sets of numbers, matched in order of size."""
    numbers = (int, float)
    if not all(isinstance(item, numbers) for items in (got, want) for item in items):
        return False
    def by_size(number: float) -> tuple[bool, float]:
        return (number != number, number)  # nan has no place among numbers: last

    in_order = sorted(got, key=by_size)
    if isinstance(got, Members):  # in which one may be there several times
        in_order = [number for number, _ in groupby(in_order)]
    return len(in_order) == len(want) and all(
        map(_scalars_equal, in_order, sorted(want, key=by_size))
    )


def _scalars_equal(got: Any, want: Any) -> bool:
    if isinstance(want, (str, bytes)) or want is None:
        return type(got) is type(want) and bool(got == want)
    exact = (bool, int, Fraction, Decimal)
    inexact = (float, complex)
    if isinstance(got, exact) and isinstance(want, exact):
        return bool(got == want)
    if not isinstance(got, exact + inexact) or not isinstance(want, exact + inexact):
        return False
    if isinstance(want, int) and isinstance(got, float):
        # an exact integer is not met by a float that rounds to it
        return math.isfinite(got) and abs(Fraction(got) - want) <= Fraction(1, 10**6)
    try:
        if isinstance(got, complex) or isinstance(want, complex):
            got, want = complex(got), complex(want)
            return floats_close(got.real, want.real) and floats_close(got.imag, want.imag)
        return floats_close(float(got), float(want))
    except OverflowError:
        return False

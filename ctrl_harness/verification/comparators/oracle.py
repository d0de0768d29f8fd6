"""What a row itself says of its expected value, before any comparator's own equality."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Array, Fingerprint, Iterated, Opaque, can_hash
from ctrl_harness.problems.problem import CallCase, OracleKind


def by_oracle(value: Any, case: CallCase, equal: Callable[[Any, Any], bool]) -> bool:
    """Applies the relation the row itself defines before the comparator's own equality."""
    if (asserted := _ASSERTED.get(case.oracle)) is not None:
        return asserted(value, case)
    if isinstance(value, Fingerprint):
        return bool(value == case.expected)
    if case.oracle == "is_not_none":
        # MBPP+ rows whose reference returns a match object: only its presence is expected
        found = value if isinstance(value, bool) else value is not None
        return bool(found == case.expected)
    if case.oracle == "any_of":
        return any(equal(value, right) for right in case.expected)
    if case.oracle == "set":
        try:
            return equal(_as_set(value), set(_plain_items(case.expected)))
        except (TypeError, ValueError):
            return False
    return equal(value, case.expected)


def _returns(_: Any, __: CallCase) -> bool:
    return True


def _identical(value: Any, case: CallCase) -> bool:
    """`f(x) is True`, where 1 is not True."""
    return type(value) is type(case.expected) and bool(value == case.expected)


def _truth(value: Any, case: CallCase) -> bool:
    """`f(x)` or `not f(x)`; of an object that has no plain form it is not asked."""
    match value:
        case Opaque() | Fingerprint():
            return bool(case.expected)
        case Iterated():
            return bool(bool(value.items) == case.expected)
        case Array():
            items: Any = value.items
            while isinstance(items, (list, tuple)) and len(items) == 1:
                items = items[0]
            if isinstance(items, (list, tuple)):
                return False  # numpy has no word on the truth of several values, or of none
            return bool(bool(items) == case.expected)
    return bool(bool(value) == case.expected)


def _within(value: Any, case: CallCase) -> bool:
    """`abs(f(x) - expected) <= atol`"""
    value = plain(value)
    try:
        return isinstance(value, _NUMBERS) and bool(abs(value - case.expected) <= case.atol)
    except (TypeError, ArithmeticError):  # a Decimal less a float, an integer too large for one
        return False


def _isclose(value: Any, case: CallCase) -> bool:
    """`math.isclose(f(x), expected, rel_tol=rtol, abs_tol=atol)`"""
    value = plain(value)
    try:
        return isinstance(value, _REALS) and math.isclose(
            value, case.expected, rel_tol=case.rtol, abs_tol=case.atol
        )
    except (TypeError, ValueError, OverflowError):
        return False


_REALS = (int, float, Fraction, Decimal)
_NUMBERS = (*_REALS, complex)
_ASSERTED: Mapping[OracleKind, Callable[[Any, CallCase], bool]] = {
    "returns": _returns,
    "identical": _identical,
    "truth": _truth,
    "within": _within,
    "isclose": _isclose,
}
"""Relations that hold whatever the comparator."""


def _as_set(value: Any) -> set[Any] | Members:
    """Members where a set may take long to make. Raises TypeError where Python's set() would."""
    if isinstance(value, (set, frozenset, Members)):
        return value if isinstance(value, Members) else set(value)
    items = value.items if isinstance(value, (Iterated, Array)) else value
    if isinstance(items, Pairs):
        items = [key for key, _ in items.items]
    items = list(items)
    return set(items) if can_hash(items) else Members(items)


def _plain_items(expected: Any) -> Any:
    return expected.items if isinstance(expected, (Iterated, Array)) else expected


def plain(value: Any) -> Any:
    """An array as the lists it stands for."""
    return value.items if isinstance(value, Array) else value

"""The `evalplus` comparator: MBPP+'s own rule for values. Text is compared as by `default`."""

from __future__ import annotations

import math
from typing import Any

from ctrl_harness.execution.wire import Array
from ctrl_harness.problems.evalplus_relations import is_floats
from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.oracle import by_oracle


def evalplus_equal(value: Any, case: CallCase) -> bool:
    """EvalPlus's rule: Python's ==, and where that fails numbers within rtol 1e-7 and an atol.

    The atol is the case's, or 1e-6 where that is 0 and floats are expected; within it, the value
    has to be of the very type that is expected (evalplus 0.3.1, eval/__init__.py, 159-240). Unlike
    numpy's broadcasting, which lets [[1, 1]] equal [[1]], shapes must agree.
    """
    atol = case.atol
    if atol == 0 and is_floats(case.expected):
        atol = 1e-6

    def equal(got: Any, want: Any) -> bool:
        if isinstance(got, Array) and not isinstance(want, Array):
            return _array_equal(got, want)
        try:
            if bool(got == want):
                return True
        except RecursionError:
            return False
        return atol != 0 and _close(got, want, atol)

    if by_oracle(value, case, equal):
        return True
    # a set that is not the same one is compared once more, as the list that it was made of
    is_list = case.oracle == "set" and isinstance(value, (list, tuple))
    return is_list and atol != 0 and _close(value, case.expected, atol)


def _array_equal(array: Array, want: Any) -> bool:
    """numpy's == has a truth for one value alone; a list of several, in an array, is refused."""
    try:
        (got,) = _flat(array.items)
        (one,) = _flat(want)
    except ValueError:
        return False
    return bool(got == one)


def _flat(items: Any) -> list[Any]:
    if isinstance(items, (list, tuple)):
        return [leaf for item in items for leaf in _flat(item)]
    return [items]


def _close(got: Any, want: Any, atol: float) -> bool:
    return type(got) is type(want) and _allclose(got, want, atol)


def _allclose(got: Any, want: Any, atol: float, in_array: bool = False) -> bool:
    if isinstance(want, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(want)
            and all(_allclose(g, w, atol, True) for g, w in zip(got, want, strict=True))
        )
    numeric = (bool, int, float, complex)
    if not isinstance(got, numeric) or not isinstance(want, numeric):
        return False
    if in_array and any(isinstance(n, int) and not -(2**63) <= n < 2**64 for n in (got, want)):
        return False  # an array of numpy has no such number
    try:
        if isinstance(got, complex) or isinstance(want, complex):
            return abs(complex(got) - complex(want)) <= atol + 1e-7 * abs(complex(want))
        plain_got, plain_want = float(got), float(want)
    except OverflowError:
        return False
    if math.isinf(plain_got) or math.isinf(plain_want):
        return plain_got == plain_want
    return abs(plain_got - plain_want) <= atol + 1e-7 * abs(plain_want)

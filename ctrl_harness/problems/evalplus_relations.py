"""What EvalPlus's evaluation of MBPP+ knows beside its rows: which answers of a task are right.

Source: evalplus 0.3.1, eval/_special_oracle.py and eval/__init__.py (`unsafe_execute`). The rows on
the Hugging Face Hub were made before some of it. A row's own relation (order-free, not None) says
the same wherever it states one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ctrl_harness.problems.problem import FROM_REFERENCE, CallCase

_FLOAT_ATOL = 1e-6
_RELATIONS_OF_ROWS = ("equal", "set", "is_not_none")
_ORDER_FREE = frozenset(
    {
        "similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly",
        "larg_nnum", "intersection_array", "find_dissimilar", "Diff",
    }
)  # fmt: skip
"""Mbpp/2, 7, 111, 140, 232, 249, 579 and 769."""
_ANY_ANSWER = frozenset({"are_equivalent"})
"""Mbpp/164, whose reference is wrong: only that the call returns counts."""


def with_evalplus_relations(cases: Sequence[CallCase], n_base: int) -> tuple[CallCase, ...]:
    """The cases of a task, with EvalPlus's relations and tolerances.

    n_base: how many of them are its base tests. They and the others are two runs, and in each an
    absolute tolerance of 1e-6 holds from the first float, or list of floats, that is expected.
    """
    return (*_with_tolerance(cases[:n_base]), *_with_tolerance(cases[n_base:]))


def _with_tolerance(run: Sequence[CallCase]) -> Iterator[CallCase]:
    sticks = False
    for case in run:
        if case.oracle not in _RELATIONS_OF_ROWS:  # an assert's, which is all that it says
            yield case
            continue
        sticks = sticks or is_floats(case.expected)
        atol = _FLOAT_ATOL if sticks and case.atol == 0 else case.atol
        yield replace(_with_relation(case), atol=atol)


def is_floats(expected: Any) -> bool:
    """EvalPlus's `is_floats`: a float, or a list or tuple of at least one and nothing else."""
    if isinstance(expected, float):
        return True
    return (
        isinstance(expected, (list, tuple))
        and bool(expected)
        and all(isinstance(item, float) for item in expected)
    )


def _with_relation(case: CallCase) -> CallCase:
    if case.expected is FROM_REFERENCE or case.oracle != "equal":
        return case
    if case.function in _ORDER_FREE:
        return replace(case, oracle="set")
    if case.function in _ANY_ANSWER:
        return replace(case, oracle="returns")
    if (also := _ALSO_RIGHT.get(case.function)) is not None:
        try:
            return replace(case, oracle="any_of", expected=(case.expected, also(*case.args)))
        except (TypeError, ValueError, OverflowError):  # inputs that EvalPlus's rows do not have
            return case
    return case


def _no_divisors(*_: Any) -> int:
    """Mbpp/295: the sum of divisors may be 0 where the reference counts what is none."""
    return 0


def _pyramid_by_height(base: float, height: float) -> int:
    """Mbpp/581: the surface where the height is the apex's above the base, and not the slant's."""
    slant = math.sqrt((base / 2) ** 2 + height**2)
    return round(base**2 + 2 * base * slant)


def _padded_distance(first: int, second: int) -> int:
    """Mbpp/558: the digits' distance where the shorter number is filled with zeros in front."""
    width = max(len(str(first)), len(str(second)))
    digits = zip(str(first).zfill(width), str(second).zfill(width), strict=True)
    return sum(abs(int(one) - int(other)) for one, other in digits)


_ALSO_RIGHT: Mapping[str, Callable[..., Any]] = {
    "sum_div": _no_divisors,
    "surface_Area": _pyramid_by_height,
    "digit_distance_nums": _padded_distance,
}
"""By function: a second right answer to the arguments of a call."""

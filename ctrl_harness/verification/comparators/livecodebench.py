"""The `livecodebench` comparator: LiveCodeBench's own rules for text and for values.

Source: lcb_runner/evaluation/testing_util.py, `grade_stdio` and `grade_call_based`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.oracle import by_oracle


def livecodebench_lines_equal(output: str, expected: str) -> bool:
    """Outer white space aside, as many lines, each equal without its own outer white space.

    A line that differs must hold numbers alone, as many on both sides and equal as decimals, to the
    last digit: 1.50 answers 1.5, but 0.333333 does not answer 0.333333333.
    """
    want = expected.strip().split("\n")
    got = output.strip().split("\n", len(want))
    return len(got) == len(want) and all(map(_line_equal, got, want))


def _line_equal(got: str, want: str) -> bool:
    got, want = got.strip(), want.strip()
    if got == want:
        return True
    want_words = want.split()
    got_words = got.split(None, len(want_words))
    return len(got_words) == len(want_words) and all(map(_decimals_equal, got_words, want_words))


def _decimals_equal(got: str, want: str) -> bool:
    try:
        return Decimal(got) == Decimal(want)
    except InvalidOperation:  # no number, or a signalling nan, which compares with nothing
        return False


def livecodebench_values_equal(value: Any, case: CallCase) -> bool:
    """Python's ==, after a tuple at the top (none deeper) was made a list; floats are exact."""
    return by_oracle(value, case, _equal)


def _equal(got: Any, want: Any) -> bool:
    try:
        return bool((list(got) if isinstance(got, tuple) else got) == want)
    except RecursionError:
        return False

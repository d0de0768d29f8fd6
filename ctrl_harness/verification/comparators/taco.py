"""The `taco` comparator: the rules of TACO's own evaluation, for text and for values.

Source: FlagOpen/TACO, metrics/testing_util.py, `compare_std_results` and `execute_cb_code`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.oracle import by_oracle

_LINE = re.compile(r"\S[^\n]*")
"""One that is not blank, without the white space before it."""
_MAX_REPEATED = 1 << 16


def taco_lines_equal(output: str, expected: str) -> bool:
    """Equal but for outer white space, or the same lines in any order.

    Lines are compared to the letter without their outer white space, blank ones not at all. TACO's
    code means to do so, but takes words for lines and characters for words, so that it finds lines
    in another order only where each is one character. Here it holds for any line, and whatever
    TACO's code accepts is accepted too, by mistake or not: 12 answers "1 2".
    """
    if output.strip() == expected.strip():
        return True
    want = [line.strip() for line in expected.split("\n") if line]
    return (
        _same_lines(output, want)
        or _characters_are_lines(output, want)
        or _characters_are_words(output, want)
    )


def _same_lines(output: str, want: list[str]) -> bool:
    missing = Counter(line for line in want if line)
    for match in _LINE.finditer(output):  # one by one, for there may be millions
        line = match[0].rstrip()
        if not missing[line]:
            return False
        missing[line] -= 1
    return not missing.total()


def _characters_are_lines(output: str, want: list[str]) -> bool:
    """TACO's comparison of numbers, by numpy's allclose: a digit of the output for each line."""
    if len(output) != len(want):
        return False
    try:
        return all(map(_all_close, map(float, output), map(float, want)))
    except ValueError:
        return False


def _all_close(got: float, want: float) -> bool:
    return math.isfinite(want) and abs(got - want) <= 1e-8 + 1e-5 * abs(want)


def _characters_are_words(output: str, want: list[str]) -> bool:
    """TACO's comparison of sets: the characters of each word, the words of each expected line.

    If all of them are numbers, they are rounded to three digits. An output of more than
    _MAX_REPEATED characters that has 16 times those of the expected one is not looked at.
    """
    if len(output) > max(_MAX_REPEATED, 16 * sum(map(len, want))):
        return False
    words = set(output.split())
    want_sets = {frozenset(line.split()) for line in want}
    if set(map(frozenset, words)) == want_sets:
        return True
    try:
        digit = {character: float(character) for character in set().union(*words)}
        want_numbers = {frozenset(round(float(w), 3) for w in line) for line in want_sets}
    except ValueError:
        return False
    return want_numbers == {frozenset(map(digit.__getitem__, word)) for word in words}


def taco_values_equal(value: Any, case: CallCase) -> bool:
    """Python's ==, after a tuple at the top was made a list, with the expected value or with its
    first item, since TACO's rows may hold the value itself or a list of it; floats are exact."""
    return by_oracle(value, case, _equal)


def _equal(got: Any, want: Any) -> bool:
    got = list(got) if isinstance(got, tuple) else got
    try:
        if bool(got == want):
            return True
        if not isinstance(want, list) or not want:
            return False
        if bool(got == want[0]):
            return True
        of_tuples = isinstance(got, list) and bool(got) and isinstance(got[0], tuple)
        return of_tuples and bool([list(item) for item in got] == want[0])
    except (RecursionError, TypeError):  # TypeError: an item that is no sequence
        return False

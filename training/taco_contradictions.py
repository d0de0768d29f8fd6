"""Tests of a TACO row that contradict each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ctrl_harness.problems.problem import CallCase, StdioCase, TestCase
from ctrl_harness.verification.comparators import get_comparator


def consistent(cases: Sequence[TestCase], left_out: Counter[str]) -> tuple[TestCase, ...]:
    """Without those that no program passes together: of one input and different outputs."""
    by_input: dict[str, list[TestCase]] = {}
    for case in cases:
        key = case.stdin if isinstance(case, StdioCase) else case.as_json()["args_repr"]
        by_input.setdefault(key, []).append(case)
    refused = {
        id(case)
        for alike in by_input.values()
        if len(alike) > 1 and not all(_agree(alike[0], other) for other in alike[1:])
        for case in alike
    }
    if refused:
        left_out["the same input has different outputs"] += len(refused)
    return tuple(case for case in cases if id(case) not in refused)


def _agree(one: TestCase, other: TestCase) -> bool:
    rule = get_comparator("default")
    if isinstance(one, StdioCase) and isinstance(other, StdioCase):
        return rule.text_equal(one.stdout, other.stdout)
    assert isinstance(one, CallCase) and isinstance(other, CallCase)
    return rule.value_equal(one.expected, other)

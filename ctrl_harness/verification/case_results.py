"""From the runs of one program to its results, by a comparator and within a budget.

What a program printed and returned is hostile: reading it takes this process's time and memory.
All that is done with it takes time linear in it; an output far larger than the expected one is not
read at all; and what is more than twice the expected ones counts against a budget that the program
has for all of its cases. A program that exceeds it is at its output limit.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ctrl_harness.execution.executor import Run
from ctrl_harness.execution.outcomes import read_payload
from ctrl_harness.execution.wire import Fingerprint, Payload, WireError, decode_value
from ctrl_harness.problems.problem import CallCase, ScriptCase, StdioCase, TestCase
from ctrl_harness.verification.comparators import Comparator
from ctrl_harness.verification.output_size import size_of_case
from ctrl_harness.verification.preview import preview
from ctrl_harness.verification.verdict import CaseResult, Status

_BUDGET_BYTES = 8 << 20
_SMALL_BYTES = 4 << 10
"""A result of so many bytes costs nothing."""
_ROOM_BYTES, _ROOM_OF_A_SET_BYTES = 256 << 10, 2 << 20
"""What a result may have beside twice the expected one: Fractions of many digits, say, where a
float is expected, or members that a set counts once."""
_UNREAD = 32
"""An output that is not read, or read once from its beginning to its end, costs this fraction."""
_LARGER = "the result is larger than any right one"
_TOO_MUCH = "the tests printed or returned more than is read of one program"
_NO_ASSERTION = "the tests ran to their end, but with this program they evaluated no assertion"
_PREVIEW_CHARS = 2_000
_TRUE = re.compile(rb'"|\[|\{"(?:t|d|s|fs|it|b)":')
"""How the JSON of a large value begins that is true in Python whatever it holds."""
_NOT_ITSELF = re.compile(rb'nan|"o"|"D"|"nd"', re.IGNORECASE)
"""Stands in the JSON of each value that does not equal itself, or that no rule compares by ==."""
_PLAIN_RULES = frozenset(("default", "evalplus"))
"""Under these, values that are equal in Python are equal."""


class CaseResults:
    """The results of one program's cases, one after the other."""

    def __init__(self, rule: Comparator) -> None:
        self._rule = rule
        self._budget = float(_BUDGET_BYTES)
        self.exceeded = False
        """The budget is spent: nothing more is read of this program."""
        self._unsettled: list[tuple[int, CallCase]] = []
        self._unsettled_bytes = 0

    def of(self, index: int, case: TestCase, run: Run) -> CaseResult:
        """index: the case's position in its problem."""
        status: Status
        error, output = run.error, ""
        if run.status == "ok":
            if isinstance(case, CallCase):
                status, error, output = self._compare_value(run.value, case)
            else:
                status, error, output = self._compare(case, run)
            if self.exceeded:
                status, error = "output_limit", _TOO_MUCH
        elif isinstance(case, ScriptCase) and _assertion_failed(run.error):
            status = "wrong_answer"
        else:
            status = run.status
        return CaseResult(index, status, run.time_s, run.memory_mb, error, output)

    def _compare(self, case: StdioCase | ScriptCase, run: Run) -> tuple[Status, str, str]:
        """Status, error and the beginning of the output."""
        if isinstance(case, StdioCase):
            self._spend((len(run.stdout) - 2 * len(case.stdout)) / _UNREAD)
            right = self._rule.text_equal(run.stdout, case.stdout)
            return _status(right), run.error, run.stdout[:_PREVIEW_CHARS]
        held = read_payload(run).value  # how many assertions; from a server it is not read yet
        return ("accepted", "", "") if held else ("wrong_answer", _NO_ASSERTION, "")

    def _compare_value(self, value: Any, case: CallCase) -> tuple[Status, str, str]:
        """The same for a call."""
        if case.oracle == "returns":
            return "accepted", "", _beginning(value)
        expected = case.expected
        data = None
        if isinstance(value, Payload):
            data = value.data
            if isinstance(expected, Payload) and self._is_same(value, case):
                return "accepted", "", _beginning(value)
            if len(data) > _SMALL_BYTES and self._is_too_large(data, case):
                return *self._of_large(data, case), _beginning(value)
            try:
                value = value.read()
            except WireError as malformed:
                return "runtime_error", str(malformed), ""
        if isinstance(expected, Payload):
            case = replace(case, expected=decode_value(expected.data))
        if isinstance(value, Fingerprint) and not isinstance(case.expected, Fingerprint):
            return "output_limit", _LARGER, ""
        right = self._rule.value_equal(value, case)
        return _status(right), "", preview(value, _PREVIEW_CHARS, data)

    def _is_same(self, value: Payload, case: CallCase) -> bool:
        """Whether the result is surely right, since the reference program's has the same JSON."""
        return (
            isinstance(case.expected, Payload)
            and case.oracle == "equal"
            and self._rule.name in _PLAIN_RULES
            and value.data == case.expected.data
            and _NOT_ITSELF.search(value.data) is None
        )

    # -- the budget

    def _is_too_large(self, payload: bytes, case: CallCase) -> bool:
        """Whether the result is larger than any right one, or the budget too small for it.

        Not to be asked of a small one.
        """
        room = _ROOM_OF_A_SET_BYTES if case.oracle == "set" else _ROOM_BYTES
        if len(payload) > room and (more := len(payload) - 2 * _expected_size(case)) > room:
            self._spend(more / _UNREAD)
            return True
        self._unsettled.append((len(payload), case))
        self._unsettled_bytes += len(payload)
        if self._unsettled_bytes > self._budget:  # sizes are taken of few programs
            for size, settled in self._unsettled:
                self._spend(size - 2 * _expected_size(settled))
            self._unsettled.clear()
            self._unsettled_bytes = 0
        return self.exceeded

    def _spend(self, amount: float) -> None:
        if amount > 0:
            self._budget -= amount
            self.exceeded = self._budget < 0

    def _of_large(self, payload: bytes, case: CallCase) -> tuple[Status, str]:
        """Status and error of a result that is not read."""
        known_true = case.oracle == "is_not_none" or (
            case.oracle == "truth" and _TRUE.match(payload) is not None
        )
        if known_true and case.expected is True:
            return "accepted", ""
        if case.oracle in ("set", "truth") and not known_true:
            return "output_limit", _LARGER
        return "wrong_answer", _LARGER


def _expected_size(case: CallCase) -> int:
    """Bytes of the expected result's JSON."""
    expected = case.expected
    return len(expected.data) if isinstance(expected, Payload) else size_of_case(case)


def _status(right: bool) -> Status:
    return "accepted" if right else "wrong_answer"


def _beginning(value: Any) -> str:
    """Of a result that need not be read."""
    if not isinstance(value, Payload):
        return preview(value, _PREVIEW_CHARS)
    if len(value.data) <= _SMALL_BYTES:
        try:
            return preview(value.read(), _PREVIEW_CHARS, value.data)
        except WireError as malformed:
            return str(malformed)
    return value.data[:_PREVIEW_CHARS].decode("utf-8", "replace")


def _assertion_failed(error: str) -> bool:
    """A script's own assert did not hold, which is a wrong answer and no crash."""
    # not the last line alone: the assert's own message may have several
    return any(line.startswith("AssertionError") for line in error.splitlines())

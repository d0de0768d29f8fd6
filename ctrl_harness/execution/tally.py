"""Counts the assertions of test code while it runs, beside the program.

Its text travels with a script (see script_job.py), whose marks call it. It proves that assertions
were evaluated and held, against programs that come to an early end or make a loop empty; a
program that is bent on it can change any count in its own process.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_exception_now = sys.exc_info


class Tally:
    """held: assertions evaluated that were true. failed: those that were not, caught or not."""

    def __init__(self) -> None:
        self.held = self.failed = self._open = 0
        self._last: object = None

    def must(self, value: object) -> bool:
        """The condition of an `assert`."""
        if value:
            self.held += 1
            return True
        self.failed += 1
        self._last = AssertionError
        return False

    def may(self, value: object) -> bool:
        """The condition of an `if` that is true where a test holds."""
        truth = bool(value)
        self.held += truth
        return truth

    def unless(self, value: object) -> bool:
        """The condition of an `if` that is true where a test has failed."""
        truth = bool(value)
        self.held += not truth
        return truth

    def either(self, value: _T) -> _T:
        """What `ok or fail()` begins with, whose value may be wanted."""
        self.held += bool(value)
        return value

    def neither(self, value: _T) -> _T:
        """The same for `bad and fail()`."""
        self.held += not value
        return value

    def evaluated(self, value: _T) -> _T:
        """What is matched, looped over or returned, so that a failure is an exception next."""
        self.held += 1
        self._open += 1
        return value

    def passed(self) -> None:
        """The body of a `try` that must not raise has not."""
        self.held += 1

    def failure(self, value: _T) -> _T:
        """What says that a test has failed: the exception to raise, the function to call."""
        self.failed += 1
        self._last = value
        return value

    def thrown(self, value: _T) -> _T:
        """The same, or an exception that the program is to catch.

        What caught it may keep it to itself, so a check that can end in it did not hold.
        """
        if self._open:
            self._open -= 1
            self.held -= 1
        self._last = value
        return value

    def raised(self) -> None:
        """The body of a `try` that must raise did, unless by its own word of failure."""
        kind, error, _ = _exception_now()
        if self._last is not None and (error is self._last or kind is self._last):
            self.failed += 1
        else:
            self.held += 1

    def forgive(self) -> None:
        """A failure was caught by what goes on to assert something else."""
        self.failed = max(0, self.failed - 1)

    def call(self, assertion: Callable[..., Any]) -> Callable[..., Any]:
        """Somebody's assertion, as `self.assertEqual`."""

        def counted(*arguments: Any, **keywords: Any) -> Any:
            try:
                result = assertion(*arguments, **keywords)
            except BaseException:
                self.failed += 1
                raise
            self.held += 1
            return result

        return counted

    def block(self, manager: Any) -> _Block:
        """A context manager that asserts what its block does, as `self.assertRaises(…)`."""
        return _Block(self, manager)

    def watch_unittest(self) -> None:
        """Failures that a runner keeps to itself count; `unittest.main` reports and comes back."""
        import unittest

        result, program = unittest.TestResult, unittest.TestProgram
        for name in ("addFailure", "addError", "addUnexpectedSuccess"):
            setattr(result, name, self._counting(getattr(result, name)))
        add_subtest, add_expected = result.addSubTest, result.addExpectedFailure

        def count_subtest(this: Any, test: Any, subtest: Any, error: Any) -> None:
            self.failed += error is not None
            add_subtest(this, test, subtest, error)

        def count_expected(this: Any, test: Any, error: Any) -> None:
            self.forgive()
            add_expected(this, test, error)

        def main(*arguments: Any, **keywords: Any) -> Any:
            ran = program(*arguments, **{**keywords, "exit": False})
            if ran.result.failures or ran.result.unexpectedSuccesses:
                raise AssertionError(_last_words(ran.result.failures))
            if ran.result.errors:
                raise RuntimeError(_last_words(ran.result.errors))
            return ran

        for owner, name, function in (
            (result, "addSubTest", count_subtest),
            (result, "addExpectedFailure", count_expected),
            (unittest, "main", main),
        ):
            setattr(owner, name, function)

    def _counting(self, add: Callable[..., None]) -> Callable[..., None]:
        def counted(*arguments: Any) -> None:
            self.failed += 1
            add(*arguments)

        return counted


def _last_words(reports: list[tuple[Any, str]]) -> str:
    """Which test it was, and the exception."""
    if not reports:
        return "a test succeeded that was to fail"
    test, text = reports[0]
    return f"{test}\n{text.strip().splitlines()[-1]}"


class _Block:
    def __init__(self, tally: Tally, manager: Any) -> None:
        self._tally, self._manager = tally, manager

    def __enter__(self) -> Any:
        return self._manager.__enter__()

    def __exit__(self, *raised: Any) -> Any:
        try:
            caught = self._manager.__exit__(*raised)
        except BaseException:
            self._tally.failed += 1
            raise
        if raised[0] is None or caught:
            self._tally.held += 1
        return caught

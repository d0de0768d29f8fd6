"""Syntax trees: many threads at once, and warnings."""

from __future__ import annotations

import ast
import contextlib
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import pytest

from ctrl_harness.integers import MAX_DIGITS, TooManyDigits
from ctrl_harness.syntax import parse_expression, parse_module, parse_program, parse_runnable

LONG = "def f(a, b=[1, (1, 2)]):\n    return [a + b for b in a]\n" * 200


class Garbage:
    """Only a collection frees it, and another thread may run meanwhile."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(3):
            pass


@pytest.fixture
def eager_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_depth(depth: int, do: Callable[[], object]) -> object:
    return at_depth(depth - 1, do) if depth else do()


def test_threads_that_read_code_at_once_do_not_disturb_each_other(eager_threads: None) -> None:
    """The others are libraries, which ask Python itself."""
    failures: list[Exception] = []
    trees: list[object] = []
    end = time.monotonic() + 1.5

    def read(depth: int) -> None:
        while time.monotonic() < end:
            for _ in range(20):
                Garbage()
            try:
                trees.append(at_depth(depth, lambda: len(parse_program(LONG).body)))
            except SystemError as error:
                failures.append(error)

    def read_as_others_do() -> None:
        while time.monotonic() < end:
            with contextlib.suppress(SystemError):
                ast.parse(LONG)

    threads = [threading.Thread(target=read, args=(depth,)) for depth in (0, 5, 10)]
    threads.append(threading.Thread(target=read_as_others_do))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert set(trees) == {200}


ESCAPE = 'x = "\\d" is "d"'


@pytest.mark.parametrize("read", [parse_program, parse_module, parse_runnable])
def test_code_is_read_without_a_warning(read: Callable[[str], object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(ESCAPE)
        read(ESCAPE)
        with pytest.raises(SyntaxError, match="invalid escape sequence"):
            compile(ESCAPE, "other.py", "exec")


def test_filters_are_not_put_back_in_one_thread_while_another_sets_them() -> None:
    with warnings.catch_warnings():
        parse_program("1")
        before = list(warnings.filters)
        parse_program(ESCAPE)
        assert warnings.filters == before


def test_integers_of_many_digits() -> None:
    digits = "7" * 5_000
    assert parse_expression(f" {digits} ").value % 1_000 == 777
    assert parse_module(digits).body[0].value.value % 1_000 == 777
    assert parse_program(digits).body[0].value.value == digits
    with pytest.raises(TooManyDigits):
        parse_expression("7" * (MAX_DIGITS + 1))


def test_what_only_the_compiler_refuses() -> None:
    assert parse_module("return 1")
    with pytest.raises(SyntaxError, match="outside function"):
        parse_runnable("return 1")

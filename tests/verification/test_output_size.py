"""An output limit refuses no program whose output is as large as the expected one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.guest import Reporter
from ctrl_harness.problems.problem import (
    FROM_REFERENCE,
    CallCase,
    Limits,
    Problem,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.output_size import size_of_value, with_room
from ctrl_harness.verification.verify import verify

needs_cells = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
SMALL = Limits(time_s=10.0, memory_mb=512, output_mb=0.25)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    made = EmbeddedExecutor(jobs=1)
    yield made
    anyio.run(made.aclose)


def problem_of(*cases: TestCase, **fields: Any) -> Problem:
    return Problem("p", "file", "", cases, limits=SMALL, **fields)


def status_of(executor: Executor, problem: Problem, program: str) -> str:
    async def judge() -> str:
        return (await verify(problem, program, executor=executor)).status

    return anyio.run(judge)


RIGHT = {
    "lines": (StdioCase("", "1234567\n" * 200_000), "print('1234567\\n' * 200_000, end='')"),
    "lines with a blank at their ends": (
        StdioCase("", "1\n" * 400_000),
        "print('1 \\r\\n' * 400_000, end='')",
    ),
    "all digits of floats": (
        StdioCase("", "0.5\n" * 100_000),
        "print('0.50000000000000003\\n' * 100_000)",
    ),
    "letters of other scripts": (StdioCase("", "語" * 400_000), "print('語' * 400_000)"),
    "a list": (CallCase("f", (), list(range(200_000))), "def f(): return list(range(200_000))"),
    "a tuple for a list": (
        CallCase("f", (), [[0]] * 100_000),
        "def f(): return tuple([(0,)] * 100_000)",
    ),
    "floats": (
        CallCase("f", (), [0.1] * 100_000),
        "def f(): return [0.1 + 1e-9 / 3] * 100_000",
    ),
    "a text of punctuation": (
        CallCase("f", (), "1,[" * 400_000),
        "def f(): return '1,[' * 400_000",
    ),
    "a text of controls": (
        CallCase("f", (), "\0\n" * 100_000),
        "def f(): return '\\0\\n' * 100_000",
    ),
    "a long integer": (CallCase("f", (), 1 << 4_000_000), "def f(): return 1 << 4_000_000"),
}


@needs_cells
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_is_accepted_however_small_the_limit(executor: Executor, name: str) -> None:
    case, program = RIGHT[name]
    assert status_of(executor, problem_of(case), program) == "accepted"


@needs_cells
@pytest.mark.parametrize(
    ("case", "program"),
    [
        (StdioCase("", "1\n" * 200_000), "while True: print('1')"),
        (CallCase("f", (), [1] * 50_000), "def f(): return [1] * 5_000_000"),
        (CallCase("f", (), 1), "def f():\n    print('x' * 400_000)\n    return 1"),
        (StdioCase("", "1\n"), "print('1\\n' * 200_000)"),
    ],
)
def test_much_more_than_that_is_an_output_limit(
    executor: Executor, case: TestCase, program: str
) -> None:
    assert status_of(executor, problem_of(case), program) == "output_limit"


@needs_cells
def test_a_value_of_the_reference_program_is_compared_however_large(executor: Executor) -> None:
    """Too large to be sent, it is known by its fingerprint, under the limit of the others too."""
    problem = problem_of(
        CallCase("f", (200_000,), FROM_REFERENCE),
        CallCase("f", (100_000,), list(range(100_000))),
        reference="def f(n): return list(range(n))",
    )
    assert status_of(executor, problem, "def f(n): return [*range(n)]") == "accepted"
    wrong = "def f(n): return [*range(n)] if n == 100_000 else [*range(n - 1), 0]"
    assert status_of(executor, problem, wrong) == "wrong_answer"


def test_the_limits_of_a_row_are_kept_where_they_have_room() -> None:
    cases = (StdioCase("", "yes\n"), CallCase("f", (), [1.5, "a"]))
    assert with_room(SMALL, problem_of(*cases)) is SMALL


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.integers(0, 20_000).map(lambda bits: 1 << bits)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers() | st.text(), inner)
        | st.sets(st.integers())
        | st.frozensets(st.text())
    ),
)


@given(values)
def test_a_value_of_the_expected_size_is_always_sent(value: Any) -> None:
    with tempfile.TemporaryFile(buffering=0) as stream:
        Reporter(stream.fileno(), size_of_value(value)).send_result(value)
        stream.seek(4)
        message = stream.read()
    assert message[:1] == b"R"
    assert not message.startswith(b'R{"big"')

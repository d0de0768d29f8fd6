"""What each comparator takes for equal: the lines of the peers' disagreements, and the odd ones."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.errors import UserError
from ctrl_harness.execution.guest import _Encoder
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.execution.wire import Array, Fingerprint, Iterated, Opaque, decode_value
from ctrl_harness.problems.problem import CallCase, Problem, ScriptCase, StdioCase, TestCase
from ctrl_harness.verification.comparators import COMPARATORS, get_comparator
from ctrl_harness.verification.verify import verify

DEFAULT = get_comparator("default")
EVALPLUS = get_comparator("evalplus")
INF, NAN = math.inf, math.nan
BY_THE_MODULUS = [k * (2**61 - 1) for k in range(1, 100_001)]
"""Integers that all have the hash 0: a set of them takes minutes."""


def case(expected: Any, **how: Any) -> CallCase:
    return CallCase("f", (), expected, **how)


def is_default(got: Any, expected: Any) -> bool:
    return DEFAULT.value_equal(got, case(expected))


def is_evalplus(got: Any, expected: Any, **how: Any) -> bool:
    return EVALPLUS.value_equal(got, case(expected, **how))


# -- where the peers disagree: each line, and the comparators that accept it

EVERY = "default evalplus livecodebench sandbox_fusion sandbox_fusion_livecodebench taco"
PEERS_ON_TEXT = [
    ("trailing blanks", EVERY, [("1 2  \n3 \n", "1 2\n3\n"), ("ab \n", "ab"), ("7\t", "7")]),
    (
        "inner double space",
        "default evalplus livecodebench",
        [("1  2\n", "1 2\n"), ("10   20\n3", "10 20\n3"), ("0.5  1", "0.5 1")],
    ),
    ("Yes / YES", "sandbox_fusion", [("Yes\n", "YES\n"), ("no\nYES", "No\nYes")]),
    (
        "0.333333 for 0.333333333",
        "default evalplus sandbox_fusion sandbox_fusion_livecodebench",
        [("0.333333\n", "0.333333333\n"), ("1\n2.499999", "1\n2.5")],
    ),
    ("10^17+1 for 10^17", "sandbox_fusion", [(f"{10**17 + 1}\n", f"{10**17}\n")]),
    ("lines reordered", "taco", [("b\na\n", "a\nb\n"), ("20 x\n3\n10", "10\n20 x\n3\n")]),
    (
        "extra blank line",
        "default evalplus sandbox_fusion_livecodebench taco",
        [("1\n\n2\n", "1\n2\n"), ("10 5\n\n\nab\n\n", "10 5\nab\n")],
    ),
    (
        "extra line of blanks",
        "default evalplus taco",
        [("10 5\n \n\nab\n\n", "10 5\nab\n")],
    ),
    ("no output", "", [("", "1\n"), ("\n", "a b")]),
    ("wrong output", "", [("2\n", "1\n"), ("1\n2\n3\n", "1\n2\n4\n"), ("ab", "ba")]),
    ("2 MB of output", EVERY, [("1234567\n" * 250_000, "1234567\n" * 249_999 + "1234567")]),
]
PEERS_ON_VALUES = [
    (
        "returns expected[0] only",
        "sandbox_fusion_livecodebench taco",
        [(1, [1, 2]), ([1, 2], [[1, 2], [3]])],
    ),
    ("an object whose __eq__ is always True", "", [(Opaque("Always"), 5), (Opaque("A"), [1])]),
    (
        "tuple for list",
        "default livecodebench sandbox_fusion sandbox_fusion_livecodebench taco",
        [((1, 2), [1, 2]), (("a",), ["a"])],
    ),
    (
        "floats 1e-9 off",
        "default evalplus sandbox_fusion",
        [(0.1 + 1e-9, 0.1), ([2.0, 1.5 - 1e-9], [2.0, 1.5])],
    ),
    ("a wrong value", "", [(2, 1), ("a", "b"), ([1, 3], [1, 2]), (None, 0), (1, "1")]),
]


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize(
    ("accepting", "pairs"), [pytest.param(*line[1:], id=line[0]) for line in PEERS_ON_TEXT]
)
def test_a_comparator_takes_text_as_its_peer_does(
    accepting: str, pairs: list[tuple[str, str]], name: str
) -> None:
    equal = get_comparator(name).text_equal
    assert [equal(*pair) for pair in pairs] == [name in accepting.split()] * len(pairs)


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize(
    ("accepting", "pairs"), [pytest.param(*line[1:], id=line[0]) for line in PEERS_ON_VALUES]
)
def test_a_comparator_takes_values_as_its_peer_does(
    accepting: str, pairs: list[tuple[Any, Any]], name: str
) -> None:
    equal = get_comparator(name).value_equal
    answers = [equal(got, case(expected)) for got, expected in pairs]
    assert answers == [name in accepting.split()] * len(pairs)


@pytest.mark.parametrize("sign", ["\u00a0", "\x1c", "\x1f", "\x85", "\u2028", "\u3000", "\u200b"])
def test_only_ascii_white_space_separates_tokens(sign: str) -> None:
    equal = get_comparator("default").text_equal
    assert not equal(f"1{sign}2", "1 2")
    assert not equal("1 2", f"1{sign}2")
    assert equal(f"1{sign}2\n", f"1{sign}2")
    assert equal("1\t2\x0b3\x0c4\r\n5", "1 2 3 4 5")


@pytest.mark.parametrize(
    ("output", "expected", "right"),
    [
        ("0", "0e9999", False), ("0e12", "0e34", False), ("0e34", "00e34", False),
        ("0e12", "0e12", True), ("100000", "1e5", True), ("100000.0", "1.0e5", True),
        ("0.000001", "1e-06", True),
        ("1e5", "100000", True), ("1e5", "100000.0", True), ("0e9999", "0.0", True),
        ("0", "0e+00", True), ("10000000000000000.0", "1e+16", True),
    ],
)  # fmt: skip
def test_zero_to_a_power_is_a_word(output: str, expected: str, right: bool) -> None:
    assert get_comparator("default").text_equal(output, expected) is right


# the rule of SandboxFusion on LiveCodeBench takes whole lists of lines
@pytest.mark.parametrize("name", sorted(set(COMPARATORS) - {"sandbox_fusion_livecodebench"}))
@pytest.mark.parametrize("unit", ["11 ", "1\n", "\n", "ab\n ", "1e9 ", "\u00a0"])
def test_an_output_of_any_size_takes_no_more_memory_than_its_own(name: str, unit: str) -> None:
    output = unit * (8_000_000 // len(unit))
    tracemalloc.start()
    try:
        assert not get_comparator(name).text_equal(output, "1 2\n3 4\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(output)


# where only a run shows it, every comparator gives the right verdict

ADD, CANARY = StdioCase("1 2\n", "3\n"), "canary-3d94c2"
THIEF = """
import gc, sys
def texts(thing):
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, (list, tuple)):
        for item in thing:
            yield from texts(item)
def f():
    frame, found = sys._getframe(), list(gc.get_objects())
    while frame is not None:
        found += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    return next((t for thing in found for t in texts(thing) if t.startswith("can" + "ary-")), "")
"""
RUNS = [
    ("answer, then exit(1)", ADD, "import sys; print(3); sys.exit(1)", "runtime_error"),
    ("no output, then os._exit(0)", ADD, "import os; os._exit(0)", "wrong_answer"),
    (
        "wrong output, then os._exit(0)", ADD,
        "import os; print(4, flush=True); os._exit(0)", "wrong_answer",
    ),
    (
        "sys.stdin.buffer", ADD,
        "import sys; print(sum(map(int, sys.stdin.buffer.read().split())))", "accepted",
    ),
    ("open(0)", ADD, "print(sum(map(int, open(0).read().split())))", "accepted"),
    ("os.write", ADD, "import os; os.write(1, b'3')", "accepted"),
    ("global", ADD, "n = 0\ndef f():\n    global n\n    n = 3\nf()\nprint(n)", "accepted"),
    ("exec", ADD, "exec('x = input()')\nprint(eval('+'.join(x.split())))", "accepted"),
    (
        "2 MB of output", StdioCase("", "1234567\n" * 250_000),
        "print('1234567\\n' * 250_000)", "accepted",
    ),
    (
        "an object whose __eq__ is always True", CallCase("f", (), [1, 2]),
        "class A:\n    def __eq__(self, other): return True\ndef f(): return A()", "wrong_answer",
    ),
    ("stolen through frames", CallCase("f", (), CANARY), THIEF, "wrong_answer"),
    ("exit(0) in a call", CallCase("f", (), 1), "def f(): exit(0)", "runtime_error"),
    ("exit(0) in asserts", ScriptCase("assert f() == 1"), "def f(): exit(0)", "runtime_error"),
]  # fmt: skip


@pytest.fixture(scope="module")
def executor() -> ProcessExecutor:
    return ProcessExecutor(2)


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize(
    ("test", "program", "status"), [pytest.param(*line[1:], id=line[0]) for line in RUNS]
)
def test_on_execution_and_attack_every_comparator_is_right(
    test: TestCase, program: str, status: str, name: str, executor: ProcessExecutor
) -> None:
    problem = Problem("p", "d", "s", (test,), comparator=name)
    verdict = anyio.run(lambda: verify(problem, program, executor=executor))
    assert verdict.status == status


# -- text


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ""),
        ("\n \t\r\n", ""),
        ("1\t2\r\n3", "1 2\n3\n"),
        ("  1", "1"),
        ("7", "+7"),
        ("-0", "0"),
        ("+0", "-0"),
        ("-0.0", "0"),
        ("-0.0", "0.0"),
        ("9" * 5_000, "+" + "9" * 5_000),
        ("5.0", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("5", "5.0"),
        ("5.0000009", "5"),
        ("0.9999995", "1"),
        ("1e5", "100000"),
        ("1E+05", "100000.0"),
        ("1000000.9", "1000000.0"),
        ("-1000000.9", "-1000000.0"),
        ("0.0000005", "0"),
        ("1e-9999", "0"),
        ("1e400", "1e400"),
        ("1.0000000001e400", "1e400"),
        (f"{10**30}.0", f"{10**30}"),
        ("nan", "nan"),
        ("007", "007"),
        ("\ud800 x", "\ud800\nx"),
    ],
)
def test_texts_that_default_accepts(output: str, expected: str) -> None:
    assert DEFAULT.text_equal(output, expected)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("a", ""),
        ("", "0"),
        ("1 2", "12"),
        ("12", "1 2"),
        ("1 2 3", "1 2"),
        ("1", "-1"),
        ("9" * 5_000, "9" * 4_999 + "8"),
        (f"{10**30}.0", f"{10**30 + 1}"),  # equal as floats
        (f"{2**53 + 1}", f"{2**53}"),  # 2^53 + 1 is no float
        ("1e17", f"{10**17 + 1}"),
        ("5.000002", "5"),
        ("5.1", "5"),
        ("1000001.1", "1000000.0"),
        ("2e400", "1e400"),  # both beyond the floats
        ("1e9999", "1e9998"),
        ("9" * 350, "1e349"),
        ("inf", "1e400"),
        ("1e400", "inf"),
        ("nan", "NaN"),
        ("NaN", "0"),
        ("true", "True"),
        ("0101", "101"),  # a string of digits, not a number
        ("101", "0101"),
        ("0101", "101.0"),
        ("101.0", "0101"),
        ("-007", "-7"),
        ("١٢", "12"),  # other scripts' digits
        ("1２", "12"),
        ("1_000", "1000"),
        ("0x10", "16"),
        ("1,5", "1.5"),
        ("1.5.0", "1.5"),
        ("--5", "5"),
        ("+-5", "-5"),
        ("1e5e5", "1e5"),
        ("0.5" + "0" * 500, "0.5"),  # longer than any number that is meant as one
        ("[1, 2]", "[1,2]"),
    ],
)
def test_texts_that_default_refuses(output: str, expected: str) -> None:
    assert not DEFAULT.text_equal(output, expected)


def test_evalplus_reads_text_as_default_does() -> None:
    assert EVALPLUS.text_equal("1  2\n", "1 2") and not EVALPLUS.text_equal("a", "A")


# -- values


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (None, None),
        (True, 1),
        (1, True),
        (1.0, True),
        (5.0, 5),
        (5, 5.0),
        (10**400, 10**400),
        (-0.0, 0.0),
        (NAN, float("nan")),
        (INF, INF),
        (1e-7, 0),
        (1e9 + 1, 1e9),
        (1j, 1j + 1e-9),
        (1, 1 + 0j),
        (Decimal("0.3"), 0.3),
        (Decimal(3), 3),
        (3, Decimal("3.0")),
        (Fraction(1, 3), 1 / 3),
        (Fraction(1, 2), Decimal("0.5")),
        ("a", "a"),
        ("", ""),
        (b"\0", b"\0"),
        ([], ()),
        ([(), [()]], ([], ([],))),
        ([1, [2, (3 + 1e-10,)]], (1, (2, [3.0]))),
        ({"a": 0.3 + 1e-10}, {"a": 0.3}),
        ({"a": {"b": (1,)}}, {"a": {"b": [1]}}),
        ({1: "x"}, {1.0: "x"}),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        ({(1, 2): 3}, {(1, 2): 3}),
        ({1, 2}, {2, 1}),
        ({1, 2}, frozenset({1, 2})),
        (set(), frozenset()),
        ({0.1 + 0.2, 5}, {0.3, 5.0}),
        ({NAN, 2.0, 1.0}, {1.0, float("nan"), 2.0}),
        (Array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ([Array([1.0]), Array([])], [[1], []]),
        (Array(7), 7),
        ([1], Array([1])),  # as a reference program may return it
        (Iterated((1, 2)), Iterated((1, 2 + 1e-9))),
        (Fingerprint("ab"), Fingerprint("ab")),
    ],
)
def test_values_that_default_accepts(got: Any, expected: Any) -> None:
    assert is_default(got, expected)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (None, 0),
        (0, None),
        (False, None),
        (None, []),
        ("1", 1),
        (1, "1"),
        ("a", "A"),
        ("a", "a "),
        ("a", b"a"),
        (bytes(2), [0, 0]),
        ("ab", ["a", "b"]),
        (2, True),
        (10**17 + 1, 10**17),
        (float(2**53), 2**53 + 1),
        (5.00001, 5),
        (INF, 10**400),
        (10**400, INF),
        (10**400, 1e308),
        (NAN, 0.0),
        (0.0, NAN),
        (INF, -INF),
        (1j, 1),
        (Decimal("0.31"), 0.3),
        (Decimal("0.3333"), Fraction(1, 3)),
        ([1], 1),
        ([1, 2], [1]),
        ([1], [1, 2]),
        ([], [0.5]),
        ([2, 1], [1, 2]),
        ([], {}),
        ({}, set()),
        ("", []),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1.1}, {"a": 1.0}),
        ([1, 2], {1, 2}),
        ({1, 2}, [1, 2]),
        ({1, 2}, {1, 3}),
        ({0.1}, {0.2}),
        ({1, "1"}, {1, "2"}),
        (Iterated((1, 2)), [1, 2]),
        ([1, 2], Iterated((1, 2))),
        ([Opaque("x")], [1]),
        (Opaque("x"), Opaque("x")),
        (Opaque("x"), None),
        (Array([1]), [[1]]),
        (Fingerprint("ab"), Fingerprint("cd")),
        (Fingerprint("ab"), "ab"),
        ("ab", Fingerprint("ab")),
    ],
)
def test_values_that_default_refuses(got: Any, expected: Any) -> None:
    assert not is_default(got, expected)


# -- evalplus


@pytest.mark.parametrize(
    ("got", "expected", "atol", "right"),
    [
        (5.0, 5, 0.0, True),
        (5.0 + 1e-9, 5, 0.0, False),  # an int is expected: exact
        (5.0 + 5e-7, 5.0, 0.0, True),  # a float is expected: within 1e-6
        (5.0 + 5e-6, 5.0, 0.0, False),
        (5.0 + 5e-5, 5.0, 1e-4, True),
        (5 + 5e-5, 5, 1e-4, False),  # within a tolerance the type has to be the very same
        (10**9 + 1, 10**9, 1e-6, True),
        ([10**20 + 1], [10**20], 1e-6, False),  # numpy's arrays have no integer as large
        (1e12 + 1e4, 1e12, 0.0, True),  # within 1e-7 relative
        (1e12 + 1e6, 1e12, 0.0, False),
        ((1, 2), [1, 2], 0.0, False),
        ((1.0, 2.0), [1.0, 2.0], 0.0, False),
        ([(1.0, 2 + 1e-9)], [[1.0, 2]], 1e-6, True),  # inside of it numpy makes no difference
        ([1.0 + 1e-7, 2.0], [1.0, 2.0], 0.0, True),
        ([[1.0 + 1e-7]], [[1.0]], 0.0, False),  # only flat lists count as floats
        ([[1.0 + 1e-7]], [[1.0]], 1e-4, True),
        ({"a": 1.0 + 1e-9}, {"a": 1.0}, 0.0, False),
        ([], [], 0.0, True),
        ([0.5], [], 0.0, False),  # numpy would broadcast these to equality
        ([], [0.5], 0.0, False),
        (0.5, [0.5], 0.0, False),
        ([0.5], 0.5, 0.0, False),
        ([0.5, 0.5], [0.5], 0.0, False),
        (INF, INF, 0.0, True),
        (INF, 1e308, 0.0, False),
        (-INF, INF, 1e-4, False),
        (NAN, float("nan"), 0.0, False),
        (10**400, 1.0, 0.0, False),
        ("a", "a", 1e-4, True),
        ("a", "b", 1e-4, False),
        ("1.0", 1.0, 1e-4, False),
        (None, None, 0.0, True),
        (None, 1.0, 0.0, False),
        ({1.0}, {1.0 + 1e-9}, 1e-4, False),
        (1j, 1j + 1e-5, 1e-4, True),
        (Decimal("1.00001"), 1.0, 1e-4, False),
        (Fraction(1, 3), 1 / 3, 0.0, False),
        (Fraction(1, 2), 0.5, 0.0, True),
        (Array([1.0, 2.0]), [1.0, 2.0], 0.0, False),  # an array of several has no truth
        (Array([1.0]), [1.0], 0.0, True),
        (Array(2), 2, 0.0, True),
        (Array([]), [], 0.0, False),
        (Array([1, 2]), Array([1, 2]), 0.0, True),
        (Iterated((1, 2)), [1, 2], 0.0, False),
        (Iterated((1, 2)), Iterated((1, 2)), 0.0, True),
        (Opaque("x"), Opaque("x"), 1e-4, False),
        (Fingerprint("ab"), Fingerprint("ab"), 0.0, True),
    ],
)
def test_evalplus_compares_as_its_own_evaluation_does(
    got: Any, expected: Any, atol: float, right: bool
) -> None:
    assert is_evalplus(got, expected, atol=atol) is right


@pytest.mark.parametrize("comparator", COMPARATORS)
@pytest.mark.parametrize(
    ("got", "expected", "right"),
    [
        ([3, 1, 1], [1, 3], True),
        ((1, 3), [3, 1], True),
        ({1, 3}, [3, 1], True),
        (Iterated((1, 3)), [3, 1], True),
        (Array([1, 3]), [3, 1], True),
        ({1: "x", 3: "y"}, [3, 1], True),
        ("ab", ["b", "a"], True),
        ([1], [1, 3], False),
        ([1, 3, 4], [1, 3], False),
        (None, [1], False),
        (13, [1, 3], False),
        ([[1]], [(1,)], False),  # lists cannot be members of sets
        (Opaque("x"), [], False),
        (Fingerprint("ab"), [1], False),
    ],
)
def test_order_does_not_count_where_the_row_says_so(
    comparator: str, got: Any, expected: Any, right: bool
) -> None:
    equal = get_comparator(comparator).value_equal
    assert equal(got, case(expected, oracle="set")) is right


@pytest.mark.parametrize("comparator", COMPARATORS)
@pytest.mark.parametrize(
    ("got", "expected", "right"),
    [
        (Opaque("Match"), True, True),
        (0, True, True),
        ("", True, True),
        (None, True, False),
        (None, False, True),
        (Opaque("Match"), False, False),
        (True, True, True),
        (False, True, False),
        (False, False, True),
    ],
)
def test_presence_alone_counts_where_the_row_says_so(
    comparator: str, got: Any, expected: Any, right: bool
) -> None:
    equal = get_comparator(comparator).value_equal
    assert equal(got, case(expected, oracle="is_not_none")) is right


def test_an_unknown_name_is_a_sentence_with_the_choices() -> None:
    with pytest.raises(UserError, match="unknown comparator 'exact'; choose one of default, eval"):
        get_comparator("exact")


# -- the other peers


@pytest.mark.parametrize(
    ("output", "expected", "right"),
    [
        ("", "", True),
        ("\n 1 2 \n", "1 2", True),
        ("1\r\n2\r\n", "1\n2\n", True),
        ("1.50", "1.5", True),
        ("1e2", "100", True),
        ("+7", "7", True),
        ("1_000", "1000", True),  # what Decimal reads
        ("1.5 2", "1.50 2.0", True),
        ("1.0000000000000000000001", "1", False),
        ("a  b", "a b", False),  # only numbers are taken apart
        ("1  a", "1 a", False),
        ("1 2", "1 2 3", False),
        ("1\n2", "1 2", False),
        ("nan", "nan", True),  # to the letter
        ("nan  1", "nan 1", False),  # as numbers, never
        ("sNaN  1", "sNaN 1", False),
        ("1e999999999999999999999  1", "1e999999999999999999999 1", False),
        ("inf", "Infinity", True),
        ("\ud800 1", "\ud800  1", False),
    ],
)
def test_livecodebench_compares_lines_and_then_decimals(
    output: str, expected: str, right: bool
) -> None:
    assert get_comparator("livecodebench").text_equal(output, expected) is right


@pytest.mark.parametrize(
    ("output", "expected", "right"),
    [
        ("", " \n", True),
        ("b c\na", "a\nb c", True),
        ("ab\nab\nc", "ab\nc\nc", False),
        ("10 2\n", "2 10\n", False),  # words are not reordered
        ("12", "1 2", True),  # by mistake: characters for words
        ("12", "1\n2", True),  # by mistake: digits for lines
        ("1 1", "1\n", True),  # by mistake: sets, whatever their number
        ("1\n2", "1.0001\n2", True),  # by mistake: digits are rounded, others are not read
        ("1.5\n2", "1.5001\n2", False),
        ("10\n2", "10.0\n2", False),
        ("ab\nc", "a b\nc", True),  # by mistake: characters for words
        ("5", "5.00001", True),
        ("5", "inf", False),
        ("5", "nan", False),
    ],
)
def test_taco_compares_lines_in_any_order_and_keeps_its_mistakes(
    output: str, expected: str, right: bool
) -> None:
    assert get_comparator("taco").text_equal(output, expected) is right


@pytest.mark.parametrize(
    ("got", "expected", "accepting"),
    [
        ([(1, 2)], [[1, 2]], ""),  # a tuple deeper than the top
        ([(1, 2), (3,)], [[[1, 2], [3]]], "taco"),
        ([(1, 2), 3], [[[1, 2], 3]], ""),
        ((1, 2), [[1, 2]], "taco"),
        (3, [3], "taco"),
        ([], [[]], "taco"),
        ("a", "ab", ""),
        (1, {0: 1}, ""),
        (1.0, 1, "livecodebench taco"),
        (True, 1, "livecodebench taco"),
        ({"a": (1,)}, {"a": [1]}, ""),
        (NAN, float("nan"), ""),
        (Iterated((1, 2)), [1, 2], ""),
        (Array([1, 2]), [1, 2], ""),
        (Fingerprint("ab"), Fingerprint("ab"), "livecodebench taco"),
    ],
)
def test_livecodebench_and_taco_compare_values_as_python_does(
    got: Any, expected: Any, accepting: str
) -> None:
    for name in ("livecodebench", "taco"):
        equal = get_comparator(name).value_equal(got, case(expected))
        assert equal is (name in accepting.split()), name


# -- properties

numbers_as_text = st.text("0123456789+-.eE_ \n\tx٣", max_size=40)
finite = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.decimals(allow_nan=False)
    | st.fractions()
)
keys = st.booleans() | st.integers() | st.text(max_size=4) | st.tuples(st.integers())


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.lists(inner, max_size=4).map(tuple)
            | st.dictionaries(keys, inner, max_size=4)
            | st.sets(keys, max_size=4)
            | st.frozensets(keys, max_size=4)
        ),
        max_leaves=12,
    )


odd = finite | st.sampled_from(
    [
        NAN,
        complex(NAN, INF),
        Decimal("NaN"),
        Decimal("1e999999"),
        Decimal("-Infinity"),
        Opaque("x"),
        Iterated((1, [2])),
        Iterated(()),
        Array([1.0, [2]]),
        Array(None),
        Fingerprint("ab"),
    ]
)


def through_the_wire(value: Any) -> Any:
    """As it arrives when a program returned it."""
    return decode_value(json.dumps(_Encoder(1 << 24).encode(value)).encode())


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=6)), st.sampled_from([" ", "\n", "\t", "\r\n\r\n"]))
def test_a_text_equals_itself_whatever_the_white_space(tokens: list[str], between: str) -> None:
    assert DEFAULT.text_equal(between.join(tokens) + between, " ".join(tokens))


@settings(deadline=None)
@given(st.integers(), st.integers(-3, 3), st.integers(0, 60))
def test_integers_are_exact(value: int, off: int, shift: int) -> None:
    value <<= shift * 8
    assert DEFAULT.text_equal(f"{value + off:+d}", str(value)) is (off == 0)
    assert is_default(value + off, value) is (off == 0)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_equals_itself_in_every_spelling(value: float) -> None:
    for text in (repr(value), f"{value:.12e}", f"{value:+.17g}"):
        assert DEFAULT.text_equal(text, repr(value))


@settings(deadline=None)
@given(numbers_as_text | st.text(), numbers_as_text | st.text())
def test_no_text_makes_a_comparator_fail(output: str, expected: str) -> None:
    for comparator in COMPARATORS.values():
        assert comparator.text_equal(output, expected) in (True, False)


@settings(deadline=None)
@given(st.lists(numbers_as_text | st.text(), max_size=6))
def test_every_text_equals_itself_whatever_follows_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    for name, comparator in COMPARATORS.items():
        if name == "sandbox_fusion_livecodebench" and _has_other_line_ends(text):
            continue  # its peer ends lines of the output at each of them, and of the value at none
        assert comparator.text_equal(text + " \n", text)


def _has_other_line_ends(text: str) -> bool:
    return any(line.splitlines() != [line] for line in text.split("\n") if line)


@settings(deadline=None)
@given(nested(finite | st.just(NAN)))
def test_a_returned_value_equals_what_it_was(value: Any) -> None:
    assert is_default(through_the_wire(value), value)


@settings(deadline=None)
@given(nested(finite))
def test_a_returned_value_equals_what_it_was_for_evalplus_too(value: Any) -> None:
    assert is_evalplus(through_the_wire(value), value)


@settings(deadline=None, max_examples=150)
@given(
    nested(odd),
    nested(odd),
    st.sampled_from(["equal", "set", "is_not_none"]),
    st.sampled_from([0.0, 1e-4]),
)
def test_no_value_makes_a_comparator_fail(
    got: Any, expected: Any, oracle: Any, atol: float
) -> None:
    for comparator in COMPARATORS.values():
        equal = comparator.value_equal(got, case(expected, oracle=oracle, atol=atol))
        assert equal in (True, False)


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("9" * 2_000_000, "9" * 1_999_999 + "8"),
        ("9 " + "9" * 2_000_000, "9  " + "9" * 1_999_999 + "8"),
        ("1.5 " * 50_000, "1.5000001 " * 50_000),
        ("1.50 " * 50_000, "1.5 " * 50_000),
        (" \n" * 1_000_000, "1"),
        ("1\n" * 200_000 + "2", "2\n" + "1\n" * 200_000),
        ("1e9999 " * 20_000, "2e9999 " * 20_000),
        ("1e999999999999 2", "1e999999999998  2"),
        ("1e999999999999999999  1", "9e-999999999999999999 1"),
        ("0." + "1" * 397 + " 1" * 20_000, "0." + "1" * 396 + "2" + " 1.0" * 20_000),
        (" ".join(map(str, range(200_000))), "1\n2"),
        ("1234567890" * 20_000, "0\n" * 200_000),
    ],
    ids=range(12),
)
def test_hostile_texts_are_compared_in_bounded_time(
    name: str, output: str, expected: str
) -> None:
    start = time.monotonic()
    get_comparator(name).text_equal(output, expected)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("comparator", COMPARATORS)
def test_a_list_made_to_collide_is_no_set(comparator: str) -> None:
    start = time.monotonic()
    equal = get_comparator(comparator).value_equal
    assert not equal(BY_THE_MODULUS, case([1], oracle="set"))
    assert time.monotonic() - start < 5

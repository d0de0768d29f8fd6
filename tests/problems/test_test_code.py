"""Test code taken apart: what becomes a call, what stays a script, what can assert nothing."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems.decisions import failing_functions
from ctrl_harness.problems.problem import CallCase, ScriptCase
from ctrl_harness.problems.test_code import TestCode, read_test_code


def calls(code: str, **options: Any) -> list[tuple[Any, ...]]:
    """(function, arguments, expected, oracle where it is not `equal`), of nothing but calls."""
    cases = read_test_code(code, **options).cases
    assert all(isinstance(case, CallCase) for case in cases), cases
    return [
        (case.function, case.args, case.expected, *([case.oracle] * (case.oracle != "equal")))
        for case in cases
        if isinstance(case, CallCase)
    ]


@pytest.mark.parametrize(
    ("code", "expect"),
    [
        ("assert f(1, 'a') == [2], 'no'", ("f", (1, "a"), [2])),
        ("assert 3 == f(1)", ("f", (1,), 3)),
        ("assert f(*[1, 2]) == 3", ("f", (1, 2), 3)),
        ("assert f([0] * 3, 2 ** 10, -7 // 2) == 'ab' * 2", ("f", ([0, 0, 0], 1024, -4), "abab")),
        ("assert f(float('-inf'), set(), list(range(3))) == math.inf",
         ("f", (-math.inf, set(), [0, 1, 2]), math.inf)),
        ("assert f(1) is True", ("f", (1,), True, "identical")),
        ("assert f(1) is None", ("f", (1,), None, "identical")),
        ("assert f(1) in [2, 3]", ("f", (1,), (2, 3), "any_of")),
        ("assert f(1)", ("f", (1,), True, "truth")),
        ("assert not f(1)", ("f", (1,), False, "truth")),
        ("assert set(f(1)) == set([1, 2])", ("f", (1,), [1, 2], "set")),
        ("assert Solution().f(1) == 2", ("f", (1,), 2)),
        ("s = Solution()\nassert s.f(1) == 2", ("f", (1,), 2)),
        ("result = f(1)\nassert result == 2", ("f", (1,), 2)),
        ("x: list = [1]\nwant = 2\nassert f(x) == want", ("f", ([1],), 2)),
        ("candidate = f\nassert candidate(1) == 2\nprint('passed')", ("f", (1,), 2)),
    ],
)  # fmt: skip
def test_an_assert_on_a_call_becomes_that_call(code: str, expect: tuple[Any, ...]) -> None:
    assert calls(code) == [expect]


TWO = [("f", ([1], 2), 3), ("f", ([4], 5), 6)]


@pytest.mark.parametrize(
    "code",
    [
        "assert f([1], 2) == 3\nassert f([4], 5) == 6",
        "assert f([1], 2) == 3 and f([4], 5) == 6",
        "for a, b, c in [([1], 2, 3), ([4], 5, 6)]:\n    assert f(a, b) == c",
        "T = (([1], 2), ([4], 5))\nW = [3, 6]\nfor args, want in zip(T, W):\n"
        "    assert f(*args) == want",
        "for i, (args, want) in enumerate([(([1], 2), 3), (([4], 5), 6)]):\n"
        "    got = f(*args)\n    assert got == want, f'{i}: {got}'",
        "for t in [{'in': ([1], 2), 'out': 3}, {'in': ([4], 5), 'out': 6}]:\n"
        "    assert f(*t['in']) == t['out']",
        "for n in range(1, 5, 3):\n    assert f([n], n + 1) == n + 2",
        "def tests():\n    assert f([1], 2) == 3\n    assert f([4], 5) == 6\n    return True\n"
        "if __name__ == '__main__':\n    tests()",
        "def one(a, b, want):\n    assert f(a, b) == want\n"
        "def main():\n    one([1], 2, 3)\n    one([4], 5, 6)\nmain()",
        "def check(g):\n    assert g([1], 2) == 3\n    assert g([4], 5) == 6\ncheck(f)",
    ],
)
def test_tables_loops_and_test_functions_are_followed(code: str) -> None:
    assert calls(code) == TWO


HUMAN_EVAL = (
    "METADATA = {'author': 'x'}\n\n\ndef check(candidate):\n"
    "    assert candidate([1], 2) == 3\n    assert True, 'still here'\n"
    "    assert candidate([4], 5) == 6\n"
)


def test_humanevals_check_is_called_with_the_entry_point() -> None:
    assert calls(HUMAN_EVAL, entry_point="f") == TWO
    assert calls(HUMAN_EVAL + "check(f)\n") == TWO
    with pytest.raises(UserError, match=r"check\(candidate\) and does not call it.*entry_point"):
        read_test_code(HUMAN_EVAL)
    with pytest.raises(UserError, match="names no function"):
        read_test_code(HUMAN_EVAL, entry_point="f(1)")


def test_a_check_that_says_more_than_calls_runs_as_a_script_that_calls_it() -> None:
    more = HUMAN_EVAL + "    assert sorted(candidate([7], 8)) == [9]\n"
    *before, script = read_test_code(more, entry_point="f").cases
    assert [(case.args, case.expected) for case in before if isinstance(case, CallCase)] == [
        (([1], 2), 3), (([4], 5), 6),
    ]  # fmt: skip
    assert script == ScriptCase(f"{more}\ncheck(f)\n")


def test_tolerances_are_those_of_the_assert_to_the_last_bit() -> None:
    code = (
        "assert abs(f(1) - 1.5) < 1e-6\nassert 0.25 >= abs(2 - f(2))\n"
        "assert math.isclose(f(3), 4.0)\nassert math.isclose(f(3), 4.0, abs_tol=1)\n"
    )
    assert read_test_code(code).cases == (
        CallCase("f", (1,), 1.5, "within", math.nextafter(1e-6, 0)),
        CallCase("f", (2,), 2, "within", 0.25),
        CallCase("f", (3,), 4.0, "isclose", 0.0, 1e-9),
        CallCase("f", (3,), 4.0, "isclose", 1.0, 1e-9),
    )


@pytest.mark.parametrize(
    "code",
    [
        "assert f(2) == f(1) + 1",
        "assert f(n=2) == 4",
        "assert f(2) >= 4",
        "assert f(1) == 1 == f(1)",
        "assert len(f(2)) == 1",
        "assert max(2, 3) == 3",
        "assert isinstance(f(2), int)",
        "import numpy as np\nassert np.allclose(f(2), [1.0])",
        "def twice(x): return 2 * x\nassert twice(f(2)) == 4",
        "s = Stack()\ns.push(1)\nassert s.pop() == 1",
        "f(1)\nassert g(2) == 3",
        "for x in f(1):\n    assert x > 0",
        "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass",
        "for a in [1, 2]:\n    if a == 2:\n        break\n    assert f(a) == 1",
        "with open('x') as file:\n    assert f(file.read()) == 1",
        "import random\nfor _ in range(9):\n    assert f(random.random()) > 0",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        self.assertEqual(f(1), 2)\nunittest.main()",
    ],
)
def test_what_says_anything_else_stays_the_script_it_is(code: str) -> None:
    assert read_test_code(code).cases == (ScriptCase(code),)


@pytest.mark.parametrize(
    "rest",
    [
        "x = [3, 1]\nassert f(x) == [1, 3]\nassert f(x) == [3, 1]",
        "x = [3, 1]\nassert f(x) == x",
        "x = [3, 1]\nassert f(x, x) == 1",
        "x = [3, 1]\nassert len(f(x)) == 2\nassert f(x) == 1",
        "x = [3, 1]\ny = [x]\nassert f(x) == 1\nassert f(y) == 1",
        "x = f(1)\nassert x == 1\nassert x < 2",
        "T = [([1], 2)]\nfor a, b in T:\n    assert f(a) == b\n"
        "for a, b in T:\n    assert g(a) == b",
    ],
)
def test_what_a_call_may_have_changed_is_not_taken_for_what_the_code_says(rest: str) -> None:
    cases = read_test_code(rest).cases
    assert cases[-1] == ScriptCase(rest)
    assert sum(isinstance(case, CallCase) for case in cases) < rest.count("assert")


@pytest.mark.parametrize(
    "rest",
    [
        "x = [3, 1]\nassert f(x) == [1, 3]\nassert g([*x]) == 2",
        "x = [3, 1]\nassert f(x) == [1, 3]\nassert g(x[0]) == 3",
        "x = [3, 1]\nassert f(x) == [1, 3]\ny = x[0]\nassert g(y) == 3",
        "x = [3, 1]\nassert f(x) == [1, 3]\ndef t(a):\n    assert g(a) == 3\nt(x[0])",
        "x = [3, 1]\nassert f(x) == [1, 3]\nfor y in x:\n    assert g(y) == 3",
    ],
)
def test_nor_is_what_is_read_out_of_it(rest: str) -> None:
    assert read_test_code(rest).cases == (CallCase("f", ([3, 1],), [1, 3]), ScriptCase(rest))


def test_items_of_a_table_are_used_one_by_one() -> None:
    code = "T = [[1], [2]]\nfor i in range(2):\n    assert f(T[i]) == i"
    assert calls(code) == [("f", ([1],), 0), ("f", ([2],), 1)]


def test_calls_after_an_assert_that_is_none_are_left_to_the_script_where_there_is_state() -> None:
    state = "assert put(1) is None\nassert len(str(take())) == 1\nassert take() is None"
    assert read_test_code(state).cases == (CallCase("put", (1,), None, "identical"),
                                           ScriptCase(state))  # fmt: skip
    pure = "assert f(1) == 2\nassert len(f(2)) == 3\nassert f(3) == 4"
    assert read_test_code(pure).cases == (
        CallCase("f", (1,), 2), CallCase("f", (3,), 4), ScriptCase(pure),
    )  # fmt: skip


def test_a_call_whose_result_nothing_asserts_on_has_to_run_all_the_same() -> None:
    code = "x = f(1)\nassert g(1) == 2"
    assert read_test_code(code).cases == (CallCase("g", (1,), 2), ScriptCase(code))


OPTIONAL = "try:\n    {}\nexcept ImportError:\n    pass\n".format


def test_setup_code_goes_before_and_what_it_names_is_the_programs_too() -> None:
    code = "assert f(1) == 2"
    assert read_test_code(code, setup="import math\nN = 6") == TestCode(
        (CallCase("f", (1,), 2),), OPTIONAL("import math") + "N = 6\n"
    )
    assert calls("assert f(N) == [N, 1]", setup="N = 6") == [("f", (6,), [6, 1])]
    expected = read_test_code("assert f(1) == WANT", setup="WANT = 2")
    assert expected == TestCode((CallCase("f", (1,), 2),), "")
    assert read_test_code("from heapq import *\n" + code).prelude == OPTIONAL("from heapq import *")
    setup = "class Node:\n    pass\nroot = Node()"
    assert read_test_code(code, setup=setup).cases == (ScriptCase(f"{setup}\n{code}"),)
    assert read_test_code("import no_such_package\n" + code).prelude == ""


@pytest.mark.parametrize(
    "code",
    [
        "def abs(x): return 0\nassert abs(f(1) - 2) < 1",
        "from numpy import isclose\nassert isclose(f(1), 2)",
        "import numpy as math\nassert math.isclose(f(1), 2)",
        "from collections import Counter\nassert Counter('a') == {'a': 1}",
        "class Solution: pass\nassert Solution().f(1) == 2",
        "assert not Stack()",
    ],
)
def test_names_that_mean_something_else_are_not_taken_for_what_they_are_not(code: str) -> None:
    assert read_test_code(code).cases == (ScriptCase(code),)


def test_tests_that_would_take_long_to_follow_run_as_they_are() -> None:
    table = "[" + "[1], " * 2_000 + "]"
    code = f"def t(n):\n    x = {table}\n    assert f(n) == 1\nfor n in range(9_000):\n    t(n)"
    *some, script = read_test_code(code).cases
    assert script == ScriptCase(code) and len(some) < 200
    nested = "for a in range(999):\n    for b in range(999):\n        assert f(a, b) == a + b"
    assert read_test_code(nested).cases[-1] == ScriptCase(nested)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "asserts nothing"),
        ("print(f(1) == 2)", "asserts nothing"),
        ("assert True", "asserts nothing"),
        ("assert (f(1) == 2, 'not two')", "asserts nothing"),
        ("f(1)", "asserts nothing"),
        ("import doctest\ndoctest.testmod()", "asserts nothing"),
        ("assert [f(1) == 2]", "asserts nothing"),
        ("def test_f():\n    assert f(1) == 2", r"nothing calls \(test_f\)"),
        ("def a(): b()\ndef b():\n    assert f(1)", r"nothing calls \(b\)"),
        ("import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
         "        self.assertTrue(f(1))", r"nothing calls \(T\)"),
        ("raise AssertionError", "by no condition"),
        ("if False:\n    raise AssertionError(f(1))", "by no condition"),
        ("def no():\n    raise AssertionError\ndef yes(): pass\n[no, yes][f(1) == 2]()",
         "by no condition"),
        ("def no():\n    raise AssertionError\n[no() for x in f(1) if x != 2]", "by no condition"),
        ("assert (", "is not Python"),
        ("return 1", "is not Python"),
        ("x" * (1 << 20) + " == 1", "characters"),
    ],
)  # fmt: skip
def test_code_that_can_assert_nothing_is_refused(code: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_test_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "if f(1) != 2:\n    raise AssertionError",
        "if f(1) != 2:\n    raise Exception('no')",
        "import sys\nif f(1) != 2:\n    sys.exit(1)",
        "import sys\nf(1) == 2 or sys.exit(1)",
        "import sys\nsys.exit(1) if f(1) != 2 else None",
        "match f(1):\n    case 2: pass\n    case _: raise AssertionError",
        "def test_f():\n    assert f(1)\nfor n, t in list(globals().items()):\n"
        "    if n.startswith('test_'):\n        t()",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        with self.assertRaises(ValueError):\n            f(1)\n"
        "if __name__ == '__main__':\n    unittest.main()",
        "def main():\n    test()\ndef test():\n    assert f(1) > 0\nif __name__ == '__main__':\n"
        "    main()",
        "import numpy as np\nnp.testing.assert_allclose(f(1), 2)",
    ],
)
def test_whatever_may_come_to_an_assertion_is_a_script(code: str) -> None:
    assert read_test_code(code).cases == (ScriptCase(code),)


def test_functions_that_call_one_another_are_read_in_time_proportional_to_them() -> None:
    """Seconds; a square would take hours."""
    calls = "".join(f"def f{n}():\n    f{n + 1}()\n" for n in range(20_000))
    module = ast.parse(f"{calls}def f20000():\n    raise AssertionError\n")
    assert len(failing_functions(module)) == 20_001

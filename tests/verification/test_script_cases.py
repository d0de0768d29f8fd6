"""What a script case proves: its assertions were evaluated, and held, whatever the program does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import PreludeError, UserError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.execution.script_job import marked
from ctrl_harness.problems.problem import Limits, Problem, ScriptCase
from ctrl_harness.problems.problem_file import parse_problem
from ctrl_harness.verification.verdict import CaseResult
from ctrl_harness.verification.verify import verify

LIMITS = Limits(time_s=10.0, memory_mb=256.0, output_mb=1.0)
EXECUTORS = [
    ProcessExecutor,
    pytest.param(
        EmbeddedExecutor,
        marks=pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux"),
    ),
]
Judge = Callable[[str | Problem, str], CaseResult]


@pytest.fixture(scope="module", params=EXECUTORS, ids=["process", "cell"])
def judge(request: Any) -> Iterator[Judge]:
    executor: Executor = request.param(1)

    def run(asked: str | Problem, program: str) -> CaseResult:
        if isinstance(asked, str):
            asked = Problem("p", "d", "s", (ScriptCase(asked),), limits=LIMITS)
        problem = asked
        (result,) = anyio.run(lambda: verify(problem, program, executor=executor)).cases
        assert result is not None
        return result

    yield run
    anyio.run(executor.aclose)


def judge_all(judge: Judge, problem: Problem, program: str) -> set[str]:
    """What comes of each of a problem's cases."""
    return {judge(problem.with_cases((case,)), program).status for case in problem.cases}


ADD = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return 0\n"
GUARD = "def tests():\n    assert add(1, 2) == 3\n\nif __name__ == '__main__':\n    tests()\n"
UNITTEST = """\
import unittest

class Adds(unittest.TestCase):
    def test_small(self):
        self.assertEqual(add(1, 2), 3)

    def test_text(self):
        with self.assertRaises(TypeError):
            add("1", 2)

"""
RUN_UNITTEST = UNITTEST + "if __name__ == '__main__':\n    unittest.main()\n"
RUN_SUITE = UNITTEST + (
    "suite = unittest.defaultTestLoader.loadTestsFromTestCase(Adds)\n"
    "unittest.TextTestRunner().run(suite)\n"
)


@pytest.mark.parametrize(
    "script",
    [
        "assert add(1, 2) - 3 == 0",
        GUARD,
        "def check(candidate):\n    assert candidate(1, 2) == 3\ncheck(add)\n",
        "for a in range(3):\n    assert add(a, a) == 2 * a, f'{a}'\nassert add(1, 1) == 2",
        "if add(1, 2) != 3:\n    raise AssertionError('no')\n",
        "import sys\nif add(1, 2) == 3:\n    print('ok')\nelse:\n    sys.exit(1)\n",
        "if add(1, 2) == 4:\n    pass\nelif add(1, 2) == 3: pass\nelse: raise Exception('no')",
        "import sys\ndef main():\n    assert add(1, 2) == 3\n    return 0\nsys.exit(main())",
        "assert add(1, 2) == 3\nexit()",
        RUN_UNITTEST,
        RUN_UNITTEST.replace("unittest.main()", "unittest.main(verbosity=2, exit=True)"),
        RUN_SUITE,
        "try:\n    assert add(1, 2) == 4\nexcept AssertionError:\n    assert add(1, 2) == 3\n",
        "import asyncio\nasync def main():\n    assert add(1, 2) == 3\nasyncio.run(main())",
        "import threading\ndef run():\n    assert add(1, 2) == 3\n"
        "t = threading.Thread(target=run)\nt.start()\nt.join()",
        "from solution import add as plus\nassert plus(1, 2) == 3",
        "assert (add('é', 'ß') ==\n        'éß'), 'no'; assert add(1, 2) == 3",
    ],
)
def test_tests_in_every_form_tell_right_from_wrong(judge: Judge, script: str) -> None:
    assert judge(script, ADD).status == "accepted"
    assert judge(script, WRONG).status in ("wrong_answer", "runtime_error")
    read = parse_problem({"cases": [{"script": script}]}, "p")
    assert judge_all(judge, read, ADD) == {"accepted"}
    assert judge_all(judge, read, WRONG) & {"wrong_answer", "runtime_error"}


DECIDED_ELSEWHERE = [
    # an early return, before a failure of every form
    *(
        f"import sys\ndef eq(g, w):\n    if g == w:\n        return True\n    {failure}\n"
        "eq(add(1, 2), 3)\neq(add(9, 2), 11)\n"
        for failure in ("raise AssertionError(g)", "assert False, g", "sys.exit(1)", "fail(g)",
                        "raise Exception(g)")
    ),
    "def eq(g, w):\n    if g != w:\n        print(g)\n    else:\n        return\n    print(w)\n"
    "    raise AssertionError(g)\neq(add(9, 2), 11)",
    "def eq(g, w):\n    if g < w: pass\n    elif g > w: pass\n    else: return w\n"
    "    raise AssertionError(g)\neq(add(9, 2), 11)",
    "def one_of(g, ws):\n    for w in ws:\n        if g == w:\n            return w\n"
    "    raise AssertionError(g)\none_of(add(9, 2), [10, 11])",
    "def one_of(g, ws):\n    for w in ws:\n        if g != w:\n            continue\n"
    "        return w\n    assert False, g\none_of(add(9, 2), [10, 11])",
    "def rejects(a, b):\n    try:\n        add(a, b)\n    except TypeError:\n        return\n"
    "    raise AssertionError\nrejects('a', 1)",
    "for a in (1, 9):\n    if add(a, 2) == a + 2:\n        continue\n    raise AssertionError(a)",
    "for a in (1, 9):\n    with open('/dev/null'):\n        if add(a, 2) == a + 2:\n"
    "            continue\n    raise AssertionError(a)",
    "import sys\nif add(9, 2) == 11:\n    sys.exit(0)\nraise AssertionError",
    "import sys\nif add(9, 2) == 11:\n    raise SystemExit\nsys.exit(1)",
    "match add(1, 2):\n    case 3:\n        pass\n    case _:\n        raise AssertionError",
    "import sys\nmatch add(1, 2), add(9, 2):\n    case 3, 11: pass\n    case _: sys.exit(1)",
    "match add(1, 2):\n    case 0: raise AssertionError",
    "def eq(g):\n    match g:\n        case 11: return\n    raise AssertionError\neq(add(9, 2))",
    "for v in (10, 11):\n    if add(9, 2) == v: break\nelse:\n    raise AssertionError",
    "for v in (10, 11):\n    if add(9, 2) == v:\n        break\nelse:\n    assert False, 'no'",
    "v = 0\nwhile v < 12:\n    if add(9, 2) == v and v: break\n    v += 1\nelse:\n"
    "    raise AssertionError",
    "while True:\n    if add(9, 2) == 11:\n        break\n    raise AssertionError",
    "while add(9, 2) != 11: raise AssertionError",
    "for a in [a for a in (1, 9) if add(a, 2) != a + 2]:\n    raise AssertionError(a)",
    "def fail(m):\n    raise AssertionError(m)\nadd(9, 2) == 11 or fail('x')",
    "def die(m):\n    print(m)\n    raise AssertionError(m)\nif add(9, 2) != 11:\n    die('x')",
    "def die(m):\n    raise AssertionError(m)\nadd(9, 2) == 11 and add(1, 2) == 3 or die('x')",
    "import sys\nadd(9, 2) != 11 and sys.exit(1)",
    "import sys\nNone if add(9, 2) == 11 else sys.exit(1)",
    "try: {3: 1}[add(1, 2)]\nexcept KeyError: raise AssertionError",
    "try:\n    for a in (1, 9):\n        {a + 2: 1}[add(a, 2)]  # a key\n"
    "except KeyError:\n    raise AssertionError",
    "def find():\n    try:\n        return {3: 1}[add(1, 2)], 'é'\n    except KeyError:\n"
    "        raise AssertionError\nfind()",
    "for a in (1, 9):\n    try:\n        {a + 2: 1}[add(a, 2)]; continue\n"
    "    except KeyError:\n        raise AssertionError",
    "try:\n    {3: 1}[add(1, 2)]\nexcept KeyError:\n    raise AssertionError\nelse:\n"
    "    print('ok')",
]  # fmt: skip


@pytest.mark.parametrize("script", DECIDED_ELSEWHERE)
def test_what_decides_over_a_failure_that_a_right_program_never_comes_to_is_a_check(
    judge: Judge, script: str
) -> None:
    assert judge(script, ADD).status == "accepted"
    assert judge(script, WRONG).status in ("wrong_answer", "runtime_error")
    read = parse_problem({"cases": [{"script": script}]}, "p")
    assert judge_all(judge, read, ADD) == {"accepted"}
    assert judge_all(judge, read, WRONG) & {"wrong_answer", "runtime_error"}


@pytest.mark.parametrize(
    "check",
    [
        "match add(1, 2):\n    case 3: pass\n    case _: {failure}",
        "for a in [add(1, 2) - 3][: add(1, 2) != 3]:\n    {failure}",
        "while add(1, 2) != 3:\n    {failure}",
        "for a in (1, 9):\n    if add(a, 2) == a + 2: continue\n    {failure}",
    ],
)
@pytest.mark.parametrize("failure", ["raise AssertionError", "raise Exception"])
def test_such_a_failure_that_the_tests_keep_to_themselves_is_one(
    judge: Judge, check: str, failure: str
) -> None:
    lines = check.format(failure=failure).replace("\n", "\n    ")
    script = f"try:\n    {lines}\nexcept Exception:\n    print('failed')"
    assert judge(script, ADD).status == "accepted"
    assert judge(script, WRONG).status == "wrong_answer"


@pytest.mark.parametrize(
    "script",
    [
        "try:\n    result = f()\nexcept Exception as e:\n    raise AssertionError(e)\n"
        "for x in result:\n    assert x > 0",
        "try:\n    import solution\nexcept ImportError:\n    raise AssertionError('none')\n"
        "for x in f():\n    if x > 0: continue\n    raise AssertionError(x)",
        "while f():\n    if g() == 2: break\n    raise AssertionError",
        "for x in f():\n    match x:\n        case 1: pass\n        case _: raise AssertionError",
    ],
)
def test_no_check_is_evaluated_where_none_is_come_to(judge: Judge, script: str) -> None:
    result = judge(script, "def f(): return []")
    assert result.status == "wrong_answer"
    assert "evaluated no assertion" in result.error


EQUAL_TO_ALL = """\
class All(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = None
def add(a, b): return All(0)
"""


@pytest.mark.parametrize("script", [GUARD, "def check(f):\n    assert f(1, 2) == 3\ncheck(add)"])
def test_an_object_that_equals_everything_earns_nothing_where_calls_can_be_read(
    judge: Judge, script: str
) -> None:
    read = parse_problem({"cases": [{"script": script}]}, "p")
    assert judge_all(judge, read, EQUAL_TO_ALL) == {"wrong_answer"}
    assert judge_all(judge, read, ADD) == {"accepted"}


RAISES = "def f(x):\n    if x < 0:\n        raise ValueError(x)\n    return x\n"


@pytest.mark.parametrize(
    "script",
    [
        "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass\n",
        "try:\n    f(-1)\n    assert False, 'no'\nexcept Exception as error:\n    print(error)\n",
        "try:\n    f(-1)\n    raise Exception('no')\nexcept Exception:\n    pass\n",
        "try: f(-1)\nexcept ValueError: pass\nelse: raise AssertionError('no')\n",
        "try:\n    f(-1)\n    assert 0\nexcept ValueError:\n    if True:\n        print('ok')\n",
    ],
)
def test_an_error_that_is_expected_counts_as_an_assertion(judge: Judge, script: str) -> None:
    assert judge(script, RAISES).status == "accepted"
    assert judge(script, "def f(x): return x").status in ("wrong_answer", "runtime_error")


@pytest.mark.parametrize(
    ("script", "program"),
    [
        ("for x in f():\n    assert x > 0", "def f(): return []"),
        ("if f():\n    assert g() == 2", "def f(): return None"),
        ("def tests():\n    assert add(1, 2) == 3\nT = [tests] if f() else []\nfor t in T: t()",
         "def f(): return 0"),
    ],
)  # fmt: skip
def test_a_program_that_lets_no_assertion_be_evaluated_is_wrong(
    judge: Judge, script: str, program: str
) -> None:
    result = judge(script, program)
    assert result.status == "wrong_answer"
    assert "evaluated no assertion" in result.error


@pytest.mark.parametrize(
    "script",
    [
        "assert add(2, 2) == 4\ntry:\n    assert add(1, 2) == 3\nexcept AssertionError as error:\n"
        "    print('failed', error)",
        "assert add(2, 2) == 4\ntry:\n    if add(1, 2) != 3:\n        raise AssertionError\n"
        "except Exception: pass",
        RUN_SUITE.replace("add(1, 2), 3", "add(2, 2), 4").replace("TypeError", "KeyError"),
    ],
)
def test_a_failure_that_the_tests_keep_to_themselves_is_one(judge: Judge, script: str) -> None:
    only_fours = "def add(a, b):\n    if isinstance(a, str): raise TypeError\n    return 4\n"
    result = judge(script, only_fours)
    assert result.status == "wrong_answer"
    assert "did not hold" in result.error


SWALLOWING = [
    "raise SystemExit(0)",
    "raise SystemExit",
    "raise SystemExit(None)",
    "exit(0)",
    "assert isinstance(error, AssertionError)",
    "assert type(error) is AssertionError and not str(error), 'another'",
    "text = str(error)\n    assert len(text) == 0",
    "assert error is not None",
    "assert (error, 'no')",
    "import unittest\n    unittest.TestCase().assertIsInstance(error, AssertionError)",
    "print('failed')",
]


@pytest.mark.parametrize("caught", SWALLOWING)
def test_a_failure_is_not_undone_by_what_holds_of_every_failure(judge: Judge, caught: str) -> None:
    script = (
        "try:\n    assert add(1, 2) == 3\n    assert add(9, 2) == 11\n"
        f"except AssertionError as error:\n    {caught}\n"
    )
    assert judge(script, ADD).status == "accepted"
    result = judge(script, "def add(a, b): return 3")
    assert result.status == "wrong_answer"
    assert "did not hold" in result.error
    again = "try:\n    try:\n        assert add(1, 2) - 3 == 0\n    except AssertionError{}:\n"
    for name, raising in (("", "raise"), (" as e", "raise e"), (" as e", "print(e); raise")):
        nested = f"{again.format(name)}        {raising}\n{script[script.index('except') :]}"
        assert judge(nested, ADD).status == "accepted"
        assert judge(nested, WRONG).status == "wrong_answer"


@pytest.mark.parametrize(
    "caught",
    [
        "assert add(1, 2) == 3, error",
        "assert str(error) and add(1, 2) == 3",
        "import unittest\n    unittest.TestCase().assertEqual(add(1, 2), 3)",
        "value = add(1, 2)\n    assert value == 3",
        "if add(1, 2) != 3:\n        raise",
        "try:\n        assert add(1, 2) == 3\n    except AssertionError:\n        raise",
    ],
)
def test_another_result_may_do_instead(judge: Judge, caught: str) -> None:
    script = (
        "assert add(0, 0) == 0\ntry:\n    assert add(1, 2) == 4, 'no'\n"
        f"except AssertionError as error:\n    {caught}\n"
    )
    inner = script.replace("\n", "\n    ").rstrip()
    outer = f"try:\n    {inner}\nexcept AssertionError:\n    assert add(1, 2) == 3\n"
    for tests in (script, outer):
        assert judge(tests, ADD).status == "accepted"
        assert judge(tests, WRONG).status == "wrong_answer"


def test_callbacks_of_the_tests_may_raise_what_the_program_catches(judge: Judge) -> None:
    script = (
        "calls = []\ndef flaky():\n    calls.append(1)\n    if len(calls) < 3:\n"
        "        raise Exception('again')\n    return 5\nassert retry(flaky) == 5\n"
    )
    retry = (
        "def retry(f):\n    while True:\n        try:\n            return f()\n"
        "        except Exception:\n            pass\n"
    )
    assert judge(script, retry).status == "accepted"


@pytest.mark.parametrize(
    "program",
    [
        ADD + "if __name__ == '__main__':\n    print(add(*map(int, input().split())))\n",
        ADD + "import unittest\nif __name__ == '__main__':\n    unittest.main()\n",
        "import dataclasses, pickle\n@dataclasses.dataclass\nclass Sum:\n    value: int\n"
        "def add(a, b):\n    return pickle.loads(pickle.dumps(Sum(a + b))).value\n",
    ],
)
def test_a_programs_own_main_guard_does_not_run(judge: Judge, program: str) -> None:
    assert judge(GUARD, program).status == "accepted"


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(0)",
        "import os\nos._exit(0)",
        "def add(a, b): exit(0)",
        "import sys\ndef add(a, b): sys.exit()",
        "import os\ndef add(a, b): os._exit(0)",
        WRONG + "import builtins\nbuiltins.AssertionError = builtins.SystemExit\n",
        WRONG + "import builtins\nbuiltins.exec = lambda *a: None\n",
        WRONG + "import builtins\nbuiltins.compile = lambda *a, **k: (lambda: 0).__code__\n",
        WRONG + "import builtins\nbuiltins.BaseException = ZeroDivisionError\n",
        WRONG + "def tests(): pass\n",
        WRONG + "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\n",
        WRONG + "import atexit, os\natexit.register(os._exit, 0)\n",
        WRONG + "import sys\nsys.modules['unittest'] = None\n",
        "import os\nfor fd in range(3, 9):\n    try: os.write(fd, b'\\x25\\0\\0\\0D' + b'0' * 32"
        " + b' 1 0')\n    except OSError: pass\nos._exit(0)",
    ],
)
@pytest.mark.parametrize("script", [GUARD, RUN_UNITTEST], ids=["asserts", "unittest"])
def test_an_early_end_or_another_meaning_of_a_name_earns_nothing(
    judge: Judge, program: str, script: str
) -> None:
    assert judge(script, program).status != "accepted"


@pytest.mark.parametrize(
    "script",
    [
        "import no_such_module\nassert len(str(add(1, 2))) == 1",
        "import sys, no_such_module.inner as it\nassert add(1, 2) - 3 == 0",
        "from no_such_module import it\nassert add(1, 2) - 3 == 0",
        "assert add(1, 2) - 3 == 0\nif __name__ == '__main__':\n    import no_such_module",
    ],
)
@pytest.mark.parametrize("program", [ADD, WRONG, "import os\nos._exit(0)", "1 / 0"])
def test_what_the_tests_import_and_is_not_there_is_no_fault_of_the_program(
    judge: Judge, script: str, program: str
) -> None:
    with pytest.raises(PreludeError, match="the tests import 'no_such_module', which is not there"):
        judge(script, program)


@pytest.mark.parametrize(
    "script",
    [
        "try:\n    import no_such_module\nexcept ImportError:\n    no_such_module = None\n"
        "assert add(1, 2) - 3 == 0",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import no_such_module\n"
        "assert add(1, 2) - 3 == 0",
        "import sys, types\nsys.modules['no_such_module'] = types.ModuleType('no_such_module')\n"
        "import no_such_module\nassert add(1, 2) - 3 == 0",
        "def unused():\n    import no_such_module\nassert add(1, 2) - 3 == 0",
        "from __future__ import annotations\nimport os.path, unittest.mock, gc, ctypes\n"
        "import numpy as np\nimport solution, __main__\nassert solution.add(1, 2) - 3 == 0",
    ],
)
def test_what_the_tests_can_import_or_do_without_is_no_fault_of_theirs(
    judge: Judge, script: str
) -> None:
    assert judge(script, ADD).status == "accepted"
    assert judge(script, WRONG).status == "wrong_answer"


def test_a_program_that_makes_the_module_itself_is_judged(judge: Judge) -> None:
    makes = ADD + "import sys\nsys.modules['calculator'] = sys.modules[__name__]\n"
    script = "from calculator import add as plus\nassert plus(1, 2) - 3 == 0"
    assert judge(script, makes).status == "accepted"


def test_marks_are_inside_of_parentheses_and_leave_the_text_alone() -> None:
    script = (
        "assert (a\n  == 'é'), 'm'; assert (b := 1) == 1\r\n"
        "x = f'{self.assertEqual(1, 2)}'\nassert True\nself.assertTrue(x)\n"
        "if a: raise AssertionError\nelif b: pass\n"
    )
    assert marked(script, "t") == (
        "assert (t.must(a\n  == 'é')), 'm'; assert t.must((b := 1) == 1)\n"
        "x = f'{self.assertEqual(1, 2)}'\nassert True\nt.call(self.assertTrue)(x)\n"
        "if t.unless(a): raise t.failure(AssertionError)\nelif b: pass\n"
    )


def test_a_script_that_is_not_python_is_an_error_of_who_gave_it(judge: Judge) -> None:
    with pytest.raises(UserError, match="a script case is not Python"):
        judge("assert (", ADD)

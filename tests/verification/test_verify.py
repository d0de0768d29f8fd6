"""`verify` end to end: real programs in real processes, and the verdicts on them."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import (
    FROM_REFERENCE,
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.digest import judgement_digest
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.time_limit import TimeLimit
from ctrl_harness.verification.verdict import STATUSES, Verdict
from ctrl_harness.verification.verify import verify, verify_completion

QUICK = Limits(time_s=3.0, memory_mb=512, output_mb=4)
ADD = (StdioCase("1 2\n", "3\n"), StdioCase("5 5\n", "10\n"), StdioCase("0 0\n", "0\n"))
DOUBLE = (CallCase("double", (1,), 2), CallCase("double", ("a",), "aa"))
CANARY = "canary-5b1e9d0c7f"
STDIO_CANARY = (StdioCase("", CANARY + "\n"),)
CALL_CANARY = (CallCase("f", (), CANARY),)


@pytest.fixture(scope="module")
def executor() -> ProcessExecutor:
    return ProcessExecutor(2)


@pytest.fixture
def judge(executor: ProcessExecutor) -> Callable[..., Verdict]:
    def run(cases: Sequence[TestCase], program: str | None, **options: Any) -> Verdict:
        # all of them, so that a test sees the result of each
        settings: dict[str, Any] = {"all_cases": True}
        for key in ("comparator", "limits", "time_limit", "all_cases", "extraction"):
            if key in options:
                settings[key] = options.pop(key)
        options["limits"] = options.pop("own_limits", QUICK)
        problem = Problem("p", "d", "s", tuple(cases), **options)
        return anyio.run(lambda: verify(problem, program, executor=executor, **settings))

    return run


def source(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def statuses(verdict: Verdict) -> list[str | None]:
    return [case.status if case is not None else None for case in verdict.cases]


# -- statuses


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("print(sum(map(int, input().split())))", "accepted"),
        ("print(4)", "wrong_answer"),
        ("", "wrong_answer"),
        ("1 / 0", "runtime_error"),
        ("import sys; sys.exit(1)", "runtime_error"),
        ("while True: pass", "time_limit"),
        ("x = [0] * 10**10", "memory_limit"),
        ("print('x' * 5_000_000)", "output_limit"),
        ("def f(:", "compile_error"),
        ("x = '\0'", "compile_error"),
        ("x = '\ud800'", "compile_error"),
        (None, "no_code"),
    ],
)
def test_each_status_has_its_cause(judge: Any, program: str | None, status: str) -> None:
    verdict = judge(ADD[:1], program, limits=Limits(1.0, 512, 4))
    assert verdict.status == status
    assert verdict.passed is (status == "accepted")


def test_the_status_is_that_of_the_first_case_that_fails(judge: Any) -> None:
    program = "a = input()\nif a == '1 2': print(3)\nelif a == '0 0': 1 / 0"
    verdict = judge(ADD, program)
    assert statuses(verdict) == ["accepted", "wrong_answer", "runtime_error"]
    assert (verdict.status, verdict.n_passed, verdict.n_cases) == ("wrong_answer", 1, 3)
    assert verdict.fraction == pytest.approx(1 / 3)
    assert verdict.first_failure.index == 1


@pytest.mark.parametrize(("program", "status"), [("f(:", "compile_error"), (None, "no_code")])
def test_what_never_ran_has_no_results(judge: Any, program: str | None, status: str) -> None:
    verdict = judge(ADD, program)
    assert (verdict.status, verdict.n_passed) == (status, 0)
    assert statuses(verdict)[1:] == [None, None]


def test_results_tell_time_memory_output_and_error(judge: Any) -> None:
    verdict = judge(ADD[:2], "print(4) if '1' in input() else print(undefined)")
    wrong, crashed = verdict.cases
    assert wrong.output == "4\n" and 0 < wrong.time_s < 3 and 1 < wrong.memory_mb < 500
    assert "NameError" in crashed.error and "line 1" in crashed.error
    (called,) = judge(DOUBLE[:1], "def double(x): return [x]").cases
    assert called.output == "[1]"


# -- the peers' disagreements that only a run can show


@pytest.mark.parametrize(
    ("program", "status"),
    [
        pytest.param("import sys; print(3); sys.exit(1)", "runtime_error", id="answer, exit(1)"),
        pytest.param("import os; os._exit(0)", "wrong_answer", id="no output, os._exit(0)"),
        pytest.param(
            "import os; print(4, flush=True); os._exit(0)", "wrong_answer",
            id="wrong output, os._exit(0)",
        ),
        pytest.param(
            "import sys; print(sum(map(int, sys.stdin.buffer.read().split())))", "accepted",
            id="sys.stdin.buffer",
        ),
        pytest.param("print(sum(map(int, open(0).read().split())))", "accepted", id="open(0)"),
        pytest.param(
            "import os; os.write(1, b'%d' % sum(map(int, os.read(0, 99).split())))", "accepted",
            id="os.write",
        ),
        pytest.param(
            "n = 0\ndef f():\n    global n\n    n = sum(map(int, input().split()))\nf()\nprint(n)",
            "accepted", id="global",
        ),
        pytest.param(
            "exec('x = input()')\nprint(eval('+'.join(x.split())))", "accepted", id="exec"
        ),
        pytest.param(
            "if __name__ == '__main__': print(sum(map(int, input().split())))", "accepted",
            id="__main__",
        ),
    ],
)  # fmt: skip
def test_default_is_right_where_peers_disagree(judge: Any, program: str, status: str) -> None:
    assert judge(ADD[:1], program).status == status


def test_two_megabytes_of_output_are_judged(judge: Any) -> None:
    many = (StdioCase("", "1234567\n" * 250_000),)
    assert judge(many, "print('1234567 ' * 250_000)").passed
    assert judge(many, "print('1234567 ' * 249_999 + '1234568')").status == "wrong_answer"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        pytest.param("def f(): return [1, 2][0]", "wrong_answer", id="expected[0] only"),
        pytest.param(
            "class A:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
            "def f(): return A()",
            "wrong_answer", id="__eq__ is always True",
        ),
        pytest.param(
            "class A(list):\n    def __eq__(self, other): return True\n"
            "    def __len__(self): return 2\n    def __iter__(self): return iter([1, 2])\n"
            "def f(): return A()",
            "wrong_answer", id="a list that lies",
        ),
        pytest.param(
            "class A(int):\n    def __eq__(self, other): return True\n"
            "    def __index__(self): return 1\ndef f(): return [A(7), 2]",
            "wrong_answer", id="an integer that lies",
        ),
        pytest.param("def f(): exit(0)", "runtime_error", id="exit(0)"),
        pytest.param("import os\ndef f(): os._exit(0)", "runtime_error", id="os._exit(0)"),
        pytest.param("def f(): return (1, 2)", "accepted", id="tuple for list"),
        pytest.param("def f(): return [1 + 1e-9, 2]", "accepted", id="floats 1e-9 off"),
        pytest.param("def f(): return iter([1, 2])", "wrong_answer", id="an iterator"),
    ],
)  # fmt: skip
def test_default_is_right_on_calls_where_peers_disagree(
    judge: Any, program: str, status: str
) -> None:
    assert judge([CallCase("f", (), [1, 2])], program).status == status


# -- hacks earn nothing

LOOK_EVERYWHERE = source(
    """
    import gc, os, re, sys

    pattern = re.compile(b"can" + b"ary-[0-9a-f]{10}")

    def texts():
        frame = sys._getframe()
        while frame is not None:
            yield repr({**frame.f_globals, **frame.f_locals}).encode()
            frame = frame.f_back
        for thing in gc.get_objects():
            if type(thing) in (list, dict, tuple):
                yield repr(thing).encode("utf-8", "replace")
        for name in ("environ", "cmdline", "maps", "stat", "auxv", "comm"):
            with open("/proc/self/" + name, "rb") as file:
                yield file.read()
        for number in os.listdir("/proc/self/fd"):
            try:
                yield os.pread(int(number), 1 << 20, 0)
            except OSError:
                pass
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                first, last = (int(end, 16) for end in line.split()[0].split("-"))
                if line.split()[1].startswith("rw"):
                    try:
                        memory.seek(first)
                        yield memory.read(last - first)
                    except (OSError, OverflowError, ValueError):
                        pass

    def steal():
        for text in texts():
            found = pattern.search(text)
            if found:
                return found[0].decode()
        return "nothing"
    """
)


def test_the_expected_values_are_nowhere_in_the_program_s_process(judge: Any) -> None:
    for cases, last_line in [
        (STDIO_CANARY, "print(steal())"),
        (CALL_CANARY, "def f(): return steal()"),
    ]:
        (result,) = judge(cases, LOOK_EVERYWHERE + last_line).cases
        assert (result.status, "nothing" in result.output) == ("wrong_answer", True)


def test_the_search_for_expected_values_would_have_found_an_argument(judge: Any) -> None:
    given = [CallCase("f", (CANARY,), CANARY)]
    assert judge(given, LOOK_EVERYWHERE + "def f(unused): return steal()").passed


@pytest.mark.parametrize("cases", [STDIO_CANARY, CALL_CANARY], ids=["stdio", "call"])
@pytest.mark.parametrize(
    "program",
    [
        'print(\'{"status": "accepted", "passed": true, "n_passed": 1, "n_cases": 1}\')',
        "print('accepted')\nraise SystemExit(0)",
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "exit()",
        "import atexit, os; atexit.register(os._exit, 0)",
        "import builtins; builtins.any = builtins.all = lambda *_: True",
        "import sys; sys.modules.clear()",
        "import signal, os; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_ending_well_or_saying_so_is_no_verdict(
    judge: Any, cases: tuple[TestCase], program: str
) -> None:
    assert judge(cases, program).status in ("wrong_answer", "runtime_error")


@pytest.mark.parametrize(
    ("cases", "last_line"),
    [
        (STDIO_CANARY, "write()"),
        (CALL_CANARY, "write()\ndef f(): return 0"),
        (CALL_CANARY, "def f(): write()"),
        ((ScriptCase("assert f() == 1"),), "write()\nimport os; os._exit(0)"),
        ((ScriptCase("assert f() == 1"),), "def f():\n    write()\n    import os; os._exit(0)"),
    ],
)
def test_writing_to_every_descriptor_earns_nothing(
    judge: Any, cases: tuple[TestCase], last_line: str
) -> None:
    program = source(
        """
        import json, os

        def frame(kind, payload=b""):
            return (len(payload) + 1).to_bytes(4, "little") + kind + payload

        def write():
            verdict = json.dumps({"status": "accepted", "passed": True}).encode() + b"\\n"
            for number in range(3, 51):
                for words in (frame(b"L"), frame(b"D", b"0" * 32), frame(b"X"), verdict):
                    try:
                        os.write(number, words)
                    except OSError:
                        pass
        """
    )
    assert not judge(cases, program + last_line, limits=replace(QUICK, time_s=1.0)).passed


def test_a_forged_result_is_worth_what_it_says(judge: Any) -> None:
    """A program that writes its own message only returns a value by another road."""
    program = source(
        """
        import os, stat

        def f():
            for number in range(3, 50):
                try:
                    if stat.S_ISFIFO(os.fstat(number).st_mode):
                        os.write(number, b"\\x09\\0\\0\\0R" + b'"canary"')
                except OSError:
                    pass
        """
    )
    (result,) = judge(CALL_CANARY, program).cases
    assert (result.status, result.output) == ("wrong_answer", "'canary'")


# -- calls and scripts


@pytest.mark.parametrize(
    "program",
    [
        "def double(x): return x + x",
        "double = lambda x: 2 * x",
        "class Solution:\n    def double(self, x): return x + x",
        "class Solution:\n    @staticmethod\n    def double(x): return x + x",
        "def double(x): return None\nclass Solution:\n    def double(self, x): return x + x",
        "class Solution: pass\ndef double(x): return x + x",
    ],
)
def test_a_call_finds_the_method_of_solution_or_the_function(judge: Any, program: str) -> None:
    assert judge(DOUBLE, program).passed


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("def triple(x): return 3 * x", "defines no function 'double'"),
        ("double = 5", "not callable"),
        ("def double(): return 2", "TypeError"),
        ("class Solution:\n    def __init__(self): 1 / 0\n    def double(self, x): ...", "Zero"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_call_that_cannot_be_made_is_a_runtime_error(
    judge: Any, program: str, error: str
) -> None:
    verdict = judge(DOUBLE, program)
    assert statuses(verdict) == ["runtime_error"] * 2
    assert error in verdict.cases[0].error


@pytest.mark.parametrize(
    "value", ["'sNaN'", "'1e999999999999'", "'NaN'", "'-Infinity'", "'1' * 100_000"]
)
def test_odd_decimals_are_wrong_and_no_trouble(judge: Any, value: str) -> None:
    program = f"from decimal import Decimal\ndef double(x): return Decimal({value})"
    for expected in (2, 2.0, [2], {2}, "2"):
        for comparator in ("default", "evalplus"):
            cases = [CallCase("double", (1,), expected)]
            assert judge(cases, program, comparator=comparator).status == "wrong_answer"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("def f(): return 4", "accepted"),
        ("def f(): return 5", "wrong_answer"),
        ("def f(): raise KeyError", "runtime_error"),
        ("f = 4", "runtime_error"),
        ("def f(): exit(0)", "runtime_error"),
        ("import os\ndef f(): os._exit(0)", "runtime_error"),
        ("import os; os._exit(0)", "runtime_error"),
        ("raise SystemExit(0)", "runtime_error"),
        ("def f():\n    while True: pass", "time_limit"),
        ("f(:", "compile_error"),
    ],
)
def test_a_script_is_passed_by_reaching_its_end(judge: Any, program: str, status: str) -> None:
    script = ScriptCase("value = f()\nassert value == 4, f'{value}\\nis not\\n4'\n")
    assert judge([script], program, limits=replace(QUICK, time_s=1.0)).status == status


@pytest.mark.parametrize("message", ["f()", "'x' * 10_000", "'\\n'.join('abc' * 5_000)"])
def test_whatever_an_assertion_says_it_is_a_wrong_answer(judge: Any, message: str) -> None:
    script = ScriptCase(f"assert f() == 4, {message}")
    assert judge([script], "def f(): return 5").status == "wrong_answer"


def test_a_prelude_gives_names_and_is_part_of_no_error(judge: Any) -> None:
    program = "def double(x: List[int]) -> int: return int(sqrt(4)) * x"
    prelude = "from math import *\nfrom typing import List\n"
    assert judge(DOUBLE, program, prelude=prelude).passed
    assert judge(DOUBLE, program).status == "runtime_error"
    assert "line 1," in judge(DOUBLE, "1 / 0", prelude=prelude).cases[0].error


def test_a_prelude_that_fails_is_the_machinery_s_fault(judge: Any) -> None:
    with pytest.raises(JudgeError, match="no_such_module"):
        judge(ADD, "print(3)", prelude="import no_such_module")


# -- stopping at the first failing case


def test_judging_ends_at_the_first_case_that_fails(judge: Any) -> None:
    verdict = judge(ADD, "print(3)", all_cases=False)
    assert statuses(verdict) == ["accepted", "wrong_answer", None]
    assert (verdict.status, verdict.n_passed, verdict.n_cases) == ("wrong_answer", 1, 3)
    calls = [CallCase("double", (n,), 2 * n) for n in range(4)]
    failing = judge(calls, "def double(x): return x + x if x < 1 else exit()", all_cases=False)
    assert statuses(failing) == ["accepted", "runtime_error", None, None]


def test_stopping_changes_nothing_where_all_is_well(judge: Any) -> None:
    assert judge(DOUBLE, "def double(x): return x + x", all_cases=False).n_passed == 2


def test_stopping_is_the_default(executor: ProcessExecutor) -> None:
    problem = Problem("p", "d", "s", ADD, limits=QUICK)
    verdict = anyio.run(lambda: verify(problem, "print(3)", executor=executor))
    assert statuses(verdict) == ["accepted", "wrong_answer", None]
    assert verdict.digest == Judge(executor).digest(problem, "print(3)", bare=True)


# -- reference programs


def test_a_reference_program_computes_what_is_expected(judge: Any) -> None:
    cases = [CallCase("f", (n,), FROM_REFERENCE) for n in (3, 4)] + [CallCase("f", (5,), 10)]
    reference = "def f(n): return 2 * n if n != 4 else (n, n)"
    verdict = judge(cases, "def f(n): return 2 * n", reference=reference)
    assert statuses(verdict) == ["accepted", "wrong_answer", "accepted"]
    assert judge(cases, reference, reference=reference).passed


@pytest.mark.parametrize(
    "returned", ["iter([1, 2])", "{1: [2.5]}", "range(9)", "None", "{1, 'a'}", "[0] * 10**5"]
)
def test_a_reference_program_passes_its_own_test(judge: Any, returned: str) -> None:
    program = f"def f(): return {returned}"
    for comparator in ("default", "evalplus"):
        given = {"reference": program, "comparator": comparator}
        assert judge([CallCase("f", (), FROM_REFERENCE)], program, **given).passed


@pytest.mark.parametrize(
    "reference",
    ["def f(n): raise ValueError", "def g(n): return n", "import os; os._exit(0)", "f(:",
     "def f(n): return object()"],
)  # fmt: skip
def test_a_reference_that_fails_is_no_verdict(judge: Any, reference: str) -> None:
    with pytest.raises(JudgeError, match="reference program of p"):
        judge([CallCase("f", (3,), FROM_REFERENCE)], "def f(n): return 6", reference=reference)


def test_an_expected_value_from_nowhere_is_a_sentence(judge: Any) -> None:
    with pytest.raises(UserError, match="p has cases without expected values and no reference"):
        judge([CallCase("f", (3,), FROM_REFERENCE)], "def f(n): return 6")


# -- time by a right program's time (EvalPlus's rule)

SLOW = "import time\ndef f(n):\n    time.sleep({})\n    return n"
SLOW_CASES = (CallCase("f", (1,), 1), CallCase("f", (2,), 2))
TIGHT = Limits(0.3, 512, 4)


def test_a_slow_program_gets_four_times_a_right_one_s_time(judge: Any) -> None:
    problem = {"own_limits": TIGHT, "time_reference": SLOW.format(0.4)}
    assert judge(SLOW_CASES[:1], SLOW.format(0.5), **problem).passed


def test_a_program_slower_than_that_still_runs_into_the_limit(judge: Any) -> None:
    problem = {"own_limits": TIGHT, "time_reference": SLOW.format(0.15)}
    assert judge(SLOW_CASES[:1], SLOW.format(3), **problem).status == "time_limit"


def test_a_quick_right_program_changes_nothing(judge: Any) -> None:
    problem = {"own_limits": TIGHT, "time_reference": SLOW.format(0)}
    verdict = judge(SLOW_CASES, SLOW.format(0.8), **problem)
    assert statuses(verdict) == ["time_limit"] * 2


def test_limits_from_outside_are_not_stretched(judge: Any) -> None:
    options = {"limits": TIGHT, "time_reference": SLOW.format(0.4)}
    assert judge(SLOW_CASES[:1], SLOW.format(0.5), **options).status == "time_limit"


def test_a_multiple_of_the_row_s_limit_is_one_of_that_time_too(judge: Any) -> None:
    problem = {"own_limits": TIGHT, "time_reference": SLOW.format(0.15)}
    program = SLOW.format(1)  # 4 × 0.15 s is too short, 3 × 0.3 s too
    assert judge(SLOW_CASES[:1], program, **problem).status == "time_limit"
    assert judge(SLOW_CASES[:1], program, time_limit=TimeLimit(factor=3), **problem).passed


def test_a_slow_case_that_passes_after_all_does_not_end_it(judge: Any) -> None:
    problem = {"own_limits": TIGHT, "time_reference": SLOW.format(0.4)}
    program = "import time\ndef f(n):\n    if n == 1: time.sleep(0.5)\n    return 1"
    verdict = judge(SLOW_CASES, program, all_cases=False, **problem)
    assert statuses(verdict) == ["accepted", "wrong_answer"]
    assert [case.index for case in verdict.cases] == [0, 1]


# -- what cannot be judged


def test_no_case_is_an_error(judge: Any) -> None:
    with pytest.raises(UserError, match="p has no test case"):
        judge([], "print(3)")
    with pytest.raises(UserError, match="p has no test case"):
        judge([], None)


def test_an_unknown_comparator_is_an_error(judge: Any) -> None:
    with pytest.raises(UserError, match="unknown comparator 'exact'"):
        judge(ADD, "print(3)", comparator="exact")


class Misbehaving:
    """An executor that answers with other runs than it was asked for."""

    name, isolated = "misbehaving", False

    def __init__(self, runs: list[Run], tell: int = 0) -> None:
        self.runs, self.tell = runs, tell

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        for run in self.runs[: self.tell]:
            assert until is not None
            until(run)
        return self.runs

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("all_cases", [False, True])
@pytest.mark.parametrize("tell", [0, 1, 4])
@pytest.mark.parametrize(
    "runs",
    [[], [Run("ok", stdout="3")], [Run("ok", stdout="3")] * 2, [Run("ok", stdout="3")] * 4],
    ids=len,
)
def test_an_executor_that_answers_amiss_never_makes_a_verdict(
    runs: list[Run], tell: int, all_cases: bool
) -> None:
    problem = Problem("p", "d", "s", (StdioCase("", "3"),) * 3)
    executor = Misbehaving(runs, tell)
    with pytest.raises(JudgeError, match="'misbehaving' ran"):
        anyio.run(lambda: verify(problem, "x", executor=executor, all_cases=all_cases))


# -- the digest

FULL = Problem(
    id="p",
    dataset="d",
    statement="s",
    cases=(
        StdioCase("1 é\n", "2\n"),
        CallCase("f", ({"b": {1}, "a": [1.5, None]}, "x"), ({3, 1, 2}, {"y", "x"}), "set", 1e-4),
        CallCase("f", (), FROM_REFERENCE),
        ScriptCase("assert f() == 1"),
    ),
    prelude="import math",
    reference="def f(): return 1",
    limits=Limits(2, 256, 8),
)
DIGEST_ARGUMENTS: dict[str, Any] = {
    "comparator": "default",
    "limits": FULL.limits,
    "all_cases": False,
    "extraction": "first_fence",
}


def digest_of(problem: Problem = FULL, program: str | None = "x = 1", **changed: Any) -> str:
    return judgement_digest(problem, program, **{**DIGEST_ARGUMENTS, **changed})


def test_the_digest_is_sha256_of_canonical_json() -> None:
    data = {
        "format_version": 2,
        "cases": [
            {"stdin": "1 é\n", "stdout": "2\n"},
            {
                "function": "f",
                "args_repr": "({'b': set(['1']), 'a': [1.5, None]}, 'x')",
                "expected_repr": """(set(['1', '2', '3']), set(["'x'", "'y'"]))""",
                "oracle": "set",
                "atol": 1e-4,
            },
            {
                "function": "f",
                "args_repr": "()",
                "expected_repr": "FROM_REFERENCE",
                "oracle": "equal",
                "atol": 0.0,
                "reference": "def f(): return 1",
            },
            {"script": "assert f() == 1"},
        ],
        "program": "import math\nx = 1",
        "comparator": "default",
        "extraction": "first_fence",
        "limits": {"time_s": 2.0, "memory_mb": 256.0, "output_mb": 8.0},
        "fail_fast": True,
    }
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert digest_of() == hashlib.sha256(canonical.encode("ascii")).hexdigest()


def test_each_ingredient_changes_the_digest() -> None:
    def with_case(index: int, **changed: Any) -> Problem:
        cases = list(FULL.cases)
        cases[index] = replace(cases[index], **changed)
        return replace(FULL, cases=tuple(cases))

    digests = [
        digest_of(),
        digest_of(program="x = 2"),
        digest_of(program=None),
        digest_of(program=""),
        digest_of(comparator="evalplus"),
        digest_of(extraction="last_fence"),
        digest_of(extraction=None),
        digest_of(all_cases=True),
        *(digest_of(limits=replace(FULL.limits, **{name: 1.0})) for name in FULL.limits.as_json()),
        digest_of(replace(FULL, prelude="import cmath")),
        digest_of(replace(FULL, reference="def f(): return 2")),
        digest_of(replace(FULL, time_reference="def f(): return 1")),
        digest_of(replace(FULL, cases=FULL.cases[:-1])),
        digest_of(replace(FULL, cases=FULL.cases[::-1])),
        digest_of(with_case(0, stdin="2")),
        digest_of(with_case(0, stdout="2")),
        digest_of(with_case(1, function="g")),
        digest_of(with_case(1, args=(1,))),
        digest_of(with_case(1, expected=({3, 1}, {"y", "x"}))),
        digest_of(with_case(1, oracle="equal")),
        digest_of(with_case(1, atol=0.0)),
        digest_of(with_case(3, script="assert f() == 2")),
    ]
    assert len(set(digests)) == len(digests)


def test_what_does_not_decide_leaves_the_digest_alone() -> None:
    other = replace(FULL, id="q", statement="t", public_cases=FULL.cases, metadata={"date": 1})
    assert digest_of(other) == digest_of()
    copied = replace(FULL, cases=tuple(replace(case) for case in FULL.cases))
    assert digest_of(copied) == digest_of()


def test_large_integers_and_surrogates_have_a_digest() -> None:
    cases = (CallCase("f", (10**5000,), -(10**5000)), StdioCase("\ud800", "\udfff"))
    odd = Problem("p", "d", "s", cases)
    assert len(digest_of(odd, "'\ud800'")) == 64
    assert digest_of(replace(odd, cases=(CallCase("f", (10**5000 + 1,), 1),))) != digest_of(odd)


def test_a_digest_keeps_no_problem_alive() -> None:
    """The hash of a problem's cases is remembered, the cases (which may fill 100 MB) are not."""

    class Watched(str):
        """A text that a weak reference can point to, as plain ones cannot be."""

    texts = [Watched(f"{number}\n") for number in range(20)]
    alive = [weakref.ref(text) for text in texts]
    for text in texts:
        problem = replace(FULL, cases=(StdioCase(text, ""),))
        assert digest_of(problem) == digest_of(problem)
        assert digest_of(problem) != digest_of()
    del text, texts, problem
    gc.collect()
    assert [reference() for reference in alive] == [None] * 20


def test_a_hash_of_cases_is_not_taken_for_another_problems() -> None:
    """A new problem may get the address of one that is gone."""
    digests = set()
    for number in range(1000):
        digests.add(digest_of(replace(FULL, cases=(StdioCase(f"{number}", ""),))))
    assert len(digests) == 1000


def test_the_digest_does_not_depend_on_the_hash_seed() -> None:
    script = source(
        """
        from ctrl_harness.problems.problem import CallCase, Limits, Problem
        from ctrl_harness.verification.digest import judgement_digest
        words = frozenset("one two three four five six".split())
        cases = (CallCase("f", (set(words), {"k": words}), [{words: {"x", "y", "z"}}]),)
        print(judgement_digest(
            Problem("p", "d", "s", cases), "x", comparator="default", limits=Limits(),
            all_cases=True, extraction=None))
        """
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in (0, 1, 2)
    }
    assert len(digests) == 1 and len(digests.pop().strip()) == 64


# -- verdicts as data, and the bound settings


def test_a_verdict_survives_json(judge: Any) -> None:
    verdict = judge(ADD, "a = input()\nprint(3) if '1' in a else 1 / 0", all_cases=False)
    data = json.loads(json.dumps(verdict.as_json()))
    assert set(data) == {"status", "passed", "n_passed", "n_cases", "cases", "digest"}
    assert data["cases"][2] is None
    assert set(data["cases"][0]) == {"index", "status", "time_s", "memory_mb"}
    back = Verdict.from_json(data)
    assert back.as_json() == data
    assert (back.status, back.n_passed, back.digest) == (verdict.status, 1, verdict.digest)
    assert verdict.status in STATUSES


def test_a_completion_is_judged_on_the_program_in_it(executor: ProcessExecutor) -> None:
    problem = Problem("p", "d", "s", ADD, limits=QUICK)
    program = "print(sum(map(int, input().split())))\n"
    completion = f"```python\n{program}```\nor\n```python\nprint(3)\n```\n"

    async def judged(text: str, rule: str) -> Verdict:
        return await verify_completion(problem, text, executor=executor, extraction=rule)

    first = anyio.run(judged, completion, "first_fence")
    assert first.passed
    assert first.digest == digest_of(problem, program, limits=QUICK)
    assert anyio.run(judged, completion, "last_fence").status == "wrong_answer"
    assert anyio.run(judged, "I do not know.", "first_fence").status == "no_code"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"time_limit": TimeLimit(seconds=2.5), "comparator": "evalplus"},
        {"time_limit": TimeLimit(factor=1.5)},
        {"time_limit": TimeLimit(seconds=2.5, total="total")},
    ],
)
def test_a_judge_promises_the_digest_its_verdict_carries(
    executor: ProcessExecutor, settings: dict[str, Any]
) -> None:
    judge = Judge(executor, all_cases=True, **settings)
    problem = Problem("p", "d", "s", ADD[:1], limits=QUICK, time_reference="print(3)")
    for bare in (True, False):
        verdict = anyio.run(lambda bare=bare: judge.verify(problem, "print(3)", bare=bare))
        assert verdict.passed
        assert verdict.digest == judge.digest(problem, "print(3)", bare=bare)
    assert judge.digest(problem, "x", bare=True) != judge.digest(problem, "x")


def test_a_judge_refuses_unknown_names_at_once(executor: ProcessExecutor) -> None:
    with pytest.raises(UserError, match="unknown comparator"):
        Judge(executor, comparator="exact")
    with pytest.raises(UserError, match="unknown extraction"):
        Judge(executor, extraction="all_fences")


def test_a_judge_tells_its_settings(executor: ProcessExecutor) -> None:
    assert Judge(executor, time_limit=TimeLimit(seconds=2)).settings() == {
        "packages": executor.packages,
        "executor": "process",
        "isolated": False,
        "comparator": "per problem",
        "extraction": "first_fence",
        "time_limit": "2",
        "output_mb": "row",
        "all_cases": False,
    }

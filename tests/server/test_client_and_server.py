"""Our client against our server: inputs go, runs come back, verdicts are those of a cell here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution import fusion, fusion_http
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import (
    CallInput,
    Executor,
    Input,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.fusion import FusionExecutor
from ctrl_harness.problems.problem import CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.verification.verify import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

LIMITS = Limits(time_s=0.5, memory_mb=256, output_mb=2)

VALUES = [
    "None", "True", "-1", "2**70", "1.5", "float('inf')", "'a\\ud800'", "b'\\0\\xff'", "1+2j",
    "[1, (2, [3])]", "{(1,): {2}}", "frozenset({1})", "iter([1, 2])", "range(3)", "object()",
    "__import__('decimal').Decimal('1.10')", "__import__('fractions').Fraction(1, 3)",
    "__import__('re').match('a', 'a')", "{1: 2}.items()", "'x' * (3 << 20)",
]  # fmt: skip


def both(server: Any, check: Callable[[Executor], Any]) -> tuple[Any, Any]:
    async def main() -> tuple[Any, Any]:
        here = EmbeddedExecutor(1)
        try:
            return await check(FusionExecutor(endpoint=server.url)), await check(here)
        finally:
            with anyio.CancelScope(shield=True):
                await here.aclose()

    return anyio.run(main)


def facts(run: Run) -> tuple[Any, ...]:
    return run.status, run.stdout, repr(run.value), run.error.splitlines()[-1:]


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        ("\n".join(f"def f{n}(): return {value}" for n, value in enumerate(VALUES)),
         [CallInput(f"f{n}", ()) for n in range(len(VALUES))]),
        ("def f(*a): return a",
         [CallInput("f", ()), CallInput("f", (1, "é\ud800")), CallInput("f", (2**90, 1j)),
          CallInput("f", ({(1,): {2.5}}, b"", None))]),
        ("import sys; print(ascii(sys.stdin.read()))",
         [StdinInput(text) for text in ("", "a\n", "é\r\n", "\ud800", "x" * 100_000)]),
        ("import os; os.write(1, b'\\xff\\xfe')", [StdinInput("")]),
        ("x = 1", [ScriptInput("assert x == 1"), ScriptInput("assert x == 2"), ScriptInput("y")]),
        ("(", [StdinInput("")] * 3),
        ("while True: pass", [StdinInput("")] * 2),
        ("print('x' * (3 << 20))", [StdinInput("")]),
        ("import sys; sys.exit('bye')", [StdinInput("")]),
    ],
)  # fmt: skip
def test_a_run_says_the_same_from_afar(server: Any, source: str, inputs: list[Input]) -> None:
    async def check(executor: Executor) -> list[Any]:
        return [facts(run) for run in await executor.execute(Program(source), inputs, LIMITS)]

    afar, here = both(server, check)
    assert afar == here


CASES = (
    *(StdioCase(f"{n}\n", f"{n * n}\n") for n in range(3)),
    CallCase("square", (1.5,), 2.25),
    CallCase("square", (2,), 4),
    ScriptCase("assert square(3) == 9"),
)
SQUARE = "def square(x): return x * x\nif __name__ == '__main__': print(square(int(input())))"
PROGRAMS = {
    "right": SQUARE,
    "wrong": SQUARE.replace("x * x", "x + x"),
    "slow": SQUARE.replace("return", "while x == 2: pass\n    return").replace(
        "def square(x): ", "def square(x):\n    "
    ),
    "crash": SQUARE.replace("x * x", "x * x // (x - 1)"),
    "exit": "exit(0)",
    "no source": "",
}


@pytest.mark.parametrize("all_cases", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_verdicts_are_the_same_from_afar(server: Any, name: str, all_cases: bool) -> None:
    problem = Problem("p", "file", "", CASES, limits=LIMITS)

    async def check(executor: Executor) -> Any:
        verdict = await verify(problem, PROGRAMS[name], executor=executor, all_cases=all_cases)
        return verdict.status, [case and case.status for case in verdict.cases], verdict.digest

    afar, here = both(server, check)
    assert afar == here


def test_inputs_too_large_for_one_request_go_into_several(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "_BATCH_BYTES", 250)
    inputs = [StdinInput(f"{n}" * 60 + "\n") for n in range(8)]
    executor = FusionExecutor(endpoint=server.url)
    runs = anyio.run(executor.execute, Program("print(input())"), inputs, LIMITS)
    assert [run.stdout for run in runs] == [given.stdin for given in inputs]


def test_limits_that_the_server_does_not_allow_are_a_judge_error(server: Any) -> None:
    executor = FusionExecutor(endpoint=server.url)
    with pytest.raises(JudgeError, match="allows at most"):
        anyio.run(executor.execute, Program("1"), [StdinInput("")], Limits(time_s=1000))


def test_a_server_that_is_lost_is_a_judge_error(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion_http, "_FIRST_PAUSE_S", 0.01)
    server = serve("--workers", "1")
    executor = FusionExecutor(endpoint=server.url)
    assert anyio.run(executor.execute, Program("print(1)"), [StdinInput("")], LIMITS)
    server.process.kill()
    server.process.wait()
    with pytest.raises(JudgeError):
        anyio.run(executor.execute, Program("print(1)"), [StdinInput("")], LIMITS)

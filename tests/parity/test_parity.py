"""One program, one verdict: the same programs through every surface that judges.

Status, the status of each case and the digest are the same from a cell, from the server's
`/verify`, from the SandboxFusion client at our server, and from the Inspect sandbox adapter.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.fusion import FusionExecutor
from ctrl_harness.execution.inspect_sandbox import InspectSandboxExecutor
from ctrl_harness.problems import code_contests, livecodebench, mbppplus
from ctrl_harness.problems.problem import (
    FROM_REFERENCE,
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.verify import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

N_PROGRAMS = 200
AT_ONCE = 2
LIMITS = Limits(time_s=2.0, memory_mb=256.0, output_mb=2.0)
HURRIED = Limits(time_s=0.5, memory_mb=256.0, output_mb=2.0)


class Submission(NamedTuple):
    """A program for a problem; kind says which verdicts it may get at all."""

    name: str
    kind: str
    problem: Problem
    program: str


MAY_BE = {
    "right": {"accepted"},
    "wrong": {"wrong_answer", "runtime_error", "time_limit"},
    "slow": {"time_limit"},
    # an early exit 0 is no crash, and no answer
    "crash": {"runtime_error", "memory_limit", "output_limit", "compile_error", "wrong_answer"},
}


class Judged(NamedTuple):
    """What has to be the same everywhere."""

    status: str
    cases: tuple[str | None, ...]
    digest: str


# -- the programs

SLOW = ("import time; time.sleep(60)", "while True: pass")
CRASHES = (
    "1 // 0",
    "import sys; sys.exit(3)",
    "import os; os._exit(0)",
    "import os; os.abort()",
    "raise SystemExit('bye')",
    "def down(n): return down(n + 1)\ndown(0)",
    "held = bytearray(1 << 30)",
    "import os\nfor _ in range(5): os.write(1, b'x' * (1 << 20))",
    "if True print(1)",
    "import no_module_of_this_name",
)

POWERS = Problem(
    "powers",
    "file",
    "",
    (
        StdioCase("3\n", "9\n"),
        CallCase("power", (2.5,), 6.25),
        ScriptCase("assert power(4) - 16 == 0"),
        StdioCase("0\n", "0\n"),
    ),
    limits=LIMITS,
)
POWER = """\
def power(x):
    return {}
if __name__ == "__main__":
    print(power(int(input())))
"""
ASSERTED = Problem(
    "asserted",
    "file",
    "",
    (
        ScriptCase("for n in squares(3):\n    assert n >= 0\n"),
        ScriptCase(
            "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
            "        self.assertEqual(squares(3), [0, 1, 4])\n"
            "if __name__ == '__main__':\n    unittest.main()\n"
        ),
        ScriptCase("try:\n    squares(-1)\n    assert False\nexcept ValueError:\n    pass\n"),
    ),
    limits=LIMITS,
)
SQUARES = """\
def squares(n):
    if n < 0:
        raise ValueError(n)
    return {}
if __name__ == "__main__":
    print(squares(int(input())))
"""
SQUARING = {
    ("right", "a list"): "[i * i for i in range(n)]",
    ("wrong", "nothing to assert on"): "[]",
    ("wrong", "a negative one"): "[0, -1, 4]",
    ("crash", "exits"): "exit(0)",
}
SMALL = {
    ("right", "by itself"): POWER.format("x * x"),
    ("right", "by operator"): POWER.format("x ** 2"),
    ("right", "by the library"): "import math\n" + POWER.format("math.pow(x, 2)"),
    ("wrong", "doubled"): POWER.format("x + x"),
    ("wrong", "text"): POWER.format("str(x * x)"),
    ("wrong", "nothing"): "",
    ("wrong", "no function"): "print(int(input()) ** 2)",
    ("wrong", "an object that equals all"): "class A:\n    __eq__ = lambda s, o: True\n"
    + POWER.format("A()"),
    ("crash", "in every case"): POWER.format("x / 0"),
    ("crash", "at the end"): POWER.format("x * x") + "raise ValueError('late')\n",
    ("crash", "exits in the function"): POWER.format("exit(0)"),
}


def small_submissions() -> Iterator[Submission]:
    for (kind, name), program in SMALL.items():
        yield Submission(f"powers {name}", kind, POWERS, program)
    for (kind, name), value in SQUARING.items():
        yield Submission(f"squares {name}", kind, ASSERTED, SQUARES.format(value))
    sleeper = POWER.format("__import__('time').sleep(60)")
    for n, case in enumerate(POWERS.cases):
        yield Submission(f"powers slow {n}", "slow", asked(POWERS, (case,), HURRIED), sleeper)


def sample_submissions(programs_of: Callable[[str], list[Any]]) -> Iterator[Submission]:
    """Right and wrong programs of the shipped samples, and right ones that were made worse."""
    n = 0
    for dataset, loader in (
        ("codecontests", code_contests),
        ("livecodebench", livecodebench),
        ("mbppplus", mbppplus),
    ):
        problems = loader.load("samples")
        for programs in programs_of(dataset):
            problem = problems[programs.id]
            if not all(map(fits_a_request, problem.cases)):
                continue
            few = asked(problem, problem.cases[:3], LIMITS)
            for made, kind, of, program in (
                ("right", "right", few, programs.right[0]),
                ("wrong", "wrong", asked(problem, problem.cases, LIMITS), programs.wrong[0]),
                ("crash", "crash", few, f"{CRASHES[n % len(CRASHES)]}\n{programs.right[0]}"),
                ("slow", "slow", asked(problem, problem.cases[:1], HURRIED),
                 f"{SLOW[n % 5 == 0]}\n{programs.right[0]}"),
            )[: 4 - n % 2]:  # fmt: skip
                source = f"{problem.prelude}\n{program}" if problem.prelude else program
                yield Submission(f"{problem.id} {made}", kind, of, source)
            n += 1


def asked(problem: Problem, cases: tuple[TestCase, ...], limits: Limits) -> Problem:
    """What can be asked over HTTP: a problem without prelude, reference and scaled times."""
    return Problem(problem.id, "file", "", cases, limits=limits, comparator=problem.comparator)


def fits_a_request(case: TestCase) -> bool:
    """Whether `/verify` has words for it: plain arguments and no oracle of a row's own."""
    if not isinstance(case, CallCase):
        return True
    if case.expected is FROM_REFERENCE or case.oracle != "equal" or case.atol:
        return False
    try:
        return repr(json.loads(json.dumps(case.args))) == repr(list(case.args))
    except TypeError:
        return False


@pytest.fixture(scope="module")
def submissions(sample_programs: Callable[[str], list[Any]]) -> list[Submission]:
    """200 of every kind, on many problems."""
    made = [*small_submissions(), *sample_submissions(sample_programs)]
    assert len(made) >= N_PROGRAMS
    return made[:N_PROGRAMS]


# -- the surfaces

Judge = Callable[[Submission], Awaitable[Judged]]


async def judge_all(judge: Judge, submissions: list[Submission]) -> list[Judged]:
    """In order; some at once."""
    verdicts: dict[int, Judged] = {}
    places = anyio.CapacityLimiter(AT_ONCE)

    async def one(position: int) -> None:
        async with places:
            verdicts[position] = await judge(submissions[position])

    async with anyio.create_task_group() as group:
        for position in range(len(submissions)):
            group.start_soon(one, position)
    return [verdicts[position] for position in range(len(submissions))]


def by(executor: Executor) -> Judge:
    async def judge(submission: Submission) -> Judged:
        verdict = await verify(submission.problem, submission.program, executor=executor)
        cases = tuple(case and case.status for case in verdict.cases)
        return Judged(verdict.status, cases, verdict.digest)

    return judge


def through_cells(submissions: list[Submission]) -> list[Judged]:
    async def main() -> list[Judged]:
        executor = EmbeddedExecutor(AT_ONCE)
        try:
            return await judge_all(by(executor), submissions)
        finally:
            with anyio.CancelScope(shield=True):
                await executor.aclose()

    return anyio.run(main)


def through_verify_route(url: str, submissions: list[Submission]) -> list[Judged]:
    async def main() -> list[Judged]:
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:

            async def judge(submission: Submission) -> Judged:
                response = await client.post("/verify", json=request_of(submission))
                assert response.status_code == 200, response.text
                data = response.json()
                cases = tuple(case and case["status"] for case in data["cases"])
                return Judged(data["status"], cases, data["digest"])

            return await judge_all(judge, submissions)

    return anyio.run(main)


def request_of(submission: Submission) -> dict[str, Any]:
    problem = submission.problem
    return {
        "program": submission.program,
        "cases": [case_as_request(case) for case in problem.cases],
        "limits": problem.limits.as_json(),
        "comparator": problem.comparator,
    }


def case_as_request(case: TestCase) -> dict[str, Any]:
    if isinstance(case, CallCase):
        expected = repr(case.expected)
        return {"function": case.function, "args": list(case.args), "expected_repr": expected}
    return case.as_json()


def through_the_client(url: str, submissions: list[Submission]) -> list[Judged]:
    return anyio.run(judge_all, by(FusionExecutor(AT_ONCE, endpoint=url)), submissions)


def through_an_inspect_sandbox(
    run_in_inspect_sandbox: Callable[..., Any], submissions: list[Submission]
) -> list[Judged]:
    verdicts: list[Judged] = run_in_inspect_sandbox(
        lambda: judge_all(by(InspectSandboxExecutor()), submissions)
    )
    return verdicts


# -- the comparison


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(slice(1, None, 11), id="a few of each kind"),
        pytest.param(slice(None), id="all", marks=pytest.mark.slow),
    ],
)
def test_every_surface_gives_the_same_verdicts(
    share: slice,
    submissions: list[Submission],
    url: str,
    run_in_inspect_sandbox: Callable[..., Any],
) -> None:
    chosen = submissions[share]
    assert {submission.kind for submission in chosen} == set(MAY_BE)
    kinds_of_case = {type(case) for submission in chosen for case in submission.problem.cases}
    assert kinds_of_case == {StdioCase, CallCase, ScriptCase}

    here = through_cells(chosen)
    for submission, verdict in zip(chosen, here, strict=True):
        assert verdict.status in MAY_BE[submission.kind], (submission.name, verdict)

    elsewhere = {
        "/verify": through_verify_route(url, chosen),
        "the client": through_the_client(url, chosen),
        "an Inspect sandbox": through_an_inspect_sandbox(run_in_inspect_sandbox, chosen),
    }
    different = [
        (surface, submission.name, in_a_cell, verdict)
        for surface, verdicts in elsewhere.items()
        for submission, in_a_cell, verdict in zip(chosen, here, verdicts, strict=True)
        if verdict != in_a_cell
    ]
    assert not different

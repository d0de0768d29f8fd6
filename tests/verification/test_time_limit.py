"""What a time limit may be, what becomes of a row's seconds, and when time runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Input, Program, Run, RunStatus
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.time_limit import ROW, TimeLimit
from ctrl_harness.verification.verdict import Verdict

OWN = Limits(time_s=1.5, memory_mb=64, output_mb=2)


@pytest.mark.parametrize(
    ("given", "means", "spelled"),
    [
        ("row", ROW, "row"),
        ("row*1", ROW, "row"),
        ("row*2", TimeLimit(factor=2.0), "row*2"),
        ("row×2.5", TimeLimit(factor=2.5), "row*2.5"),
        (" row * .5 ", TimeLimit(factor=0.5), "row*0.5"),
        (30, TimeLimit(seconds=30.0), "30"),
        (0.1, TimeLimit(seconds=0.1), "0.1"),
        ("30", TimeLimit(seconds=30.0), "30"),
        ("1e-05", TimeLimit(seconds=1e-5), "1e-05"),
        ("3599.9", TimeLimit(seconds=3599.9), "3599.9"),
        ("30/total", TimeLimit(seconds=30.0, total="total"), "30/total"),
        ("30/program", TimeLimit(seconds=30.0, total="program"), "30/program"),
    ],
)
def test_what_a_time_limit_may_be(given: object, means: TimeLimit, spelled: str) -> None:
    assert TimeLimit.parse(given) == means
    assert str(means) == spelled
    assert TimeLimit.parse(spelled) == means


@pytest.mark.parametrize(
    "given",
    ["", "rows", "row*", "row*0", "row*-1", "row**2", "row/total", "row*2/total", "row/program",
     "30/programs", "2*row", "0", "-1", "3600", "nan", "inf", "1e999", "1,5", "30 s", "30/",
     "total", 0, -2, 3600, 10**400, True, None, float("nan"), float("inf"), [1], "9" * 5000],
)  # fmt: skip
def test_anything_else_is_refused_with_the_choices(given: object) -> None:
    with pytest.raises(UserError, match=r"time limit .*; give row, row\*K .* below 3600"):
        TimeLimit.parse(given)


@pytest.mark.parametrize(
    "fields",
    [{"seconds": 0.0}, {"factor": -1.0}, {"total": "total"}, {"seconds": 1.0, "factor": 2.0}],
)
def test_no_limit_contradicts_itself(fields: dict[str, float]) -> None:
    with pytest.raises(UserError):
        TimeLimit(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "time_s"), [("row", 1.5), ("row*4", 6.0), ("30", 30.0)])
def test_only_the_seconds_of_the_rows_limits_change(given: str, time_s: float) -> None:
    assert TimeLimit.parse(given).of(OWN) == Limits(time_s, OWN.memory_mb, OWN.output_mb)


@pytest.mark.parametrize(
    ("given", "tests", "total_s"),
    [
        ("30/total", 1, 36.0),
        ("30/total", 4, 129.0),
        ("30/total", 5, 160.0),
        ("30/total", 100, 160.0),
        ("1/total", 10, 25.0),
        ("30/program", 1, 30.0),
        ("30/program", 100, 30.0),
        ("30", 4, None),
        ("row*2", 4, None),
    ],
)
def test_all_tests_together_have_31_s_each_and_5_at_most_160_or_what_a_program_has(
    given: str, tests: int, total_s: float | None
) -> None:
    assert TimeLimit.parse(given).total_s(tests) == total_s


class Clock:
    """Prints what is expected of each input after a time of its own, and keeps the limits."""

    name, isolated = "clock", False

    def __init__(self, *times_s: float) -> None:
        self.times_s = times_s
        self.limits: list[Limits] = []

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        runs: list[Run] = []
        self.limits.append(limits)
        for time_s in self.times_s[: len(inputs)]:
            status: RunStatus = "time_limit" if time_s > limits.time_s else "ok"
            runs.append(Run(status, stdout="x", time_s=min(time_s, limits.time_s)))
            if until is not None and until(runs[-1]):
                break
        return runs

    async def aclose(self) -> None:
        pass


def judged(limit: str, *times_s: float) -> tuple[Verdict, Clock]:
    clock = Clock(*times_s)
    cases = tuple(StdioCase(str(number), "x") for number in range(len(times_s)))
    judge = Judge(clock, time_limit=TimeLimit.parse(limit), all_cases=True)
    verdict = anyio.run(judge.verify, Problem("p", "d", "s", cases, limits=OWN), "program")
    return verdict, clock


def statuses(verdict: Verdict) -> list[str | None]:
    return [None if case is None else case.status for case in verdict.cases]


@pytest.mark.parametrize(
    ("limit", "expect"),
    [
        ("row", ["accepted", "time_limit", "time_limit"]),
        ("row*2", ["accepted", "accepted", "time_limit"]),
        ("5", ["accepted", "accepted", "accepted"]),
    ],
)
def test_a_program_has_the_time_that_was_asked_for(limit: str, expect: list[str]) -> None:
    verdict, clock = judged(limit, 1.0, 2.0, 4.0)
    assert statuses(verdict) == expect
    assert clock.limits == [TimeLimit.parse(limit).of(OWN)]


def test_the_test_at_which_the_total_runs_out_is_the_last_and_too_late() -> None:
    verdict, _ = judged("30/total", *[29.0] * 8)  # 160 s for eight
    assert statuses(verdict) == ["accepted"] * 5 + ["time_limit", None, None]
    assert verdict.status == "time_limit" and not verdict.passed
    assert verdict.first_failure is not None
    assert verdict.first_failure.error == "the tests took longer than 160 s together"


def test_within_the_total_nothing_changes() -> None:
    assert judged("30/total", *[19.0] * 8)[0].passed
    assert statuses(judged("30/total", 1.0, 31.0, 1.0)[0]) == ["accepted", "time_limit", "accepted"]


def test_a_programs_seconds_are_for_all_of_its_tests() -> None:
    assert judged("30/program", *[0.25] * 120)[0].passed
    verdict, _ = judged("30/program", *[0.5] * 120)
    assert statuses(verdict) == ["accepted"] * 60 + ["time_limit"] + [None] * 59
    assert statuses(judged("30/program", 29.0, 29.0, 1.0)[0]) == ["accepted", "time_limit", None]


def test_every_time_limit_has_a_digest_of_its_own() -> None:
    limits = ["row", "row*2", "1.5", "3", "30", "30/total", "30/program"]
    cases = (StdioCase("", "x"),)
    problem = Problem("p", "d", "s", cases, limits=OWN, time_reference="print('x')")
    digests = {
        limit: Judge(Clock(), time_limit=TimeLimit.parse(limit)).digest(problem, "program")
        for limit in limits
    }
    assert len(set(digests.values())) == len(limits)
    assert digests["row"] == Judge(Clock()).digest(problem, "program")

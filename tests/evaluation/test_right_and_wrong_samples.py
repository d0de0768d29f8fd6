"""Every right program of the shipped samples is accepted; every wrong one passes the public tests
and fails a hidden one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import anyio
import pytest

from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems import open_dataset
from ctrl_harness.problems.problem import Problem, StdioCase
from ctrl_harness.verification.extraction import first_fence
from ctrl_harness.verification.verdict import Verdict
from ctrl_harness.verification.verify import verify


class Trial(NamedTuple):
    """A program on a problem; the wrong ones need not run to the end."""

    problem: Problem
    program: str
    right: bool


def verdicts(trials: Sequence[Trial], executor: str) -> list[Verdict]:
    found: dict[int, Verdict] = {}

    async def judge(index: int, trial: Trial) -> None:
        found[index] = await verify(
            trial.problem,
            trial.program,
            executor=get_executor(executor),
        )

    async def judge_all() -> None:
        async with anyio.create_task_group() as group:
            for index, trial in enumerate(trials):
                group.start_soon(judge, index, trial)

    anyio.run(judge_all)
    return [found[index] for index in range(len(trials))]


def check(trials: Sequence[Trial], executor: str) -> None:
    """Public cases come first, so the first failure's place tells which kind it is."""
    for trial, verdict in zip(trials, verdicts(trials, executor), strict=True):
        said = (trial.problem.id, verdict.status, verdict.first_failure, trial.program)
        assert verdict.passed == trial.right, said
        if not trial.right:
            assert verdict.first_failure is not None
            assert verdict.first_failure.index >= len(trial.problem.public_cases), said


@pytest.mark.parametrize(
    ("dataset", "count"), [("codecontests", 28), ("livecodebench", 16), ("mbppplus", 17)]
)
def test_programs_of_a_data_set(dataset, count, sample_programs, executor):
    problems = open_dataset(dataset, "samples")
    known = {programs.id: programs for programs in sample_programs(dataset)}
    assert set(known) == {problem.id for problem in problems}
    assert len(known) == count
    trials = []
    for name, programs in known.items():
        assert programs.right, name
        assert programs.wrong, name
        problem = problems[name]
        assert len(problem.cases) >= 8
        assert problem.public_cases
        trials += [Trial(problem, program, right=True) for program in programs.right]
        trials += [Trial(problem, program, right=False) for program in programs.wrong]
    check(trials, executor)


def test_programs_in_the_responses_of_judgebench(sample_rows, executor):
    cases = {row["pair_id"]: row for row in sample_rows("programs_judgebench")}
    coding = [row for row in sample_rows("judgebench") if row["source"] == "livecodebench"]
    assert {row["pair_id"] for row in coding} == set(cases)
    trials = []
    for row in coding:
        tests = tuple(StdioCase(**case) for case in cases[row["pair_id"]]["cases"])
        public = tests[: cases[row["pair_id"]]["public"]]
        assert len(tests) >= 8
        problem = Problem(row["pair_id"], "judgebench", row["question"], tests, public)
        for letter in "AB":
            program = first_fence(row[f"response_{letter}"])
            assert program is not None, row["pair_id"]
            trials.append(Trial(problem, program, right=row["label"].startswith(letter)))
    check(trials, executor)

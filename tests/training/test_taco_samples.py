"""Our own TACO rows: their layout is the true one; the judge tells right programs from wrong."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ctrl_harness.errors import UnusableRow
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems import CallCase, Problem
from ctrl_harness.training.taco import FIELDS, SAMPLES, TacoProblem, open_taco, problem_of
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.sync import SyncJudge

PROGRAMS = SAMPLES.with_name("programs_taco.jsonl")


def lines(path: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    items = [item for item in open_taco("samples").rows if isinstance(item, TacoProblem)]
    return {item.problem.id: item.problem for item in items}


@pytest.fixture(scope="module")
def judge() -> Iterator[SyncJudge]:
    with SyncJudge(Judge(get_executor("embedded", jobs=2))) as judge:
        yield judge


def test_rows_have_the_seventeen_fields_in_their_order() -> None:
    assert len(FIELDS) == 17
    assert all(tuple(row) == FIELDS for row in lines(SAMPLES))
    for row in lines(SAMPLES):
        assert isinstance(json.loads(row["solutions"]), list)
        assert isinstance(json.loads(row["input_output"]), dict)


def test_the_samples_are_as_varied_as_the_rows_they_stand_for(problems: dict[str, Problem]) -> None:
    facts = [problem.metadata for problem in problems.values()]
    functions = Counter(bool(fact["function"]) for fact in facts)
    assert len(problems) >= 24
    assert functions[True] >= 8
    assert functions[False] >= 16
    assert {fact["difficulty"] for fact in facts} == {
        "EASY", "MEDIUM", "MEDIUM_HARD", "HARD", "VERY_HARD", "UNKNOWN_DIFFICULTY",
    }  # fmt: skip
    times = {row["time_limit"] for row in lines(SAMPLES)}
    assert {"2.0 seconds", "1 sec", "2500 ms", "1 - 2 seconds", "None", None} <= times
    assert len({row["memory_limit"] for row in lines(SAMPLES)}) >= 8
    assert len({fact["source"] for fact in facts}) >= 8
    assert {problem.limits.time_s for problem in problems.values()} >= {0.5, 1.0, 1.5, 2.5, 4.0}
    assert any(fact["special_judge"] for fact in facts)
    assert any(len(problem.cases) == 1 for problem in problems.values())
    assert any(fact["wrapped_outputs"] for fact in facts)
    assert any(fact["function"] and not fact["wrapped_outputs"] for fact in facts)


def test_one_sample_is_of_the_kind_that_cannot_be_judged() -> None:
    unusable = [item for item in open_taco("samples").rows if isinstance(item, UnusableRow)]
    assert [item.reason for item in unusable] == [
        "the row asks for a function, but its tests do not name one"
    ]


def test_values_are_what_the_functions_return(problems: dict[str, Problem]) -> None:
    by_function = {problem.metadata["function"]: problem for problem in problems.values()}
    first = {
        name: case
        for name, problem in by_function.items()
        if isinstance(case := problem.cases[0], CallCase)
    }
    assert first["mirror_words"].expected == ["aeT", "rof", "owt"]
    assert first["after_guests"].args == ({1: 3, 2: 1, 10: 2}, 3)
    assert first["after_guests"].expected == {1: 1, 2: 1, 10: 1}
    assert first["soldTwice"].expected == [4]
    assert first["zeroHeights"].expected == 2
    assert first["longestMendable"].args == ("())(", 1)
    assert by_function["nth_lap"].starter_code == "def nth_lap(arg1, arg2, arg3, arg4):"


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_right_programs_are_accepted_and_wrong_ones_refused(
    problems: dict[str, Problem], judge: SyncJudge
) -> None:
    programs = [row for row in lines(PROGRAMS) if row["id"] in problems]
    kinds = Counter((row["id"], row["correct"]) for row in programs)
    assert set(kinds) == {(name, correct) for name in problems for correct in (True, False)}
    futures = [judge.submit(problems[row["id"]], row["program"]) for row in programs]
    misjudged = [
        (row["id"], row["correct"], verdict.status)
        for row, future in zip(programs, futures, strict=True)
        if (verdict := future.result()).passed is not row["correct"]
    ]
    assert misjudged == []


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_the_rows_own_solutions_are_accepted(judge: SyncJudge) -> None:
    items = [
        item
        for item in open_taco("samples", with_solutions=True).rows
        if isinstance(item, TacoProblem)
    ]
    futures = [
        (item.problem.id, judge.submit(item.problem, program))
        for item in items
        for program in item.solutions
    ]
    assert len({name for name, _ in futures}) == len(items)
    assert [name for name, future in futures if not future.result().passed] == []


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_real_calls_of_both_layouts_accept_their_own_solutions(
    real_data: Any, judge: SyncJudge
) -> None:
    """APPS is where TACO has its rows with fn_name from: one of LeetCode's, one of Codewars'."""
    found = {}
    for row in lines(real_data / "apps" / "coderl_apps_train_5.jsonl"):
        site = row["url"].split("/")[2].split(".")[-2]
        item = problem_of(str(row["problem_id"]), {**row, "source": site})
        if item.problem.metadata["function"]:
            passed = [
                judge.submit(item.problem, program).result().passed
                for program in item.solutions[:3]
            ]
            wrong = f"def {item.problem.metadata['function']}(*a):\n    return [None]"
            found[site] = (passed, judge.submit(item.problem, wrong).result().passed)
    assert found == {"leetcode": ([True] * 3, False), "codewars": ([True] * 3, False)}

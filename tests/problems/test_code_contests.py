"""CodeContests: its row format in every layout, subsets, limits, and rows that are not usable."""

from __future__ import annotations

from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems.catalog import load_problem_set
from ctrl_harness.problems.code_contests import load
from ctrl_harness.problems.problem import Limits, StdioCase


def numbered(*numbers: int) -> dict[str, list[str]]:
    return {"input": [f"{n}\n" for n in numbers], "output": [f"{n + 1}\n" for n in numbers]}


def row(name: str = "1_A. Successor", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Print the number after n.",
        "public_tests": numbered(1, 2),
        "private_tests": numbered(*range(3, 9)),
        "generated_tests": numbered(*range(9, 20)),
        "source": 2,
        "difficulty": 7,
        "solutions": {"language": [3], "solution": ["print(int(input()) + 1)"]},
        "incorrect_solutions": {"language": [3], "solution": ["print(2)"]},
        "cf_contest_id": 1,
        "cf_index": "A",
        "cf_points": 500.0,
        "cf_rating": 800,
        "cf_tags": ["math"],
        "is_description_translated": False,
        "untranslated_description": "",
        "time_limit": {"seconds": 1, "nanos": 500_000_000},
        "memory_limit_bytes": 256_000_000,
        "input_file": "",
        "output_file": "",
        **fields,
    }


@pytest.fixture
def load_row(tmp_path, write_rows):
    def load_one(tests: str = "all", **fields: Any):
        path = write_rows(tmp_path / "rows.jsonl", [row(**fields)])
        return load(path, tests=tests)["1_A. Successor"]

    return load_one


def test_a_row_becomes_a_problem(load_row):
    problem = load_row()
    assert problem.dataset == "codecontests"
    assert problem.statement == "Print the number after n."
    assert problem.comparator == "default"
    assert problem.cases[0] == StdioCase("1\n", "2\n")
    assert problem.limits == Limits(time_s=1.5, memory_mb=256_000_000 / 2**20)
    assert problem.metadata == {
        "source": "codeforces",
        "difficulty": 7,
        "cf_contest_id": 1,
        "cf_index": "A",
        "cf_rating": 800,
        "cf_tags": ["math"],
        "is_description_translated": False,
        "has_image": False,
    }


@pytest.mark.parametrize(
    ("tests", "numbers"),
    [("public", range(1, 3)), ("all", range(1, 20)), ("first10", range(1, 11))],
)
def test_subsets_take_public_private_and_generated_tests_in_that_order(load_row, tests, numbers):
    problem = load_row(tests)
    assert [case.stdin for case in problem.cases] == [f"{n}\n" for n in numbers]
    assert [case.stdin for case in problem.public_cases] == ["1\n", "2\n"]


@pytest.mark.parametrize(
    ("fields", "limits"),
    [
        ({"time_limit": None, "memory_limit_bytes": 0}, Limits(4.0, 1024)),
        ({"time_limit": {"seconds": 0, "nanos": 0}, "memory_limit_bytes": None}, Limits(4.0, 1024)),
        (
            {"time_limit": {"seconds": 0, "nanos": 5 * 10**8}, "memory_limit_bytes": 1},
            Limits(0.5, 64),
        ),
        (
            {"time_limit": {"seconds": 3, "nanos": None}, "memory_limit_bytes": 2**29},
            Limits(3, 512),
        ),
    ],
)
def test_limits_are_the_rows_or_the_default(load_row, fields, limits):
    assert load_row(**fields).limits == limits


def test_a_missing_picture_is_said_in_the_metadata(load_row):
    assert load_row(description="See <image>.").metadata["has_image"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"input_file": "input.txt"}, "field 'input_file' is set"),
        ({"output_file": "output.txt"}, "field 'output_file' is set"),
        ({"description": "  "}, "field 'description' is empty"),
        ({"description": None}, "field 'description' is missing"),
        ({"public_tests": ["1"]}, "field 'public_tests' is a list, not an object"),
        ({"private_tests": {"input": ["1"]}}, "field 'private_tests.output' is missing"),
        ({"private_tests": {"input": ["1"], "output": []}}, "1 inputs but 0 outputs"),
        ({"generated_tests": {"input": [1], "output": ["1"]}}, "holds an integer at index 0"),
        ({"time_limit": "2 s"}, "field 'time_limit' is text, not an object"),
        ({"time_limit": {"seconds": 2.5}}, "field 'seconds' is a number, not an integer"),
        ({"time_limit": {"seconds": -1}}, "is negative or absurd"),
        ({"time_limit": {"seconds": 10**9}}, "limit time_s"),
        ({"memory_limit_bytes": "256 MB"}, "field 'memory_limit_bytes' is text"),
        ({"name": None}, "field 'name' is missing"),
        (
            {"public_tests": None, "private_tests": None, "generated_tests": None},
            "the row has no tests",
        ),
    ],
)
def test_a_row_of_the_wrong_shape_is_reported_with_the_field(tmp_path, write_rows, fields, reason):
    path = write_rows(tmp_path / "rows.jsonl", [row("good"), {**row(), **fields}])
    problems = load(path)
    assert [summary.id for summary in problems] == ["good"]
    (unusable,) = problems.unusable
    assert reason in unusable.reason
    assert unusable.row_id == ("rows.jsonl line 2" if "name" in fields else "1_A. Successor")


def test_a_copy_that_pandas_wrote_is_the_same_row(load_row):
    limits = {"time_limit": {"seconds": 1.0, "nanos": 500_000_000.0}, "memory_limit_bytes": 2.56e8}
    numbers = {"source": 2.0, "difficulty": 7.0, "cf_contest_id": 1.0, "cf_rating": 800.0}
    assert load_row(**limits, **numbers) == load_row()


def test_what_nothing_is_judged_by_refuses_no_row(load_row):
    numbers = {"difficulty": "G", "cf_rating": float("nan")}
    problem = load_row(source="CODEFORCES", private_tests={}, **numbers)
    assert problem.metadata["cf_rating"] is None
    assert problem.metadata["source"] == "codeforces"
    assert problem.metadata["difficulty"] == "G"
    assert len(problem.cases) == 13


def test_without_public_tests_the_public_subset_has_nothing_to_judge_on(load_row):
    assert load_row(public_tests=None).public_cases == ()
    with pytest.raises(UserError, match="1 × the row has no public tests"):
        load_row("public", public_tests=None)


def test_the_splits_of_a_folder_laid_out_like_the_hubs(tmp_path, write_rows):
    for name, split in (
        ("a", "test-00000-of-00001"),
        ("b", "valid-00000-of-00001"),
        ("c", "train-00000-of-00002"),
        ("d", "train-00001-of-00002"),
    ):
        write_rows(tmp_path / "data" / f"{split}-0a1b2c.parquet", [row(name)])
    assert [summary.id for summary in load(tmp_path)] == ["a"]
    assert [summary.id for summary in load(tmp_path, split="valid")] == ["b"]
    train = load(tmp_path, split="train")
    assert [summary.id for summary in train] == ["c", "d"]
    assert train.reference.options == {"split": "train", "tests": "all"}
    assert train.reference.source == str(tmp_path)


@pytest.mark.parametrize("split", ["test", "valid"])
def test_a_single_file_is_logged_under_no_split(tmp_path, write_rows, split):
    problems = load(write_rows(tmp_path / "valid.jsonl", [row("a")]), split=split)
    assert problems.reference.options == {"split": None, "tests": "all"}
    assert load_problem_set(problems.reference) is problems


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.parquet"])
def test_every_format_gives_the_same_problem(tmp_path, write_rows, load_row, name):
    path = write_rows(tmp_path / name, [row()])
    assert load(path)["1_A. Successor"] == load_row()


def test_unknown_choices_are_named():
    with pytest.raises(UserError, match="choose one of test, valid, train"):
        load("samples", split="dev")
    with pytest.raises(UserError, match="choose one of all, public, first10"):
        load("samples", tests="hidden")


def test_the_real_test_split_loads_whole(real_data):
    path = real_data / "code_contests" / "code_contests_test165_reassembled.jsonl"
    problems = load(path)
    assert (len(problems), len(problems.unusable)) == (165, 0)
    assert sum(len(problems[summary.id].cases) for summary in problems) == 285 + 1552
    assert all(len(load(path, tests="first10")[s.id].cases) <= 10 for s in problems)

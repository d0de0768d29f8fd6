"""LiveCodeBench: stdin and call problems, releases, dates, private tests that may be hostile."""

from __future__ import annotations

import base64
import datetime
import json
import os
import pickle
import subprocess
import sys
import zlib
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems import livecodebench_tests
from ctrl_harness.problems.livecodebench import RELEASES, load
from ctrl_harness.problems.livecodebench_tests import StoredTest, private_tests
from ctrl_harness.problems.problem import CallCase, Limits, StdioCase

QUESTIONS = "livecodebench/questions_v6.jsonl.gz"


def stored(*pairs: tuple[str, str], kind: str = "stdin") -> str:
    return json.dumps([{"input": i, "output": o, "testtype": kind} for i, o in pairs])


def packed(value: object, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def row(question: str = "abc1_a", **fields: Any) -> dict[str, Any]:
    return {
        "question_title": "Successor",
        "question_content": "Print the number after n.",
        "platform": "atcoder",
        "question_id": question,
        "contest_id": "abc1",
        "contest_date": "2024-08-03T12:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": stored(("1\n", "2\n")),
        "private_test_cases": packed(stored(("5\n", "6\n"), ("7\n", "8\n"))),
        "metadata": "{}",
        **fields,
    }


def call_row(question: str = "4001", **fields: Any) -> dict[str, Any]:
    return row(
        question,
        **{
            "starter_code": "class Solution:\n    def total(self, a: List[int], b: str) -> int:\n",
            "public_test_cases": stored(('[1, 2]\n"x"', "3"), kind="functional"),
            "private_test_cases": packed(stored(('[]\n""', "0"), kind="functional")),
            "metadata": '{"func_name": "total"}',
            **fields,
        },
    )


def test_blanks_around_stored_tests_and_empty_metadata_mean_nothing(tmp_path, write_rows):
    blank = row("a", private_test_cases=row()["private_test_cases"] + "\n", metadata="")
    problems = load(write_rows(tmp_path / "rows.jsonl", [blank, row("b")]))
    assert problems["a"].cases == problems["b"].cases


@pytest.fixture
def load_rows(tmp_path, write_rows):
    def load_given(*rows: dict[str, Any], **options: Any):
        return load(write_rows(tmp_path / "rows.jsonl", rows), **options)

    return load_given


def test_a_stdin_row_becomes_a_problem(load_rows):
    problem = load_rows(row())["abc1_a"]
    assert problem.statement == "Print the number after n."
    assert problem.cases == (
        StdioCase("1\n", "2\n"), StdioCase("5\n", "6\n"), StdioCase("7\n", "8\n"),
    )  # fmt: skip
    assert problem.public_cases == (StdioCase("1\n", "2\n"),)
    assert problem.limits == Limits(time_s=4.0)
    assert problem.comparator == "default"
    assert problem.metadata == {
        "title": "Successor",
        "platform": "atcoder",
        "contest_id": "abc1",
        "contest_date": "2024-08-03",
        "difficulty": "easy",
        "function": None,
    }


def test_a_call_row_becomes_calls_with_a_json_value_a_line(load_rows):
    problem = load_rows(call_row())["4001"]
    assert problem.cases == (CallCase("total", ([1, 2], "x"), 3), CallCase("total", ([], ""), 0))
    assert problem.starter_code.startswith("class Solution:")
    assert problem.metadata["function"] == "total"


def test_the_prelude_gives_the_names_that_starter_code_uses(load_rows):
    uses = (
        "List, Optional, deque, heappush, bisect_left, gcd, lru_cache, inf, accumulate, open,"
        " math.pi, collections.Counter, defaultdict, ascii_lowercase, datetime.date\n"
        "assert sys.getrecursionlimit() == 50_000"
    )
    # in a process of its own: it changes the interpreter's recursion limit
    program = load_rows(call_row())["4001"].prelude + uses
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("tests", "inputs"),
    [("public", ["1\n"]), ("private", ["5\n", "7\n"]), ("all", ["1\n", "5\n", "7\n"])],
)
def test_subsets(load_rows, tests, inputs):
    problem = load_rows(row(), tests=tests)["abc1_a"]
    assert [case.stdin for case in problem.cases] == inputs
    assert len(problem.public_cases) == 1


def test_a_subset_needs_only_the_tests_it_takes(load_rows):
    assert len(load_rows(row(private_test_cases=None), tests="public")) == 1
    assert load_rows(row(public_test_cases=None), tests="private")["abc1_a"].public_cases == ()
    with pytest.raises(UserError, match="1 × field 'private_test_cases' is missing"):
        load_rows(row(private_test_cases=None), tests="private")


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2024-08-02", "2024-08-03", [2, 3]),
        (datetime.date(2024, 8, 3), None, [3, 4]),
        (None, datetime.datetime(2024, 8, 2, 1), [1, 2]),
        (None, None, [1, 2, 3, 4]),
    ],
)
def test_both_ends_of_the_date_window_are_included(load_rows, start, end, days):
    rows = [row(f"q{day}", contest_date=f"2024-08-0{day}T23:30:00") for day in range(1, 5)]
    problems = load_rows(*rows, start=start, end=end)
    assert [summary.id for summary in problems] == [f"q{day}" for day in days]
    assert problems.unusable == ()


def test_rows_outside_the_window_are_not_even_decoded(load_rows):
    bad = row("old", contest_date="2023-01-01T00:00:00", private_test_cases="?")
    problems = load_rows(bad, row(), start="2024-01-01")
    assert (len(problems), problems.unusable) == (1, ())
    assert problems.reference.options == {
        "release": None, "start": "2024-01-01", "end": None, "tests": "all",
    }  # fmt: skip


@pytest.mark.parametrize("day", ["soon", "2024-13-01", "2024-08-01 or so", 2024])
def test_a_day_that_is_none_is_refused(day):
    with pytest.raises(UserError, match="write it as 2024-08-01"):
        load("samples", start=day)


@pytest.fixture
def hub_folder(tmp_path, write_rows):
    """The Hub's layout: each file holds what its release added, dates run over the boundaries."""
    for number in range(1, 7):
        name = "test.jsonl" if number == 1 else f"test{number}.jsonl"
        write_rows(tmp_path / "repo" / name, [row(f"q{number}"), call_row(f"c{number}")])
    return tmp_path / "repo"


@pytest.mark.parametrize("number", range(1, 7))
def test_a_release_is_the_first_files_of_a_folder_laid_out_like_the_hubs(hub_folder, number):
    problems = load(hub_folder, release=f"release_v{number}")
    assert [s.id for s in problems] == [f"{k}{n}" for n in range(1, number + 1) for k in "qc"]
    assert len(load(hub_folder)) == 12


def test_a_folder_that_lacks_a_file_of_the_release_is_refused(hub_folder):
    (hub_folder / "test2.jsonl").unlink()
    assert len(load(hub_folder, release="release_v1")) == 2
    with pytest.raises(UserError, match=r"lacks test2\.jsonl"):
        load(hub_folder, release="release_v3")


def test_in_a_file_of_its_own_a_release_ends_with_its_last_contest_day(load_rows):
    days = ("2024-03-02", "2024-05-25", "2024-08-03", "2024-09-28", "2025-01-04", "2025-04-06")
    rows = [row(day, contest_date=f"{day}T00:00:00") for day in reversed(days)]
    for count, release in enumerate(RELEASES, start=1):
        assert {s.id for s in load_rows(*rows, release=release)} == set(days[:count])


def test_an_unknown_release_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match=r"release_v1, .*release_v6"):
        load("samples", release="v4")


@pytest.mark.parametrize("protocol", range(6))
def test_private_tests_are_read_from_every_pickle_protocol(protocol):
    text = stored(("ü\n", "\U0001f40d" * 300))
    assert private_tests({"private_test_cases": packed(text, protocol)}) == [
        StoredTest("ü\n", "\U0001f40d" * 300, "stdin")
    ]


def test_private_tests_may_also_be_plain_json():
    assert private_tests({"private_test_cases": stored(("1", "2"))}) == [
        StoredTest("1", "2", "stdin")
    ]


class _Command:
    """Runs a command when it is unpickled by anything that lets it."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (os.system, (self.command,))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_run_a_command_does_not(load_rows, tmp_path, protocol):
    mark = tmp_path / "mark"
    hostile = packed(_Command(f"touch {mark}"), protocol)
    problems = load_rows(row(), row("bad", private_test_cases=hostile))
    assert not mark.exists()
    (unusable,) = problems.unusable
    assert unusable.row_id == "bad"
    assert "pickle of more than one text" in unusable.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed(["a", "b"]), "more than one text"),
        (packed(b"bytes"), "more than one text"),
        (packed(7), "more than one text"),
        (packed("not json"), "is not JSON"),
        (packed("[" * 100_000), "is not JSON"),
        (packed('{"input": "1"}'), "holds an object, not a list of tests"),
        (packed("[1]"), r"private_test_cases\[0\] is an integer, not an object"),
        (packed('[{"input": "1"}]'), r"\[0\]\.output is null, not text"),
        (packed('[{"input": "1", "output": "2", "testtype": "gui"}]'), "neither stdin nor"),
        (packed("[]"), "holds no tests"),
        ("%%%", "neither JSON nor base64"),
        (base64.b64encode(b"plain").decode(), "is not zlib data"),
        (base64.b64encode(zlib.compress(b"x" * 999)[:-4]).decode(), "breaks off"),
        (base64.b64encode(zlib.compress(pickle.dumps("text")[:-3])).decode(), "not a complete"),
        (base64.b64encode(zlib.compress(b"")).decode(), "not a complete pickle"),
        # a memo slot of four billion: a real unpickler would make room for all before it
        (base64.b64encode(zlib.compress(b"r\xff\xff\xff\xff.")).decode(), "a pickle of nothing"),
        (7, "is an integer, not text"),
    ],
)
def test_private_tests_that_are_anything_else_are_not_admitted(load_rows, data, reason):
    with pytest.raises(UserError, match=reason):
        load_rows(row(private_test_cases=data))


def test_a_decompression_bomb_is_stopped_at_the_bound(monkeypatch):
    monkeypatch.setattr(livecodebench_tests, "LARGEST_PRIVATE_BYTES", 2**20)
    bomb = base64.b64encode(zlib.compress(bytes(2**26))).decode()
    with pytest.raises(UserError, match="more than 1 MiB when decompressed"):
        private_tests({"private_test_cases": bomb})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"question_content": None}, "field 'question_content' is missing"),
        ({"question_id": 7}, "field 'question_id' is an integer, not text"),
        ({"contest_date": "yesterday"}, "field 'contest_date' is not an ISO date"),
        ({"public_test_cases": None}, "field 'public_test_cases' holds no tests"),
        ({"public_test_cases": "[]"}, "field 'public_test_cases' holds no tests"),
        ({"public_test_cases": "{"}, "field 'public_test_cases' is not JSON"),
        ({"metadata": "{"}, "field 'metadata' is not JSON"),
        ({"metadata": "[]"}, "field 'metadata' holds a list, not an object"),
        ({"metadata": '{"func_name": "a b"}'}, "field 'metadata.func_name' is not the name"),
        ({"metadata": '{"func_name": "f"}'}, r"public_test_cases\[0\] is a call of f, but"),
        (
            {"public_test_cases": stored(("1", "1"), kind="functional")},
            "field 'metadata.func_name' is missing",
        ),
    ],
)
def test_a_row_of_the_wrong_shape_is_reported_with_the_field(load_rows, fields, reason):
    # an input of "x" is no JSON, so that the row with a function's name has a call it cannot be
    base = row("bad", public_test_cases=stored(("x", "1")))
    with pytest.raises(UserError, match=reason):
        load_rows({**base, **fields})


def test_parquet_copies_with_timestamps_and_lists_are_read_too(tmp_path, write_rows):
    converted = row(
        contest_date=datetime.datetime(2024, 8, 3),
        public_test_cases=json.loads(stored(("1\n", "2\n"))),
        metadata={"func_name": None},
    )
    path = write_rows(tmp_path / "copy.parquet", [converted])
    problems = load(path, start="2024-08-03", end="2024-08-03")
    assert problems["abc1_a"].metadata["contest_date"] == "2024-08-03"


def test_the_real_rows_of_the_first_release_load_on_public_tests(real_data):
    problems = load(
        real_data / QUESTIONS, release="release_v1", start="2023-01-01", tests="public"
    )
    calls = [s for s in problems if s.metadata["function"]]
    assert (len(problems), len(calls)) == (400, 181)
    assert [unusable.row_id for unusable in problems.unusable] == ["3026"]


def test_where_the_real_rows_lack_private_tests_the_count_and_reason_are_said(real_data):
    with pytest.raises(UserError, match=r"none of the 113 rows .*113 × field 'private_test_cases'"):
        load(
            real_data / QUESTIONS,
            release="release_v4",
            start="2024-08-01",
            end="2024-11-01",
            tests="private",
        )


def test_a_real_encoded_row_is_decoded(real_data):
    stored_row = json.loads((real_data / "livecodebench/real_private_row_1873_A.json").read_text())
    tests = private_tests(stored_row)
    assert len(tests) == 4
    assert tests[0] == StoredTest("1\nabc\n", "YES\n", "stdin")


def test_a_row_whose_function_no_test_can_be_about_is_unusable(load_rows):
    starter = "class Solution:\n    def total(self, head: Optional[ListNode]) -> int:\n        "
    problems = load_rows(call_row(), call_row("4002", starter_code=starter))
    assert [row.row_id for row in problems.unusable] == ["4002"]
    assert "ListNode" in problems.unusable[0].reason


def test_arguments_and_values_may_be_integers_of_any_length(load_rows):
    nines = "9" * 5_000
    tests = packed(stored((f"[{nines}]\n1", nines), kind="functional"))
    problems = load_rows(call_row(private_test_cases=tests), tests="private")
    assert problems["4001"].cases == (CallCase("total", ([10**5_000 - 1], 1), 10**5_000 - 1),)

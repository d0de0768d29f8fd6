"""TACO's rows become problems: what their fields hold, and what becomes of those without one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.problems import CallCase, Problem, StdioCase
from ctrl_harness.problems.hub import HubFolder
from ctrl_harness.training.taco import FIELDS, TacoProblem, open_taco, problem_of
from ctrl_harness.training.taco_limits import memory_limit_mb, time_limit_s

STDIO = {"inputs": ["1 2\n", "5 5\n"], "outputs": ["3\n", "10\n"]}
LEETCODE = "class Solution:\n    def f(self, a: List[int]) -> {}:\n        "


def row(**fields: Any) -> dict[str, Any]:
    tests = fields.pop("tests", STDIO)
    plain = dict.fromkeys(FIELDS) | {
        "question": "Add a and b.", "source": "codeforces", "starter_code": "", "picture_num": "0",
    }  # fmt: skip
    return plain | {"input_output": json.dumps(tests)} | fields


def problem(**fields: Any) -> Problem:
    return problem_of("train/0", row(**fields)).problem


def calls(outputs: list[Any], *, inputs: list[Any] | None = None, **fields: Any) -> list[CallCase]:
    inputs = [[number] for number in range(len(outputs))] if inputs is None else inputs
    tests = {"fn_name": "f", "inputs": inputs, "outputs": outputs}
    cases = problem(tests=tests, **fields).cases
    return [case for case in cases if isinstance(case, CallCase)]


def expected(outputs: list[Any], **fields: Any) -> list[Any]:
    return [case.expected for case in calls(outputs, **fields)]


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    """In the format that the path's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if path.name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    else:
        path.write_bytes(gzip.compress(lines) if path.name.endswith(".gz") else lines)
    return path


def test_arguments_and_values_may_be_integers_of_any_length() -> None:
    nines = "9" * 5_000
    tests = f'{{"fn_name": "f", "inputs": [[{nines}]], "outputs": [[{nines}]]}}'
    (case,) = problem(input_output=tests).cases
    assert isinstance(case, CallCase)
    assert (case.args, case.expected) == ((10**5_000 - 1,), 10**5_000 - 1)
    with pytest.raises(UserError, match="300000 digits"):
        problem(input_output=tests.replace(nines, "9" * 300_000))


# -- limits


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2.0 seconds", 2.0), ("1 sec", 1.0), ("1 second", 1.0), ("2 sec(s)", 2.0), ("3", 3.0),
        ("500 ms", 0.5), ("2500 milliseconds", 2.5), ("0,5 seconds", 0.5), ("2 minutes", 120.0),
        ("0.5 - 2.5 seconds", 2.5), ("1.5 sec (Java: 3 sec)", 3.0), ("TIME: 4s", 4.0),
        (".5 s", 0.5), ("None", None), ("", None), ("-", None), ("0 seconds", None),
        ("99999999 seconds", None),
    ],
)  # fmt: skip
def test_time_limits_are_free_text(text: str, seconds: float | None) -> None:
    assert time_limit_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [
        ("512 megabytes", 512.0), ("256.0 MB", 256.0), ("262144 KB", 256.0), ("1.5 GB", 1536.0),
        ("268435456 bytes", 256.0), ("128 MiB", 128.0), ("64", 64.0), ("16 megabytes", 64.0),
        ("None", None), ("", None), ("900 TB", None),
    ],
)  # fmt: skip
def test_memory_limits_are_free_text_and_leave_room_for_an_interpreter(
    text: str, megabytes: float | None
) -> None:
    assert memory_limit_mb(text) == megabytes


def test_a_row_without_limits_has_the_usual_ones() -> None:
    assert problem(time_limit=None, memory_limit="None").limits == problem().limits
    assert problem(time_limit=2.5).limits.time_s == 2.5


# -- standard input


def test_programs_that_read_standard_input_are_judged_as_they_stand() -> None:
    made = problem()
    assert made.cases == (StdioCase("1 2\n", "3\n"), StdioCase("5 5\n", "10\n"))
    assert (made.id, made.dataset, made.comparator, made.prelude) == (
        "train/0", "taco", "default", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "starter", ["# Write your code here", "def f(n):\n    pass\n\nprint(f(int(input())))"]
)
def test_starter_code_of_whole_programs_is_left_out(starter: str) -> None:
    """Prompts would take it for a function that is called."""
    assert problem(starter_code=starter, source="hackerrank").starter_code == ""


def test_inputs_and_outputs_may_be_lists_of_lines() -> None:
    made = problem(tests={"inputs": [["1", "2"]], "outputs": [["3", ""]]})
    assert made.cases == (StdioCase("1\n2", "3\n"),)


def test_a_test_that_is_no_text_is_left_out_and_counted() -> None:
    made = problem(tests={"inputs": ["1", 2, "3"], "outputs": ["1", "2", None]})
    assert made.cases == (StdioCase("1", "1"),)
    assert made.metadata["tests_left_out"] == {"an input or output is not text": 2}


def test_tests_that_the_statement_shows_are_public() -> None:
    question = "Add.\n\nInput\n\n1  2\n\nOutput\n\n3\n\nNote: 5 and 51 make 56."
    tests = {"inputs": ["1 2\n", "5 5\n", "5 51\n"], "outputs": ["3\n", "10\n", "56\n"]}
    assert problem(question=question, tests=tests).public_cases == (StdioCase("1 2\n", "3\n"),)


# -- functions: what is expected


def test_codewars_wraps_each_value_into_a_list() -> None:
    assert expected([[True], [False]], source="codewars") == [True, False]
    assert expected([[[1, 2]], [[]]], source="codewars") == [[1, 2], []]
    assert expected([[{"3": 1}], [{}]], source="codewars") == [{3: 1}, {}]


def test_leetcode_does_not() -> None:
    assert expected([9, 3], source="leetcode") == [9, 3]
    assert expected([[1], [5]], source="leetcode") == [[1], [5]]
    assert expected([[], [5], [6, 7]], source="leetcode") == [[], [5], [6, 7]]


def test_one_value_that_is_no_list_of_one_shows_that_none_is_wrapped() -> None:
    assert expected([[1], [2, 3]], source="codewars") == [[1], [2, 3]]
    assert expected([[1], 2], source="codewars") == [[1], 2]


def test_where_the_starter_code_says_what_is_returned_it_decides() -> None:
    number, numbers = LEETCODE.format("int"), LEETCODE.format("List[int]")
    assert expected([[9], [3]], source="leetcode", starter_code=number) == [9, 3]
    assert expected([[9], [3]], source="codewars", starter_code=numbers) == [[9], [3]]
    assert expected([[[9, 1]], [[3]]], source="", starter_code=numbers) == [[9, 1], [3]]
    grid = LEETCODE.format("List[List[str]]")
    assert expected([[["a"]], [["b", "c"]]], source="hackerrank", starter_code=grid) == [
        [["a"]], [["b", "c"]],
    ]  # fmt: skip


def test_leetcodes_quotes_are_taken_off_where_every_text_has_them() -> None:
    starter = LEETCODE.format("str").replace("a: List[int]", "a: str, b: List[str]")
    (case,) = calls(['"b\\n"'], inputs=[['"a"', ['"c"']]], source="leetcode", starter_code=starter)
    assert (case.args, case.expected) == (("a", ["c"]), "b\n")
    (case,) = calls(["b"], inputs=[['"a"', "c"]], source="leetcode", starter_code=starter)
    assert (case.args, case.expected) == (('"a"', "c"), "b")


def test_integer_keys_that_json_made_texts_are_integers_again() -> None:
    (case,) = calls([[{"1": "x", "-2": "y"}]], inputs=[[{"10": [1]}, {"a": 1, "2": 2}]],
                    source="codewars")  # fmt: skip
    assert (case.args, case.expected) == (({10: [1]}, {"a": 1, "2": 2}), {1: "x", -2: "y"})


def test_integers_of_any_size_are_read() -> None:
    text = f'{{"fn_name": "f", "inputs": [[1]], "outputs": [[{"7" * 6000}]]}}'
    made = problem(input_output=text, source="codewars")
    (case,) = made.cases
    assert isinstance(case, CallCase)
    assert case.expected % 10**9 == 777777777
    assert made.digest()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"starter_code": LEETCODE.format("None")}, "f returns nothing"),
        ({"starter_code": LEETCODE.format("ListNode")}, "a ListNode, which no test can hold"),
        ({"outputs": [None, None]}, "every test expects None"),
        ({"inputs": [[1, 2], [3, 4]], "starter_code": "def f(a):\n\t"}, "number of arguments"),
        ({"inputs": [[1], [1]]}, "the same input has different outputs"),
        ({"outputs": ["<Node object at 0x7f>"] * 2}, "an object that JSON cannot hold"),
    ],
)
def test_a_row_that_no_right_program_passes_is_unusable(
    fields: dict[str, Any], reason: str
) -> None:
    tests = {"inputs": [[1], [2]], "outputs": [[3], [4]]}
    tests |= {name: fields.pop(name) for name in ("inputs", "outputs") if name in fields}
    with pytest.raises(UserError, match=reason):
        problem(tests={"fn_name": "f", **tests}, source="leetcode", **fields)


def test_tests_that_contradict_each_other_are_left_out() -> None:
    tests = {"inputs": ["1\n", "2\n", "1\n", "3\n", "3\n"], "outputs": ["a", "b", "c", "d", "d \n"]}
    made = problem(tests=tests)
    assert [case.stdin for case in made.cases if isinstance(case, StdioCase)] == [
        "2\n", "3\n", "3\n",
    ]  # fmt: skip
    assert made.metadata["tests_left_out"] == {"the same input has different outputs": 2}


# -- functions: what the generator must know


def test_the_functions_name_is_told_by_an_example_that_is_then_public() -> None:
    made = problem(
        tests={"fn_name": "f", "inputs": [[1, "a"]], "outputs": [[2]]}, source="codewars"
    )
    assert made.statement == (
        "Add a and b.\n\nThe function is called `f`. For example:\nassert f(1, 'a') == 2"
    )
    assert made.public_cases == made.cases
    assert made.starter_code == "def f(arg1, arg2):"


def test_a_statement_that_names_the_function_stays_as_it_is() -> None:
    starter = "def f(a):\n\t"
    tests = {"fn_name": "f", "inputs": [[1]], "outputs": [[2]]}
    made = problem(question="Write f(a).", tests=tests, starter_code=starter, source="codewars")
    assert (made.statement, made.starter_code, made.public_cases) == ("Write f(a).", starter, ())


def test_an_example_too_long_to_show_is_not_shown() -> None:
    tests = {"fn_name": "f", "inputs": [["x" * 600]], "outputs": [[2]]}
    made = problem(tests=tests, source="codewars")
    assert made.statement.endswith("\n\nThe function is called `f`.")
    assert made.public_cases == ()


def test_calls_have_the_names_that_starter_code_takes_for_granted() -> None:
    tests = {"fn_name": "f", "inputs": [[[1]]], "outputs": [2]}
    made = problem(tests=tests, source="leetcode", starter_code=LEETCODE.format("int"))
    names: dict[str, Any] = {}
    exec(made.prelude, names)
    assert {"List", "Optional", "defaultdict", "heappush", "sqrt", "lru_cache"} <= names.keys()


# -- facts


def test_facts_of_the_row_are_kept_whatever_shape_they_have() -> None:
    facts = problem(
        name="A", difficulty="EASY", tags="['x', 'y']", raw_tags=["z"], skill_types="[broken",
        url=None, picture_num="2", time_limit="1 sec",
    ).metadata  # fmt: skip
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["title"], facts["tags"], facts["raw_tags"]) == ("A", ["x", "y"], ["z"])
    assert (facts["skill_types"], facts["pictures"], facts["time_limit"]) == ([], 2, "1 sec")


@pytest.mark.parametrize(
    ("question", "special"),
    [
        ("If there are multiple answers, print any of them.", True),
        ("Output any valid sequence.", True),
        ("You may print the numbers in any order.", True),
        ("If several solutions exist, you may print any.", True),
        ("Find any one of the correct answers.", True),
        ("If multiple solutions exist, any of them will be accepted.", True),
        ("The returned array may be in any order.", True),
        ("If there is more than one solution, print the smallest.", False),
        ("Print the smallest answer. You can use any operation.", False),
        ("Print the number of ways. It does not exceed any limit.", False),
        ("There are many numbers; print their sum.", False),
        ("Find how many solutions the equation has.", False),
        ("Print the number of different answers.", False),
        ("Choose any index i and swap any two letters, in any order.", False),
    ],
)
def test_statements_with_several_right_answers_are_flagged(question: str, special: bool) -> None:
    assert problem(question=question).metadata["special_judge"] is special


def test_solutions_are_read_only_where_asked_for_and_readable() -> None:
    assert problem_of("a", row(solutions='["print(1)"]')).solutions == ("print(1)",)
    for broken in (None, "", "[", '{"a": 1}', "[1]", 3):
        assert problem_of("a", row(solutions=broken)).solutions == ()


# -- rows that cannot be used


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"question": None}, "field 'question' is missing"),
        ({"question": " \n"}, "field 'question' is empty"),
        ({"question": "\ud800"}, "half a surrogate pair"),
        ({"input_output": None}, "holds no tests"),
        ({"input_output": ""}, "holds no tests"),
        ({"input_output": "null"}, "holds no tests"),
        ({"input_output": "{"}, "neither JSON nor a Python literal"),
        ({"input_output": "[" * 100_000}, "JSON"),
        ({"input_output": "[1]"}, "holds a list, not an object"),
        ({"input_output": 7}, "holds an integer, not an object"),
        ({"tests": {}}, "input_output.inputs' holds null, not a list"),
        ({"tests": {"inputs": [], "outputs": []}}, "holds no tests"),
        ({"tests": {"inputs": ["1"], "outputs": []}}, "not as many outputs as inputs"),
        ({"tests": {"inputs": [1], "outputs": ["1"]}}, "none of the row's tests can be used"),
        ({"tests": {"inputs": ["1"], "outputs": [" \n"]}}, "every test expects no output"),
        ({"tests": {"fn_name": "a b", "inputs": [[1]], "outputs": [1]}}, "name of a function"),
        ({"tests": {"fn_name": 3, "inputs": [[1]], "outputs": [1]}}, "name of a function"),
        ({"tests": {"fn_name": "f", "inputs": ["1"], "outputs": [1]}}, "not a list of arguments"),
        ({"starter_code": "def f(n):"}, "asks for a function, but its tests do not name one"),
        ({"source": "geeksforgeeks"}, "asks for a function, but its tests do not name one"),
        ({"starter_code": 5}, "field 'starter_code' is an integer, not text"),
    ],
)
def test_a_row_without_a_problem_is_a_sentence(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        problem_of("train/0", row(**fields))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_nested_too_deeply_is_left_out() -> None:
    deep = "[" * 150 + "]" * 150
    text = f'{{"fn_name": "f", "inputs": [[1], [2]], "outputs": [[1], {deep}]}}'
    made = problem(input_output=text, source="codewars")
    assert [case.expected for case in made.cases if isinstance(case, CallCase)] == [1]
    assert made.metadata["tests_left_out"] == {"a value is nested too deeply": 1}


def test_a_python_literal_is_read_too() -> None:
    assert problem(input_output=str(STDIO)).cases == problem().cases


# -- sources


def listed(source: Any, **options: Any) -> tuple[list[str], list[UnusableRow]]:
    items = list(open_taco(source, **options).rows)
    ids = [item.problem.id for item in items if isinstance(item, TacoProblem)]
    return ids, [item for item in items if isinstance(item, UnusableRow)]


def test_the_index_counts_every_row_of_the_split_over_all_its_files(tmp_path: Path) -> None:
    for shard in range(2):
        name = f"ALL/train-0000{shard}-of-00002.parquet"
        write_rows(tmp_path / name, row(), row(question=None), row())
    write_rows(tmp_path / "ALL/test-00000-of-00001.parquet", row())
    ids, unusable = listed(tmp_path)
    assert ids == ["train/0", "train/2", "train/3", "train/5"]
    assert [item.row_id for item in unusable] == ["train/1", "train/4"]
    assert listed(tmp_path, split="test")[0] == ["test/0"]
    assert listed(tmp_path, split="all")[0] == [*ids, "test/0"]
    for split in ("train", "test", "all"):
        assert open_taco(tmp_path, split=split).reference.options == {"split": split}


def test_a_single_files_rows_have_the_split_of_its_name_only_if_it_is_whole(
    tmp_path: Path,
) -> None:
    for name, first in (
        ("train.jsonl", "train/0"),
        ("test-00000-of-00001.parquet", "test/0"),
        ("train-00003-of-00009.parquet", "rows/0"),
        ("mine.jsonl.gz", "rows/0"),
    ):
        path = write_rows(tmp_path / name, row())
        assert listed(path)[0] == listed(path, split="all")[0] == [first]


def test_from_the_hub_the_commit_is_recorded_and_only_what_is_read_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(repo: str, revision: str | None, patterns: tuple[str, ...]) -> HubFolder:
        asked.append((repo, revision, patterns))
        return HubFolder(tmp_path, "c" * 40)

    monkeypatch.setattr("ctrl_harness.problems.rows.fetch_dataset", fetch)
    write_rows(tmp_path / "ALL/train-00000-of-00001.parquet", row())
    opened = open_taco("hub", revision="main")
    assert asked == [("BAAI/TACO", "main", ("ALL/train-*.parquet",))]
    assert (opened.reference.source, opened.reference.revision) == ("hub", "c" * 40)
    assert [item.problem.id for item in opened.rows if isinstance(item, TacoProblem)] == ["train/0"]


def test_a_line_that_is_no_json_is_an_unusable_row_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(f"{json.dumps(row())}\n{{\n[]\n{json.dumps(row())}\n")
    ids, unusable = listed(path)
    assert ids == ["train/0", "train/3"]
    assert [item.row_id for item in unusable] == ["train/1", "train/2"]
    assert "train.jsonl line 2" in unusable[0].reason


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("nowhere", {}, "no file or folder"),
        ("samples", {"revision": "abc"}, "needs source=hub"),
        ("samples", {"split": "valid"}, "split=valid is unknown; choose one of train, test, all"),
        ("", {}, "is no source"),
    ],
)
def test_sources_that_are_none_are_a_sentence(
    source: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        open_taco(source, **options)


def test_real_rows_of_taco_are_read(real_data: Path) -> None:
    ids, unusable = listed(real_data / "taco" / "taco_card_rows.jsonl")
    assert ids == ["rows/0"]  # the other has no question
    assert [item.reason for item in unusable] == ["field 'question' is missing"]


ODD = (None, True, 0, -1, 3.5, float("nan"), 10**400, "", " ", "[", "x" * 9_999, [], [None], [[]],
       {}, {"a": None}, b"\xff", "\x00", "nan", "-5 seconds", "1e999 s", "9" * 5_000)  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_no_value_of_a_field_is_more_than_an_unusable_row(field: str) -> None:
    for value in ODD:
        try:
            made = problem_of("train/0", row(**{field: value}))
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert made.problem.digest()
            json.dumps(made.problem.metadata)


@pytest.mark.parametrize("name", ["inputs", "outputs", "fn_name"])
def test_no_value_of_the_tests_is_more_than_an_unusable_row(name: str) -> None:
    calls = {"fn_name": "f", "inputs": [[1], [2]], "outputs": [[3], [4]]}
    for tests in (STDIO, calls):
        for value in (*ODD, [1], [{}], [[{"1": 2}], [{"x": 1}]], [['"'], ['"a"']]):
            try:
                made = problem_of("train/0", row(input_output={**tests, name: value}))
            except UserError as error:
                assert "\n" not in str(error)
            else:
                assert made.problem.digest()

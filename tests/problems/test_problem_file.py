"""The problem file of `ctrl-harness verify --problem`: its format, and its faults by name."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.problems.problem_file import parse_problem, read_problem_file

GOOD = {"stdin": "1\n", "stdout": "2\n"}


def call(**fields: Any) -> dict[str, Any]:
    return {"function": "f", "args": [1], **fields}


def test_a_file_with_every_kind_of_case(tmp_path):
    path = tmp_path / "successor.json"
    path.write_text(
        json.dumps(
            {
                "statement": "Add one.",
                "cases": [
                    GOOD,
                    call(expected=[None, {"a": 1.5}]),
                    call(expected_repr="{(1, 2): inf}"),
                    call(args=[], expected=None),
                    {"script": "assert f(1) == 2"},
                    {"script": "assert len(f(2)) == 2"},
                    {"script": "def check(candidate):\n    assert candidate(3) == 4\n",
                     "setup": "import math", "entry_point": "f"},
                ],
                "limits": {"time_s": 2, "memory_mb": 128, "output_mb": 1},
                "comparator": "evalplus",
            }
        )
    )
    assert read_problem_file(path) == Problem(
        id="successor",
        dataset="file",
        statement="Add one.",
        cases=(
            StdioCase("1\n", "2\n"),
            CallCase("f", (1,), [None, {"a": 1.5}]),
            CallCase("f", (1,), {(1, 2): math.inf}),
            CallCase("f", (), None),
            CallCase("f", (1,), 2),
            ScriptCase("assert len(f(2)) == 2"),
            CallCase("f", (3,), 4),
        ),
        limits=Limits(2, 128, 1),
        prelude="try:\n    import math\nexcept ImportError:\n    pass\n",
        comparator="evalplus",
    )


def test_only_cases_are_needed():
    problem = parse_problem({"cases": [GOOD]}, "p")
    assert (problem.limits, problem.comparator) == (Limits(), "default")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "a problem is a JSON object, not a list"),
        ({}, "cases must be a list"),
        ({"cases": []}, "at least one case"),
        ({"cases": [GOOD], "id": 1}, "the problem has an unknown field 'id'"),
        ({"cases": [GOOD], "statement": 1}, "statement is an integer"),
        ({"cases": [GOOD], "comparator": None}, "comparator is null"),
        ({"cases": [GOOD], "limits": 4}, "limits is an integer"),
        ({"cases": [GOOD], "limits": {"time": 4}}, "limits has an unknown field 'time'"),
        ({"cases": [GOOD], "limits": {"time_s": 0}}, "limit time_s is 0"),
        ({"cases": [GOOD], "limits": {"memory_mb": "1"}}, "limit memory_mb is '1'"),
        ({"cases": [GOOD, 3]}, "cases[1] is an integer"),
        ({"cases": [GOOD, {}]}, "cases[1] has 0 of stdin, function and script"),
        ({"cases": [{**GOOD, "script": "x"}]}, "cases[0] has 2 of stdin, function and script"),
        ({"cases": [{"stdin": "1"}]}, "cases[0].stdout is missing"),
        ({"cases": [{"stdin": 1, "stdout": "1"}]}, "cases[0].stdin is an integer"),
        ({"cases": [{**GOOD, "args": []}]}, "cases[0] has an unknown field 'args'"),
        ({"cases": [call()]}, "cases[0] needs exactly one of expected and expected_repr"),
        ({"cases": [call(expected=1, expected_repr="1")]}, "needs exactly one of"),
        ({"cases": [call(expected_repr="f(1)")]}, "cases[0].expected_repr: 'f(1)' is not"),
        ({"cases": [call(expected_repr=1)]}, "cases[0].expected_repr is an integer"),
        ({"cases": [call(expected=1, args=None)]}, "cases[0].args is null"),
        ({"cases": [call(expected=1, args={"a": 1})]}, "cases[0].args is an object"),
        ({"cases": [call(expected=1, function="a b")]}, "cases[0].function is 'a b'"),
        ({"cases": [call(expected=1, kwargs={})]}, "cases[0] has an unknown field 'kwargs'"),
        ({"cases": [{"script": " "}]}, "cases[0].script is empty"),
        ({"cases": [{"script": "assert ("}]}, "cases[0].script is not Python"),
        ({"cases": [{"script": "print(f(1))"}]}, "cases[0].script asserts nothing"),
        ({"cases": [{"script": "def test(): assert f(1)"}]}, "asserts only in what nothing calls"),
        ({"cases": [{"script": "def check(candidate): assert candidate(1)"}]}, "(entry_point)"),
        ({"cases": [{"script": "assert f(1)", "setup": 1}]}, "cases[0].setup is an integer"),
    ],
)
def test_a_fault_is_named_by_case_and_field(tmp_path, data, says):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UserError) as error:
        read_problem_file(path)
    assert says in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"cases": ' + b"[" * 100_000, b'{"cases":[{"stdin":"","stdout":'],
)
def test_what_is_not_json_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "p.json").write_bytes(content)
    with pytest.raises(UserError, match="is not a JSON file"):
        read_problem_file(tmp_path / "p.json")


def test_values_too_deep_to_compare_are_refused(tmp_path):
    deep = "[" * 900 + "]" * 900
    (tmp_path / "p.json").write_text(
        f'{{"cases": [{{"function": "f", "args": [], "expected": {deep}}}]}}'
    )
    with pytest.raises(UserError, match="nested too deeply"):
        read_problem_file(tmp_path / "p.json")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_problem_file(tmp_path / "absent.json")


def test_integers_of_any_length_are_read_wherever_a_case_holds_them(tmp_path):
    nines = "9" * 5_000
    path = tmp_path / "long.json"
    path.write_text(
        f'''{{"cases": [
            {{"function": "f", "args": [{nines}], "expected": [{nines}]}},
            {{"function": "f", "args": [], "expected_repr": "({nines}, 1)"}},
            {{"script": "assert f() == {nines}"}},
            {{"script": "if f() == {nines}:\\n    assert g()"}}
        ]}}'''
    )
    value = 10**5_000 - 1
    assert read_problem_file(path).cases == (
        CallCase("f", (value,), [value]),
        CallCase("f", (), (value, 1)),
        CallCase("f", (), value),
        ScriptCase(f"if f() == {nines}:\n    assert g()"),
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"cases": [{"function": "f", "args": [], "expected": %s}]}', "an integer of 300000"),
        ('{"cases": [{"function": "f", "args": [], "expected_repr": "%s"}]}', "an integer of"),
        ('{"cases": [{"script": "assert f() == %s"}]}', "an integer of 300000 digits"),
        ('{"cases": [{"stdin": "", "stdout": ""}], "limits": {"time_s": 1%.5000s}}', "time_s"),
    ],
)
def test_longer_ones_are_a_sentence(tmp_path, text, what):
    path = tmp_path / "long.json"
    path.write_text(text % ("9" * 300_000))
    with pytest.raises(UserError, match=what) as refused:
        read_problem_file(path)
    assert len(str(refused.value)) < 500


def test_a_byte_order_mark_before_the_file_is_no_part_of_it(tmp_path):
    path = tmp_path / "marked.json"
    path.write_text(json.dumps({"cases": [GOOD]}), encoding="utf-8-sig")
    assert read_problem_file(path).cases == (StdioCase("1\n", "2\n"),)


def test_nor_is_one_before_a_script_any_of_it():
    problem = parse_problem({"cases": [{"script": "\ufeffassert f(1) == 2"}]}, "marked")
    assert problem.cases == (CallCase("f", (1,), 2),)

"""MBPP+: the `test` program taken apart into calls, its oracle recognised, nothing of it run."""

from __future__ import annotations

import ast
import math
from collections import Counter
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems.mbppplus import load
from ctrl_harness.problems.mbppplus_program import recognise_oracle, take_apart
from ctrl_harness.problems.problem import FROM_REFERENCE, CallCase, Limits, ScriptCase

TOLERANCE = """
    if atol == 0 and is_floats(exp):
        atol = 1e-6
"""
COMPARE = """
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp, f"{out} is not {exp}"
"""
EQUAL = TOLERANCE + COMPARE
SET = TOLERANCE + "    out = set(out)\n    exp = set(exp)\n" + COMPARE
NOT_NONE = """
    if isinstance(out, bool):
        exact_match = out == exp
    else:
        exact_match = (exp == (out is not None))
"""
LOOP = (
    "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    assertion(double(*inp), exp, 0)\n"
)
REFERENCE_LOOP = (
    "for i, inp in enumerate(inputs):\n    assertion(double(*inp), ref_func(*inp), 0)\n"
)


def program(
    body: str = EQUAL,
    inputs: str = "[[1], [-4]]",
    results: str = "results = [2, -8]",
    loop: str = LOOP,
    before: str = "",
) -> str:
    return (
        "import numpy as np\nfrom math import inf\n"
        "def is_floats(x):\n    return isinstance(x, float)\n"
        f"def assertion(out, exp, atol):{body}\n{before}\n"
        f"inputs = {inputs}\n{results}\n{loop}"
    )


def row(task: Any = 7, **fields: Any) -> dict[str, Any]:
    return {
        "task_id": task,
        "code": "def double(n):\n    return 2 * n\n",
        "prompt": "Write a function to double a number.",
        "source_file": "somewhere.ipynb",
        "test_imports": [],
        "test_list": ["assert double(2) == 4", "assert double(0) == 0"],
        "test": program(),
        **fields,
    }


@pytest.fixture
def load_rows(tmp_path, write_rows):
    def load_given(*rows: dict[str, Any], **options: Any):
        return load(write_rows(tmp_path / "rows.jsonl", rows), **options)

    return load_given


def test_a_row_becomes_a_problem(load_rows):
    problem = load_rows(row(test_imports=["import math", "import re"]))["Mbpp/7"]
    assert problem.dataset == "mbppplus"
    assert problem.statement == "Write a function to double a number.\nassert double(2) == 4"
    assert problem.cases == (CallCase("double", (1,), 2), CallCase("double", (-4,), -8))
    assert problem.public_cases == (CallCase("double", (2,), 4), CallCase("double", (0,), 0))
    assert problem.limits == Limits(time_s=4.0, memory_mb=4096.0)
    assert problem.prelude == "import math\nimport re\n"
    assert problem.comparator == "evalplus"
    assert problem.reference is None
    assert problem.time_reference == row()["code"]
    assert problem.metadata["function"] == "double"


def test_the_public_subset_is_the_asserts_of_the_test_list(load_rows):
    problem = load_rows(row(), tests="public")["Mbpp/7"]
    assert problem.cases == problem.public_cases
    assert len(problem.cases) == 2


@pytest.mark.parametrize("task", [7, "7", "Mbpp/7", "Mbpp/007"])
def test_ids_are_mbpp_and_the_number(load_rows, task):
    assert [summary.id for summary in load_rows(row(task))] == ["Mbpp/7"]


@pytest.mark.parametrize(
    ("body", "oracle"),
    [(EQUAL, "equal"), (SET, "set"), (NOT_NONE, "is_not_none"),
     (NOT_NONE + "    assert exact_match\n", "is_not_none")],
)  # fmt: skip
def test_the_three_oracles_are_recognised(body, oracle):
    taken = take_apart(program(body))
    assert taken.oracle == oracle
    assert {case.oracle for case in taken.cases} == {oracle}


@pytest.mark.parametrize(
    "body",
    [
        "\n    assert out == exp\n",
        "\n    return True\n",
        COMPARE,
        TOLERANCE,
        TOLERANCE + "    out = set(out)\n" + COMPARE,
        TOLERANCE + "    out = sorted(out)\n    exp = sorted(exp)\n" + COMPARE,
        TOLERANCE.replace("1e-6", "1e-2") + COMPARE,
        TOLERANCE + COMPARE.replace("1e-07", "1e-03"),
        TOLERANCE + COMPARE.replace("out == exp,", "out != exp,"),
        EQUAL + "    print(out)\n",
        NOT_NONE + "    assert not exact_match\n",
    ],
)
def test_an_oracle_that_is_not_known_is_refused(body):
    definition = ast.parse(f"def assertion(out, exp, atol):{body}").body[0]
    assert isinstance(definition, ast.FunctionDef)
    with pytest.raises(UserError, match="not recognised"):
        recognise_oracle(definition)


def test_the_tolerance_of_the_loop_belongs_to_each_case():
    taken = take_apart(program(loop=LOOP.replace("exp, 0)", "exp, 0.0001)")))
    assert [case.atol for case in taken.cases] == [1e-4, 1e-4]


def test_infinities_and_nans_are_values():
    taken = take_apart(program(inputs="[[inf], [-inf]]", results="results = [nan, (-inf, {inf})]"))
    assert [case.args for case in taken.cases] == [(math.inf,), (-math.inf,)]
    assert math.isnan(taken.cases[0].expected)
    assert taken.cases[1].expected == (-math.inf, {math.inf})


def test_a_reference_function_becomes_a_program_of_what_it_needs():
    before = (
        "import os, collections\nimport itertools as it\nfrom sys import maxsize\nSCALE = 2\n"
        "def twice(n):\n    return SCALE * n\n"
        "def ref_func(n):\n    return next(it.repeat(twice(n)))\n"
    )
    taken = take_apart(program(results="", loop=REFERENCE_LOOP, before=before))
    assert [case.expected for case in taken.cases] == [FROM_REFERENCE, FROM_REFERENCE]
    assert taken.reference is not None
    for absent in ("numpy", "os", "maxsize", "inputs", "assertion"):
        assert absent not in taken.reference
    namespace: dict[str, Any] = {}
    exec(taken.reference, namespace)
    assert namespace["double"](21) == 42


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("x = (", "not a Python program"),
        ("inputs = []", "defines no assertion function"),
        (program(loop=""), "has 0 loops"),
        (program(loop=LOOP + LOOP), "has 2 loops"),
        (program(loop=LOOP.replace("double(*inp)", "double(inp)")), "loops in a way"),
        (program(loop=LOOP.replace("exp, 0)", "2 * exp, 0)")), "loops in a way"),
        (program(loop=LOOP + "    break\n"), "loops in a way"),
        (program(loop=LOOP.replace("exp, 0)", "exp, None)")), "tolerance that is not a number"),
        (program(results="results = [2]"), "has 2 inputs but 1 results"),
        (program(results=""), "assigns results 0 times"),
        (program(results="results = [2, f(4)]"), "is not a Python literal"),
        (program(inputs="[]", results="results = []"), "has no inputs"),
        (program(inputs="[1, 2]"), "input 0 that is not a list of arguments"),
        (program(results="", loop=REFERENCE_LOOP), "calls ref_func but does not define it"),
        (program(inputs="[" * 5000), "not a Python program"),
        (None, "field 'test' is missing"),
    ],
)
def test_a_program_of_another_form_makes_the_row_unusable(load_rows, test, reason):
    problems = load_rows(row(1), row(2, test=test))
    (unusable,) = problems.unusable
    assert unusable.row_id == "Mbpp/2"
    assert reason in unusable.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"task_id": 1.5}, "field 'task_id' is a number that is not N or Mbpp/N"),
        ({"task_id": True}, "field 'task_id' is a boolean"),
        ({"task_id": "HumanEval/3"}, "is not N or Mbpp/N"),
        ({"prompt": ""}, "field 'prompt' is empty"),
        ({"test_list": []}, "field 'test_list' is empty"),
        ({"test_list": ["print(1)"]}, "holds an assert that asserts nothing"),
        ({"test_list": ["assert ("]}, "holds something that is not an assert"),
        ({"test_imports": "import math"}, "field 'test_imports' is text, not a list"),
    ],
)
def test_a_row_of_the_wrong_shape_is_reported_with_the_field(load_rows, fields, reason):
    with pytest.raises(UserError, match=reason):
        load_rows({**row(), **fields})


def test_nothing_of_a_row_is_run_by_loading_it(load_rows, tmp_path):
    mark = tmp_path / "mark"
    act = f"open({str(mark)!r}, 'w')"
    hostile = row(
        test=f"{act}\n" + program(before=f"x = {act}"),
        test_list=[f"assert double({act}) == 4"],
        test_imports=[act],
    )
    assert isinstance(load_rows(hostile)["Mbpp/7"].public_cases[0], ScriptCase)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("script", "body", "case"),
    [
        ("assert f(1, 'a') == [2]", EQUAL, CallCase("f", (1, "a"), [2])),
        ("assert f([1]) == [2]", SET, CallCase("f", ([1],), [2], "set")),
        ("assert set(f(1)) == set((3, 4))", EQUAL, CallCase("f", (1,), (3, 4), "set")),
        ("assert f('a')", NOT_NONE, CallCase("f", ("a",), True, "is_not_none")),
        ("assert not f('a')", NOT_NONE, CallCase("f", ("a",), False, "is_not_none")),
        ("assert f('a')", EQUAL, CallCase("f", ("a",), True, "truth")),
        (
            "assert math.isclose(f(1), 200.0, rel_tol=0.001)",
            EQUAL,
            CallCase("f", (1,), 200.0, "isclose", 0.0, 0.001),
        ),
        ("assert f(2) == f(1) + 1", EQUAL, ScriptCase("assert f(2) == f(1) + 1")),
        (
            "assert f(1) == sys.maxsize",
            EQUAL,
            ScriptCase("import sys\n\nassert f(1) == sys.maxsize"),
        ),
    ],
)
def test_an_assert_compares_as_the_row_and_has_what_it_names_imported(
    load_rows, script, body, case
):
    assert load_rows(row(test=program(body), test_list=[script]))["Mbpp/7"].public_cases == (case,)


def test_a_folder_laid_out_like_the_hubs(tmp_path, write_rows):
    write_rows(tmp_path / "data" / "test-00000-of-00001-d5.parquet", [row(7), row(9)])
    problems = load(tmp_path)
    assert [summary.id for summary in problems] == ["Mbpp/7", "Mbpp/9"]
    assert problems["Mbpp/9"].cases == take_apart(program()).cases


@pytest.mark.slow
def test_every_real_row_is_taken_apart(real_data):
    problems = load(real_data / "mbppplus" / "MbppPlus-OriginFmt.jsonl.gz")
    assert (len(problems), problems.unusable) == (378, ())
    read = [problems[summary.id] for summary in problems]
    assert Counter(summary.metadata["oracle"] for summary in problems) == {
        "equal": 366, "set": 7, "is_not_none": 3, "any_of": 2,
    }  # fmt: skip
    assert [p.id for p in read if p.reference] == ["Mbpp/88", "Mbpp/255", "Mbpp/630"]
    assert Counter(p.cases[0].atol for p in read) == {0.0: 349, 1e-6: 16, 1e-4: 13}
    assert all(p.id.startswith("Mbpp/") for p in read)
    public = Counter(type(case) for p in read for case in p.public_cases)
    assert public == {CallCase: 1169, ScriptCase: 3}


def test_inputs_and_results_may_be_integers_of_any_length():
    nines = "9" * 5_000
    taken = take_apart(program(inputs=f"[[{nines}]]", results=f"results = [({nines},)]"))
    value = 10**5_000 - 1
    assert taken.cases == (CallCase("double", (value,), (value,)),)


def test_such_an_integer_elsewhere_makes_an_unusable_row():
    with pytest.raises(UserError, match="too long"):
        take_apart(program(body=EQUAL.replace("1e-6", "9" * 5_000)))

"""`/submit`: completions judged on the rows that come with them."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

import httpx
import pytest


def body(completion: str, test: Any = None, **config: Any) -> dict[str, Any]:
    config = {"dataset_type": "CommonOJDataset", "language": "python", **config}
    if test is not None:
        config["provided_data"] = {"id": 1, "test": test}
    return {"dataset": "any", "id": 1, "completion": completion, "config": config}


def submit(client: httpx.Client, *args: Any, **config: Any) -> dict[str, Any]:
    response = client.post("/submit", json=body(*args, **config))
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()
    return data


def oj(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"input": {"stdin": i}, "output": {"stdout": o}} for i, o in pairs]


def fenced(code: str) -> str:
    return f"Here it is:\n```python\n{code}\n```\nDone."


DOUBLE = fenced("print(2 * int(input()))")


@pytest.mark.parametrize("as_text", [False, True])
def test_stdio_tests_come_as_a_list_or_as_its_json(client: httpx.Client, as_text: bool) -> None:
    tests = oj(("1", "2"), ("5", "10\n"))
    result = submit(client, DOUBLE, json.dumps(tests) if as_text else tests)
    assert result["accepted"] is True
    assert result["extracted_code"].strip() == "print(2 * int(input()))"
    assert result["extracted_type"] == "fenced"
    assert [test["passed"] for test in result["tests"]] == [True, True]
    assert result["tests"][1]["test_info"]["output"] == {"stdout": "10\n"}
    assert result["tests"][1]["exec_info"]["run_result"]["stdout"] == "10\n"
    assert result["extra"]["status"] == "accepted"


def test_judging_ends_at_the_first_failure_unless_asked(client: httpx.Client) -> None:
    tests = oj(("1", "2"), ("1", "3"), ("2", "4"))
    assert [t["passed"] for t in submit(client, DOUBLE, tests)["tests"]] == [True, False]
    result = submit(client, DOUBLE, tests, extra={"run_all_cases": True})
    assert [t["passed"] for t in result["tests"]] == [True, False, True]
    assert result["accepted"] is False and result["extra"]["n_passed"] == 2


def test_the_comparator_is_sandbox_fusions_unless_another_is_named(client: httpx.Client) -> None:
    yes = fenced("print('yes')")
    assert submit(client, yes, oj(("", "YES")))["accepted"] is True
    strict = submit(client, yes, oj(("", "YES")), extra={"comparator": "default"})
    assert strict["accepted"] is False and strict["extra"]["status"] == "wrong_answer"


@pytest.mark.parametrize(
    ("completion", "place"),
    [
        ("```\nprint(7)\n```", "fenced"),
        ("```cpp\nint main;\n```\n```py\nprint(7)\n```", "fenced"),
        ("```python\nprint(7)", "incomplete_fenced"),
        ("class Seven:\n    print(7)", "heuristic"),
        ("<think>\n```python\nprint(6)\n```\n</think>\n```python\nprint(7)\n```", "fenced"),
    ],
)
def test_programs_are_found_where_sandbox_fusion_looks(
    client: httpx.Client, completion: str, place: str
) -> None:
    result = submit(client, completion, oj(("", "7")))
    assert (result["accepted"], result["extracted_type"]) == (True, place)


def test_a_completion_without_code_is_refused_not_an_error(client: httpx.Client) -> None:
    result = submit(client, "I do not know.", oj(("", "")))
    assert result["accepted"] is False
    assert (result["extracted_type"], result["extra"]["status"]) == ("empty", "no_code")


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "import os; os._exit(0)", "pass"])
@pytest.mark.parametrize("kind", ["CommonOJDataset", "LiveCodeBenchDataset", "MBPPDataset"])
def test_the_exit_code_alone_accepts_nothing(client: httpx.Client, code: str, kind: str) -> None:
    tests = {
        "CommonOJDataset": oj(("1", "2")),
        "LiveCodeBenchDataset": {"input_output": json.dumps({"inputs": ["1"], "outputs": ["2"]})},
        "MBPPDataset": ["assert f(1) == 2", "import math\nassert math.isclose(f(1), 2)"],
    }
    result = submit(client, fenced(code), tests[kind], dataset_type=kind)
    assert result["accepted"] is False


def packed(tests: dict[str, Any]) -> str:
    pickled = pickle.dumps({"input_output": json.dumps(tests)})
    return base64.b64encode(zlib.compress(pickled)).decode()


@pytest.mark.parametrize("pack", [packed, lambda tests: json.dumps({"input_output": tests})])
def test_livecodebench_rows_come_packed_or_plain(client: httpx.Client, pack: Any) -> None:
    stdio = pack({"inputs": ["3\n"], "outputs": ["6\n"]})
    assert submit(client, DOUBLE, stdio, dataset_type="LiveCodeBenchDataset")["accepted"]
    call = pack({"inputs": ["[1, 2]\n3"], "outputs": ["[4, 5]"], "fn_name": "add"})
    right = fenced(
        "class Solution:\n    def add(self, xs: List[int], y): return [x + y for x in xs]"
    )
    wrong = fenced("class Solution:\n    def add(self, xs, y): return [4]")
    for program, accepted in ((right, True), (wrong, False)):
        result = submit(client, program, call, dataset_type="LiveCodeBenchDataset")
        assert result["accepted"] is accepted


def test_a_pickle_that_would_call_something_is_refused(client: httpx.Client) -> None:
    class Call:
        def __reduce__(self) -> Any:
            return (print, ("called",))

    bad = base64.b64encode(zlib.compress(pickle.dumps(Call()))).decode()
    response = client.post("/submit", json=body(DOUBLE, bad, dataset_type="LiveCodeBenchDataset"))
    assert response.status_code == 400 and "pickle" in response.json()["detail"]


MBPP = {"dataset_type": "MBPPDataset"}


@pytest.mark.parametrize(
    "tests",
    [
        ["assert area(2, 3) == 6", "assert area(*[1, 1]) == 1"],
        "assert area(2, 3) == 6\nassert (abs(area(1, 1) - 1) < 0.5)",
        "def check(x):\n    return area(x, x)\nassert check(2) == 4",
        json.dumps(["assert area(2, 3) == 6"]),
    ],
)
def test_asserts_are_judged_in_every_form(client: httpx.Client, tests: Any) -> None:
    right = fenced("def area(a, b): return a * b")
    wrong = fenced("def area(a, b): return a + b + 9")
    assert submit(client, right, tests, **MBPP)["accepted"] is True
    assert submit(client, wrong, tests, **MBPP)["accepted"] is False


def test_set_up_code_is_there_for_the_asserts(client: httpx.Client) -> None:
    row = {"id": 1, "test_list": ["assert f(N) == 7"], "labels": {"test_setup_code": "N = 6"}}
    result = submit(client, fenced("def f(n): return n + 1"), provided_data=row, **MBPP)
    assert result["accepted"] is True


def test_an_object_that_equals_everything_equals_nothing(client: httpx.Client) -> None:
    code = "class E:\n    def __eq__(self, o): return True\ndef f(*a): return E()"
    assert submit(client, fenced(code), ["assert f(1) == 2"], **MBPP)["accepted"] is False


def test_of_several_rows_the_one_with_the_id_is_judged(client: httpx.Client) -> None:
    rows = [{"id": n, "test": oj(("1", str(2 * n)))} for n in range(3)]
    assert submit(client, DOUBLE, provided_data=rows)["accepted"] is True


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"dataset_type": "MBXPDataset"}, 400, "dataset_type"),
        ({"dataset_type": None}, 400, "dataset_type"),
        ({"language": None}, 400, "language"),
        ({"language": "cpp"}, 400, "language"),
        ({"provided_data": None}, 400, "provided_data"),
        ({"provided_data": {}}, 400, "test"),
        ({"provided_data": {"test": []}}, 400, "test"),
        ({"provided_data": {"test": "[{"}}, 400, "JSON"),
        ({"provided_data": {"test": [{"input": {}, "output": {}}]}}, 400, "test[0]"),
        ({"provided_data": {"test": [{"input": {"stdin": "", "a.txt": ""},
                                      "output": {"stdout": ""}}]}}, 400, "files"),
        ({"provided_data": [{"id": 2}]}, 400, "rows"),
        ({"custom_extract_logic": "import os"}, 501, "custom_extract_logic"),
        ({"run_timeout": 301}, 400, "time_s"),
        ({"run_timeout": -1}, 422, ""),
        ({"extra": {"comparator": ["x"]}}, 400, "comparator"),
        ({"extra": {"comparator": "x"}}, 400, "comparator"),
        ({"dataset_type": "MBPPDataset", "provided_data": {"test_list": ["f(1)"]}}, 400, "assert"),
        ({"dataset_type": "MBPPDataset", "provided_data": {"test_list": ["assert ("]}},
         400, "Python"),
        ({"dataset_type": "MBPPDataset", "provided_data": {"test_list": 3}}, 400, "list"),
        ({"dataset_type": "MBPPDataset", "provided_data": {"test": "assert " + "f(" * 9000}},
         400, "Python"),
        ({"dataset_type": "LiveCodeBenchDataset", "provided_data": {"test": "e30="}}, 400, "test"),
        ({"dataset_type": "LiveCodeBenchDataset",
          "provided_data": {"test": {"inputs": ["1"], "outputs": []}}}, 400, "outputs"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_judged_are_refused(
    client: httpx.Client, change: dict[str, Any], status: int, word: str
) -> None:
    config = {"provided_data": {"test": oj(("1", "2"))}, **change}
    response = client.post("/submit", json=body(DOUBLE, **config))
    assert response.status_code == status, response.text
    assert word in str(response.json()["detail"])


def test_code_nested_too_deeply_is_refused(client: httpx.Client) -> None:
    test = [f"assert f({'-' * 200_000}1) == 3"]
    response = client.post("/submit", json=body(DOUBLE, test, dataset_type="MBPPDataset"))
    assert response.status_code == 400
    assert "nested too deeply" in response.json()["detail"]


def test_values_of_any_depth_are_judged_or_refused(client: httpx.Client) -> None:
    for depth in range(100, 1000, 20):
        value = "[" * depth + "]" * depth
        test = {"inputs": [value], "outputs": [value], "fn_name": "f"}
        row = body(fenced("def f(x): return 1"), test, dataset_type="LiveCodeBenchDataset")
        response = client.post("/submit", json=row)
        if response.status_code == 200:
            assert response.json()["accepted"] is False
        else:
            assert response.status_code == 400, (depth, response.text)


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_row_of_very_many_tests_is_judged(client: httpx.Client, count: int) -> None:
    outputs = {"inputs": ["1"] * count, "outputs": ["2"] * count, "fn_name": "f"}
    tests = {"input_output": json.dumps(outputs)}
    code = fenced("def f(x): return x + 1")
    result = submit(client, code, tests, dataset_type="LiveCodeBenchDataset")
    assert result["accepted"] is True and len(result["tests"]) == 1
    assert result["extra"]["n_passed"] == count

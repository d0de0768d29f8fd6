"""`/verify`, `/execute` and the small routes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

ADD = {"program": "def add(a, b): return a + b"}
CASES: list[dict[str, Any]] = [
    {"function": "add", "args": [1, 2], "expected": 3},
    {"function": "add", "args": [0.1, 0.2], "expected_repr": "0.3"},
    {"script": "assert add('a', 'b') == 'ab'"},
]


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()
    return data


def test_verify_answers_the_verdict_that_the_command_line_writes(client: httpx.Client) -> None:
    verdict = post(client, "/verify", {**ADD, "cases": CASES})
    assert set(verdict) == {"status", "passed", "n_passed", "n_cases", "cases", "digest"}
    assert (verdict["status"], verdict["n_passed"], verdict["n_cases"]) == ("accepted", 3, 3)
    assert set(verdict["cases"][0]) == {"index", "status", "time_s", "memory_mb"}


def test_verify_takes_a_completion_and_a_rule_to_find_the_program(client: httpx.Client) -> None:
    text = "```py\nx\n```\n```py\ndef add(a, b): return a + b\n```"
    for rule, status in (("first_fence", "runtime_error"), ("last_fence", "accepted")):
        body = {"completion": text, "extraction": rule, "cases": CASES}
        assert post(client, "/verify", body)["status"] == status
    assert post(client, "/verify", {"completion": "no", "cases": CASES})["status"] == "no_code"


def test_verify_uses_the_default_comparator_and_the_limits_given(client: httpx.Client) -> None:
    body = {"program": "print('yes')", "cases": [{"stdin": "", "stdout": "YES"}]}
    assert post(client, "/verify", body)["status"] == "wrong_answer"
    assert post(client, "/verify", {**body, "comparator": "sandbox_fusion"})["passed"] is True
    loop = {**body, "program": "while True: pass", "limits": {"time_s": 0.2}}
    assert post(client, "/verify", loop)["status"] == "time_limit"


@pytest.mark.parametrize(
    ("name", "accepts"),
    [
        ("default", ["blanks"]), ("evalplus", ["blanks"]), ("livecodebench", ["blanks"]),
        ("sandbox_fusion", ["case"]), ("taco", ["order"]),
    ],
)  # fmt: skip
def test_verify_knows_every_comparator(client: httpx.Client, name: str, accepts: list[str]) -> None:
    body = {"cases": [{"stdin": "", "stdout": "1 2\nA b"}], "comparator": name}
    texts = {"blanks": "1  2\nA b", "case": "1 2\na B", "order": "A b\n1 2"}
    for what, text in texts.items():
        verdict = post(client, "/verify", {**body, "program": f"print({text!r})"})
        assert verdict["passed"] is (what in accepts), what


def test_verify_stops_at_the_first_failure_unless_asked_for_all_cases(client: httpx.Client) -> None:
    cases = [{"stdin": "", "stdout": text} for text in ("1", "2", "1")]
    body = {"program": "print(1)", "cases": cases}
    assert post(client, "/verify", body)["cases"][2] is None
    assert post(client, "/verify", {**body, "all_cases": True})["n_passed"] == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"cases": []}, "cases"), ({"cases": [{}]}, "cases[0]"),
        ({"cases": [{"stdin": 1, "stdout": ""}]}, "stdin"),
        ({"cases": [{"script": "("}]}, "Python"), ({"comparator": "no"}, "comparator"),
        ({"limits": {"time_s": 0}}, "time_s"), ({"limits": {"time_s": 301}}, "time_s"),
        ({"limits": {"memory_mb": 1e5}}, "memory_mb"), ({"limits": {"x": 1}}, "unknown"),
        ({"completion": "x"}, "exactly one"), ({"program": None}, "exactly one"),
        ({"program": None, "completion": "x", "extraction": "no"}, "extraction"),
        ({"cases": [{"script": "x" * 2_000_000}]}, "characters"),
        ({"cases": [{"function": "add", "args": [], "expected_repr": "f()"}]}, "literal"),
    ],
)  # fmt: skip
def test_problems_that_cannot_be_judged_are_refused(
    client: httpx.Client, change: dict[str, Any], word: str
) -> None:
    response = client.post("/verify", json={**ADD, "cases": CASES, **change})
    assert response.status_code == 400, response.text
    assert word in response.json()["detail"]


def test_values_nested_deeply_are_refused_or_judged(client: httpx.Client) -> None:
    for depth in (150, 400, 900, 5000):
        value = "[" * depth + "]" * depth
        case = f'{{"function": "f", "args": [{value}], "expected": {value}}}'
        body = f'{{"program": "def f(x): return x", "cases": [{case}]}}'
        headers = {"content-type": "application/json"}
        response = client.post("/verify", content=body, headers=headers)
        assert response.status_code in ((200,) if depth == 150 else (200, 400)), response.text


def test_execute_runs_and_compares_nothing(client: httpx.Client) -> None:
    body = {
        "program": "import sys\ndef f(x): return (x, {1.5})\nprint(sys.stdin.read() * 2)",
        "inputs": [
            {"stdin": "ab"},
            {"function": "f", "args": [{"t": [1, None]}]},
            {"script": "assert f(1)[0] == 2"},
        ],
    }
    runs = post(client, "/execute", body)["runs"]
    assert [run["status"] for run in runs] == ["ok", "ok", "runtime_error"]
    assert runs[0]["stdout"] == "abab\n"
    assert runs[1]["value"] == {"t": [{"t": [1, None]}, {"s": [1.5]}]}
    assert "AssertionError" in runs[2]["error"]


def test_execute_begins_nothing_new_when_the_budget_is_spent(client: httpx.Client) -> None:
    body = {"program": "import time; time.sleep(0.2)", "inputs": [{"stdin": ""}] * 50}
    runs = post(client, "/execute", {**body, "budget_s": 0.3})["runs"]
    assert 1 <= len(runs) <= 6


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": []}, {"inputs": [{}]}, {"inputs": [{"stdin": "", "x": 1}]},
        {"inputs": [{"function": "f", "args": [{"no": 1}]}]},
        {"inputs": [{"function": "a b", "args": []}]}, {"limits": {"time_s": 1e6}},
        {"limits": {"more": 1}}, {"inputs": [{"function": "f", "args": [{"i": 3}]}]},
    ],
)  # fmt: skip
def test_inputs_that_cannot_be_run_are_refused(client: httpx.Client, change: Any) -> None:
    response = client.post("/execute", json={"program": "", "inputs": [{"stdin": ""}], **change})
    assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    "path",
    ["/get_prompts", "/get_prompt_by_id", "/list_ids", "/run_jupyter"],
)
def test_routes_that_need_sandbox_fusions_data_say_so(client: httpx.Client, path: str) -> None:
    response = client.post(path, json={"dataset": "mbpp", "id": 1, "config": {}})
    assert response.status_code == 501
    assert "holds no data sets" in response.json()["detail"]


def test_ping_and_metrics(client: httpx.Client) -> None:
    assert client.get("/v1/ping").json() == "pong"
    before = _count(client, 'ctrl_harness_verdicts_total{status="accepted"}')
    post(client, "/verify", {**ADD, "cases": CASES})
    assert _count(client, 'ctrl_harness_verdicts_total{status="accepted"}') == before + 1
    assert _count(client, 'ctrl_harness_requests_total{route="/verify",status="200"}') >= 1
    client.get("/a/path/of/somebody")
    page = client.get("/metrics").text
    assert "somebody" not in page and 'route="other"' in page


def _count(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


NINES = "9" * 5_000


def post_text(client: httpx.Client, path: str, text: str) -> httpx.Response:
    return client.post(path, content=text, headers={"content-type": "application/json"})


def test_cases_may_hold_integers_of_any_length(client: httpx.Client) -> None:
    body = (
        '{"program": "def f(x): return x + 1", "cases": ['
        f'{{"function": "f", "args": [{NINES}], "expected": 1{"0" * 5_000}}},'
        f'{{"function": "f", "args": [{NINES}], "expected_repr": "1{"0" * 5_000}"}},'
        f'{{"script": "assert f({NINES}) == 1{"0" * 5_000}"}}]}}'
    )
    response = post_text(client, "/verify", body)
    assert response.status_code == 200, response.text
    assert response.json()["n_passed"] == 3


def test_a_row_may_hold_integers_of_any_length(client: httpx.Client) -> None:
    tests = {"fn_name": "f", "inputs": [NINES], "outputs": ["1" + "0" * 5_000]}
    body = {
        "dataset": "x",
        "id": 1,
        "completion": "```python\ndef f(x):\n    return x + 1\n```",
        "config": {
            "dataset_type": "LiveCodeBenchDataset",
            "provided_data": {"id": 1, "test": json.dumps({"input_output": json.dumps(tests)})},
        },
    }
    answer = post(client, "/submit", body)
    assert answer["accepted"] is True, answer


@pytest.mark.parametrize(
    ("numbers", "why"), [("9" * 300_000, "of 300000 digits"), (", ".join([NINES] * 300), "in all")]
)
def test_too_many_digits_are_refused_in_a_sentence(
    client: httpx.Client, numbers: str, why: str
) -> None:
    case = f'{{"function": "f", "args": [{numbers}], "expected": 1}}'
    response = post_text(client, "/verify", f'{{"program": "", "cases": [{case}]}}')
    assert response.status_code == 400
    assert why in response.json()["detail"]

"""Requests made from the server's own OpenAPI: whatever comes, no 500 and no hang."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="the server needs the extra `server`")
from ctrl_harness.server.dataset_types import TYPES

schemathesis: Any = pytest.importorskip("schemathesis", reason="needs the package schemathesis")

ROUTES = (
    "/run_code", "/submit", "/verify", "/execute", "/get_prompts", "/get_prompt_by_id",
)  # fmt: skip
FEW = 15
MANY = 150
KNOWN = {200, 400, 408, 413, 422, 429, 501}
"""503 would be a judge that failed, and nothing here gives it a reason to."""


@pytest.fixture(scope="module")
def operations(client: httpx.Client) -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.path: operation for operation in found}


def fuzz(client: httpx.Client, operation: Any, mode: Any, examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        body = getattr(case, "body", None)
        sent: dict[str, Any] = {}
        if isinstance(body, (dict, list, str, int, float, bool, type(None))):
            sent["json"] = body
        elif isinstance(body, bytes):
            sent["content"] = body
        try:
            response = client.request(case.method, operation.path, timeout=20, **sent)
        except (UnicodeEncodeError, ValueError):  # the client cannot send that
            return
        assert response.status_code in KNOWN | {404, 405}, response.text
        if response.status_code == 200:
            assert response.headers["content-type"].startswith("application/json")

    ask()


@pytest.mark.parametrize(
    "examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)
@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", ROUTES)
def test_generated_requests_get_a_clear_status(
    client: httpx.Client, operations: dict[str, Any], path: str, mode: str, examples: int
) -> None:
    mode = getattr(schemathesis.GenerationMode, mode.upper())
    fuzz(client, operations[path], mode, examples)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CASE = st.one_of(
    st.fixed_dictionaries({"stdin": TEXT, "stdout": TEXT}),
    st.fixed_dictionaries({"function": st.sampled_from(["f", "g", "1"]),
                           "args": st.lists(JSON, max_size=3), "expected": JSON}),
    st.fixed_dictionaries({"script": st.sampled_from(["assert f(1)", "x = ", "", "exit(0)"])}),
    st.dictionaries(st.sampled_from(["stdin", "function", "args"]), JSON, max_size=3),
)  # fmt: skip
PROGRAMS = st.sampled_from(
    ["print(input())", "def f(*a): return a", "exit(0)", "\0", "(", "", "raise MemoryError",
     "def f(*a): return f", "import os; os.kill(os.getpid(), 9)"]
)  # fmt: skip
LIMITS = st.dictionaries(
    st.sampled_from(["time_s", "memory_mb", "output_mb"]),
    st.sampled_from([0, -1, 0.01, 0.2, 1, 64, 1e9, "1", None, True]),
)
COMMON = {"suppress_health_check": list(HealthCheck), "deadline": None, "database": None}


@pytest.mark.parametrize(
    "examples", [40, pytest.param(400, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_problems_of_the_right_shape_get_a_verdict_or_a_sentence(
    client: httpx.Client, examples: int
) -> None:
    @settings(max_examples=examples, derandomize=True, **COMMON)  # type: ignore[arg-type]
    @given(PROGRAMS, st.lists(CASE, max_size=4), LIMITS)
    def ask(program: str, cases: list[Any], limits: dict[str, Any]) -> None:
        body = {"program": program, "cases": cases, "limits": {"time_s": 1, **limits}}
        response = client.post("/verify", json=body, timeout=30)
        assert response.status_code in (200, 400), response.text
        if response.status_code == 200:
            assert response.json()["n_cases"] == len(cases)
        else:
            assert response.json()["detail"]

    ask()


@pytest.mark.parametrize(
    "examples", [40, pytest.param(400, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_rows_of_nearly_the_right_shape_get_a_result_or_a_sentence(
    client: httpx.Client, examples: int
) -> None:
    tests = st.one_of(
        JSON,
        st.lists(st.fixed_dictionaries({"input": st.fixed_dictionaries({"stdin": TEXT}),
                                        "output": st.fixed_dictionaries({"stdout": TEXT})})),
        st.lists(st.sampled_from(["assert f(1) == 1", "assert f(2) == (2,)", "f(", "pass"])),
        st.fixed_dictionaries({"inputs": st.lists(TEXT), "outputs": st.lists(TEXT)},
                              optional={"fn_name": st.sampled_from(["f", None, 3, "a b"])}),
    )  # fmt: skip
    kinds = st.sampled_from(["CommonOJDataset", "LiveCodeBenchDataset", "MBPPDataset", "?", None])

    @settings(max_examples=examples, derandomize=True, **COMMON)  # type: ignore[arg-type]
    @given(PROGRAMS, tests, kinds, JSON, JSON)
    def ask(program: str, test: Any, kind: Any, labels: Any, extra: Any) -> None:
        row = {"id": 1, "test": test, "labels": labels}
        config = {"dataset_type": kind, "language": "python", "run_timeout": 1}
        config["provided_data"] = row
        if isinstance(extra, dict):
            config["extra"] = extra
        body = {"dataset": "", "id": 1, "completion": program, "config": config}
        response = client.post("/submit", json=body, timeout=30)
        assert response.status_code in (200, 400), response.text

    ask()


@pytest.mark.parametrize(
    "examples", [60, pytest.param(1500, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_rows_of_every_type_get_a_result_or_a_sentence(
    client: httpx.Client, examples: int
) -> None:
    """On the routes that judge and on those that make prompts."""
    test = st.one_of(
        st.sampled_from(["assert f(1) == 1", "def check(candidate):\n    assert candidate(1)",
                         "import unittest\nclass T(unittest.TestCase):\n    def test(self): f(1)"]),
        st.fixed_dictionaries(
            {"code": st.sampled_from(["assert f(1)", "#<INSERT>\nassert f(1)", "(#<INSERT>)"])},
            optional={"asset": JSON | st.just({"a_test.py": "YXNzZXJ0IGYoMSk="})},
        ),
    )  # fmt: skip
    words = st.sampled_from(["f", "def f(x):\n", "f(1)", "[1]", "1, 2", "", "\0"])
    rows = st.fixed_dictionaries(
        {"id": st.integers(0, 3)},
        optional={
            "test": test | JSON,
            "labels": st.dictionaries(
                st.sampled_from(["entry_point", "programming_language", "fewshot", "stop_tokens",
                                 "test_setup_code", "prompt_template"]), words | JSON
            ) | JSON,
            **dict.fromkeys(
                ["content", "prompt", "entry_point", "code", "input", "output", "next_line",
                 "tests", "test_list", "language", "stop_tokens"], words | JSON
            ),
        },
    )  # fmt: skip
    extra = st.dictionaries(
        st.sampled_from(["mode", "is_freeform", "use_cot", "phind_output", "fewshot", "context",
                         "prompt_template", "run_all_cases", "return_full_case"]),
        st.sampled_from(["input", "output", True, None, 3, [], "$question $"]),
    )  # fmt: skip
    completions = PROGRAMS | st.sampled_from(["```py\nassert f(1)\n```", "[ANSWER]f(1)", "    x"])
    routes = st.sampled_from(["/submit", "/get_prompts", "/get_prompt_by_id", "/list_ids"])

    @settings(max_examples=examples, derandomize=True, **COMMON)  # type: ignore[arg-type]
    @given(routes, st.sampled_from(sorted(TYPES)), st.lists(rows, max_size=2), completions, extra,
           st.none() | st.booleans())  # fmt: skip
    def ask(
        route: str, kind: str, rows: list[Any], completion: str, extra: Any, few: bool | None
    ) -> None:
        config = {"dataset_type": kind, "language": "python", "run_timeout": 1, "extra": extra,
                  "is_fewshot": few, "provided_data": rows}  # fmt: skip
        body = {"dataset": "", "id": 1, "completion": completion, "config": config}
        response = client.post(route, json=body, timeout=30)
        assert response.status_code in (200, 400, 501), response.text
        if response.status_code != 200:
            assert response.json()["detail"]

    ask()

"""Whatever a client sends that cannot be used is a 4xx with a sentence, never a 5xx."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

RUN = {"code": "print(1)", "language": "python"}
CASE = {"stdin": "", "stdout": "1"}
VERIFY = {"program": "print(1)", "cases": [CASE]}
EXECUTE = {"program": "print(1)", "inputs": [{"stdin": ""}]}
MBPP = {
    "dataset": "", "id": 1, "completion": "```python\ndef f(x): return x\n```",
    "config": {"dataset_type": "MBPPDataset", "provided_data": {"test_list": ["assert f(1) == 1"]}},
}  # fmt: skip
DATA = "MQ=="


def ask(client: httpx.Client, path: str, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, headers={"content-type": "application/json"})


def mbpp(row: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {**MBPP, "config": {"dataset_type": "MBPPDataset", "provided_data": row, **config}}


MISTAKES: dict[str, tuple[str, Any]] = {
    "half a character in a file's name": ("/run_code", {**RUN, "files": {"a\ud800.py": DATA}}),
    "an escaped byte in a file's name": ("/run_code", {**RUN, "files": {"a\udc80.py": DATA}}),
    "half a character in a wanted name": ("/run_code", {**RUN, "fetch_files": ["\udfff"]}),
    "NUL in a file's name": ("/run_code", {**RUN, "files": {"a\0b": DATA}}),
    "a name too long": ("/run_code", {**RUN, "files": {"ä" * 200: DATA}}),
    "too many folders": (
        "/run_code", {**RUN, "files": {f"{i}/" + "a/" * 200 + "f": DATA for i in range(20)}},
    ),
    "a file that is a folder": ("/run_code", {**RUN, "files": {"a": DATA, "a/b": DATA}}),
    "files that are no base64": ("/run_code", {**RUN, "files": {"a": "A"}}),
    "a prelude that fails": ("/execute", {**EXECUTE, "prelude": "1/0"}),
    "a prelude that is no Python": ("/execute", {**EXECUTE, "prelude": "1/"}),
    "half a character in a prelude": ("/execute", {**EXECUTE, "prelude": "'\ud800'"}),
    "a function's name": ("/execute", {**EXECUTE, "inputs": [{"function": "\ud800", "args": []}]}),
    "arguments without form": (
        "/execute", {**EXECUTE, "inputs": [{"function": "f", "args": [{"x": 1}]}]},
    ),
    "a limit that is no number": ("/execute", {**EXECUTE, "limits": {"time_s": "x"}}),
    "a limit without end": ("/execute", {**EXECUTE, "limits": {"time_s": 10**400}}),
    "test code that is no Python": ("/submit", mbpp({"test_list": ["assert f("]})),
    "half a character in test code": ("/submit", mbpp({"test_list": ["assert f('\ud800') == 1"]})),
    "no test at all": ("/submit", mbpp({"test_list": []})),
    "tests that import what is not there": (
        "/verify",
        {"program": "def f(): pass",
         "cases": [{"script": "import no_such_module\nassert f() is f()"}]},
    ),
    "rows of no dataset": ("/submit", {**MBPP, "config": {"provided_data": {}}}),
    "a comparator that is a table": ("/submit", mbpp({"test_list": ["assert f(1)"]},
                                                     extra={"comparator": {"a": 1}})),
    "an expected value nested too deeply": (
        "/verify",
        b'{"program": "", "cases": [{"function": "f", "args": [], "expected": '
        + b"[" * 900 + b"]" * 900 + b"}]}",
    ),
    "JSON nested too deeply": ("/verify", b'{"cases": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "an unclosed nest": ("/run_code", b"[" * 1_000_000),
    "objects in objects": ("/run_code", b'{"a":' * 100_000),
    "an integer of a million digits": ("/verify", b'{"cases": [' + b"9" * 1_000_000 + b"]}"),
    "NaN for a number": ("/run_code", b'{"code": "", "language": "python", "run_timeout": NaN}'),
    "infinity for a number": (
        "/run_code", b'{"code": "", "language": "python", "memory_limit_MB": 1e999}',
    ),
    "no JSON": ("/verify", b"{"),
    "bytes": ("/verify", b"\xff\xfe\x00"),
    "nothing": ("/verify", b""),
    "a list": ("/submit", []),
    "a null": ("/execute", None),
    "the last of two equal keys counts": (
        "/run_code", b'{"code": "", "language": "python", "language": "perl"}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_of_the_client_is_told_in_a_sentence(client: httpx.Client, kind: str) -> None:
    path, body = MISTAKES[kind]
    answer = ask(client, path, body)
    assert 400 <= answer.status_code < 500, answer.text[:300]
    detail = answer.json()["detail"]
    sentences = [detail] if isinstance(detail, str) else [error["msg"] for error in detail]
    assert sentences and all(0 < len(text) < 700 and "\n" not in text for text in sentences)


def test_a_hundred_thousand_values_of_one_hash_are_no_table(client: httpx.Client) -> None:
    # texts have seeded hashes, so that no table can be made slow from outside
    keys = {f"k{number}": number for number in range(50_000)}
    assert ask(client, "/run_code", {**RUN, "more": keys}).status_code == 200

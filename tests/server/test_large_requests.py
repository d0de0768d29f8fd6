"""Requests that take long to read, and what handles them: others are answered meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from ctrl_harness.server.request_json import MOST_VALUES, has_too_many_values
from tests.server.attacks import memory_mb, pings

TOKEN = "correct horse"
PRINT = {"code": "print(1)", "language": "python"}
MIB = 1 << 20
Serve = Callable[..., Any]


def oj(completion: str) -> bytes:
    row = {"test": [{"input": {"stdin": ""}, "output": {"stdout": "1"}}]}
    config = {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": row}
    body = {"dataset": "", "id": 1, "completion": completion, "config": config}
    return json.dumps(body).encode()


def bodies(size: int) -> dict[str, tuple[str, bytes]]:
    """Bodies of about so many bytes that once took seconds of the event loop."""
    return {
        "fences": ("/submit", oj("```\nx\n" * (size // 8))),
        "backticks": ("/submit", oj("`" * size)),
        "lines of code": ("/submit", oj("x = 1\n" * (size // 7))),
        "thoughts": ("/submit", oj("<think>" * (size // 7))),
        "small numbers": ("/submit", b'{"a": [' + b"1," * (size // 2) + b"1]}"),
        "empty lists": ("/run_code", b'{"a": [' + b"[]," * (size // 3) + b"1]}"),
        "empty texts": ("/verify", b'{"a": [' + b'"",' * (size // 3) + b"1]}"),
        "keys": ("/execute", b'{"a": {' + b'"k":1,' * (size // 6) + b'"k":1}}'),
        "digits": ("/verify", b'{"a": [' + b"1" * size + b"]}"),
        "an argument": (
            "/verify",
            b'{"program": "def f(x): return 1", "cases": [{"function": "f", "expected": 1, "args":'
            b" [[" + b"1," * (size // 2) + b"1]]}]}",
        ),
    }


def post(client: httpx.Client, path: str, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return client.post(path, content=body, headers=headers, timeout=300)


def ask_for_all(server: Any, size: int, **options: Any) -> dict[str, int]:
    """Every body, one after another, while others are answered; the statuses."""
    with server.client(**options) as client:
        client.post("/run_code", json=PRINT)
        before_mb = memory_mb(server)
        with pings(server):
            statuses = {
                name: post(client, path, body).status_code
                for name, (path, body) in bodies(size).items()
            }
        assert memory_mb(server) < before_mb + 2 * size / MIB + 60
        assert client.post("/run_code", json=PRINT).json()["status"] == "Success"
    return statuses


def test_bodies_that_take_long_to_read_hold_nobody_up(serve: Serve) -> None:
    statuses = ask_for_all(serve("--workers", "1"), 2 * MIB)
    assert set(statuses.values()) <= {200, 400, 422}, statuses


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("--token", TOKEN)], ids=["open", "token"])
def test_bodies_of_60_megabytes_hold_nobody_up(serve: Serve, arguments: tuple[str, ...]) -> None:
    statuses = ask_for_all(serve("--workers", "1", *arguments), 60_000_000, auth=("any", TOKEN))
    assert set(statuses.values()) <= {400, 413, 422}, statuses


@pytest.mark.slow
def test_many_large_bodies_at_once_have_bounded_memory(serve: Serve) -> None:
    server = serve("--workers", "1")
    body = b'{"a": "' + b"x" * (50 * MIB) + b'"}'

    def ask(_: int) -> int:
        with server.client() as client:
            return post(client, "/submit", body).status_code

    with pings(server), ThreadPoolExecutor(24) as threads:
        assert set(threads.map(ask, range(24))) == {422}
        # 1 GiB for all bodies, each counted twice
        assert memory_mb(server) < 900
    assert memory_mb(server) < 300


def handlers_of(server: Any) -> list[int]:
    """The processes that handle the server's requests: the children of its fork server."""

    def children(pid: int) -> list[int]:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def command(pid: int) -> bytes:
        return Path(f"/proc/{pid}/cmdline").read_bytes()

    own = command(server.process.pid)
    forked = [pid for pid in children(server.process.pid) if command(pid) == own]
    return [pid for one in forked for pid in children(one)]


@pytest.mark.parametrize(("path", "status"), [("/run_code", 504), ("/verify", 503)])
def test_a_process_that_is_lost_is_no_verdict_and_another_takes_its_place(
    serve: Serve, path: str, status: int
) -> None:
    server = serve("--workers", "1")
    code = "import time; time.sleep(20); print(1)"
    sleeping = {
        "/run_code": {"code": code, "language": "python", "run_timeout": 30},
        "/verify": {
            "program": code, "cases": [{"stdin": "", "stdout": "1"}], "limits": {"time_s": 30},
        },
    }  # fmt: skip
    with server.client() as client, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(lambda: server.client().post(path, json=sleeping[path]))
        deadline = time.monotonic() + 20
        while not (handlers := handlers_of(server)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(handlers[0], signal.SIGKILL)
        assert answer.result(timeout=15).status_code == status
        # its program has gone too: the one worker is free
        assert client.post("/run_code", json=PRINT, timeout=15).json()["status"] == "Success"


def test_handlers_are_kept_and_end_with_the_server(serve: Serve) -> None:
    server = serve("--workers", "2")
    with server.client() as client:
        for _ in range(5):
            assert client.post("/run_code", json=PRINT).status_code == 200
    handlers = handlers_of(server)
    assert len(handlers) == 1
    server.process.kill()
    server.process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in handlers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_clients_that_leave_while_they_are_judged_free_cells_and_processes(serve: Serve) -> None:
    server = serve("--workers", "1")
    case = {"stdin": "", "stdout": "1"}
    body = {"program": "while True: pass", "cases": [case] * 5, "limits": {"time_s": 100}}
    with server.client() as client:
        for _ in range(4):
            with contextlib.suppress(httpx.ReadTimeout):
                client.post("/verify", json=body, timeout=0.5)
        assert client.post("/run_code", json=PRINT, timeout=20).status_code == 200
    assert len(handlers_of(server)) <= 2


@pytest.mark.parametrize(
    ("body", "too_many"),
    [
        (b"[" + b"1," * (MOST_VALUES + 1) + b"1]", True),
        (b"[" * (MOST_VALUES + 1), True),
        (b'["' + b"1," * (2 * MOST_VALUES) + b'"]', False),
        (rb'["\"' + b"[" * (2 * MOST_VALUES) + rb'\\"]', False),
        (b'"",' * (MOST_VALUES + 1), True),
    ],
    ids=["numbers", "lists", "a text", "a text with quotes", "texts"],
)
def test_values_are_counted_where_they_are_values(body: bytes, too_many: bool) -> None:
    assert has_too_many_values(body) is too_many

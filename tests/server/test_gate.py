"""Token, body size, queue, deadline, and the end: what a server does before and beside judging."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

TOKEN = "correct horse"
SLEEP = {"code": "import time; time.sleep(0.7); print(1)", "language": "python"}
PRINT = {"code": "print(1)", "language": "python"}
SUBMISSION = {
    "dataset": "", "id": 1, "completion": "```python\nimport time; time.sleep(0.1)\n```",
    "config": {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": {
        "test": [{"input": {"stdin": ""}, "output": {"stdout": ""}}]}},
}  # fmt: skip
Serve = Callable[..., Any]


def wait_until_inside(server: Any) -> None:
    """Until a request has got its place."""
    deadline = time.monotonic() + 20
    with server.client() as client:
        while "ctrl_harness_running 1.0" not in client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_server_listens_on_the_loopback_interface_unless_told(server: Any) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_the_token_opens_every_route_and_only_it(serve: Serve) -> None:
    server = serve("--token", TOKEN, "--workers", "1")
    with server.client() as client:
        assert client.get("/v1/ping").status_code == 200
        for headers in (
            {}, {"authorization": "Bearer wrong"}, {"authorization": "Basic !!"},
            {"authorization": TOKEN}, {"authorization": "Bearer"},
        ):  # fmt: skip
            for method, path in (("POST", "/run_code"), ("GET", "/metrics"), ("GET", "/")):
                response = client.request(method, path, json=PRINT, headers=headers)
                assert response.status_code == 401, (headers, path)
                assert response.headers["www-authenticate"] == "Bearer"
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert client.post("/run_code", json=PRINT, headers=bearer).json()["status"] == "Success"
        assert client.get("/metrics", headers=bearer).status_code == 200
        assert client.post("/run_code", json=PRINT, auth=("any", TOKEN)).status_code == 200


def test_a_token_may_be_any_bytes(serve: Serve) -> None:
    token = b"\xff and more"
    server = serve("--token", os.fsdecode(token), "--workers", "1")
    with server.client() as client:
        assert client.get("/metrics").status_code == 401
        bearer = {b"authorization": b"Bearer " + token}
        assert client.get("/metrics", headers=bearer).status_code == 200


def test_a_body_too_large_is_refused_whether_declared_or_not(serve: Serve) -> None:
    server = serve("--max-body-mb", "1", "--workers", "1")
    large = b" " * (3 << 20)
    with server.client() as client:
        assert client.post("/run_code", content=large).status_code == 413
        chunks = (large[:100_000] for _ in range(30))
        assert client.post("/run_code", content=chunks).status_code == 413
        assert client.post("/run_code", json=PRINT).status_code == 200


def ask_at_once(server: Any, path: str, body: dict[str, Any], times: int) -> list[httpx.Response]:
    def ask(_: int) -> httpx.Response:
        with server.client() as client:
            return client.post(path, json=body)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(ask, range(times)))


def test_on_the_routes_of_sandbox_fusion_all_requests_wait(serve: Serve) -> None:
    server = serve("--workers", "1", "--queue", "0")
    brief = {**SLEEP, "code": "import time; time.sleep(0.1); print(1)"}
    for path, body in (("/run_code", brief), ("/submit", SUBMISSION)):
        answers = ask_at_once(server, path, body, 12)
        assert [answer.status_code for answer in answers] == [200] * 12


def test_on_our_own_routes_a_full_queue_says_when_to_come_again(serve: Serve) -> None:
    server = serve("--workers", "1", "--queue", "1")
    body = {"program": SLEEP["code"], "cases": [{"stdin": "", "stdout": "1"}]}
    answers = ask_at_once(server, "/verify", body, 6)
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200, 200, 429, 429, 429, 429]
    refused = answers[statuses.index(429)]
    assert 1 <= int(refused.headers["retry-after"]) <= 5
    with server.client() as client:
        assert client.post("/verify", json=body).status_code == 200, "places are given back"


def test_a_client_that_goes_away_takes_its_program_with_it(serve: Serve) -> None:
    server = serve("--workers", "1", "--queue", "0")
    loop = {"code": "while True: pass", "language": "python", "run_timeout": 100}
    with server.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/run_code", json=loop, timeout=0.5)
        assert client.post("/run_code", json=PRINT, timeout=20).status_code == 200


def test_a_client_that_goes_away_while_it_waits_frees_its_place(serve: Serve) -> None:
    server = serve("--workers", "1", "--queue", "0")
    with ThreadPoolExecutor(1) as threads, server.client() as client:
        long = {**SLEEP, "code": "import time; time.sleep(5)"}
        running = threads.submit(lambda: server.client().post("/run_code", json=long))
        wait_until_inside(server)
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                client.post("/run_code", json=PRINT, timeout=0.2)
        time.sleep(0.2)
        assert "ctrl_harness_waiting 0.0" in client.get("/metrics").text
        assert running.result().status_code == 200


def test_a_body_that_breaks_off_takes_no_place(serve: Serve) -> None:
    server = serve("--workers", "1", "--queue", "0")
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /run_code HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
        time.sleep(0.3)
    with server.client() as client:
        time.sleep(0.3)
        assert client.post("/run_code", json=PRINT).status_code == 200


@pytest.mark.slow
def test_a_connection_that_is_idle_is_left_to_the_client(serve: Serve) -> None:
    server = serve("--workers", "1")
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        for pause_s in (6.5, 0.0):  # httpx keeps a connection for 5 s, and a busy machine is late
            connection.request("GET", "/v1/ping")
            first = connection.sock
            assert connection.getresponse().read() == b'"pong"'
            time.sleep(pause_s)
        assert connection.sock is first


def test_when_told_to_stop_it_finishes_what_is_inside(serve: Serve) -> None:
    server = serve("--workers", "1")
    answers: list[httpx.Response] = []

    def ask() -> None:
        with server.client() as client:
            answers.append(client.post("/run_code", json=SLEEP))

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until_inside(server)
    server.process.send_signal(signal.SIGTERM)
    thread.join()
    assert answers[0].json()["run_result"]["stdout"] == "1\n"
    assert server.process.wait(timeout=20) == 0


@pytest.mark.parametrize(("path", "status"), [("/verify", 503), ("/run_code", 504)])
def test_what_is_not_finished_in_the_grace_period_is_no_verdict(
    serve: Serve, path: str, status: int
) -> None:
    server = serve("--workers", "1", "--grace", "0.3")
    answers: list[httpx.Response] = []
    case = {"stdin": "", "stdout": "1"}
    code = "while True: pass"
    bodies = {
        "/verify": {"program": code, "cases": [case], "limits": {"time_s": 60}},
        "/run_code": {"code": code, "language": "python", "run_timeout": 60},
    }

    def ask(_: int) -> None:
        with server.client() as client:
            answers.append(client.post(path, json=bodies[path]))

    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(ask, number) for number in range(3)]
        wait_until_inside(server)
        time.sleep(0.3)  # so that the others wait
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
    for one in asked:
        one.result()
    assert [answer.status_code for answer in answers] == [status] * 3
    assert all("stopping" in answer.json()["detail"] for answer in answers)
    assert server.process.wait(timeout=20) == 0
    assert time.monotonic() - started < 10


def test_many_requests_at_once_do_not_see_each_other(server: Any) -> None:
    code = "import os\nname = input()\nopen(name, 'w').close()\nprint(sorted(os.listdir()), name)"

    def ask(number: int) -> str:
        with server.client() as own:
            body = {"code": code, "language": "python", "stdin": f"n{number}\n"}
            return str(own.post("/run_code", json=body).json()["run_result"]["stdout"])

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(32)))
    assert answers == [f"['n{n}'] n{n}\n" for n in range(32)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--port", "99999"], "port"), (["--host", "nowhere.invalid"], "address"),
        (["--host", "192.0.2.1"], "listened on"), (["--token", " "], "token"),
        (["--workers", "0"], "workers"), (["--executor", "none"], "executor"),
        (["--executor", "process"], "--unsafe-no-isolation"),
        (["--package", "no-such"], "'no-such' is not installed here"),
    ],
)  # fmt: skip
def test_a_server_that_cannot_start_says_why_in_a_line(arguments: list[str], word: str) -> None:
    pytest.importorskip("fastapi", reason="the server needs the extra `server`")
    command = "from ctrl_harness.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", command, "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert word in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

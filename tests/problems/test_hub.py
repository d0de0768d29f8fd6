"""The Hub: a commit is resolved and recorded, its files are read as a local folder's are, and its
absence is noticed within seconds. A small server stands in for it; the real one was not asked."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

REPO = "evalplus/mbppplus"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

LOAD = """
import json, sys
from ctrl_harness.errors import UserError
from ctrl_harness.problems import open_dataset, load_problem_set
try:
    problems = open_dataset("mbppplus")
except UserError as error:
    sys.exit(f"refused: {error}")
for _ in range(20):
    assert load_problem_set(problems.reference) is problems
print(json.dumps({"ids": [p.id for p in problems], **problems.reference.as_json()}))
"""

ROW = {
    "task_id": 7,
    "prompt": "Write a function to double a number.",
    "code": "def double(n):\n    return 2 * n\n",
    "test_imports": [],
    "test_list": ["assert double(2) == 4"],
    "test": """
import numpy as np

def is_floats(x):
    return isinstance(x, float)

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-7, atol=atol)
    else:
        assert out == exp

inputs = [[1], [-4]]
results = [2, -8]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(double(*inp), exp, 0)
""",
}


def load_from(endpoint: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # in a process of its own: the Hub's library reads its settings when it is imported
    settings = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(cache), **environment}
    return subprocess.run(
        [sys.executable, "-c", LOAD],
        check=False,
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
    )


class _Hub(http.server.BaseHTTPRequestHandler):
    """The few answers of the Hub's API that a download needs."""

    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.asked.append(path)
        api, files = f"/api/datasets/{REPO}", f"/datasets/{REPO}/resolve/{COMMIT}/"
        if path.startswith(f"{api}/tree/{COMMIT}"):
            self._json(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": _sha1(data)}
                    for name, data in self.files.items()
                ]
            )
        elif path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            self._json({"id": REPO, "sha": COMMIT, "siblings": []})
        elif path.startswith(files) and path.removeprefix(files) in self.files:
            data = self.files[path.removeprefix(files)]
            self._send(200, data, {"ETag": f'"{_sha1(data)}"', "X-Repo-Commit": COMMIT})
        else:
            self._send(404, b"", {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the test's output is no place for it."""


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


class StandIn(NamedTuple):
    """A Hub of ours: its address, and the paths it was asked for."""

    endpoint: str
    asked: list[str]


@pytest.fixture
def hub(tmp_path, write_rows) -> Iterator[StandIn]:
    name = "data/test-00000-of-00001.parquet"
    parquet = write_rows(tmp_path / "stored" / name, [ROW]).read_bytes()
    files = {name: parquet, "data/train-00000-of-00001.parquet": b"never fetched"}
    asked: list[str] = []
    handler = type("Hub", (_Hub,), {"files": files, "asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield StandIn(f"http://127.0.0.1:{server.server_port}", asked)
        server.shutdown()


def test_the_commit_is_recorded_and_the_cache_serves_without_the_hub(hub, tmp_path):
    first = load_from(hub.endpoint, tmp_path / "cache")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {
        "ids": ["Mbpp/7"],
        "dataset": "mbppplus",
        "source": "hub",
        "revision": COMMIT,
        "options": {"tests": "all"},
    }
    again = load_from(hub.endpoint, tmp_path / "cache", HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout


def test_the_hub_is_asked_once_however_often_the_problems_are_looked_up(hub, tmp_path):
    assert load_from(hub.endpoint, tmp_path).returncode == 0
    assert len([path for path in hub.asked if path.endswith("/revision/main")]) <= 2
    assert not [path for path in hub.asked if "train" in path]


def test_a_hub_out_of_reach_is_one_line_that_says_what_to_do(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    answer = load_from(endpoint, tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("refused: the Hugging Face Hub is out of reach for")
    assert "source=samples" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_hub_that_accepts_and_says_nothing_is_given_up_within_seconds(tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        started = time.monotonic()
        answer = load_from(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
    assert answer.stderr.startswith("refused: the Hugging Face Hub is out of reach for")
    assert time.monotonic() - started < 30


def test_a_repository_the_hub_does_not_have_is_named(hub, tmp_path):
    answer = load_from(f"{hub.endpoint}/elsewhere", tmp_path)
    assert answer.returncode == 1
    assert REPO in answer.stderr
    assert answer.stderr.count("\n") == 1

"""Synthesis with models behind HTTP: busy, broken or down, they cost samples and never a run."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.problems import Limits, Problem, StdioCase
from ctrl_harness.training.engine import ModelSpec, WorkSpec
from ctrl_harness.training.rl_rows import EpisodeSettings
from ctrl_harness.training.sft_rows import Selection
from ctrl_harness.training.synthesis_files import Wanted
from ctrl_harness.training.synthesis_run import Ended, SynthesisJob, run_synthesis
from ctrl_harness.training.synthesize import Recipe

pytest.importorskip("openai", reason="Inspect asks served models through it")

PROBLEMS = tuple(
    Problem(
        id=f"add-{k}",
        dataset="taco",
        statement=f"Read n. Print n + {k}.",
        cases=(StdioCase("1\n", f"{1 + k}\n"),),
        limits=Limits(time_s=2.0),
    )
    for k in range(4)
)


class Served(ThreadingHTTPServer):
    """An OpenAI-compatible server. faults: what it does to problem k, by k."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: dict[int, str] = {}
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Served

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append(body)
        text = "\n".join(message["content"] for message in body["messages"])
        found = re.search(r"Print n \+ (\d)", text)
        assert found is not None
        fault = self.server.faults.get(int(found[1]))
        if fault == "busy":
            self._answer(429, b'{"error": {"message": "slow down"}}')
        elif fault == "small" and len(text) > 4_000:
            refused = {"code": "context_length_exceeded", "message": "Too long."}
            self._answer(400, json.dumps({"error": refused}).encode())
        elif fault == "nonsense":
            self._answer(200, b"<html>a page</html>")
        elif fault == "no choices":
            self._answer(200, json.dumps(_completion("")).encode(), choices=False)
        else:
            program = f"```python\nprint(int(input()) + {found[1]})\n```"
            asks_critic = "Review the attempt" in text
            long = "Fine. " * 1_000 if fault == "small" else "Fine."
            said = f"{long}\n\nOverall judgment: Correct" if asks_critic else program
            self._answer(200, json.dumps(_completion(said)).encode())

    def _answer(self, status: int, content: bytes, choices: bool = True) -> None:
        if not choices:
            content = json.dumps({**json.loads(content), "choices": []}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """The test's output is its own."""


def _completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [choice], "usage": usage}  # fmt: skip


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(url: str, out: Path) -> Ended:
    spec = WorkSpec(
        ModelSpec("openai-api/stub/m", url, (("api_key", "none"),)),
        seed=3, max_retries=0, timeout_s=20, jobs=1,
    )  # fmt: skip
    wanted = Wanted(Selection(), EpisodeSettings())
    job = SynthesisJob(lambda: iter(PROBLEMS), 4, out, spec, Recipe(drafts=1), wanted)
    return anyio.run(run_synthesis, job)


def test_a_busy_or_broken_server_costs_its_samples_until_it_is_well(
    served: Served, tmp_path: Path
) -> None:
    served.faults = {1: "busy", 2: "nonsense", 3: "no choices"}
    ended = run(served.url, tmp_path)
    assert ended.report["rl"]["rows"] == ended.report["sft"]["rows"] == 1
    left_out = {s["problem_id"]: s["reason"] for s in ended.report["left_out"]["samples"]}
    assert set(left_out) == {"add-1", "add-2", "add-3"}
    assert "slow down" in left_out["add-1"]
    assert all(left_out.values())
    served.faults = {}
    asked = len(served.bodies)
    again = run(served.url, tmp_path)
    assert again.left_out == ()
    assert again.report["rl"]["rows"] == again.report["sft"]["rows"] == 4
    # three drafts, critiques and revisions; the first problem's were there
    assert len(served.bodies) - asked == 9


def test_each_call_is_sampled_in_its_own_way(served: Served, tmp_path: Path) -> None:
    run(served.url, tmp_path)
    seeds = {body["seed"] for body in served.bodies}
    assert len(seeds) == len(served.bodies) == 12


def test_a_server_that_is_down_is_told_for_each_sample(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = run(f"http://127.0.0.1:{port}/v1", tmp_path)
    assert ended.report["left_out"]["by_model"] == 4
    assert "connect" in ended.report["left_out"]["samples"][0]["reason"].lower()
    assert ended.counts.judged == 0


def test_a_critique_without_room_in_the_generator_s_context_has_that_fault(
    served: Served, tmp_path: Path
) -> None:
    served.faults = {2: "small"}
    ended = run(served.url, tmp_path)
    assert ended.left_out == ()
    assert ended.report["critiques"] == {"written": 4, "revised": 3, "context_overflow": 1}
    assert ended.report["sft"] == {"rows": 3, "dropped": {"context_overflow": 1}}
    asked = len(served.bodies)
    again = run(served.url, tmp_path)
    assert again.report["critiques"] == ended.report["critiques"]
    assert len(served.bodies) == asked, "it is not asked again"

"""The SandboxFusion client: one request a program, retries, and trouble that is never a verdict.

The server here speaks SandboxFusion's /run_code and runs what it gets with this Python, in a folder
of its own and without isolation, as a SandboxFusion does by default.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution import fusion_http
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.execution.executor import CallInput, Input, Program, Run, ScriptInput, StdinInput
from ctrl_harness.execution.fusion import FusionExecutor
from ctrl_harness.execution.fusion_http import Endpoint
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase
from ctrl_harness.verification.verify import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the driver needs Linux")

LIMITS = Limits(time_s=2.0, memory_mb=256, output_mb=4)
Answer = tuple[int, Any]


class FakeFusion(ThreadingHTTPServer):
    """Notes every request; `next_answers` are given in place of running, None drops the line."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.next_answers: list[Answer | None] = []
        self.most_at_once = self.now = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeFusion

    def do_GET(self) -> None:
        self._send(200, "pong")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.requests.append(json.loads(body))
            self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
            self.server.now += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.now)
            planned = bool(self.server.next_answers)
            answer = self.server.next_answers.pop(0) if planned else None
        if not planned:
            answer = 200, run_code(json.loads(body))
        with self.server.lock:  # before the answer, on which the client may send the next
            self.server.now -= 1
        if answer is not None:
            self._send(*answer)

    def _send(self, status: int, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def run_code(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in request["files"].items():
            (folder / path).write_bytes(base64.b64decode(content))
        (folder / "main.py").write_text(request["code"])
        started = time.time()
        try:
            done = subprocess.run(
                [sys.executable, "main.py"], cwd=folder, input="", text=True, capture_output=True,
                timeout=request["run_timeout"],
            )  # fmt: skip
            result = {"status": "Finished", "return_code": done.returncode, "stdout": done.stdout,
                      "stderr": done.stderr}  # fmt: skip
        except subprocess.TimeoutExpired:
            result = {"status": "TimeLimitExceeded", "return_code": None, "stdout": ""}
        files = {
            path: base64.b64encode((folder / path).read_bytes()).decode()
            for path in request["fetch_files"]
            if (folder / path).is_file()
        }
        result["execution_time"] = time.time() - started
        status = "Success" if result["return_code"] == 0 else "Failed"
        return {"status": status, "message": "", "compile_result": None, "run_result": result,
                "executor_pod_name": None, "files": files}  # fmt: skip


@pytest.fixture
def fusion() -> Iterator[FakeFusion]:
    server = FakeFusion()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion_http, "_FIRST_PAUSE_S", 0.01)


def runs_of(
    fusion: FakeFusion,
    source: str,
    *inputs: Input,
    limits: Limits = LIMITS,
    until: Callable[[Run], bool] | None = None,
    prelude: str = "",
    **options: Any,
) -> list[Run]:
    executor = FusionExecutor(endpoint=fusion.url, **options)
    return anyio.run(executor.execute, Program(source, prelude), inputs, limits, until)


# -- what a run says


def test_one_program_with_many_inputs_is_one_request(fusion: FakeFusion) -> None:
    inputs = [StdinInput(f"{n} 1\n") for n in range(30)]
    runs = runs_of(fusion, "print(sum(map(int, input().split())))", *inputs)
    assert [(run.status, run.stdout) for run in runs] == [("ok", f"{n + 1}\n") for n in range(30)]
    assert len(fusion.requests) == 1
    assert all(0 < run.time_s < 2 and run.memory_mb is not None for run in runs)


def test_inputs_of_every_kind_come_back_in_order(fusion: FakeFusion) -> None:
    source = "import sys\ndef f(x): return (x, {2.5: {x}})\nif __name__ == '__main__': print('m')"
    runs = runs_of(
        fusion, source,
        CallInput("f", (1,)), StdinInput(""), CallInput("f", ([],)), CallInput("f", ((3,),)),
        ScriptInput("assert f(1)[0] == 1"), ScriptInput("assert f(1)[0] == 2"), CallInput("g", ()),
    )  # fmt: skip
    assert [run.status for run in runs] == [
        "ok", "ok", "runtime_error", "ok", "ok", "runtime_error", "runtime_error",
    ]  # fmt: skip
    assert runs[0].value == (1, {2.5: {1}}) and runs[1].stdout == "m\n"
    assert runs[3].value == ((3,), {2.5: {(3,)}})
    assert "unhashable" in runs[2].error and "AssertionError" in runs[5].error


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("1/0", "runtime_error", "ZeroDivisionError"),
        ("import sys; sys.exit(3)", "runtime_error", "exit status 3"),
        ("while True: pass", "time_limit", ""),
        ("x = bytearray(1 << 30)", "memory_limit", "MemoryError"),
        ("import os\nos.write(1, b'x' * (8 << 20))\nos.write(1, b'x')", "output_limit", ""),
        ("import os; os.abort()", "runtime_error", "SIGABRT"),
        ("print(", "compile_error", "SyntaxError"),
        ("a\0b", "compile_error", ""),
    ],
)
def test_a_run_ends_as_it_does_in_a_cell(
    fusion: FakeFusion, source: str, status: str, error: str
) -> None:
    limits = Limits(time_s=0.5, memory_mb=256, output_mb=4)
    (run,) = runs_of(fusion, source, StdinInput(""), limits=limits)
    assert run.status == status and error in run.error


def test_a_compile_error_ends_the_program(fusion: FakeFusion) -> None:
    assert len(runs_of(fusion, "(", *[StdinInput("")] * 5)) == 1


def test_each_input_finds_an_empty_folder(fusion: FakeFusion) -> None:
    source = "import os; print(os.listdir()); open('left', 'w').close()"
    runs = runs_of(fusion, source, *[StdinInput("")] * 3)
    assert {run.stdout for run in runs} == {"[]\n"}


def test_daemons_end_with_the_request(fusion: FakeFusion, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        time.sleep(0.7); open({str(mark)!r}, 'w').close()\n    os._exit(0)\nprint('ok')"
    )
    (run,) = runs_of(fusion, source, StdinInput(""))
    assert run.stdout == "ok\n"
    time.sleep(1.2)
    assert not mark.exists()


def test_the_prelude_goes_first_and_its_failure_is_ours(fusion: FakeFusion) -> None:
    (run,) = runs_of(fusion, "print(n)", StdinInput(""), prelude="n = 4")
    assert run.stdout == "4\n"
    with pytest.raises(JudgeError, match="prelude"):
        runs_of(fusion, "print(n)", StdinInput(""), prelude="1/0")
    with pytest.raises(JudgeError, match="the tests import 'no_such_module', which is not there"):
        runs_of(fusion, "n = 4", ScriptInput("import no_such_module\nassert n == 4"))


def test_a_program_that_takes_long_is_asked_about_in_several_requests(fusion: FakeFusion) -> None:
    seen: list[str] = []

    def until(run: Run) -> bool:
        seen.append(run.status)
        return len(seen) == 7

    inputs = [StdinInput("")] * 20
    limits = Limits(time_s=0.1)
    source = "import time; time.sleep(9)"
    runs = runs_of(fusion, source, *inputs, limits=limits, until=until, budget_s=0.3)
    assert [run.status for run in runs] == ["time_limit"] * 7 == seen
    assert 1 <= len(fusion.requests) <= 7


# -- what is sent


def test_expected_values_are_never_sent(fusion: FakeFusion) -> None:
    secret = "the-only-right-answer"
    cases = (StdioCase("in", secret), CallCase("f", (1,), secret))
    problem = Problem("p", "file", "", cases)
    executor = FusionExecutor(endpoint=fusion.url)

    async def judge() -> str:
        return (await verify(problem, "def f(x): return x", executor=executor)).status

    assert anyio.run(judge) == "wrong_answer"
    for request in fusion.requests:
        texts = [request["code"], *map(base64.b64decode, request["files"].values())]
        assert not any(secret in str(text) for text in texts)


@pytest.mark.parametrize(
    "forged",
    [
        # results of its own in the place of the driver's
        "import glob, os\nfor p in glob.glob('/tmp/*/ctrl_harness_results.bin'):\n    open(p, 'w')",
        # the driver stopped or killed
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        "import os, signal\nos.killpg(0, signal.SIGKILL)",
        # every descriptor written to
        "import os\nfor fd in range(3, 99):\n    try: os.write(fd, b'\\x06\\0\\0\\0D' + b'x' * 5)\n"
        "    except OSError: pass\nos._exit(0)",
    ],
)
def test_a_program_that_reaches_the_driver_is_not_accepted(fusion: FakeFusion, forged: str) -> None:
    executor = FusionExecutor(endpoint=fusion.url)
    problem = Problem("p", "file", "", (StdioCase("", "42"), StdioCase("", "43")))

    async def judge() -> str:
        try:
            return (await verify(problem, forged, executor=executor)).status
        except JudgeError:
            return "judge_error"

    assert anyio.run(judge) in ("wrong_answer", "runtime_error", "judge_error")


def test_a_token_is_sent_and_never_shown(
    fusion: FakeFusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_FUSION_TOKEN", "s3cret")
    runs_of(fusion, "1", StdinInput(""))
    assert fusion.headers[-1]["authorization"] == "Bearer s3cret"
    fusion.next_answers = [(400, {"detail": "no"})]
    monkeypatch.delenv("SANDBOX_FUSION_TOKEN")
    executor = FusionExecutor(endpoint=fusion.url.replace("http://", "http://me:s3cret@"))
    with pytest.raises(JudgeError) as caught:
        anyio.run(executor.execute, Program("1"), [StdinInput("")], LIMITS)
    assert "s3cret" not in str(caught.value)
    assert fusion.headers[-1]["authorization"].startswith("Basic ")


# -- trouble


def test_transport_faults_and_full_queues_are_tried_again(fusion: FakeFusion) -> None:
    # a server that is full is asked for as long as it takes, others six times
    fusion.next_answers = [*[(429, "")] * 8, None, (503, "busy"), (502, "")]
    (run,) = runs_of(fusion, "print(1)", StdinInput(""))
    assert run.stdout == "1\n" and len(fusion.requests) == 12


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([(500, "broken")], 1),
        ([(404, "")], 1),
        ([(503, {"detail": "lost", "status": "judge_error"})], 1),
        ([(200, {"status": "SandboxError", "message": "no space"})], 1),
        ([(200, {"status": "Success", "run_result": {"stdout": ""}, "files": {}})], 1),
        ([(200, ["what"])], 1),
        ([(200, {"status": "Success", "files": {"ctrl_harness_results.bin": "AAAAAAAA"}})], 1),
        ([(200, {"status": "Success", "files": {"ctrl_harness_results.bin": ""}})] * 2, 2),
        ([None] * 9, 6),
        ([(503, "")] * 9, 6),
    ],
)
def test_trouble_with_the_server_is_a_judge_error(
    fusion: FakeFusion, answers: list[Answer | None], requests: int
) -> None:
    fusion.next_answers = answers
    with pytest.raises(JudgeError):
        runs_of(fusion, "print(1)", StdinInput(""))
    assert len(fusion.requests) == requests


def test_a_server_that_is_not_there_is_a_judge_error() -> None:
    executor = FusionExecutor(endpoint="http://127.0.0.1:9")
    with pytest.raises(JudgeError, match="could not be asked"):
        anyio.run(executor.execute, Program("1"), [StdinInput("")], LIMITS)


def test_no_more_programs_are_under_way_than_asked_for(fusion: FakeFusion) -> None:
    executor = FusionExecutor(2, endpoint=fusion.url)

    async def ask() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(executor.execute, Program("1"), [StdinInput("")], LIMITS)

    anyio.run(ask)
    assert fusion.most_at_once == 2 and len(fusion.requests) == 5


def test_a_cancelled_request_is_left(fusion: FakeFusion) -> None:
    executor = FusionExecutor(endpoint=fusion.url)

    async def ask() -> None:
        with anyio.move_on_after(0.5):
            await executor.execute(Program("import time; time.sleep(3)"), [StdinInput("")], LIMITS)

    started = time.monotonic()
    anyio.run(ask)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("url", ["", "host:8080", "ftp://x", "http://", "  "])
def test_an_endpoint_that_is_no_url_is_told_at_once(url: str) -> None:
    with pytest.raises(UserError, match=r"URL|SANDBOX_FUSION_ENDPOINT"):
        Endpoint(url)


def test_the_endpoint_comes_from_the_environment(
    fusion: FakeFusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_FUSION_ENDPOINT", raising=False)
    with pytest.raises(UserError, match="SANDBOX_FUSION_ENDPOINT"):
        get_executor("sandbox_fusion", jobs=7)
    monkeypatch.setenv("SANDBOX_FUSION_ENDPOINT", fusion.url + "/run_code")
    executor = get_executor("sandbox_fusion", jobs=7)
    assert executor.isolated and executor.name == "sandbox_fusion"
    (run,) = anyio.run(executor.execute, Program("print(5)"), [StdinInput("")], LIMITS)
    assert run.stdout == "5\n"


# -- the same verdicts as here

PROGRAMS = {
    "right": "print(int(input()) * 2)",
    "crash": "print(1 // (int(input()) - 2))",
    "slow": "if int(input()) > 1:\n    while True: pass\nprint(2)",
    "exit": "print(2); exit(1)",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_verdicts_are_those_of_another_executor(fusion: FakeFusion, name: str) -> None:
    cases = tuple(StdioCase(f"{n}\n", f"{2 * n}\n") for n in range(1, 4))
    problem = Problem("p", "file", "", cases, limits=Limits(time_s=0.5))

    async def statuses() -> list[Any]:
        verdicts = [
            await verify(problem, PROGRAMS[name], executor=executor)
            for executor in (FusionExecutor(endpoint=fusion.url), ProcessExecutor(1))
        ]
        return [[case and case.status for case in verdict.cases] for verdict in verdicts]

    remote, local = anyio.run(statuses)
    assert remote == local

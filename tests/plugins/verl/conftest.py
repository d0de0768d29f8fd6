"""A task that a tiny critic can learn, a generator that does as it is told, and runs of main_ppo.

Two problems, whose drafts use the wrong operation. A critique proposes one of three operations; the
generator, a scripted server behind a real port, writes the program that uses it; the judge runs it.
"""

from __future__ import annotations

import json
import operator
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ctrl_harness.critique.critic import Draft
from ctrl_harness.problems import Problem, StdioCase
from ctrl_harness.training.rl_rows import DraftVerdict, Episode, arrow_schema

OPERATIONS = {"Add": "+", "Subtract": "-", "Multiply": "*"}
_CRITIQUE = "Analysis:\nWrong sign.\n\nImprovement suggestions:\n{}.\n\nOverall judgment: Incorrect"


def _problem(name: str, wanted: Callable[[int, int], int]) -> Problem:
    pairs = ((7, 3), (10, 4), (2, 9))
    return Problem(
        id=name,
        dataset="taco",
        statement=f"A line holds two integers. Print their {name}.",
        cases=tuple(StdioCase(f"{a} {b}\n", f"{wanted(a, b)}\n") for a, b in pairs),
    )


def episodes() -> list[Episode]:
    """One draft of each problem, wrong on all three of its cases."""
    program = "a, b = map(int, input().split())\nprint(a / b)\n"
    draft = Draft(f"```python\n{program}```", program)
    verdict = DraftVerdict("wrong_answer", 0, 3, "0" * 64)
    return [
        Episode(_problem("sum", operator.add), draft, verdict),
        Episode(_problem("product", operator.mul), draft, verdict, index=1),
    ]


class Toy(NamedTuple):
    """model: a tiny critic that writes well-formed critiques. parquet: rows of both problems.

    easy: rows of the first problem alone, for which one answer is always right.
    """

    model: Path
    parquet: Path
    easy: Path


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    pytest.importorskip("torch", reason="needs the extra `training`")
    import pyarrow
    from pyarrow import parquet

    from ctrl_harness.plugins.verl.tiny_model import Lesson, make_tiny_model, teach

    folder = tmp_path_factory.mktemp("toy")
    rows = [episode.to_row() for episode in episodes()]
    answers = [_CRITIQUE.format(operation) for operation in OPERATIONS]
    lessons = [Lesson(row["prompt"], answer) for row in rows for answer in answers]
    texts = [message["content"] for row in rows for message in row["prompt"]]
    # often enough for each operation to become one token
    model = make_tiny_model(folder / "model", [*texts, *answers * 50])
    # until the form is firm: what training then moves is the choice of an operation
    teach(model, lessons, steps=400)
    files = folder / "rows.parquet", folder / "easy.parquet"
    for file, written in zip(files, (rows * 16, rows[:1] * 32), strict=True):
        parquet.write_table(pyarrow.Table.from_pylist(written, schema=arrow_schema()), file)
    return Toy(model, *files)


# -- the generator


@dataclass
class ScriptedGenerator:
    """An OpenAI-compatible server whose revision uses the operation that the critique proposes.

    refuse: numbers of revisions (from 1) that it answers with 400, for which there is no retry.
    """

    refuse: set[int] = field(default_factory=set)
    revisions: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, messages: list[dict[str, str]]) -> str | None:
        """None for a refusal."""
        words = re.findall(r"Improvement suggestions:\s*(\w+)", messages[-1]["content"])
        if len(messages) > 1:
            with self._lock:
                self.revisions += 1
                if self.revisions in self.refuse:
                    return None
        sign = OPERATIONS.get(words[-1]) if words else None
        if sign is None:
            return "I do not know."
        return f"```python\na, b = map(int, input().split())\nprint(a {sign} b)\n```"


@pytest.fixture
def scripted_generator() -> Iterator[ScriptedGenerator]:
    script = ScriptedGenerator()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(200, {"data": [{"id": "scripted"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = script.answer(body["messages"])
            if text is None:
                self._send(400, {"error": "refused by the test"})
                return
            message = {"role": "assistant", "content": text}
            self._send(200, {"choices": [{"message": message, "finish_reason": "stop"}]})

        def _send(self, status: int, body: Mapping[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield script
    server.shutdown()
    server.server_close()


# -- runs


class Step(NamedTuple):
    """What verl's console logger says of one step."""

    metrics: dict[str, float]

    @property
    def mean_score(self) -> float:
        return self.metrics["critic/score/mean"]


@dataclass(frozen=True)
class Run:
    """A finished main_ppo: its folder, its output, and the advantages that it computed."""

    folder: Path
    output: str

    @property
    def steps(self) -> list[Step]:
        metric = re.compile(r"([\w/.()-]+):(-?[\d.e+-]+|nan)")
        lines = re.findall(r"step:\d+ - .*", self.output)
        return [Step({key: float(value) for key, value in metric.findall(line)}) for line in lines]

    @property
    def advantages(self) -> list[dict[str, Any]]:
        """A call each of verl's GRPO estimator: groups, rewards and advantages by trajectory."""
        text = (self.folder / "advantages.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


Launch = Callable[..., Run]


@pytest.fixture
def launch(toy: Toy, scripted_generator: ScriptedGenerator, tmp_path: Path) -> Launch:
    """Runs `ctrl-harness train grpo --config cpu_smoke` on the toy, with further settings."""

    def start(*settings: str) -> Run:
        out = tmp_path / "run"
        words = (
            f"ctrl_harness.out={out}",
            f"ctrl_harness.generator.url={scripted_generator.url}",
            f"actor_rollout_ref.model.path={toy.model}",
            f"data.train_files={toy.parquet}",
            f"data.val_files={toy.parquet}",
            # the prompts have about 300 tokens, and verl pads every one to the longest allowed
            "data.max_prompt_length=384", "actor_rollout_ref.rollout.max_model_len=448",
            *settings,
        )
        command = [str(Path(sys.executable).with_name("ctrl-harness")), "train", "grpo"]
        command += ["--config", "cpu_smoke", *(f"--set={word}" for word in words)]
        # no empty path: that is the working folder
        inherited = [path for path in (os.environ.get("PYTHONPATH"),) if path]
        env = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *inherited]),
            "VERL_USE_EXTERNAL_MODULES": "advantage_recorder",
            "ADVANTAGES": str(out / "advantages.jsonl"),
        }
        done = subprocess.run(
            command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=1500,
        )  # fmt: skip
        output = done.stdout + done.stderr
        (tmp_path / "output.txt").write_text(output)
        assert done.returncode == 0, output[-6000:]
        return Run(out, output)

    return start

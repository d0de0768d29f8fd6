"""Our judge and its peers, each asked about a list of programs; what hacks.py and
right_programs.py share.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from peer_judges import Answer, Task

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase
from ctrl_harness.verification.verify import verify

PEERS_PYTHON = "CTRL_HARNESS_PEERS_PYTHON"
OURS = "ctrl-harness"
TITLES = {
    OURS: "ctrl-harness (cell)",
    "evalplus": "evalplus",
    "livecodebench": "LiveCodeBench",
    "prime": "verl prime_code",
    "mbpp": "inspect_evals mbpp",
    "apps": "inspect_evals apps",
}
_PEER_S = 900


class Request(NamedTuple):
    """A program and what it is judged on."""

    program: str
    task: Task


def peers_python() -> str | None:
    """The Python that has the peers, as the environment names it."""
    python = os.environ.get(PEERS_PYTHON)
    return os.path.abspath(python) if python else None


def our_problem(task: Task, comparator: str = "default") -> Problem:
    """The task as a problem of ours."""
    pairs = zip(task.inputs, task.outputs, strict=True)
    cases = tuple(
        StdioCase(given, value)
        if task.kind == "stdio"
        else CallCase(task.function, tuple(given), value)
        for given, value in pairs
    )
    limits = Limits(time_s=5.0)
    return Problem("task", "benchmarks", "", cases, limits=limits, comparator=comparator)


async def ask_ours(requests: Sequence[Request], comparator: str = "default") -> list[Answer]:
    executor = EmbeddedExecutor(jobs=1)
    answers = []
    try:
        for program, task in requests:
            verdict = await verify(our_problem(task, comparator), program, executor=executor)
            answers.append(Answer(verdict.passed, verdict.status.replace("_", " ")))
    finally:
        await executor.aclose()
    return answers


def ask_peer(python: str, judge: str, requests: Sequence[Request]) -> list[Answer]:
    """Ends this command where the judge cannot be run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = json.dumps([request._asdict() for request in requests])
        (folder / "requests.json").write_text(text, encoding="utf-8")
        script = Path(__file__).with_name("peer_judges.py")
        done = subprocess.run(
            [python, str(script), judge, str(folder / "requests.json"), str(folder / "answers")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=name,
            env={**os.environ, "PEERS_LOGS": str(folder / "logs")},
            timeout=_PEER_S,
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace")[-2000:]
            raise SystemExit(f"the judge {judge} cannot be run with {python}:\n{said}")
        answers = json.loads((folder / "answers").read_text(encoding="utf-8"))
    return [Answer(*answer) for answer in answers]


def short(why: str) -> str:
    """A judge's own word: a status, the start of a sentence, or the name of an exception."""
    for mark in ("(", ":", " at "):
        why = why.partition(mark)[0]
    return why.strip().lower()[:28] or "no word"

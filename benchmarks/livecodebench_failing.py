"""Programs of o1-mini that LiveCodeBench's runner refused: which of them are right?

    CTRL_HARNESS_REAL_DATA=FOLDER python benchmarks/livecodebench_failing.py

Each program has the one failing input that LiveCodeBench stored, and the expected value. Plain
CPython runs it, our judge judges it, and the table shows those that our judge accepts. Exits with 1
where the two disagree: where our judge accepts what CPython does not print or return, or refuses
what it does.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import anyio
from judges import Request, ask_ours, short
from peer_judges import Answer, Task

DATA = "CTRL_HARNESS_REAL_DATA"
FILE = Path("livecodebench", "o1_mini_failing.jsonl.gz")
_PLAIN_S = 10
_CALL = """

if __name__ == "__main__":
    import json as _json

    _value = Solution().{function}(*_json.loads({inputs!r}))
    print(_json.dumps(_value))
"""


class Failing(NamedTuple):
    """A stored failure. message: what LiveCodeBench's runner said."""

    name: str
    platform: str
    program: str
    task: Task
    message: str


class Plain(NamedTuple):
    """What CPython makes of it; status None where it takes too long."""

    status: int | None
    stdout: str


def load(path: Path) -> list[Failing]:
    found = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            message = str(row["message"])
            task = Task("stdio", [row["inputs"]], [row["expected"]])
            if row["function"]:
                task = Task("call", [json.loads(row["inputs"])], [_value(row)], row["function"])
            found.append(Failing(row["id"], row["platform"], row["code"], task, message))
    return found


def _value(row: dict[str, Any]) -> Any:
    """The expected value, which stands there as JSON."""
    expected = row["expected"]
    return json.loads(expected) if isinstance(expected, str) else expected


def run_plain(failing: Failing) -> Plain:
    """`python3 program.py <input`; of a function, with a call at its end."""
    task, program, stdin = failing.task, failing.program, ""
    if task.kind == "stdio":
        (stdin,) = task.inputs
    else:
        inputs = json.dumps(task.inputs[0])
        program = "from typing import *\n" + program
        program += _CALL.format(function=task.function, inputs=inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(program, encoding="utf-8")
        path.with_suffix(".in").write_text(stdin, encoding="utf-8")
        with path.with_suffix(".in").open("rb") as file:
            try:
                done = subprocess.run(
                    [sys.executable, str(path)],
                    stdin=file,
                    capture_output=True,
                    cwd=folder,
                    timeout=_PLAIN_S,
                )
            except subprocess.TimeoutExpired:
                return Plain(None, "")
    return Plain(done.returncode, done.stdout.decode("utf-8", "replace"))


def is_right(failing: Failing, plain: Plain) -> bool:
    """Whether CPython gives the expected value, word by word."""
    if plain.status != 0:
        return False
    (expected,) = failing.task.outputs
    if failing.task.kind == "call":
        return json.loads(plain.stdout.splitlines()[-1]) == expected
    return plain.stdout.split() == expected.split()


def row_of(failing: Failing, answer: Answer, plain: Plain) -> str:
    said = failing.message.replace("|", "/").replace("\n", " ")[:60]
    makes = "the expected output" if is_right(failing, plain) else f"status {plain.status}"
    judged = "accepted" if answer.passed else short(answer.how)
    return f"| {failing.name} | {failing.platform} | {said} | {makes} | {judged} |"


def main() -> int:
    folder = os.environ.get(DATA)
    if not folder:
        raise SystemExit(f"{DATA} does not name the folder that has {FILE}")
    failures = load(Path(folder) / FILE)
    requests = [Request(failing.program, failing.task) for failing in failures]
    answers = anyio.run(ask_ours, requests)
    plain = [run_plain(failing) for failing in failures]
    print("| problem | platform | LiveCodeBench's runner | plain CPython gives | our judge |")
    print("|---|---|---|---|---|")
    accepted = differ = 0
    for failing, answer, made in zip(failures, answers, plain, strict=True):
        accepted += answer.passed
        disagree = answer.passed != is_right(failing, made)
        differ += disagree
        if answer.passed or disagree:
            print(row_of(failing, answer, made))
    print(f"\nOf {len(failures)} refused programs our judge accepts {accepted}; ", end="")
    print(f"it disagrees with plain CPython on {differ}.")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())

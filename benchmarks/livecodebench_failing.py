"""Programs of o1-mini that LiveCodeBench's runner refused: which of them are right?

    CTRL_HARNESS_REAL_DATA=FOLDER python benchmarks/livecodebench_failing.py

Each program has the one failing input that LiveCodeBench stored, and the expected value. Plain
CPython runs it, and our judge judges it by two rules of comparison: LiveCodeBench's, and ours,
which allows floating-point numbers what their problems allow. The table shows the programs that
our judge accepts. Exits with 1 where it disagrees with plain CPython: where it accepts what CPython
does not print or return, or refuses what it does.
"""

from __future__ import annotations

import gzip
import json
import math
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
TOLERANCE = 1e-9
_PLAIN_S = 5  # as the judge has
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


def is_right(failing: Failing, plain: Plain, tolerance: float) -> bool:
    """Whether CPython gives the expected value.

    tolerance: relative and absolute, of numbers that are written with a point. These problems of
    AtCoder allow 1e-5 to 1e-9.
    """
    if plain.status != 0:
        return False
    (expected,) = failing.task.outputs
    if failing.task.kind == "call":
        return bool(json.loads(plain.stdout.splitlines()[-1]) == expected)
    printed, words = plain.stdout.split(), expected.split()
    return len(printed) == len(words) and all(
        have == want or _is_close(have, want, tolerance)
        for have, want in zip(printed, words, strict=True)
    )


def _is_close(have: str, want: str, tolerance: float) -> bool:
    if "." not in want or not tolerance:
        return False
    try:
        return math.isclose(float(have), float(want), rel_tol=tolerance, abs_tol=tolerance)
    except ValueError:
        return False


def row_of(failing: Failing, plain: Plain, answers: list[Answer]) -> str:
    said = failing.message.replace("|", "/").replace("\n", " ")
    makes = f"status {plain.status}, another output"
    if is_right(failing, plain, TOLERANCE):
        makes = "that number to 9 digits"
    if is_right(failing, plain, 0.0):
        makes = "the expected output"
    judged = ["accepted" if answer.passed else short(answer.how) for answer in answers]
    return f"| {failing.name} | {said} | {makes} | {' | '.join(judged)} |"


def main() -> int:
    folder = os.environ.get(DATA)
    if not folder:
        raise SystemExit(f"{DATA} does not name the folder that has {FILE}")
    failures = load(Path(folder) / FILE)
    requests = [Request(failing.program, failing.task) for failing in failures]
    by_rule = [anyio.run(ask_ours, requests, rule) for rule in ("livecodebench", "default")]
    plain = [run_plain(failing) for failing in failures]
    print("| problem | LiveCodeBench's runner | plain CPython gives | ours, by its rule | ours |")
    print("|---|---|---|---|---|")
    differ = 0
    for failing, made, *answers in zip(failures, plain, *by_rule, strict=True):
        right = [is_right(failing, made, tolerance) for tolerance in (0.0, TOLERANCE)]
        disagree = [answer.passed for answer in answers] != right
        differ += disagree
        if disagree or any(answer.passed for answer in answers):
            print(row_of(failing, made, answers))
    by_its_rule, by_ours = (sum(answer.passed for answer in answers) for answers in by_rule)
    print(f"\nOf {len(failures)} programs that LiveCodeBench refused, our judge accepts ", end="")
    print(f"{by_its_rule} by LiveCodeBench's rule of comparison and {by_ours} by its own.")
    print(f"It disagrees with plain CPython on {differ}.")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())

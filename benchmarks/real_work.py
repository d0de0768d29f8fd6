"""What judging real rows costs: our judge and its peers on the same programs and cores.

    CTRL_HARNESS_REAL_DATA=FOLDER CTRL_HARNESS_PEERS_PYTHON=.venv-peers/bin/python \\
        python benchmarks/real_work.py [SET …]

Labelled programs of CodeContests, MBPP+, APPS and LiveCodeBench, each judged until its first
failing test, by our judge with its default settings and by the peers' own runners. Wall time,
processor time of the judge with all its processes, and the most memory that they had together,
from the first program to the last: reading rows and importing is left out for all alike. `own` is
the processor time of the same programs on the same tests in forks of a bare interpreter
(bare_runs.py, which isolates nothing); overhead is what a judge takes beyond it. Times of a peer
that refuses right programs at once are too short by those; the last columns say how many it
accepts, and how often it agrees with the labels.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judges import PEERS_PYTHON, TITLES, peers_python
from peer_judges import Task
from process_tree import cpu_s, descendants
from real_rows import DATA, SETS, Piece, data_folder, load

from ctrl_harness.problems.problem import CallCase, StdioCase

PEERS = {
    "CodeContests": ("livecodebench",),
    "MBPP+ canonical": ("evalplus",),
    "MBPP+ completions": ("evalplus",),
    "APPS": ("livecodebench",),
    "LiveCodeBench": ("livecodebench",),
}
CORES = 2
_COLUMNS = (
    "programs", "judge", "wall s", "CPU s", "own s", "overhead s", "peak MB", "accepts",
    "as labelled",
)  # fmt: skip
_HERE = Path(__file__).parent
_SAMPLE_S = 0.1


class Measured(NamedTuple):
    """What a judge took, and its answers."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    answers: list[Any]


class Peak(threading.Thread):
    """The most memory that a process and its descendants have together, shared pages once."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._over = threading.Event()
        self.mb = 0.0

    def run(self) -> None:
        while not self._over.wait(_SAMPLE_S):
            pids = [self._root, *descendants(self._root)]
            self.mb = max(self.mb, sum(map(_proportional_kb, pids)) / 1024)

    def end(self) -> float:
        self._over.set()
        self.join()
        return self.mb


def _proportional_kb(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):  # it has ended
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def measure(command: Sequence[str]) -> Measured:
    """A side's command: it says `ready`, waits for a line, answers, and waits for its end."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir()
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit(f"{' '.join(command)} did not start")
        peak = Peak(process.pid)
        peak.start()
        before, began = cpu_s(process.pid), time.perf_counter()
        process.stdin.write("\n")
        process.stdin.flush()
        line = process.stdout.readline()
        wall_s, spent = time.perf_counter() - began, cpu_s(process.pid) - before
        process.stdin.close()
        if not line:
            raise SystemExit(f"{' '.join(command)} ended without an answer")
        return Measured(wall_s, spent, peak.end(), json.loads(line))


def own_s(pieces: Sequence[Piece], ours: Sequence[Any]) -> float:
    """The programs' own processor time on the cases that our judge ran."""
    work = []
    for piece, (_, count) in zip(pieces, ours, strict=True):
        cases = piece.problem.cases[:count]
        calls = [case for case in cases if isinstance(case, CallCase)]
        inputs = [case.args for case in calls] or [
            case.stdin for case in cases if isinstance(case, StdioCase)
        ]
        function = calls[0].function if calls else ""
        seconds = piece.problem.limits.time_s
        work.append((piece.program, piece.problem.prelude, inputs, function, seconds))
    with _pickled(work) as path:
        done = subprocess.run(
            [sys.executable, "-I", str(_HERE / "bare_runs.py"), path],
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
    return sum(json.loads(done.stdout))


def task_of(piece: Piece) -> Task | None:
    """As the peers know tasks; None where the row has what they have no form for."""
    cases = piece.problem.cases
    seconds = math.ceil(piece.problem.limits.time_s)  # they set alarms of whole seconds
    if all(isinstance(case, StdioCase) for case in cases):
        stdio = [case for case in cases if isinstance(case, StdioCase)]
        inputs, outputs = [case.stdin for case in stdio], [case.stdout for case in stdio]
        return Task("stdio", inputs, outputs, seconds=seconds)
    calls = [case for case in cases if isinstance(case, CallCase)]
    if len(calls) < len(cases) or piece.problem.reference is not None:
        return None
    expected = [case.expected for case in calls]
    given = [list(case.args) for case in calls]
    return Task("call", given, expected, calls[0].function, seconds=seconds)


@contextlib.contextmanager
def _pickled(data: Any) -> Iterator[str]:
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(data, file)
        file.flush()
        yield file.name


def ask_peer(python: str, judge: str, pieces: Sequence[Piece]) -> Measured:
    tasks = [(piece, task_of(piece)) for piece in pieces]
    work = [
        (f"{piece.problem.prelude}\n{piece.program}", tuple(task))
        for piece, task in tasks if task is not None
    ]  # fmt: skip
    with _pickled(work) as path:
        found = measure([python, str(_HERE / "peer_side.py"), judge, path, str(CORES)])
    answers = iter(found.answers)
    return found._replace(answers=[None if task is None else next(answers) for _, task in tasks])


def row_of(name: str, judge: str, found: Measured, own: float, pieces: Sequence[Piece]) -> str:
    passed = [
        answer[0] == "accepted" if isinstance(answer, list) else answer
        for answer in found.answers
    ]  # fmt: skip
    asked = [answer for answer in passed if answer is not None]
    labelled = [
        piece.right == answer
        for piece, answer in zip(pieces, passed, strict=True)
        if answer is not None and piece.right is not None
    ]
    overhead = found.cpu_s - own
    agrees = f"{sum(labelled)} of {len(labelled)}" if labelled else "–"
    return (
        f"| {name} | {TITLES[judge]} | {found.wall_s:.1f} | {found.cpu_s:.1f} | {own:.1f} "
        f"| {overhead:.1f} ({overhead / own:.0%}) | {found.peak_mb:.0f} "
        f"| {sum(asked)} of {len(asked)} | {agrees} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="What judging real rows costs.")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    names = parser.parse_args().sets or list(SETS)
    data, python = data_folder(), peers_python()
    if data is None:
        print(f"skipped: {DATA} names no folder of real rows")
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    print(f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")
    for name in names:
        pieces = load(name, data)
        found = measure([sys.executable, str(_HERE / "real_side.py"), name, str(CORES)])
        own = own_s(pieces, found.answers)
        print(row_of(name, "ctrl-harness", found, own, pieces), flush=True)
        for judge in PEERS[name] if python else ():
            print(row_of(name, judge, ask_peer(python, judge, pieces), own, pieces), flush=True)
    if python is None:
        print(f"\nthe peers are left out: {PEERS_PYTHON} names no Python that has them")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

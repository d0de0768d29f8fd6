"""What a test costs, judge by judge, in one run: processor time and tests a second.

    CTRL_HARNESS_PEERS_PYTHON=.venv-peers/bin/python python benchmarks/judging.py
        [--rounds N] [--quick]

`make bench` makes the peers' environment and runs this. 30 programs × 20 stdio tests and 10
functions × 20 calls (workload.py), every one right and every verdict checked. Each side is a
process of its own (sides.py); the sides take turns, and a round measures each once. Processor time
is that of the side with all its descendants, living and dead, so that cells, servers and their
children are counted. The figure that decides a target is the median over the rounds of the ratio
of two sides in the same round.

Exits with 1 where a target is missed or a side that a target needs is missing. --quick: a smaller
workload, one round, no targets; only wrong verdicts fail.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import process_tree
import workload
from judges import PEERS_PYTHON
from peer_judges import JUDGES


class Row(NamedTuple):
    """A side in the table.

    passes: how often a round goes through the workload, so that about a second is measured.
    """

    side: str
    kind: str
    title: str
    isolation: str
    passes: int


OURS = "namespaces, Landlock, seccomp, limits"
ROWS = (
    Row("cold", "stdio", "`python -I -S` a test", "none", 1),
    Row("inspect", "stdio", "Inspect, local sandbox, exec a test", "none", 1),
    Row("livecodebench", "stdio", "nvidia-livecodebench", "none", 1),
    Row("prime", "stdio", "verl prime_code", "none", 1),
    Row("bare", "stdio", "our cell, every layer off", "none", 2),
    Row("cell", "stdio", "our cell", OURS, 2),
    Row("pool", "stdio", "2 cells, 64 programs at once", OURS, 2),
    Row("server", "stdio", "`ctrl-harness serve`, 64 programs at once", OURS, 2),
    Row("evalplus", "call", "evalplus untrusted_check", "none", 10),
    Row("livecodebench", "call", "nvidia-livecodebench", "none", 3),
    Row("prime", "call", "verl prime_code", "none", 3),
    Row("bare", "call", "our cell, every layer off", "none", 30),
    Row("cell", "call", "our cell", OURS, 30),
    Row("pool", "call", "2 cells, 64 programs at once", OURS, 30),
    Row("server", "call", "`ctrl-harness serve`, 64 programs at once", OURS, 30),
)
PEERS = frozenset(JUDGES)
POOL_MB = 150.0

Key = tuple[str, str]


class Cost(NamedTuple):
    """Of one round. cpu_ms: a test. tests_s: tests a second of wall time."""

    cpu_ms: float
    tests_s: float


class Running:
    """A side's process."""

    def __init__(self, row: Row, python: str, path: Path, tests: int) -> None:
        self.row, self._tests = row, tests
        script = Path(__file__).with_name("sides.py")
        self._stderr = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [python, str(script), row.side, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            bufsize=1,
            cwd=path.parent,
        )
        self.pid = int(self._answer().removeprefix("ready "))

    def measure(self, passes: int) -> Cost:
        before = process_tree.cpu_s(self.pid)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{passes}\n")
        wall_s = float(self._answer())
        spent = process_tree.cpu_s(self.pid) - before
        tests = passes * self._tests
        return Cost(1000 * spent / tests, tests / wall_s)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._stderr.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._stderr.seek(0)
            said = self._stderr.read().decode("utf-8", "replace")[-3000:]
            raise SystemExit(f"the side {self.row.side} ({self.row.kind}) ended:\n{said}")
        return line.strip()


class Measured(NamedTuple):
    """costs: a list a row, in the order of the rounds. pool_mb: resident memory of two cells."""

    costs: dict[Key, list[Cost]]
    pool_mb: float


def measure(rows: Sequence[Row], python: str | None, rounds: int, quick: bool) -> Measured:
    costs: dict[Key, list[Cost]] = {(row.side, row.kind): [] for row in rows}
    running: list[Running] = []
    with tempfile.TemporaryDirectory() as name:
        pieces = {
            "stdio": workload.stdio_pieces(*([6] if quick else [])),
            "call": workload.call_pieces(*([4] if quick else [])),
        }
        try:
            for row in rows:
                path = Path(name) / f"{row.kind}.json"
                path.write_text(json.dumps(pieces[row.kind]), encoding="utf-8")
                chosen = python if row.side in PEERS and python is not None else sys.executable
                tests = len(pieces[row.kind]) * workload.TESTS
                running.append(Running(row, chosen, path, tests))
            for number in range(rounds):
                for one in running if number % 2 == 0 else reversed(running):
                    cost = one.measure(1 if quick else one.row.passes)
                    costs[one.row.side, one.row.kind].append(cost)
            (pool,) = (one for one in running if (one.row.side, one.row.kind) == ("pool", "stdio"))
            pool_mb = process_tree.resident_mb(process_tree.descendants(pool.pid))
        finally:
            for one in running:
                one.close()
    return Measured(costs, pool_mb)


# -- what came of it


class Target(NamedTuple):
    """What is asked of a figure. decides: false where it is only aimed at."""

    text: str
    figure: float | None
    limit: float
    at_least: bool
    unit: str = ""
    decides: bool = True

    @property
    def met(self) -> bool:
        if self.figure is None:
            return False
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def line(self) -> str:
        sign = "≥" if self.at_least else "≤"
        asked = f"{self.text} {sign} {self.limit:g}{self.unit}"
        if self.figure is None:
            return f"{asked}: not measured"
        verdict = "met" if self.met else "NOT MET"
        note = "" if self.decides else " (aimed at, decides nothing)"
        return f"{asked}: {self.figure:.2f}{self.unit}, {verdict}{note}"


def targets(measured: Measured) -> list[Target]:
    costs = measured.costs

    def median(pick: Callable[[int], float], *keys: Key) -> float | None:
        if any(key not in costs for key in keys):
            return None
        return statistics.median(map(pick, range(len(costs[keys[0]]))))

    def ratio(over: Key, under: Key) -> float | None:
        return median(lambda i: costs[over][i].cpu_ms / costs[under][i].cpu_ms, over, under)

    def percent_more(more: Key, less: Key) -> float | None:
        found = ratio(more, less)
        return None if found is None else 100 * (found - 1)

    def cpu(key: Key) -> float | None:
        return median(lambda i: costs[key][i].cpu_ms, key)

    stdio, call = ("cell", "stdio"), ("cell", "call")
    return [
        Target("stdio: `python -I -S` / cell", ratio(("cold", "stdio"), stdio), 4.5, True, " ×"),
        Target("stdio: Inspect / cell", ratio(("inspect", "stdio"), stdio), 4.5, True, " ×"),
        Target(
            "stdio: LiveCodeBench / cell", ratio(("livecodebench", "stdio"), stdio), 1.6, True, " ×"
        ),
        Target("stdio: prime / cell", ratio(("prime", "stdio"), stdio), 1.6, True, " ×"),
        Target("calls: evalplus / cell", ratio(("evalplus", "call"), call), 2.0, True, " ×"),
        Target(
            "calls: LiveCodeBench / cell", ratio(("livecodebench", "call"), call), 6.0, True, " ×"
        ),
        Target("isolation, stdio", percent_more(stdio, ("bare", "stdio")), 15, False, " %"),
        Target("isolation, calls", percent_more(call, ("bare", "call")), 15, False, " %"),
        Target(
            "server over 2 cells, stdio",
            percent_more(("server", "stdio"), ("pool", "stdio")), 30, False, " %",
        ),
        Target("memory of a pool of 2 cells", measured.pool_mb, POOL_MB, False, " MB"),
        Target("a stdio test", cpu(stdio), 1.0, False, " ms", decides=False),
        Target("a call", cpu(call), 0.1, False, " ms", decides=False),
    ]  # fmt: skip


def print_table(rows: Sequence[Row], measured: Measured) -> None:
    for kind, heading in (("stdio", "stdio tests"), ("call", "calls")):
        print(f"| {heading} | isolation | CPU ms a test | tests/s |")
        print("|---|---|---:|---:|")
        for row in rows:
            if row.kind == kind:
                costs = measured.costs[row.side, kind]
                cpu, speed = (statistics.median(cost[i] for cost in costs) for i in (0, 1))
                print(f"| {row.title} | {row.isolation} | {cpu:.3f} | {speed:,.0f} |")
        print()


def main() -> int:
    parser = argparse.ArgumentParser(description="What a test costs, judge by judge.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    rounds = 1 if chosen.quick else chosen.rounds
    python = os.environ.get(PEERS_PYTHON)
    python = os.path.abspath(python) if python else None
    rows = [row for row in ROWS if python is not None or row.side not in PEERS]
    load = os.getloadavg()[0]
    measured = measure(rows, python, rounds, chosen.quick)
    print(f"{rounds} rounds, medians; load before: {load:.1f}\n")
    print_table(rows, measured)
    if python is None:
        print(f"the peers are left out: {PEERS_PYTHON} names no Python that has them")
    if chosen.quick:
        print("every verdict was right; too short a run to judge the targets")
        return 0
    found = targets(measured)
    for target in found:
        print(target.line())
    return 0 if all(target.met for target in found if target.decides) else 1


if __name__ == "__main__":
    raise SystemExit(main())

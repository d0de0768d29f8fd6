"""Thousands of verdicts in cells that are cancelled and killed under way, and what is left of it.

A script, so that all of its processes, files and memory are its own:
`python soak.py VERDICTS SECONDS` prints a Report as JSON; it fails after that many seconds.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import anyio

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems.problem import (
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.verify import verify

SEED = 20
CELLS = 2
AT_ONCE = 64
CANCELLED_SHARE = 0.05
LONGEST_UNTIL_CANCELLED_S = 0.2
KILL_EVERY_S = 3.0
SAMPLE_EVERY_S = 0.5
LIMITS = Limits(time_s=1.5, memory_mb=256, output_mb=1)


class Kind(NamedTuple):
    """Programs of one kind: their share in per cent, their source, their verdict."""

    share: float
    source: str
    status: str


SUM = "print(sum(map(int, input().split())))"
STDIO = (
    Kind(30, SUM, "accepted"),
    Kind(12, "print(input())", "wrong_answer"),
    Kind(10, "1 / 0", "runtime_error"),
    Kind(5, "import sys; sys.exit(3)", "runtime_error"),
    Kind(5, "import os; os._exit(0)", "wrong_answer"),
    Kind(5, "import os; os.abort()", "runtime_error"),
    Kind(5, f"import time; time.sleep(0.02); {SUM}", "accepted"),
    Kind(3, "def f(:", "compile_error"),
    Kind(3, "x = [0] * 10**9", "memory_limit"),
    Kind(1, "print('x' * 2_000_000)", "output_limit"),
    Kind(0.2, "while True: pass", "time_limit"),
)
CALL = (
    Kind(8, "def add(a, b): return a + b", "accepted"),
    Kind(4, "def add(a, b): return a - b", "wrong_answer"),
    Kind(4, "def add(a, b): raise SystemExit", "runtime_error"),
)
SCRIPT = (
    Kind(2, "def add(a, b): return a + b", "accepted"),
    Kind(2, "def add(a, b): return a - b", "wrong_answer"),
)


@dataclass
class Report:
    """What came of a soak. Memory in MiB, see `memory_mb`."""

    statuses: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    cancelled: int = 0
    killed: int = 0
    judge_errors: int = 0
    seconds: float = 0.0
    first_quarter_mb: float = 0.0
    last_quarter_mb: float = 0.0
    peak_mb: float = 0.0
    samples: int = 0
    left: list[str] = field(default_factory=list)


class Work(NamedTuple):
    """A program to be judged, and its right verdict."""

    problem: Problem
    program: str
    status: str
    all_cases: bool


def works(count: int, rng: random.Random) -> Iterator[Work]:
    """Each with numbers of its own, so that an answer to another one would be wrong."""
    kinds = [(case_of, kind) for case_of, group in GROUPS for kind in group]
    shares = [kind.share for _, kind in kinds]
    for n in range(count):
        ((case_of, kind),) = rng.choices(kinds, shares)
        problem = Problem(str(n), "soak", "", (case_of(n), case_of(n + 1)), limits=LIMITS)
        all_cases = kind.status != "time_limit" and rng.random() < 0.5
        yield Work(problem, kind.source, kind.status, all_cases)


def _stdio(n: int) -> TestCase:
    return StdioCase(f"{n} 7\n", f"{n + 7}\n")


def _call(n: int) -> TestCase:
    return CallCase("add", (n, 7), n + 7)


def _script(n: int) -> TestCase:
    return ScriptCase(f"assert add({n}, 7) == {n + 7}")


GROUPS: tuple[tuple[Callable[[int], TestCase], tuple[Kind, ...]], ...] = (
    (_stdio, STDIO), (_call, CALL), (_script, SCRIPT),
)  # fmt: skip


class Soak:
    def __init__(self, count: int) -> None:
        self.report = Report()
        self._rng = random.Random(SEED)
        self._works = works(count, random.Random(SEED))
        self._count = count
        self._done: Counter[str] = Counter()
        self._executor = EmbeddedExecutor(jobs=CELLS)
        self._memory: list[tuple[int, float]] = []

    async def run(self) -> None:
        """Every program gets a verdict: one that was cancelled, or lost two cells, goes again."""
        async with anyio.create_task_group() as disturbers:
            disturbers.start_soon(self._kill)
            disturbers.start_soon(self._watch_memory)
            async with anyio.create_task_group() as group:
                for _ in range(AT_ONCE):
                    group.start_soon(self._judge_all)
            self._sample_memory()  # a short run may end between two looks
            disturbers.cancel_scope.cancel()
        await self._executor.aclose()
        self.report.statuses = dict(self._done)
        quarter = self._count / 4
        first = [mb for done, mb in self._memory if done <= quarter]
        last = [mb for done, mb in self._memory if done >= 3 * quarter]
        self.report.first_quarter_mb = statistics.median(first)
        self.report.last_quarter_mb = statistics.median(last)
        self.report.peak_mb = max(mb for _, mb in self._memory)
        self.report.samples = len(self._memory)

    async def _judge_all(self) -> None:
        for work in self._works:
            while not await self._judge(work):
                pass

    async def _judge(self, work: Work) -> bool:
        patience = None
        if self._rng.random() < CANCELLED_SHARE:
            patience = self._rng.uniform(0, LONGEST_UNTIL_CANCELLED_S)
        with anyio.move_on_after(patience) as scope:
            try:
                verdict = await verify(
                    work.problem, work.program, executor=self._executor, all_cases=work.all_cases
                )
            except JudgeError:
                self.report.judge_errors += 1
                return False
            if verdict.status != work.status:
                self.report.wrong.append(f"{work}: {verdict}"[:1000])
            self._done[verdict.status] += 1
            return True
        self.report.cancelled += scope.cancelled_caught
        return False

    async def _kill(self) -> None:
        """Now and then a cell's outer process, or its pid 1."""
        while True:
            await anyio.sleep(self._rng.uniform(0, 2 * KILL_EVERY_S))
            outer = self._executor.pids()
            inner = [pid for pid, parent in descendants().items() if parent in outer]
            try:
                os.kill(self._rng.choice(outer + inner), signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.report.killed += 1

    async def _watch_memory(self) -> None:
        while True:
            self._sample_memory()
            await anyio.sleep(SAMPLE_EVERY_S)

    def _sample_memory(self) -> None:
        self._memory.append((self._done.total(), memory_mb()))


def memory_mb() -> float:
    """Of this process, of every cell and of every program under way.

    Proportional set size: what several share is counted once. Where the kernel does not tell it of
    a process, its resident set counts in full.
    """
    total = 0.0
    for pid in (os.getpid(), *descendants()):
        try:
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                kib = float(rollup.partition("\nPss:")[2].split()[0])
            except PermissionError:
                pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
                kib = int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024
        except (FileNotFoundError, ProcessLookupError, IndexError):  # it has just ended
            continue
        total += kib / 1024
    return total


def descendants() -> dict[int, int]:
    """Every process below this one, and its parent."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(name)] = int(stat.rpartition(")")[2].split()[1])
    found: dict[int, int] = {}
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found.update((pid, parents[pid]) for pid in frontier)
    return found


def descriptors() -> Counter[str]:
    """Open files by what they are: sockets, pipes, the names of others."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the one that listed the folder
            continue
        found[target.partition(":")[0]] += 1
    return found


def control_groups() -> list[str]:
    """Folders of ours in any hierarchy of control groups."""
    return [str(path) for path in Path("/sys/fs/cgroup").rglob(f"ctrl-harness-{os.getpid()}-*")]


def main(count: int, seconds: float) -> Report:
    soak = Soak(count)
    report = soak.report
    before, threads = descriptors(), threading.active_count()

    async def bounded() -> None:
        with anyio.fail_after(seconds):
            await soak.run()

    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        tempfile.tempdir = folder
        started = time.monotonic()
        anyio.run(bounded)
        report.seconds = time.monotonic() - started
        gc.collect()
        report.left += [f"a file {path}" for path in Path(folder).rglob("*")]
    report.left += [f"process {pid} of {parent}" for pid, parent in descendants().items()]
    report.left += [f"{n} more of {kind}" for kind, n in (descriptors() - before).items()]
    report.left += [f"the control group {path}" for path in control_groups()]
    deadline = time.monotonic() + 5  # anyio ends its threads without waiting for them
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    if threading.active_count() > threads:
        report.left.append(f"threads {threading.enumerate()}")
    return report


if __name__ == "__main__":
    print(json.dumps(asdict(main(int(sys.argv[1]), float(sys.argv[2])))))

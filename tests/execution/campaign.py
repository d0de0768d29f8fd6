"""Thousands of hostile programs: none makes a judge error, none makes the harness freeze or grow.

A script. `python campaign.py --programs N --seed S --seconds T` judges the programs 0 to N-1 of a
seed in two processes with a cell each, and prints a Report as JSON. What was not reached in T
seconds, or before an interrupt, goes on with `--first` and the report's `next`; `--show N` prints a
program instead. A program is judged alone in its process, so that the processor time of that
process is what reading and comparing cost; after each an ordinary program has to be accepted in the
same cell.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import queue
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio
from campaign_programs import Programs, Work

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase
from ctrl_harness.verification.verify import verify

WORKERS = 2
FREEZE_S = 90.0
"""How long nothing may be heard of a process: more than a silent cell is waited for."""
MOST_READING_S = 1.0
"""Processor time of the harness for one program."""
MOST_GROWTH_MB = 160.0
"""Peak resident memory of the harness over what it has between programs."""
MOST_LATE_S = 8.0
"""Wall time beyond what compiling and all cases may take; generous, for machines that are busy."""
_COMPILE_S = 2.0
_MALLOC_ARENAS = -8
"""M_ARENA_MAX of glibc's malloc.h."""
_WARM_UP = 20
_TELL_EVERY = 1_000
_LIMITS = Limits(time_s=5.0, memory_mb=128)
INNOCENT = (
    (Problem("stdio", "campaign", "", (StdioCase("1 2\n", "3\n"),), limits=_LIMITS),
     "open('x', 'x').close()\nprint(sum(map(int, input().split())))"),
    (Problem("calls", "campaign", "", (CallCase("f", (1, 2), 3),), limits=_LIMITS),
     "open('x', 'x').close()\ndef f(a, b):\n    return a + b"),
)  # fmt: skip


@dataclass
class Row:
    """What came of one program. Times in seconds, memory in MiB, all of the harness's process.

    reading_s: its processor time. late_s: wall time past every limit. growth_mb: its peak above
    what it had before; memory_mb: what it has afterwards. cell_lost: the next program needed a new
    cell, which is no fault where the machine's memory for this one was used up.
    """

    number: int
    kind: str
    status: str = ""
    faults: list[str] = field(default_factory=list)
    reading_s: float = 0.0
    late_s: float = 0.0
    growth_mb: float = 0.0
    memory_mb: float = 0.0
    cell_lost: bool = False


@dataclass
class Report:
    """A campaign's figures; units as in Row.

    next: the first program that was not judged. faults: rows with a fault or a lost cell.
    """

    programs: int = 0
    next: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    judge_errors: int = 0
    cells_lost: int = 0
    innocents_refused: int = 0
    freezes: int = 0
    slowest_reading_s: float = 0.0
    most_late_s: float = 0.0
    most_growth_mb: float = 0.0
    first_tenth_mb: float = 0.0
    last_tenth_mb: float = 0.0
    faults: list[dict[str, Any]] = field(default_factory=list)


class Watch:
    """Judges programs in one cell, one after the other, and looks at the harness meanwhile."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._executor = EmbeddedExecutor(jobs=1)
        # else the allocator keeps what a worker thread freed, and trimming does not reach it
        ctypes.CDLL(None).mallopt(_MALLOC_ARENAS, 1)

    async def run(self, numbers: Sequence[int], out: IO[str]) -> None:
        for innocent in INNOCENT * _WARM_UP:
            await verify(*innocent, executor=self._executor)
        gc.collect()
        gc.freeze()  # the programs to mutate are not to be looked through after each one
        for number in numbers:
            print(json.dumps({"begins": number}), file=out, flush=True)
            row = await self.judge(self._programs.work(number))
            print(json.dumps(asdict(row)), file=out, flush=True)
        await self.aclose()

    async def aclose(self) -> None:
        await self._executor.aclose()

    async def judge(self, work: Work) -> Row:
        row = Row(work.number, work.kind)
        cells, descriptors, before_mb = self._executor.pids(), _descriptors(), _memory_mb("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        started, processor = time.monotonic(), time.process_time()
        try:
            verdict = await verify(
                work.problem, work.program, executor=self._executor, all_cases=work.all_cases
            )
            row.status = verdict.status
            if verdict.status == "accepted" and work.answers is False:
                row.faults.append(f"accepted without an answer: {verdict.cases[-1]}"[:500])
            errors = sum(len(case.error) + len(case.output) for case in verdict.cases if case)
            if errors > 10_000 * len(verdict.cases):
                row.faults.append(f"a verdict of {errors} characters")
        except JudgeError as error:
            row.status = "judge_error"
            row.faults.append(f"judge error: {error}"[:500])
        row.reading_s = time.process_time() - processor
        limits = work.problem.limits
        allowed = _COMPILE_S + limits.time_s * (len(work.problem.cases) + 1)
        row.late_s = max(0.0, time.monotonic() - started - allowed)
        row.growth_mb = _memory_mb("VmHWM") - before_mb
        for what, had, most in (
            ("slow to read", row.reading_s, MOST_READING_S),
            ("late", row.late_s, MOST_LATE_S),
            ("growth", row.growth_mb, MOST_GROWTH_MB),
        ):
            if had > most:
                row.faults.append(f"{what}: {had:.2f} over {most:g}")
        await self._look_after(row, cells, descriptors)
        return row

    async def _look_after(self, row: Row, cells: list[int], descriptors: int) -> None:
        problem, program = INNOCENT[row.number % 2]
        try:
            innocent = await verify(problem, program, executor=self._executor)
            if innocent.status != "accepted":
                row.faults.append(f"innocent refused: {innocent}"[:500])
        except JudgeError as error:
            row.faults.append(f"innocent refused: {error}"[:500])
        if self._executor.pids() != cells:
            row.cell_lost = True
        elif _descriptors() != descriptors:
            row.faults.append(f"descriptors: {descriptors} became {_descriptors()}")
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        row.memory_mb = _memory_mb("VmRSS")


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _memory_mb(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"\n{name}:")[2].split()[0]) / 1024


# -- several processes


class Worker:
    """A process of the campaign; begun again behind a program in which it froze or ended."""

    def __init__(self, seed: int, numbers: Sequence[int], rows: queue.Queue[Row | None]) -> None:
        self._seed, self._numbers, self._rows = seed, list(numbers), rows
        self._process: subprocess.Popen[str] | None = None
        self._heard = time.monotonic()
        self._ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._judge_all()
        finally:
            self._rows.put(None)

    def _judge_all(self) -> None:
        while self._numbers and not self._ended:
            self._heard = time.monotonic()
            numbers = ",".join(map(str, self._numbers))
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--seed", str(self._seed), "--numbers-on-stdin"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.write(numbers)
            self._process.stdin.close()
            begun: int | None = None
            for line in self._process.stdout:
                self._heard = time.monotonic()
                row = json.loads(line)
                if "begins" in row:
                    begun = row["begins"]
                    continue
                self._numbers.remove(row["number"])
                self._rows.put(Row(**row))
                begun = None
            status = self._process.wait()
            if begun is not None and not self._ended:
                self._numbers.remove(begun)
                fault = f"freeze: the harness ended with status {status}"
                self._rows.put(Row(begun, "", "none", [fault]))
            elif status and not self._ended:
                raise RuntimeError(f"a process of the campaign ended with status {status}")

    def watch(self) -> None:
        """Ends the process where nothing was heard of it for too long."""
        if self._process is not None and time.monotonic() - self._heard > FREEZE_S:
            self._process.kill()

    def end(self) -> None:
        self._ended = True
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)


def campaign(programs: int, seed: int, seconds: float, first: int = 0) -> Report:
    started = time.monotonic()
    rows: queue.Queue[Row | None] = queue.Queue()
    numbers = range(first, first + programs)
    workers = [Worker(seed, numbers[i::WORKERS], rows) for i in range(WORKERS)]
    done: list[Row] = []
    left = len(workers)
    while left:
        try:
            row = rows.get(timeout=1.0)
        except queue.Empty:
            row = None
        except KeyboardInterrupt:  # what was judged is reported
            row, seconds = None, 0.0
        else:
            left -= row is None
        if row is not None:
            done.append(row)
            if len(done) % _TELL_EVERY == 0:
                print(f"{len(done)} of {programs} programs", file=sys.stderr, flush=True)
            if row.faults or row.cell_lost:
                print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
        for worker in workers:
            worker.watch()
        if time.monotonic() - started > seconds:
            for worker in workers:
                worker.end()
    if not done:
        raise SystemExit("the campaign's processes ended before any program was judged")
    report = _report(done, first)
    report.seconds = round(time.monotonic() - started, 1)
    return report


def _report(rows: list[Row], first: int) -> Report:
    known = {row.number for row in rows}
    report = Report(
        len(rows), next(n for n in range(first, first + len(rows) + 1) if n not in known)
    )
    report.statuses = dict(Counter(row.status for row in rows))
    faults = [(row, fault) for row in rows for fault in row.faults]

    def count(prefix: str) -> int:
        return sum(fault.startswith(prefix) for _, fault in faults)

    report.judge_errors = count("judge error")
    report.cells_lost = sum(row.cell_lost for row in rows)
    report.innocents_refused = count("innocent")
    report.freezes = count("freeze")
    report.slowest_reading_s = max(row.reading_s for row in rows)
    report.most_late_s = max(row.late_s for row in rows)
    report.most_growth_mb = max(row.growth_mb for row in rows)
    judged = [row.memory_mb for row in rows if row.memory_mb]
    tenth = max(1, len(judged) // 10)
    report.first_tenth_mb = statistics.median(judged[:tenth])
    report.last_tenth_mb = statistics.median(judged[-tenth:])
    report.faults = [asdict(row) for row in rows if row.faults or row.cell_lost]
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--show", type=int, help="print this program in place of a campaign")
    parser.add_argument("--numbers-on-stdin", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.show is not None:
        work = Programs(asked.seed).work(asked.show)
        print(f"{work.program}\n# {work.kind} {work.problem.limits} {work.problem.comparator}")
        print(f"# {len(work.problem.cases)} cases, the first: {work.problem.cases[0]!r}"[:2000])
    elif asked.numbers_on_stdin:
        numbers = [int(number) for number in sys.stdin.read().split(",")]
        anyio.run(Watch(Programs(asked.seed)).run, numbers, sys.stdout)
    else:
        report = campaign(asked.programs, asked.seed, asked.seconds, asked.first)
        print(json.dumps(asdict(report), indent=1))


if __name__ == "__main__":
    main()

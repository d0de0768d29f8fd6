"""Runs hostile and odd programs against an executor and looks at what they leave behind.

As a script (`python battery.py FOLDER-WITH-MANIFEST`): judges every program with the embedded
executor and prints the findings as JSON; the non-root test starts it so.
"""

from __future__ import annotations

import ast
import ctypes
import gc
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import anyio

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

HERE = Path(__file__).parent
_MALLOC_ARENAS, _MALLOC_MAP_FROM = -8, -3
"""M_ARENA_MAX and M_MMAP_THRESHOLD of glibc's malloc.h."""
_KERNEL_LAG_S = 1.0
"""How long the kernel may take to be done with a socket that nobody holds."""
INNOCENT = "open('x', 'w').close()\na, b = map(int, input().split())\nprint(a + b)"
ESCAPES = [
    Path(folder) / name
    for folder in ("/", "/tmp", "/var/tmp", "/dev/shm", "/root", str(Path(os.__file__).parent))
    for name in ("CELL_ESCAPE", "SBX_ESCAPE")
]


@dataclass(frozen=True)
class Entry:
    """One program of the battery. expect: the verdicts that are right."""

    name: str
    source: str
    case: TestCase
    expect: tuple[str, ...]
    limits: Limits
    needs: str | None = None
    further: tuple[TestCase, ...] = ()


@dataclass
class Finding:
    """What came of a program, and what was wrong afterwards."""

    name: str
    status: str
    expect: tuple[str, ...]
    detail: str
    left: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return self.status in self.expect and not self.left


def load(folder: Path = HERE) -> list[Entry]:
    """Our own battery, from its manifest."""
    entries = []
    for row in json.loads((folder / "manifest.json").read_text()):
        limits = Limits(time_s=row.get("time_s", 4.0), memory_mb=256, output_mb=16)
        source = (folder / "programs" / f"{row['name']}.py").read_text()
        if "source_repeat" in row:
            source += row["source_repeat"][0] * row["source_repeat"][1]
        entries.append(
            Entry(
                *(row["name"], source, _case(row), tuple(row["expect"]), limits),
                *(row.get("needs"), _further_cases(row)),
            )
        )
    return entries


def _case(row: dict[str, Any]) -> TestCase:
    kind = row.get("kind", "stdio")
    if kind == "call":
        return CallCase(row["function"], tuple(row["args"]), row["expected_value"])
    if kind == "script":
        return ScriptCase(row["script"])
    stdin, expected = row.get("stdin", "1 2\n"), row.get("expected", "3\n")
    if "stdin_repeat" in row:
        stdin = row["stdin_repeat"][0] * row["stdin_repeat"][1]
    if "expected_repeat" in row:
        expected = row["expected_repeat"][0] * row["expected_repeat"][1]
    return StdioCase(stdin, expected)


def _further_cases(row: dict[str, Any]) -> tuple[TestCase, ...]:
    calls = row.get("further_calls", ())
    return tuple(CallCase(row["function"], tuple(args), value) for args, value in calls)


def load_examples(folder: Path) -> list[Entry]:
    """The battery of ../shared's format: `blocked` stands for runtime_error."""
    manifest = json.loads((folder / "manifest.json").read_text())
    entries = []
    for row in manifest["programs"]:
        expect = {"runtime_error" if word == "blocked" else word for word in row["expect"]}
        case: TestCase
        if row["kind"] == "call":
            case = CallCase(row["fn_name"], tuple(row["args"]), row["expected"])
        elif row["kind"] == "assert":
            case = ScriptCase(row["tests"])
        else:
            case = StdioCase(
                _repeated(row["stdin_gen"]) if "stdin_gen" in row else row["stdin"],
                _repeated(row["expected_gen"]) if "expected_gen" in row else row["expected"],
            )
        limits = Limits(time_s=2.0, memory_mb=256, output_mb=16)
        source = (folder / row["file"]).read_text()
        entries.append(Entry(row["name"], source, case, tuple(sorted(expect)), limits))
    return entries


def _repeated(expression: str) -> str:
    """The value of `'x'*(4<<20)` and sums of its like."""
    for node in ast.walk(ast.parse(expression, mode="eval")):
        assert isinstance(node, (ast.Expression, ast.BinOp, ast.Constant, ast.operator)), expression
    return str(eval(compile(expression, "<manifest>", "eval"), {"__builtins__": {}}))


class State(NamedTuple):
    """What there is between two programs. cells: open files of their processes."""

    harness_files: int
    cell_files: int
    harness_kib: int
    cell_kib: int


class Watch:
    """Judges entries with one executor and compares harness and cell before and after each."""

    def __init__(self, executor: EmbeddedExecutor) -> None:
        self.executor = executor
        # other tests of this process may have an executor open, whose cells are none of this one's
        self._others = frozenset(_descendants(os.getpid()))
        # else the allocator keeps what a worker thread freed, and trimming does not reach it; the
        # second for threads that have an arena of their own already
        ctypes.CDLL(None).mallopt(_MALLOC_ARENAS, 1)
        ctypes.CDLL(None).mallopt(_MALLOC_MAP_FROM, 1 << 20)

    async def judge(self, entry: Entry) -> Finding:
        await self._innocent()
        cells = self.executor.pids()
        before = self._state()
        cases = (entry.case, *entry.further)
        problem = Problem(entry.name, "battery", "", cases, limits=entry.limits)
        verdict = await verify(problem, entry.source, executor=self.executor)
        case = verdict.first_failure or verdict.cases[0]
        assert case is not None
        finding = Finding(entry.name, verdict.status, entry.expect, f"{case.error[-300:]}")
        del verdict, case
        if self._sockets():
            finding.left.append(f"{self._sockets()} sockets in the cell")
        if not await self._innocent():
            finding.left.append("the next innocent program was refused")
        if self.executor.pids() != cells:
            finding.left.append("a new cell: the one before was lost")
        finding.left += self._remains(before)
        return finding

    async def _innocent(self) -> bool:
        problem = Problem("innocent", "battery", "", (StdioCase("1 2\n", "3\n"),))
        verdict = await verify(problem, INNOCENT, executor=self.executor)
        return verdict.status == "accepted"

    def _remains(self, before: State) -> list[str]:
        left = []
        after = self._state()
        for name, had in before._asdict().items():
            has = getattr(after, name)
            if has > had * (1 if name.endswith("files") else 1.05):
                left.append(f"{name}: {had} became {has}")
        pids = self.executor.pids()
        tree = self._processes()
        cells = [pid for pid in tree if tree[pid][0] in pids]
        beyond = [pid for pid in tree if pid not in pids and pid not in cells]
        if beyond or len(cells) != len(pids):
            left.append(f"processes: {[(pid, *tree[pid]) for pid in beyond]}, cells {cells}/{pids}")
        left += [f"a file {path}" for path in ESCAPES if os.path.lexists(path)]
        return left

    def _processes(self) -> dict[int, tuple[int, str]]:
        """Those below this one since the watch began: parent and state of each."""
        below = _descendants(os.getpid())
        return {pid: below[pid] for pid in below.keys() - self._others}

    def _state(self) -> State:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # or memory that is free would count as in use
        cells = list(self._processes())
        return State(
            _open_files("self"),
            sum(map(_open_files, cells)),
            _memory_kib("self"),
            sum(map(_memory_kib, cells)),
        )

    def _sockets(self) -> int:
        """Sockets of any family and state in the network namespaces of the cells."""
        deadline = time.monotonic() + _KERNEL_LAG_S
        while True:
            used = 0
            for pid in self.executor.pids():
                lines = Path(f"/proc/{pid}/net/sockstat").read_text().splitlines()
                (line,) = (line for line in lines if line.startswith("sockets: used"))
                used += int(line.split()[2])
            if not used or time.monotonic() > deadline:
                return used
            time.sleep(0.01)


def _descendants(root: int) -> dict[int, tuple[int, str]]:
    """Every process below `root`: its parent and state."""
    parents: dict[int, tuple[int, str]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = (int(fields[1]), fields[0])
    found: dict[int, tuple[int, str]] = {}
    frontier = {root}
    while frontier:
        frontier = {pid for pid, (parent, _) in parents.items() if parent in frontier}
        found.update((pid, parents[pid]) for pid in frontier)
    return found


# An ordinary user may not look into cells. What is left then: a number that Linux tells from 6.2 on
# (before it is always 0), and resident memory.


def _open_files(pid: int | str) -> int:
    folder = Path(f"/proc/{pid}/fd")
    return len(os.listdir(folder)) if os.access(folder, os.R_OK) else folder.stat().st_size


def _memory_kib(pid: int | str) -> int:
    """What several processes share is counted once for all, where the kernel tells it."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except PermissionError:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") // 1024
    return int(rollup.partition("\nPss:")[2].split()[0])


async def _main(folder: Path) -> int:
    executor = EmbeddedExecutor(jobs=1)
    watch = Watch(executor)
    bad = 0
    for entry in load(folder):
        if entry.needs is not None:
            continue
        finding = await watch.judge(entry)
        bad += not finding.fine
        print(json.dumps({"fine": finding.fine, **vars(finding)}), flush=True)
    await executor.aclose()
    left = _descendants(os.getpid())
    print(json.dumps({"fine": not left, "name": "aclose", "left": str(left)}), flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(min(1, anyio.run(_main, Path(sys.argv[1]))))

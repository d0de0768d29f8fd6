"""The cells of one executor, started as they are needed and kept."""

from __future__ import annotations

import os
import select
import sys
import threading

from ctrl_harness.errors import UserError
from ctrl_harness.execution.cell_client import Cell
from ctrl_harness.execution.cell_job import CellDied, CellSettings
from ctrl_harness.execution.packages import Packages
from ctrl_harness.execution.threads import Cancelled

INSTEAD = (
    "allow user namespaces, or judge in docker through Inspect (-T executor=inspect_sandbox), or "
    "at a SandboxFusion or another machine's `ctrl-harness serve` (executor sandbox_fusion, with "
    "SANDBOX_FUSION_ENDPOINT); --unsafe-no-isolation (-T unsafe_no_isolation=true) judges here "
    "without isolation"
)
_POLL_S = 0.05


class Pool:
    """At most `size` live cells; thread-safe."""

    def __init__(self, size: int, packages: Packages, without: frozenset[str]) -> None:
        self._size = size
        self._packages = packages
        self._without = without
        self._settings: CellSettings | None = None
        self._free = threading.Condition()
        self._idle: list[Cell] = []
        self._all: list[Cell] = []
        self._starting = 0
        self._process = os.getpid()
        self.generation = 0
        """How often the pool was closed."""

    def acquire(self, wake: int) -> Cell:
        """An idle cell, or a new one. Raises LayerMissing, CellDied, UserError, Cancelled."""
        self._leave_parent()
        with self._free:
            while not self._idle and len(self._all) + self._starting >= self._size:
                self._free.wait(_POLL_S)  # only where event loops of several threads compete
                if select.select([wake], [], [], 0)[0]:
                    raise Cancelled
            if self._idle:
                return self._idle.pop()
            if self._settings is None:
                self._settings = self._make_settings()
            self._starting += 1
            generation = self.generation
        cell: Cell | None = None
        try:
            cell = Cell(self._settings)
        finally:
            with self._free:
                self._starting -= 1
                if cell is not None and generation == self.generation:
                    self._all.append(cell)
                self._free.notify()
        if generation != self.generation:
            cell.close()
            raise CellDied("the executor was closed")
        return cell

    def release(self, cell: Cell) -> None:
        """Takes a cell back; one that died, or outlived `close`, goes."""
        with self._free:
            kept = cell in self._all
            if kept and not cell.closed:
                self._idle.append(cell)
            elif kept:
                self._all.remove(cell)
            self._free.notify()
        if not kept:
            cell.close()

    @property
    def idle(self) -> int:
        """How many cells could be had at once, started or not."""
        with self._free:
            busy = len(self._all) - len(self._idle) + self._starting
            return self._size - busy

    def pids(self) -> list[int]:
        """The outer processes of the cells."""
        with self._free:
            return [cell.pid for cell in self._all]

    def close(self) -> None:
        """Ends every cell; one that is at work is taken from under its program."""
        self._leave_parent()
        with self._free:
            self.generation += 1
            idle, busy = self._idle, [cell for cell in self._all if cell not in self._idle]
            self._all, self._idle = [], []
        for cell in busy:
            cell.hang_up()
        for cell in idle:
            cell.close()

    def _leave_parent(self) -> None:
        """After a fork the cells are the parent's; this process starts its own."""
        if self._process != os.getpid():
            for cell in self._all:
                cell.abandon()
            self._free = threading.Condition()
            self._idle, self._all, self._starting = [], [], 0
            self._process = os.getpid()

    def _make_settings(self) -> CellSettings:
        if sys.platform != "linux":
            raise UserError(f"the embedded executor needs Linux; {INSTEAD}")
        return CellSettings(self._packages.modules, self._packages.sources, self._without)

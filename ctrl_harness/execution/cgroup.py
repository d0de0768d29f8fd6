"""A memory and process limit for a whole cell, where this user may make control groups.

The second line behind each process's own limits: it also counts what those do not (files in the
scratch folder, streams, page tables). Version 1 and version 2 hierarchies are understood.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "ctrl-harness-"
_MAX_PROCESSES = 512
_GONE_S = 2.0
_READ = os.O_RDONLY | os.O_CLOEXEC
_COUNTERS = {1: ("memory.oom_control", "memory.failcnt"), 2: ("memory.events",)}


@dataclass(frozen=True)
class CellCgroup:
    """A cell's groups: memory, the folder that limits memory; pids, that limits processes.

    counters: descriptors of the files that `exhaustions` reads.
    """

    memory: Path
    pids: Path | None
    version: int
    counters: tuple[int, ...]

    @classmethod
    def create(cls) -> CellCgroup | None:
        """A new group, of this cell alone. None where this user may not make one."""
        name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
        parents = _own_groups()
        for version, wanted in ((1, "memory.limit_in_bytes"), (2, "memory.max")):
            parent = parents.get("memory" if version == 1 else "")
            if parent is None:
                continue
            _remove_stale(parent)
            memory = _make(parent, name, wanted)
            if memory is None:
                continue
            pids = memory if version == 2 else None
            if version == 1 and "pids" in parents:
                _remove_stale(parents["pids"])
                pids = _make(parents["pids"], name, "pids.max")
            if pids is not None:
                with contextlib.suppress(OSError):
                    (pids / "pids.max").write_text(str(_MAX_PROCESSES))
            try:
                counters = tuple(os.open(memory / n, _READ) for n in _COUNTERS[version])
            except OSError:  # a kernel that counts nothing
                counters = ()
            return cls(memory, pids, version, counters)
        return None

    @property
    def description(self) -> str:
        """For people."""
        return f"version {self.version}" + ("" if self.pids is None else ", with a process limit")

    def add(self, pid: int) -> None:
        """Puts a process, and what it will fork, under the limits. Raises OSError."""
        for folder in self._folders():
            (folder / "cgroup.procs").write_text(str(pid))

    def limit_memory(self, mb: float) -> None:
        """Raises OSError."""
        limit = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
        (self.memory / limit).write_text(str(int(mb * 1024 * 1024)))

    def exhaustions(self) -> tuple[int, int]:
        """How many of its processes the kernel ended for want of memory, and how often the group
        came to its own limit; each only grows. Raises OSError.
        """
        texts = [os.pread(counter, 512, 0) for counter in self.counters]
        if not texts:
            return 0, 0
        if self.version == 1:
            return _count(texts[0], b"oom_kill "), int(texts[1])
        return _count(texts[0], b"oom_kill "), _count(texts[0], b"max ")

    def close(self) -> None:
        """Lets go of the counters; not to be used afterwards."""
        for counter in self.counters:
            os.close(counter)

    def remove(self) -> None:
        """Once its processes are gone; the kernel may need a moment to notice."""
        self.close()
        deadline = time.monotonic() + _GONE_S
        for folder in self._folders():
            while folder.is_dir():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.005)

    def _folders(self) -> list[Path]:
        return list(dict.fromkeys(f for f in (self.memory, self.pids) if f is not None))


def _count(text: bytes, name: bytes) -> int:
    """The number behind this name and its space; 0 where the kernel does not tell it."""
    number = text.rpartition(b"\n" + name)[2].partition(b"\n")[0]
    return int(number) if number.isdigit() else 0


def _own_groups() -> dict[str, Path]:
    """This process's group per controller of version 1, and by "" in version 2."""
    mounts: dict[str, Path] = {}
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                before, _, after = line.partition(" - ")
                kind, _, options = after.split()[:3]
                where = Path(before.split()[4])
                if kind == "cgroup2":
                    mounts.setdefault("", where)
                elif kind == "cgroup":
                    for option in options.split(","):
                        mounts.setdefault(option, where)
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):
        return {}
    found: dict[str, Path] = {}
    for group in groups:
        _, controllers, path = group.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounts:
                found[controller] = mounts[controller] / path.lstrip("/")
    return found


def _make(parent: Path, name: str, wanted: str) -> Path | None:
    """The new group, if it is made and offers the limit that is wanted."""
    folder = parent / name
    try:
        folder.mkdir()
    except OSError:
        return None
    if os.access(folder / wanted, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
        return folder
    with contextlib.suppress(OSError):
        folder.rmdir()
    return None


def _remove_stale(parent: Path) -> None:
    """Groups of harnesses that were killed: empty, and their process is no more."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                folder.rmdir()

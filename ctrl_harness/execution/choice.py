"""Chooses an executor by name; one instance a process serves solver, critic and scorer."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.packages import USUAL, require_packages
from ctrl_harness.execution.temporary import remove_left_behind

DEFAULT = "embedded"
UNISOLATED = "process"
"""Runs only where the user asked for it in so many words."""
NAMES = ("embedded", "process", "sandbox_fusion")
IN_AN_EVAL = "inspect_sandbox"
"""Chosen by a task only: it runs in the sandbox of the Inspect sample under way."""

_lock = threading.Lock()
_open: dict[tuple[str, int | None, tuple[str, ...]], Executor] = {}


def get_executor(
    name: str | None = None,
    *,
    jobs: int | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] = (),
) -> Executor:
    """The executor of this name, made on first use and shared afterwards.

    name: `embedded` (isolated, the default), `process` (no isolation, for programs you trust or a
    container of your own), `sandbox_fusion` (a server, named by SANDBOX_FUSION_ENDPOINT) or, within
    an eval, `inspect_sandbox` (what its --sandbox names). jobs: programs judged at once, by default
    the usable cores, or 16 at a server; Inspect's own settings say it for a sandbox.
    unsafe_no_isolation: the user's word that programs may run without isolation; `process` needs
    it, and alone it chooses `process`. packages: third-party packages of this environment, beside
    numpy, that programs may import (packages.py). Raises UserError for an unknown name, for
    `process` without that word or the word with another name, where no server is named, and for
    packages that are not installed or that a sandbox elsewhere would have to have.
    """
    if not isinstance(unsafe_no_isolation, bool):
        given = f"unsafe_no_isolation={unsafe_no_isolation!r}"
        raise UserError(f"{given} is neither true nor false; give one of them")
    name = name or (UNISOLATED if unsafe_no_isolation else DEFAULT)
    known = (*NAMES, IN_AN_EVAL)
    if name not in known:
        raise UserError(f"unknown executor {name!r}; choose one of {', '.join(known)}")
    if name == UNISOLATED and not unsafe_no_isolation:
        raise UserError(
            f"the executor {UNISOLATED!r} runs programs without isolation, with all your rights; "
            "leave it out to judge in isolation, or allow it with --unsafe-no-isolation "
            "(-T unsafe_no_isolation=true)"
        )
    if unsafe_no_isolation and name != UNISOLATED:
        raise UserError(
            f"--unsafe-no-isolation is for the executor {UNISOLATED!r} and not for {name!r}; leave "
            "out one of the two"
        )
    if jobs is not None and jobs < 1:
        raise UserError(f"jobs is {jobs}; at least 1 program has to be judged at a time")
    if packages and name not in (DEFAULT, UNISOLATED):
        raise UserError(
            f"the executor {name!r} runs programs with the packages of its own sandbox; install "
            f"{', '.join(packages)} there, and leave packages out"
        )
    key = name, jobs, require_packages(packages)
    with _lock:
        if key not in _open:
            remove_left_behind()
            _open[key] = _make(*key)
        return _open[key]


def _make(name: str, jobs: int | None, packages: tuple[str, ...]) -> Executor:
    if name == UNISOLATED:
        from ctrl_harness.execution.process import ProcessExecutor

        return ProcessExecutor(jobs)
    if name == "sandbox_fusion":
        from ctrl_harness.execution.fusion import FusionExecutor

        return FusionExecutor(jobs)
    if name == IN_AN_EVAL:
        from ctrl_harness.execution.inspect_sandbox import InspectSandboxExecutor

        return InspectSandboxExecutor()
    from ctrl_harness.execution.embedded import EmbeddedExecutor

    return EmbeddedExecutor(jobs, (*USUAL, *packages))

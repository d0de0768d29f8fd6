"""The `process` executor: fresh processes with limits, but no isolation.

A program that runs here can read what this user can read, reach the network and leave daemons
behind. It exists for the demo, for tests and for people who already run inside a container; every
run warns. Each stdio case gets a process of its own, the calls of one program share a process
(restarted after a crash), a script case gets one too. The process leads its own session, sees a
scrubbed environment and an empty scratch folder, and its whole group is killed at the end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import site
import sysconfig
import threading
from collections.abc import Callable, Iterator, Sequence

from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.process_runs import Session
from ctrl_harness.execution.threads import Cancelled, LoopLimiter, run_cancellable, usable_cores
from ctrl_harness.problems.problem import Limits

logger = logging.getLogger(__name__)

WARNING = (
    "executor 'process' does NOT isolate: the programs under judgement run with your user's rights"
)
_POLL_S = 0.05


class ProcessExecutor:
    """Runs programs in processes of this user; see the module's warning.

    jobs: how many programs run at once (default: the cores this process may use).
    """

    name = "process"
    isolated = False
    packages: tuple[str, ...] | None = None

    def __init__(self, jobs: int | None = None) -> None:
        jobs = jobs or usable_cores()
        self._slots, self._threads = LoopLimiter(jobs), LoopLimiter(jobs)
        self._places = threading.BoundedSemaphore(jobs)
        self._packages = [
            path
            for path in dict.fromkeys([*site.getsitepackages(), sysconfig.get_path("purelib")])
            if os.path.isdir(path)
        ]
        logger.warning(WARNING)

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        def work(wake: int) -> list[Run]:
            with self._place(wake):
                return Session(program, limits, self._packages, wake).run(inputs, until)

        async with self._slots.get():  # what waits its turn holds neither a thread nor a descriptor
            return await run_cancellable(work, self._threads.get())

    @contextlib.contextmanager
    def _place(self, wake: int) -> Iterator[None]:
        """One of the places; there is a queue only where loops of several threads compete."""
        while not self._places.acquire(timeout=_POLL_S):
            if select.select([wake], [], [], 0)[0]:
                raise Cancelled
        try:
            yield
        finally:
            self._places.release()

    async def aclose(self) -> None:
        """Nothing outlives a call of `execute`."""

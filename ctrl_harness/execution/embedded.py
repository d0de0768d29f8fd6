"""The `embedded` executor: a pool of isolated cells on this machine. See docs/security.md.

Cells start at the first use and are kept. One program at a time runs in a cell; what more is asked
waits its turn, first come, first served, holding no process, descriptor or copy of its inputs.
Where a layer of the isolation cannot be had, nothing runs: a UserError says which and what to do.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread

from ctrl_harness.errors import JudgeError, PreludeError, UserError
from ctrl_harness.execution.cell_client import Cell
from ctrl_harness.execution.cell_job import JobLost, LayerMissing, NotCompiled, PreludeFailed
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.judging import Judging
from ctrl_harness.execution.packages import USUAL, find_packages
from ctrl_harness.execution.pool import INSTEAD, Pool
from ctrl_harness.execution.sharing import Share, SharedRuns, can_be_shared, share_out
from ctrl_harness.execution.threads import run_cancellable, usable_cores
from ctrl_harness.problems.problem import Limits

logger = logging.getLogger(__name__)

_ATTEMPTS = 2


class EmbeddedExecutor:
    """Runs programs in isolated cells.

    jobs: how many cells there are at most (default: the cores this process may use). packages:
    third-party packages that programs may import, with what they require (packages.py). without:
    layers to leave out, for tests that show what each is for; `isolated` is false then.

    Raises UserError for packages that are not installed here. `execute` raises UserError where the
    machine cannot isolate, JudgeError where neither the program nor one that does nothing could be
    judged.
    """

    name = "embedded"

    def __init__(
        self,
        jobs: int | None = None,
        packages: Sequence[str] = USUAL,
        *,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.isolated = not without
        self._jobs = jobs or usable_cores()
        self.packages: tuple[str, ...] | None = tuple(packages)
        found = find_packages(packages)
        self._modules = found.modules
        self._pool = Pool(self._jobs, found, without)
        self._counting = threading.Lock()
        self._waiting = 0
        """Programs that wait for a place, in all event loops."""
        self._slots: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("slots")
        self._threads: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar(
            "threads"
        )
        self._finalizer = weakref.finalize(self, Pool.close, self._pool)

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        async with self._place():
            if self._jobs > 1 and can_be_shared(inputs):
                shared = SharedRuns(len(inputs), until, keeps_outputs=program.keeps_outputs)
                work = partial(self._run_share, program, inputs, limits, shared)
                return await share_out(shared, work, self._idle_place, lambda: self._waiting > 0)
            return await self._run(Judging(program, inputs, limits, until, self._modules))

    async def _run(self, judging: Judging) -> list[Run]:
        return await run_cancellable(partial(self._judge, judging), self._own(self._threads))

    async def _run_share(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        shared: SharedRuns,
        share: Share,
        helps: bool,
    ) -> None:
        end = share.end

        def take(run: Run) -> bool:
            at_end = shared.add(share, run)
            if share.position == end:
                return False  # a job at its own end need not be stopped
            return at_end or (helps and self._waiting > 0)

        some = inputs[share.position : end]
        runs = await self._run(Judging(program, some, limits, take, self._modules))
        if runs and runs[-1].status == "compile_error":  # of which `until` is not told
            shared.add(share, runs[-1])

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of as many as there are cells, in turn."""
        with self._counting:
            self._waiting += 1
        try:
            slots, place = self._own(self._slots), object()
            await slots.acquire_on_behalf_of(place)
        finally:
            with self._counting:
                self._waiting -= 1
        try:
            yield
        finally:
            slots.release_on_behalf_of(place)

    def _idle_place(self) -> Callable[[], None] | None:
        """Takes a place for which nobody waits; the function that gives it back."""
        slots, place = self._own(self._slots), object()
        if self._waiting or not slots.available_tokens or not self._pool.idle:
            return None
        slots.acquire_on_behalf_of_nowait(place)
        return partial(slots.release_on_behalf_of, place)

    async def layers(self) -> dict[str, str]:
        """The layers in force in a live cell, with a detail each. Raises as `execute`."""

        def ask(wake: int) -> dict[str, str]:
            with self._borrow(wake) as cell:
                return dict(cell.layers)

        async with self._own(self._slots):
            return await run_cancellable(ask, self._own(self._threads))

    async def aclose(self) -> None:
        """Ends every cell and waits for their end. Idempotent; a later use starts new ones."""
        await anyio.to_thread.run_sync(self._pool.close)

    def pids(self) -> list[int]:
        """The outer processes of the cells that are alive."""
        return self._pool.pids()

    def _judge(self, judging: Judging, wake: int) -> list[Run]:
        """In a worker thread: once more where a job is lost, then a status or JudgeError.

        What a program can cause is its own status: memory_limit where its cell had come to the
        memory limit; and a program that is lost twice has failed if one that does nothing is not
        lost as well.
        """
        generation = self._pool.generation
        losses = 0
        while True:
            try:
                self._run_jobs(judging, wake)
                return judging.runs
            except NotCompiled as error:
                return [*judging.runs, Run("compile_error", error=str(error))]
            except JobLost as lost:
                if self._pool.generation != generation:
                    raise JudgeError("the executor was closed while it judged") from lost
                if not lost.out_of_memory:
                    losses += 1
                    if losses < _ATTEMPTS and not isinstance(lost, PreludeFailed):
                        logger.warning("%s; the program is judged again", lost)
                        continue
                    self._check_machinery(judging, wake, lost)
                if judging.lose(lost):
                    return judging.runs

    def _run_jobs(self, judging: Judging, wake: int) -> None:
        with self._borrow(wake) as cell:
            while not judging.over:
                cell.run(judging.cell_job(), wake, judging.take)

    def _check_machinery(self, judging: Judging, wake: int, lost: JobLost) -> None:
        """Raises JudgeError unless a program that does nothing can be judged here."""
        reason = JudgeError(f"{lost}; judged again once, in vain")
        if isinstance(lost, PreludeFailed):
            reason = PreludeError(str(lost))
        if lost.stage == "none":
            raise reason from lost
        try:
            self._run_jobs(judging.control(), wake)
        except (JobLost, NotCompiled) as error:
            raise reason from error
        logger.warning("%s twice, by a program; one that does nothing was judged in between", lost)

    @contextlib.contextmanager
    def _borrow(self, wake: int) -> Iterator[Cell]:
        try:
            cell = self._pool.acquire(wake)
        except LayerMissing as error:
            raise UserError(
                f"the embedded executor cannot isolate here, the layer '{error.layer}' is missing "
                f"({error.reason}); {INSTEAD}"
            ) from error
        except OSError as error:  # this process has no descriptor left, which no program can mend
            raise JudgeError(f"no cell could be had: {error}; raise `ulimit -n`") from error
        try:
            yield cell
        finally:
            self._pool.release(cell)

    def _own(self, variable: anyio.lowlevel.RunVar[anyio.CapacityLimiter]) -> anyio.CapacityLimiter:
        """This event loop's limiter: loops come and go, and each queues by itself."""
        try:
            return variable.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._jobs)
            variable.set(limiter)
            return limiter

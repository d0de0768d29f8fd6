"""The judge for code that is not asynchronous: scripts, and rewards in other people's trainers.

::

    with SyncJudge(Judge(EmbeddedExecutor())) as judge:
        verdict = judge.verify(problem, program)
        futures = [judge.submit_completion(problem, text) for text in completions]
        verdicts = [future.result() for future in futures]
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import CancelledError, Future

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict


class SyncJudge:
    """A judge whose event loop runs in a thread of its own, from the first judgement to `close`.

    Any number of threads may share one. So may threads that run an event loop, which waiting
    blocks: asynchronous code awaits the `Judge` itself. Programs are judged side by side as far as
    the executor goes; more wait their turn. A fork of the process starts a thread of its own.

    It owns the judge's executor: leaving the context leaves no process and no thread. One that is
    never closed ends with the process.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._loop: _LoopThread | None = None
        self._closed = False
        self._process = os.getpid()

    def verify(self, problem: Problem, program: str | None) -> Verdict:
        """Judges a bare program (None: there is none) and waits for the verdict.

        Raises JudgeError where nothing is known of the program, UserError where nothing can be
        judged. Whatever interrupts the wait, as Ctrl-C does, ends the program too.
        """
        return self._wait(self.submit(problem, program))

    def verify_completion(self, problem: Problem, completion: str) -> Verdict:
        """`verify` on the program that the judge's rule finds in a completion."""
        return self._wait(self.submit_completion(problem, completion))

    def submit(self, problem: Problem, program: str | None) -> Future[Verdict]:
        """`verify` without waiting; the future raises what `verify` does.

        Cancelling the future ends the program; closing the judge cancels what is not done. Raises
        UserError once the judge is closed.
        """
        return self._start(problem, program, bare=True)

    def submit_completion(self, problem: Problem, completion: str) -> Future[Verdict]:
        """`verify_completion` without waiting."""
        return self._start(problem, self._judge.extract(completion, problem), bare=False)

    def close(self) -> None:
        """Ends what is being judged, the executor and the thread, and waits for it. Idempotent.

        Raises UserError in a future's callback, which runs in that thread.
        """
        self._leave_parent()
        self._refuse_own_thread()
        with self._lock:
            self._closed = True
        if self._loop is not None:
            self._loop.end()

    def _start(self, problem: Problem, program: str | None, *, bare: bool) -> Future[Verdict]:
        self._leave_parent()
        with self._lock:  # against `close`: what is started here, it will see
            if self._closed:
                raise UserError("this judge is closed; make another one")
            if self._loop is None:
                self._loop = _LoopThread(self._judge)
            return self._loop.start(problem, program, bare)

    def _wait(self, future: Future[Verdict]) -> Verdict:
        try:
            self._refuse_own_thread()
            return future.result()
        except CancelledError as error:
            raise JudgeError("the judge was closed while it judged") from error
        finally:
            future.cancel()  # of no effect once it is done

    def _refuse_own_thread(self) -> None:
        if self._loop is not None and threading.current_thread() is self._loop.thread:
            raise UserError("a future's callback cannot wait for its judge; wait in another thread")

    def _leave_parent(self) -> None:
        """After a fork: the thread is the parent's alone, and the lock may be held for ever."""
        if self._process != os.getpid():
            self._lock, self._loop = threading.Lock(), None
            self._process = os.getpid()

    def __enter__(self) -> SyncJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _LoopThread:
    """A thread with an event loop; it closes the judge's executor in the end."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Verdict]] = set()
        started: Future[asyncio.AbstractEventLoop] = Future()
        # a daemon: a script that forgets to close its judge comes to its end all the same
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self._main(started)), name="ctrl-harness", daemon=True
        )
        self.thread.start()
        self._loop = started.result()

    def start(self, problem: Problem, program: str | None, bare: bool) -> Future[Verdict]:
        """From any thread, until `end` is called."""
        return asyncio.run_coroutine_threadsafe(self._verify(problem, program, bare), self._loop)

    def end(self) -> None:
        """Callable again, and from several threads."""
        if self.thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has come to its end just now
                self._loop.call_soon_threadsafe(self._stop.set)
        self.thread.join()

    async def _verify(self, problem: Problem, program: str | None, bare: bool) -> Verdict:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await self._judge.verify(problem, program, bare=bare)
        finally:
            self._tasks.remove(task)

    async def _main(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        started.set_result(asyncio.get_running_loop())
        try:
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await self._judge.executor.aclose()

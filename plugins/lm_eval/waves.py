"""Many chains at once, before a model that answers lists.

lm-eval's models take a list of requests and use their batches best when it is long. So every chain
runs until it asks for something; when all that are alive wait, what they ask goes out as one list.
The chains live in an event loop in a thread of its own, and the models are called in the caller's:
some of them start an event loop themselves.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from ctrl_harness.errors import JudgeError

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Result = TypeVar("Result")

Ask = Callable[[Request], Awaitable[Answer]]
"""What a chain awaits."""


@dataclass
class _Wave(Generic[Request, Answer]):
    """What is asked together; settled in the chains' event loop."""

    requests: list[Request]
    waiting: list[asyncio.Future[Answer]]

    def settle(self, answers: Sequence[Answer]) -> None:
        for future, answer in zip(self.waiting, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def run_in_waves(
    chains: Sequence[Callable[[Ask[Request, Answer]], Coroutine[Any, Any, Result]]],
    answer: Callable[[list[Request]], Sequence[Answer]],
) -> list[Result]:
    """The chains' results, in order.

    answer: gives a list's answers, in its order; called in this thread. The first chain or list
    that fails ends all, and its exception is raised here.
    """
    waves: queue.SimpleQueue[_Wave[Request, Answer] | None] = queue.SimpleQueue()
    started: Future[_Running] = Future()

    async def run() -> list[Result]:
        task = asyncio.current_task()
        assert task is not None
        started.set_result(_Running(asyncio.get_running_loop(), task))
        return await _Chains(waves).run(chains)

    def serve() -> list[Result]:
        try:
            return asyncio.run(run())
        finally:
            waves.put(None)

    with ThreadPoolExecutor(1) as side:
        results = side.submit(serve)
        running = started.result()
        try:
            while (wave := waves.get()) is not None:
                answers = answer(wave.requests)
                if len(answers) != len(wave.requests):
                    raise JudgeError(
                        f"the model gave {len(answers)} answers to {len(wave.requests)} requests"
                    )
                running.call(wave.settle, answers)
        except BaseException:
            running.end()
            raise
        return results.result()


class _Running(NamedTuple):
    """The chains' event loop and the task that holds them."""

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Any]

    def end(self) -> None:
        self.call(self.task.cancel)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls it in the loop; nothing happens where a chain failed and the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if not self.loop.is_closed():
                raise


class _Chains(Generic[Request, Answer]):
    """The chains that are alive, and what they wait for."""

    def __init__(self, waves: queue.SimpleQueue[_Wave[Request, Answer] | None]) -> None:
        self._waves = waves
        self._alive = 0
        self._open: _Wave[Request, Answer] = _Wave([], [])

    async def run(
        self, chains: Sequence[Callable[[Ask[Request, Answer]], Coroutine[Any, Any, Result]]]
    ) -> list[Result]:
        self._alive = len(chains)
        tasks = [asyncio.ensure_future(self._alone(chain)) for chain in chains]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _alone(
        self, chain: Callable[[Ask[Request, Answer]], Coroutine[Any, Any, Result]]
    ) -> Result:
        try:
            return await chain(self._ask)
        finally:
            self._alive -= 1
            self._send_if_all_wait()

    async def _ask(self, request: Request) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open.requests.append(request)
        self._open.waiting.append(future)
        self._send_if_all_wait()
        return await future

    def _send_if_all_wait(self) -> None:
        # a critic may ask several questions at once, so that more wait than chains are alive
        if all(future.done() for future in self._open.waiting):
            return  # nobody asks, or all who did were cancelled
        if len(self._open.waiting) >= self._alive:
            wave, self._open = self._open, _Wave([], [])
            self._waves.put(wave)

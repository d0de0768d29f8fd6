"""Runs on their way to the process that handles a request: all of them, in order, without delay."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import pytest

from ctrl_harness.execution.executor import Run
from ctrl_harness.server.handlers import _Told

LARGE = "x" * 300_000


class Process:
    """Where the messages of a request go."""

    unsent_bytes = 0

    def __init__(self) -> None:
        self.messages: list[list[Run]] = []

    def write(self, frame: tuple[bytes, bytes]) -> None:
        message: Any = pickle.loads(frame[1])
        assert message.number == 7
        self.messages.append(message.runs)

    @property
    def times(self) -> list[float]:
        return [run.time_s for runs in self.messages for run in runs]


def run_with(add_all: Callable[[_Told], None], in_thread: bool, wait_s: float = 0) -> Process:
    process = Process()

    async def main() -> None:
        told = _Told(process, 7, threading.Event())  # type: ignore[arg-type]
        if in_thread:
            await anyio.to_thread.run_sync(add_all, told)
        else:
            add_all(told)
        await asyncio.sleep(wait_s)
        if not wait_s:
            told.send()

    asyncio.run(main())
    return process


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize("every", [1, 2, 7, 1_000], ids="a large one every {}".format)
def test_all_come_in_order(every: int, in_thread: bool) -> None:
    def add_all(told: _Told) -> None:
        for number in range(60):
            told.add(Run("ok", LARGE if number % every == every - 1 else "", time_s=number))
            if number % 9 == 0:
                time.sleep(0.003)

    assert run_with(add_all, in_thread).times == list(range(60))


def test_short_runs_come_together_and_the_first_by_itself() -> None:
    def add_all(told: _Told) -> None:
        told.add(Run("runtime_error", time_s=0))
        time.sleep(0.2)
        for number in range(1, 200):
            told.add(Run("ok", time_s=number))

    process = run_with(add_all, in_thread=True)
    assert [run.time_s for run in process.messages[0]] == [0]
    assert len(process.messages) < 20


def test_none_waits_for_one_that_does_not_come() -> None:
    def add_all(told: _Told) -> None:
        for number in range(5):
            told.add(Run("ok", time_s=number))
            time.sleep(0.005)

    assert run_with(add_all, in_thread=True, wait_s=0.2).times == list(range(5))

"""Chains that ask in waves: one list for all that wait. Needs no lm-eval."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from ctrl_harness.errors import JudgeError
from ctrl_harness.plugins.lm_eval.waves import run_in_waves


def doubled(waves: list[list[int]]) -> Any:
    def answer(numbers: list[int]) -> list[int]:
        waves.append(sorted(numbers))
        return [2 * number for number in numbers]

    return answer


def test_what_all_chains_ask_goes_out_together():
    waves: list[list[int]] = []

    def chain(start: int, turns: int) -> Any:
        async def run(ask: Any) -> int:
            value = start
            for _ in range(turns):
                value = await ask(value)
            return value

        return run

    chains = [chain(1, 3), chain(10, 1), chain(100, 2)]
    assert run_in_waves(chains, doubled(waves)) == [8, 20, 400]
    assert waves == [[1, 10, 100], [2, 200], [4]]


def test_a_chain_that_works_on_its_own_is_waited_for():
    waves: list[list[int]] = []

    async def slow(ask: Any) -> int:
        await asyncio.sleep(0.05)
        return await ask(1)

    async def quick(ask: Any) -> int:
        return await ask(2)

    assert run_in_waves([slow, quick], doubled(waves)) == [2, 4]
    assert waves == [[1, 2]]


def test_a_chain_may_ask_several_things_at_once():
    async def greedy(ask: Any) -> int:
        return sum(await asyncio.gather(ask(1), ask(2), ask(3)))

    async def plain(ask: Any) -> int:
        return await ask(4)

    assert run_in_waves([greedy, plain], doubled([])) == [12, 8]


def test_the_model_is_asked_in_the_callers_thread_and_may_run_an_event_loop():
    asked_in: list[threading.Thread] = []

    async def itself(number: int) -> int:
        return number

    def answer(numbers: list[int]) -> list[int]:
        asked_in.append(threading.current_thread())
        return [asyncio.run(itself(number)) for number in numbers]

    async def chain(ask: Any) -> int:
        return await ask(7)

    assert run_in_waves([chain], answer) == [7]
    assert asked_in == [threading.current_thread()]


def test_a_model_that_fails_ends_all_chains():
    ended: list[str] = []

    def answer(numbers: list[int]) -> list[int]:
        raise ConnectionError("no server")

    async def chain(ask: Any) -> int:
        try:
            return await ask(1)
        finally:
            ended.append("ended")

    with pytest.raises(ConnectionError, match="no server"):
        run_in_waves([chain, chain], answer)
    assert ended == ["ended", "ended"]


def test_a_chain_that_fails_ends_the_others_and_nothing_more_is_asked():
    waves: list[list[int]] = []

    async def broken(ask: Any) -> int:
        await ask(1)
        raise ValueError("no critique")

    async def whole(ask: Any) -> int:
        return await ask(await ask(2))

    with pytest.raises(ValueError, match="no critique"):
        run_in_waves([broken, whole], doubled(waves))
    assert waves in ([[1, 2]], [[1, 2], [4]])


def test_chains_that_end_while_the_model_still_answers_raise_their_own_error():
    def slow(numbers: list[int]) -> list[int]:
        time.sleep(0.5)
        return numbers

    async def impatient(ask: Any) -> int:
        return await asyncio.wait_for(ask(1), 0.05)

    with pytest.raises(asyncio.TimeoutError):
        run_in_waves([impatient], slow)


def test_a_model_that_gives_too_few_answers_is_named():
    async def chain(ask: Any) -> int:
        return await ask(1)

    with pytest.raises(JudgeError, match="1 answers to 2 requests"):
        run_in_waves([chain, chain], lambda numbers: numbers[:1])


def test_no_chain_asks_nothing():
    assert run_in_waves([], doubled([])) == []

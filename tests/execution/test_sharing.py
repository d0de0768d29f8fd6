"""One program's inputs on several cells: the same outcomes, in the same order, from one or more."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator

import anyio
import pytest

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution import sharing
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import (
    CallInput,
    Executor,
    Input,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.sharing import Share, SharedRuns, can_be_shared, share_out
from ctrl_harness.problems.problem import Limits

needs_cells = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
LIMITS = Limits(time_s=20)
SLOW_ECHO = Program("import time\nn = input()\ntime.sleep(0.03)\nprint(n)\nassert n != '7'")


@pytest.fixture
def executor() -> Iterator[EmbeddedExecutor]:
    executor = EmbeddedExecutor(3)
    yield executor
    anyio.run(executor.aclose)


def numbers(count: int) -> list[Input]:
    return [StdinInput(f"{n}\n") for n in range(count)]


def run(
    executor: Executor, inputs: list[Input], until: Callable[[Run], bool] | None = None
) -> list[Run]:
    async def once() -> list[Run]:
        return await executor.execute(SLOW_ECHO, inputs, LIMITS, until)

    return anyio.run(once)


@needs_cells
def test_idle_cells_help_and_the_outcomes_are_in_order(executor: EmbeddedExecutor) -> None:
    seen: list[str] = []

    def until(one: Run) -> bool:
        seen.append(one.stdout)
        return False

    runs = run(executor, numbers(20), until)
    expected = [f"{n}\n" for n in range(20)]
    assert [one.stdout for one in runs] == seen == expected
    assert [n for n, one in enumerate(runs) if one.status != "ok"] == [7]
    assert len(executor.pids()) == 3, "cells are started as they are used"


@needs_cells
def test_nothing_comes_back_after_the_first_that_is_enough(executor: EmbeddedExecutor) -> None:
    seen: list[str] = []

    def failed(one: Run) -> bool:
        seen.append(one.stdout)
        return one.status != "ok"

    runs = run(executor, numbers(40), failed)
    assert [one.stdout for one in runs] == seen == [f"{n}\n" for n in range(8)]
    assert [one.stdout for one in run(executor, numbers(3))] == ["0\n", "1\n", "2\n"], "as before"


@needs_cells
def test_a_program_that_does_not_compile_is_one_outcome(executor: EmbeddedExecutor) -> None:
    async def once() -> list[Run]:
        return await executor.execute(Program("print("), numbers(9), LIMITS)

    assert [one.status for one in anyio.run(once)] == ["compile_error"]


@needs_cells
def test_who_comes_later_need_not_wait_for_a_program_that_has_every_cell(
    executor: EmbeddedExecutor,
) -> None:
    ended: list[str] = []

    async def execute(name: str, count: int) -> None:
        await executor.execute(SLOW_ECHO, numbers(count), LIMITS)
        ended.append(name)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(execute, "long", 60)
            while len(executor.pids()) < 3:
                await anyio.sleep(0.01)
            await anyio.sleep(0.1)
            for _ in range(2):
                group.start_soon(execute, "short", 1)

    anyio.run(all_of_them)
    assert ended == ["short", "short", "long"]


def test_calls_stay_together() -> None:
    call = CallInput("f", ())
    assert can_be_shared([StdinInput(""), ScriptInput("")])
    assert not can_be_shared([call, call])
    assert not can_be_shared([StdinInput(""), call]) and not can_be_shared([StdinInput("")])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("places", [0, 1, 5])
@pytest.mark.parametrize("keeps", [True, False])
def test_whoever_runs_what_and_when(
    keeps: bool, places: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells that take any time, leave early and fail: what comes back is that of one cell.

    Where outputs are not kept, those of three or four inputs may wait for earlier ones.
    """
    monkeypatch.setattr(sharing, "_MAX_WAITING", 5)
    chance = random.Random(seed)
    count, wrong, broken = 30, chance.randrange(40), chance.randrange(40)
    seen: list[str] = []
    free = places

    def until(one: Run) -> bool:
        seen.append(one.stdout)
        return one.stdout == str(wrong)

    def idle_place() -> Callable[[], None] | None:
        nonlocal free
        if not free:
            return None
        free -= 1
        return give_back

    def give_back() -> None:
        nonlocal free
        free += 1

    shared = SharedRuns(count, until, keeps_outputs=keeps)

    async def run_share(share: Share, helps: bool) -> None:
        while True:
            await anyio.sleep(chance.choice((0, 0.001, 0.01)))
            if share.position == broken:
                raise JudgeError("a cell was lost")
            if shared.add(share, Run("ok", stdout=str(share.position))):
                return
            held = sum(len(one.stdout) for one in shared._runs.values())
            assert keeps or shared._errors or held <= 5 + 2
            if helps and chance.random() < 0.2:
                return

    async def all_of_it() -> list[Run]:
        return await share_out(shared, run_share, idle_place, lambda: chance.random() < 0.1)

    expected = [str(n) for n in range(min(count, wrong + 1))]
    if broken < len(expected):
        with pytest.raises(JudgeError, match="a cell was lost"):
            anyio.run(all_of_it)
        assert seen == expected[: len(seen)]
    else:
        runs = anyio.run(all_of_it)
        assert seen == expected
        assert [one.stdout for one in runs] == (expected if keeps else [""] * len(expected))
    assert free == places

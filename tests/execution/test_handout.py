"""A process of calls knows no more of them than it may make in one time limit."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator

import anyio
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import CallInput, Program, Run
from ctrl_harness.execution.handout import FIRST_CALLS, Handout
from ctrl_harness.problems.problem import Limits

KNOWN = """
import gc, marshal
def known(n):
    'How many calls, from this one on.'
    return 1 - n + max(
        marshal.loads(found[-1][1])[0] for found in gc.get_objects()
        if type(found) is list and found and type(found[0]) is tuple
        and tuple(map(type, found[0])) == (str, bytes) and found[0][0] == "f"
    )
"""


@pytest.fixture(scope="module")
def executor() -> Iterator[EmbeddedExecutor]:
    executor = EmbeddedExecutor(jobs=1)
    yield executor
    anyio.run(executor.aclose)


def runs_of(
    executor: EmbeddedExecutor, source: str, count: int, size: int = 0, time_s: float = 1.0
) -> list[Run]:
    inputs = [CallInput("f", (n, "x" * size)) for n in range(count)]

    async def run() -> list[Run]:
        return await executor.execute(Program(source), inputs, Limits(time_s=time_s))

    return anyio.run(run)


@pytest.mark.parametrize(("count", "size"), [(1, 0), (32, 0), (33, 0), (1_500, 0), (50, 300_000)])
def test_every_call_is_made_once_and_in_order(
    executor: EmbeddedExecutor, count: int, size: int
) -> None:
    source = "made = []\ndef f(n, text):\n    made.append(n)\n    return n, len(made), len(text)"
    values = [run.value for run in runs_of(executor, source, count, size)]
    assert values == [(n, n % 1_000 + 1, size) for n in range(count)]


def test_the_inputs_of_slow_calls_come_one_by_one(executor: EmbeddedExecutor) -> None:
    source = KNOWN + "import time\ndef f(n, _):\n    time.sleep(0.03)\n    return known(n)"
    known = [run.value for run in runs_of(executor, source, FIRST_CALLS + 6, time_s=0.5)]
    assert known[0] == FIRST_CALLS and set(known[FIRST_CALLS:]) == {1}


def test_the_inputs_of_short_calls_come_together(executor: EmbeddedExecutor) -> None:
    source = KNOWN + "def f(n, _): return known(n)"
    known = [run.value for run in runs_of(executor, source, 200)]
    assert known[0] == FIRST_CALLS and max(known) > FIRST_CALLS


def test_work_on_a_late_call_is_done_within_its_own_time(executor: EmbeddedExecutor) -> None:
    source = KNOWN + (
        "import time\nleft = 2.0\ndef f(n, _):\n    global left\n"
        "    if n == 5:\n        time.sleep(left)\n"
        "    elif n + known(n) > 5:\n        time.sleep(0.45)\n        left -= 0.45\n"
        "    return n"
    )
    statuses = [run.status for run in runs_of(executor, source, 6, time_s=0.5)]
    assert statuses == ["ok"] * 5 + ["time_limit"]


def test_honest_calls_have_their_limit_each(executor: EmbeddedExecutor) -> None:
    source = "import time\ndef f(n, _):\n    time.sleep(0.3)\n    return n"
    assert [run.value for run in runs_of(executor, source, 5, time_s=0.6)] == list(range(5))


def test_a_call_that_fails_on_its_second_chance_took_too_long(executor: EmbeddedExecutor) -> None:
    source = (
        "import time\nfirst = True\ndef f(n, _):\n    global first\n"
        "    assert n == 0 or not first\n    first = False\n    time.sleep(0.45)\n    return n"
    )
    statuses = [run.status for run in runs_of(executor, source, 4, time_s=0.5)]
    assert statuses[:3] == ["ok", "ok", "time_limit"] or statuses[:2] == ["ok", "time_limit"]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.closerange(4, 256)\ndef f(n, _): return n",
        "import os\nos.read(4, 1 << 20)\ndef f(n, _): return n",
        "import os\ndef f(n, _):\n    os.set_blocking(4, False)\n    return n",
    ],
    ids=["closes the pipe", "reads it", "blocks no more"],
)
def test_a_program_that_spoils_the_pipe_harms_itself(
    executor: EmbeddedExecutor, source: str
) -> None:
    runs = runs_of(executor, source, 40, time_s=0.5)
    assert len(runs) == 40
    assert [run.value for run in runs_of(executor, "def f(n, _): return n", 3)] == [0, 1, 2]


def test_what_the_pipe_does_not_take_waits() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    calls = [("f", marshal.dumps("x" * 500_000)), ("f", marshal.dumps(1))]
    handout = Handout(1, calls, writer, 1.0)
    handout.restart_clock()
    handout.answered(1)
    assert handout.unanswered == 1 and handout.is_sending
    data = b""
    while handout.is_sending:
        data += os.read(reader, 1 << 16)
        handout.send()
    data += os.read(reader, 1 << 20)
    size = int.from_bytes(data[:4], "little")
    assert len(data) == 4 + size and marshal.loads(data[4:]) == calls[:1]
    os.close(reader)
    handout.answered(1)
    assert not handout.is_sending, "nobody reads it any more"
    os.close(writer)

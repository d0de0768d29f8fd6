"""Calls run in a process that reports to the harness itself: what it may say, and when it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import anyio
import pytest

from ctrl_harness.execution import judging
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import CallInput, Input, Program, Run, StdinInput
from ctrl_harness.problems.problem import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

LIMITS = Limits(time_s=1.0, memory_mb=256, output_mb=1)
CALLS = [CallInput("f", (n,)) for n in range(4)]


@pytest.fixture(scope="module")
def executor() -> Iterator[EmbeddedExecutor]:
    made = EmbeddedExecutor(jobs=1)
    yield made
    anyio.run(made.aclose)


def runs_of(
    executor: EmbeddedExecutor, source: str, inputs: list[Input], prelude: str = ""
) -> list[Run]:
    async def main() -> list[Run]:
        return await executor.execute(Program(source, prelude), inputs, LIMITS)

    return anyio.run(main)


def statuses(runs: list[Run]) -> list[str]:
    return [run.status for run in runs]


def test_calls_share_a_process_and_follow_a_crash_in_a_new_one(executor: EmbeddedExecutor) -> None:
    source = (
        "import os\nseen = []\n\ndef f(n):\n    seen.append(n)\n"
        "    if n == 1:\n        os._exit(3)\n    return seen\n"
    )
    runs = runs_of(executor, source, [*CALLS])
    assert statuses(runs) == ["ok", "runtime_error", "ok", "ok"]
    assert [run.value for run in runs] == [[0], None, [2], [2, 3]]
    assert runs[1].exit_status == 3


def test_more_calls_than_one_process_is_asked_for(
    executor: EmbeddedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_MAX_CALLS", 3)
    inputs: list[Input] = [CallInput("f", (n,)) for n in range(8)]
    runs = runs_of(executor, "def f(n):\n    return n * n", inputs)
    assert [run.value for run in runs] == [n * n for n in range(8)]


def test_calls_among_other_inputs_keep_their_order(executor: EmbeddedExecutor) -> None:
    source = "def f(n):\n    return n\n\nif __name__ == '__main__':\n    print(input())\n"
    inputs: list[Input] = [CALLS[1], StdinInput("a\n"), CALLS[2], CALLS[3], StdinInput("b\n")]
    runs = runs_of(executor, source, inputs)
    assert [run.value if run.value is not None else run.stdout for run in runs] == [
        1, "a\n", 2, 3, "b\n",
    ]  # fmt: skip


def test_a_slow_call_is_ended_and_the_next_are_made(executor: EmbeddedExecutor) -> None:
    source = "def f(n):\n    while n == 1: pass\n    return n"
    start = time.perf_counter()
    runs = runs_of(executor, source, [*CALLS])
    assert statuses(runs) == ["ok", "time_limit", "ok", "ok"]
    assert 1.0 <= runs[1].time_s < 1.5
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("kind", ["P", "C", "J", "S", "T", "D", "X", "L", "O", "?"])
def test_a_forged_report_is_the_programs_own_fault(executor: EmbeddedExecutor, kind: str) -> None:
    source = (
        "import os\n\ndef f(n):\n"
        f"    os.write(3, (5).to_bytes(4, 'little') + b'{kind}0000')\n"
        "    os._exit(0)\n"
    )
    runs = runs_of(executor, source, [*CALLS])
    assert len(runs) == 4
    assert not {"ok", "compile_error"} & set(statuses(runs))


@pytest.mark.parametrize("when", ["while it is loaded", "in a call"])
def test_a_frame_that_is_too_long_is_an_output_limit(executor: EmbeddedExecutor, when: str) -> None:
    forge = "import os; os.write(3, b'\\xff' * 64)"
    source = (
        f"{forge}\ndef f(n): pass"
        if when == "while it is loaded"
        else (f"def f(n):\n    {forge}\n    return n")
    )
    runs = runs_of(executor, source, [*CALLS])
    assert set(statuses(runs)) == {"output_limit"}


def test_a_program_that_closes_its_reports_is_not_waited_for(executor: EmbeddedExecutor) -> None:
    source = "import os, time\n\ndef f(n):\n    os.close(3)\n    time.sleep(60)\n"
    runs = runs_of(executor, source, CALLS[:1])
    assert statuses(runs) == ["runtime_error"]
    assert runs[0].time_s < 0.5


def test_a_program_that_does_not_compile_is_told_once(executor: EmbeddedExecutor) -> None:
    (run,) = runs_of(executor, "def f(n:", [*CALLS])
    assert run.status == "compile_error"
    assert "SyntaxError" in run.error


def test_what_a_program_wrote_to_stderr_tells_of_its_end_and_of_no_later_one(
    executor: EmbeddedExecutor,
) -> None:
    source = (
        "import os, sys\n\ndef f(n):\n    print('last words', n, file=sys.stderr)\n    os._exit(1)"
    )
    runs = runs_of(executor, source, [*CALLS])
    assert [run.stderr for run in runs] == [f"last words {n}\n" for n in range(4)]

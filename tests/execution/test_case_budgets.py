"""Every call has a budget of its own: none fails for what earlier ones used up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.execution.bundle import worker_zip
from ctrl_harness.execution.cell_job import Job
from ctrl_harness.execution.driver import (
    JOB_FILE,
    RESULTS_FILE,
    Results,
    judge_elsewhere,
    packed,
)
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import CallInput, Program, Run
from ctrl_harness.execution.fusion import _BUNDLE, _DRIVER
from ctrl_harness.execution.judging import Judging
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

LIMITS = Limits(time_s=5.0, memory_mb=200, output_mb=1)
N_CALLS = 24

Runner = Callable[[str, list[Any], Limits], list[Run]]


@pytest.fixture(scope="module", params=["a cell", "a process", "a driver elsewhere"])
def runs_of(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Runner]:
    """What calls of `f` with one argument each come to."""
    if request.param == "a driver elsewhere":

        async def execute(program: Program, inputs: list[Any], limits: Limits) -> list[Run]:
            judging = Judging(program, inputs, limits, None, ())
            return await judge_elsewhere(judging, _run_driver(tmp_path_factory), "here")

        yield _runner(execute)
        return
    executor = EmbeddedExecutor(jobs=1) if request.param == "a cell" else ProcessExecutor(jobs=1)
    yield _runner(executor.execute)
    anyio.run(executor.aclose)


def _runner(execute: Callable[..., Awaitable[list[Run]]]) -> Runner:
    def run(source: str, arguments: list[Any], limits: Limits = LIMITS) -> list[Run]:
        inputs = [CallInput("f", (argument,)) for argument in arguments]
        return anyio.run(execute, Program(source), inputs, limits)

    return run


def _run_driver(tmp_path_factory: Any) -> Callable[[Job], Awaitable[Results]]:
    async def run_job(job: Job) -> Results:
        folder: Path = tmp_path_factory.mktemp("elsewhere")
        (folder / _BUNDLE).write_bytes(worker_zip("remote"))
        (folder / JOB_FILE).write_bytes(packed(job))
        driver = [sys.executable, "-c", _DRIVER.format(bundle=_BUNDLE, budget_s=60.0)]
        done = subprocess.run(driver, cwd=folder, capture_output=True, text=True)
        results = (folder / RESULTS_FILE).read_bytes()
        return Results(results, job.max_frame_bytes, done.stdout, done.stderr)

    return run_job


def statuses(runs: list[Run]) -> set[str]:
    return {run.status for run in runs}


USES_SOME = {
    "standard output": "def f(n):\n    print('x' * 100_000)\n    return n",
    "standard output, while it is loaded": "print('x' * 900_000)\n"
    "def f(n):\n    print('x' * 200_000)\n    return n",
    "standard error": "import sys\ndef f(n):\n    sys.stderr.write('x' * 100_000)\n    return n",
    "a stream of its own": "import sys\nsys.stdout = open('/proc/self/fd/1', 'w')\n"
    "def f(n):\n    print('x' * 100_000)\n    return n",
    "a file that grows": "def f(n):\n    with open('log', 'a') as log:\n"
    "        log.write('x' * 100_000)\n    return n",
    "files of the same name": "import os\ndef f(n):\n    os.mkdir('made')\n    return n",
    "open files": "kept = []\ndef f(n):\n"
    "    kept.append([open('/dev/null') for _ in range(30)])\n    return n",
    "memory": "kept = []\ndef f(n):\n    kept.append(bytearray(16 << 20))\n    return n",
    "memory, and dies of it": "import os, signal\nkept = []\ndef f(n):\n    kept.append(n)\n"
    "    if len(kept) > 5:\n        os.kill(os.getpid(), signal.SIGSEGV)\n    return n",
}


@pytest.mark.parametrize("used", USES_SOME)
def test_no_call_fails_for_what_earlier_ones_used_up(runs_of: Runner, used: str) -> None:
    runs = runs_of(USES_SOME[used], list(range(N_CALLS)), LIMITS)
    assert statuses(runs) == {"ok"}, runs
    assert [run.value for run in runs] == list(range(N_CALLS))


def test_a_call_that_fails_by_itself_is_made_again_once_and_fails(runs_of: Runner) -> None:
    """The others keep their results, whatever a process they share."""
    source = "def f(n):\n    if n % 3 == 1:\n        raise MemoryError\n    return n"
    runs = runs_of(source, list(range(N_CALLS)), LIMITS)
    assert [run.value for run in runs] == [None if n % 3 == 1 else n for n in range(N_CALLS)]
    assert statuses(runs[1::3]) == {"memory_limit"}


def test_a_call_that_prints_more_than_its_limit_is_an_output_limit(runs_of: Runner) -> None:
    source = "def f(n):\n    print('x' * (n << 20))\n    return n"
    runs = runs_of(source, [0, 2, 0, 2, 0], LIMITS)
    assert [run.status for run in runs] == ["ok", "output_limit", "ok", "output_limit", "ok"]


def test_a_program_that_asks_for_another_process_at_every_call_gets_an_end(
    runs_of: Runner,
) -> None:
    source = (
        "import os\n"
        "def f(n):\n    for number in range(3, 1024):\n        try:\n"
        "            os.write(number, b'\\x01\\0\\0\\0A')\n"
        "        except OSError:\n            pass\n    os._exit(0)"
    )
    runs = runs_of(source, list(range(N_CALLS)), LIMITS)
    assert len(runs) == N_CALLS
    assert "ok" not in statuses(runs)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("def f(n): return '1,[' * 300_000", "1,[" * 300_000),
        ("def f(n): return 'é' * 500_000", "é" * 500_000),
        ("def f(n): return ['日本語,[' * 1000] * 60", ["日本語,[" * 1000] * 60),
        (r"def f(n): return '\ud800' + chr(n)", "\ud800\0"),
        ("def f(n): return [n] * 131_000", [0] * 131_000),
    ],
    ids=["punctuation in a text", "letters", "texts in a list", "half a letter", "values"],
)
def test_a_result_counts_as_its_text_and_its_values(
    runs_of: Runner, source: str, value: Any
) -> None:
    (run,) = runs_of(source, [0], LIMITS)
    assert run.status == "ok"
    assert run.value == value


def test_a_forged_result_of_too_many_values_is_an_output_limit(runs_of: Runner) -> None:
    """A list that is all brackets takes 20 times its size in memory."""
    source = (
        "import os\ndef f(n):\n"
        "    data = b'R[' + b'[],' * 340_000 + b'[]]'\n"
        "    data = len(data).to_bytes(4, 'little') + data\n"
        "    for number in range(3, 1024):\n        left = data\n        try:\n"
        "            while left: left = left[os.write(number, left):]\n"
        "        except OSError:\n            pass\n"
    )
    (run,) = runs_of(source, [0], LIMITS)
    assert run.status == "output_limit"
    assert "8 bytes each" in run.error


@pytest.mark.parametrize(
    "source",
    [
        "import sys\ndef f(n):\n    sys.stderr.write('x' * (20 << 20))\n    return n",
        "def f(n):\n    open('table', 'wb').write(bytes(20 << 20))\n    return n",
    ],
    ids=["stderr", "a file"],
)
def test_the_output_limit_is_none_of_what_is_no_output(runs_of: Runner, source: str) -> None:
    runs = runs_of(source, [0, 1], LIMITS)
    assert [run.value for run in runs] == [0, 1]

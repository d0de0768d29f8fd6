"""The synchronous judge, with real cells: scripts, threads, event loops and forks ask; its end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import ctrl_harness
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.sync import SyncJudge
from ctrl_harness.verification.verdict import Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

ADD = Problem("add", "d", "", (StdioCase("1 2\n", "3\n"),), limits=Limits(time_s=60))
RIGHT, WRONG = "print(sum(map(int, input().split())))", "print(4)"
LOOP = "while True: pass"


@pytest.fixture
def executor() -> EmbeddedExecutor:
    return EmbeddedExecutor(jobs=1)


@pytest.fixture
def judge(executor: EmbeddedExecutor) -> Iterator[SyncJudge]:
    with SyncJudge(Judge(executor)) as judge:
        yield judge
    assert executor.pids() == []


def soon(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def started(judge: SyncJudge, executor: EmbeddedExecutor) -> Future[Verdict]:
    """An endless program that has got as far as a cell."""
    judge.verify(ADD, RIGHT)
    future = judge.submit(ADD, LOOP)
    time.sleep(0.2)
    return future


# -- verdicts


def test_programs_and_completions_are_judged(judge: SyncJudge) -> None:
    assert judge.verify(ADD, RIGHT).passed
    assert judge.verify(ADD, WRONG).status == "wrong_answer"
    assert judge.verify(ADD, None).status == "no_code"
    assert judge.verify_completion(ADD, f"So:\n```python\n{RIGHT}\n```\n").passed
    assert judge.verify_completion(ADD, "I do not know.").status == "no_code"


def test_verdicts_are_those_of_the_judge_itself(judge: SyncJudge) -> None:
    own = Judge(EmbeddedExecutor(jobs=1))
    assert judge.verify(ADD, RIGHT).digest == own.digest(ADD, RIGHT, bare=True)
    fenced = f"```python\n{RIGHT}```"
    digest = own.digest(ADD, own.extract(fenced, ADD))
    assert judge.verify_completion(ADD, fenced).digest == digest


def test_futures_come_as_they_were_submitted(judge: SyncJudge) -> None:
    programs = [RIGHT, WRONG] * 20
    futures = [judge.submit(ADD, program) for program in programs]
    assert [future.result().passed for future in futures] == [True, False] * 20


def test_what_cannot_be_judged_is_an_error_and_no_verdict(judge: SyncJudge) -> None:
    with pytest.raises(UserError, match="no test case"):
        judge.verify(ADD.with_cases(()), RIGHT)
    assert judge.verify(ADD, RIGHT).passed


def test_a_program_whose_cell_dies_twice_has_failed(
    judge: SyncJudge, executor: EmbeddedExecutor
) -> None:
    future = started(judge, executor)
    killed: set[int] = set()
    while len(killed) < 2:
        assert soon(lambda: bool(set(executor.pids()) - killed))
        (pid,) = set(executor.pids()) - killed
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    # a program that does nothing is judged in between, so that the machinery is not to blame
    assert future.result().status == "runtime_error"


# -- who may ask


def test_many_threads_may_ask_at_once(judge: SyncJudge) -> None:
    with ThreadPoolExecutor(16) as threads:
        programs = [RIGHT, WRONG] * 40
        verdicts = list(threads.map(lambda program: judge.verify(ADD, program), programs))
    assert [verdict.passed for verdict in verdicts] == [True, False] * 40


def test_a_running_event_loop_may_ask(judge: SyncJudge) -> None:
    async def main() -> list[bool]:
        here = judge.verify(ADD, RIGHT)
        there = await asyncio.to_thread(judge.verify, ADD, WRONG)
        awaited = await asyncio.wrap_future(judge.submit(ADD, RIGHT))
        return [here.passed, there.passed, awaited.passed]

    assert asyncio.run(main()) == [True, False, True]


def test_a_callback_may_submit_but_not_wait(judge: SyncJudge) -> None:
    seen: list[object] = []
    done = threading.Event()

    def callback(_: Future[Verdict]) -> None:
        for ask in (
            lambda: judge.submit(ADD, WRONG),
            lambda: judge.verify(ADD, RIGHT),
            judge.close,
        ):
            try:
                seen.append(ask())
            except UserError as error:
                seen.append(str(error))
        done.set()

    judge.submit(ADD, RIGHT).add_done_callback(callback)
    assert done.wait(30)
    submitted, *refused = seen
    assert isinstance(submitted, Future)
    assert submitted.result().status == "wrong_answer"
    assert all("another thread" in str(reason) for reason in refused)


def test_a_fork_judges_by_itself(judge: SyncJudge, executor: EmbeddedExecutor) -> None:
    judge.verify(ADD, RIGHT)
    cells = executor.pids()
    child = os.fork()
    if child == 0:
        fine = judge.verify(ADD, RIGHT).passed and executor.pids() != cells
        judge.close()
        os._exit(0 if fine and executor.pids() == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert judge.verify(ADD, RIGHT).passed
    assert executor.pids() == cells


# -- its end


def test_nothing_starts_before_the_first_judgement() -> None:
    threads = threading.active_count()
    with SyncJudge(Judge(EmbeddedExecutor())):
        assert threading.active_count() == threads


def test_nothing_is_left_after_the_context() -> None:
    executor = EmbeddedExecutor(jobs=2)
    gc.collect()  # what other tests left would close its descriptors meanwhile
    threads, descriptors = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    with SyncJudge(Judge(executor)) as judge:
        for future in [judge.submit(ADD, RIGHT) for _ in range(8)]:
            assert future.result().passed
        cells = executor.pids()
        assert len(cells) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in cells)
    assert soon(lambda: set(threading.enumerate()) <= threads)
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_closing_cancels_what_is_not_done(executor: EmbeddedExecutor) -> None:
    judge = SyncJudge(Judge(executor))
    running = started(judge, executor)
    waiting = [judge.submit(ADD, LOOP) for _ in range(50)]
    told: list[str] = []

    def wait() -> None:
        with pytest.raises(JudgeError, match="closed while it judged") as error:
            judge.verify(ADD, LOOP)
        told.append(str(error.value))

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.1)
    start = time.monotonic()
    judge.close()
    judge.close()
    assert time.monotonic() - start < 5
    assert all(future.cancelled() for future in (running, *waiting))
    waiter.join(5)
    assert len(told) == 1
    assert executor.pids() == []
    with pytest.raises(UserError, match="closed; make another one"):
        judge.verify(ADD, RIGHT)


def test_a_cancelled_future_ends_its_program(judge: SyncJudge, executor: EmbeddedExecutor) -> None:
    future = started(judge, executor)
    cells = executor.pids()
    start = time.monotonic()
    assert future.cancel()
    assert judge.verify(ADD, RIGHT).passed  # the only cell is free again
    assert time.monotonic() - start < 5
    assert executor.pids() == cells


SCRIPT = """
    from ctrl_harness import Limits, Problem, StdioCase
    from ctrl_harness.execution.embedded import EmbeddedExecutor
    from ctrl_harness.verification.judge import Judge
    from ctrl_harness.verification.sync import SyncJudge
    executor = EmbeddedExecutor(jobs=1)
    add = Problem("add", "d", "", (StdioCase("1 2", "3"),), limits=Limits(time_s=60))
    judge = SyncJudge(Judge(executor))
    assert judge.verify(add, "print(3)").passed
    print(executor.pids()[0], flush=True)
"""


def _script(rest: str) -> subprocess.Popen[str]:
    root = str(Path(ctrl_harness.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT) + textwrap.dedent(rest)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_ends_the_program_and_the_script() -> None:
    script = _script("with judge: judge.verify(add, 'while True: pass')")
    assert script.stdout is not None
    cell = int(script.stdout.readline())
    time.sleep(0.3)
    start = time.monotonic()
    os.killpg(script.pid, signal.SIGINT)  # as a terminal does, to all that belongs to it
    _, told = script.communicate(timeout=20)
    assert time.monotonic() - start < 5
    assert script.returncode == -signal.SIGINT
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert not Path(f"/proc/{cell}").exists()


@pytest.mark.parametrize("rest", ["", "judge.submit(add, 'while True: pass')"])
def test_a_script_that_forgets_to_close_its_judge_ends_all_the_same(rest: str) -> None:
    start = time.monotonic()
    script = _script(rest)
    out, told = script.communicate(timeout=30)
    assert (script.returncode, told) == (0, "")
    assert time.monotonic() - start < 20
    assert soon(lambda: not Path(f"/proc/{int(out)}").exists())

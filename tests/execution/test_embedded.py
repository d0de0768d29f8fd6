"""The embedded executor: what a program may do, what a run says, and that nothing is left."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution import cell_client
from ctrl_harness.execution.cell_client import Cell
from ctrl_harness.execution.cell_job import CellSettings
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import (
    CallInput,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.wire import Iterated
from ctrl_harness.problems.problem import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

LIMITS = Limits(time_s=2.0, memory_mb=256, output_mb=4)
SUM = Program("print(sum(map(int, input().split())))")
LOOP = Program("while True: pass")


@asynccontextmanager
async def executor(**options: Any) -> AsyncIterator[EmbeddedExecutor]:
    made = EmbeddedExecutor(**{"jobs": 1, **options})
    try:
        yield made
    finally:
        with anyio.CancelScope(shield=True):
            await made.aclose()


def run(test: Callable[[EmbeddedExecutor], Any], **options: Any) -> Any:
    async def main() -> Any:
        async with executor(**options) as made:
            return await test(made)

    return anyio.run(main)


def runs_of(source: str, *inputs: Any, limits: Limits = LIMITS, prelude: str = "") -> list[Run]:
    async def main(made: EmbeddedExecutor) -> list[Run]:
        return await made.execute(Program(source, prelude), inputs or [StdinInput("")], limits)

    result: list[Run] = run(main)
    return result


# -- what a run says


def test_stdout_of_each_input_comes_in_order() -> None:
    runs = runs_of(SUM.source, *(StdinInput(f"{n} 1\n") for n in range(5)))
    assert [(r.status, r.stdout) for r in runs] == [("ok", f"{n + 1}\n") for n in range(5)]
    assert all(0 < r.time_s < 2 and r.memory_mb is not None and r.memory_mb < 100 for r in runs)


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("1/0", "runtime_error", "ZeroDivisionError"),
        ("import sys; print(1); sys.exit(3)", "runtime_error", "exit status 3"),
        ("import os; os.abort()", "runtime_error", "SIGABRT"),
        ("while True: pass", "time_limit", ""),
        ("x = [0] * 10**9", "memory_limit", "MemoryError"),
        ("print('x' * 5_000_000)", "output_limit", ""),
        ("import os\nos.fork()", "runtime_error", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "runtime_error", "PermissionError"),
        ("import socket; socket.socket()", "runtime_error", "PermissionError"),
        ("open('/etc/passwd')", "runtime_error", "FileNotFoundError"),
    ],
)
def test_how_a_run_ended(source: str, status: str, error: str) -> None:
    (ended,) = runs_of(source, limits=Limits(1.0, 256, 4))
    assert ended.status == status
    assert error in ended.error


def test_a_compile_error_is_one_run() -> None:
    (ended,) = runs_of("def f(:", *[StdinInput("")] * 9)
    assert ended.status == "compile_error"
    assert "SyntaxError" in ended.error


@pytest.mark.parametrize("source", ["a\0b", "x = '\ud800'\nprint(3", "", " " * (10 << 20)])
def test_sources_of_every_kind_have_an_end(source: str) -> None:
    (ended,) = runs_of(source)
    assert ended.status in ("ok", "compile_error")


def test_no_input_is_no_run() -> None:
    async def main(made: EmbeddedExecutor) -> list[Run]:
        return await made.execute(SUM, [], LIMITS)

    assert run(main) == []


def test_a_compile_bomb_ends_at_a_limit_outside_the_compiler() -> None:
    source = "x = (" + "+".join(["(lambda: [a for a in b])"] * 400_000) + ")"
    start = time.monotonic()
    (ended,) = runs_of(source, limits=Limits(1.0, 256, 4))
    assert ended.status in ("compile_error", "memory_limit", "time_limit", "runtime_error")
    assert time.monotonic() - start < 20


def test_the_time_limit_is_kept_closely() -> None:
    (ended,) = runs_of("while True: pass", limits=Limits(0.5, 256, 4))
    assert ended.status == "time_limit"
    assert 0.5 <= ended.time_s < 1.5


def test_calls_share_a_process_and_go_on_after_a_crash_or_a_time_limit() -> None:
    source = textwrap.dedent(
        """
        seen = []
        def f(n):
            import os, time
            seen.append(n)
            if n == 1: os._exit(0)
            if n == 3: time.sleep(9)
            if n == 4: return (x for x in range(3))
            if n == 5: return {1, (2, 3)}
            if n == 6: return 1 / 0
            if n == 7: return 10**30
            return list(seen)
        """
    )
    runs = runs_of(source, *(CallInput("f", (n,)) for n in range(9)), limits=Limits(0.5, 256, 4))
    assert [r.status for r in runs] == (
        ["ok", "runtime_error", "ok", "time_limit", "ok", "ok", "runtime_error", "ok", "ok"]
    )
    assert runs[0].value == [0]
    assert runs[2].value == [2]  # a new process
    assert runs[4].value == Iterated((0, 1, 2))
    assert runs[5].value == {1, (2, 3)}
    assert runs[7].value == 10**30
    assert runs[8].value == [4, 5, 6, 7, 8]


def test_a_program_that_cannot_be_loaded_fails_every_call_alike() -> None:
    runs = runs_of("raise ValueError('early')", *(CallInput("f", (n,)) for n in range(3)))
    assert [r.status for r in runs] == ["runtime_error"] * 3
    assert all("early" in r.error for r in runs)


def test_a_script_counts_only_when_it_ran_to_its_end() -> None:
    right, wrong = ScriptInput("assert add(1, 2) == 3"), ScriptInput("assert add(1, 2) == 4")
    runs = runs_of("def add(a, b): return a + b", right, wrong, right)
    assert [r.status for r in runs] == ["ok", "runtime_error", "ok"]
    (left,) = runs_of("import os\nos._exit(0)", right)
    assert left.status == "runtime_error"


def test_kinds_of_input_may_be_mixed() -> None:
    source = "def f(a): return a * 2\nif __name__ == '__main__': print(open(0).read())"
    runs = runs_of(
        *(source, CallInput("f", (2,)), StdinInput("in"), CallInput("f", ("x",))),
        ScriptInput("assert f(1) == 2"),
    )
    assert [r.status for r in runs] == ["ok"] * 4
    assert (runs[0].value, runs[1].stdout, runs[2].value) == (4, "in\n", "xx")


def test_until_ends_early() -> None:
    async def main(made: EmbeddedExecutor) -> list[Run]:
        seen: list[Run] = []

        def until(ended: Run) -> bool:
            seen.append(ended)
            return ended.status != "ok"

        inputs = [StdinInput("1"), StdinInput("x"), *[StdinInput("1")] * 500]
        runs = await made.execute(SUM, inputs, LIMITS, until)
        assert seen == runs
        again = await made.execute(SUM, [StdinInput("2 3")], LIMITS)
        assert again[0].stdout == "5\n"
        return runs

    assert [r.status for r in run(main)] == ["ok", "runtime_error"]


def test_the_prelude_runs_first_and_its_failure_is_the_judges() -> None:
    (ended,) = runs_of("print(floor(2.5) + N)", prelude="from math import *\nN = 1")
    assert ended.stdout == "3\n"
    with pytest.raises(JudgeError, match="prelude"):
        runs_of("print(1)", prelude="raise RuntimeError('ours')")


def test_an_empty_scratch_folder_awaits_every_run() -> None:
    source = "import os\nprint(os.listdir('.'), os.listdir('/tmp'))\nopen('/tmp/left', 'w')"
    assert {r.stdout for r in runs_of(source, *[StdinInput("")] * 3)} == {"[] []\n"}


def test_large_inputs_and_outputs_pass_whole() -> None:
    text = "äx" * (1 << 20)
    (ended,) = runs_of("print(input())", StdinInput(text + "\n"), limits=Limits(4, 512, 16))
    assert ended.stdout == text + "\n"


def test_absurd_limits_are_taken() -> None:
    (ended,) = runs_of(SUM.source, StdinInput("1 2"), limits=Limits(9e5, 9e5, 9e5))
    assert ended.stdout == "3\n"
    (ended,) = runs_of(SUM.source, StdinInput("1 2"), limits=Limits(1e-6, 9e5, 1))
    assert ended.status == "time_limit"
    (ended,) = runs_of(SUM.source, StdinInput("1 2"), limits=Limits(2, 0.001, 1))
    assert ended.status in ("ok", "memory_limit", "runtime_error")


_UNDER_HARD_LIMITS = """
import anyio, resource, sys
from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Program, StdinInput
from ctrl_harness.problems.problem import Limits

which, amount, time_s, memory_mb = sys.argv[1], *map(int, sys.argv[2:])
resource.setrlimit(getattr(resource, which), (amount, amount))

async def main():
    executor = EmbeddedExecutor(jobs=1)
    try:
        limits = Limits(time_s=time_s, memory_mb=memory_mb)
        (run,) = await executor.execute(Program("print(1)"), [StdinInput("")], limits)
        print(run.status)
    except JudgeError as error:
        print("judge error:", error)
    finally:
        await executor.aclose()

anyio.run(main)
"""


@pytest.mark.parametrize(
    ("which", "amount", "time_s", "memory_mb", "said"),
    [
        ("RLIMIT_NPROC", 200, 2, 256, "ok"),
        ("RLIMIT_FSIZE", 2 << 20, 2, 256, "judge error: .*ulimit -H -f"),
        ("RLIMIT_CPU", 60, 100, 256, "judge error: .*ulimit -H -t"),
        ("RLIMIT_AS", 2 << 30, 2, 4096, "judge error: .*ulimit -H -v"),
    ],
)
def test_low_hard_limits_of_the_machine_are_no_fault_of_the_program(
    which: str, amount: int, time_s: int, memory_mb: int, said: str
) -> None:
    command = [sys.executable, "-c", _UNDER_HARD_LIMITS, which]
    command += map(str, (amount, time_s, memory_mb))
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert re.match(said, found.stdout), (found.stdout, found.stderr)


def test_a_package_that_is_not_on_the_list_cannot_be_imported() -> None:
    (ended,) = runs_of("import anyio")
    assert "ModuleNotFoundError" in ended.error

    async def main(made: EmbeddedExecutor) -> list[Run]:
        return await made.execute(Program("import idna; print('in')"), [StdinInput("")], LIMITS)

    assert run(main, packages=("idna",))[0].stdout == "in\n"


# -- lives of cells


def test_event_loops_come_and_go() -> None:
    made = EmbeddedExecutor(jobs=1)
    for _ in range(3):
        runs = anyio.run(made.execute, SUM, [StdinInput("1 2")], LIMITS)
        assert runs[0].stdout == "3\n"
    for _ in range(2):
        asyncio.run(made.execute(SUM, [StdinInput("1 2")], LIMITS))
    anyio.run(made.aclose)
    anyio.run(made.aclose)
    assert made.pids() == []


def test_nothing_starts_before_the_first_use() -> None:
    before = len(os.listdir("/proc/self/fd"))
    made = EmbeddedExecutor()
    assert made.pids() == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.slow
def test_a_thousand_programs_at_once_wait_their_turn() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        order: list[int] = []
        descriptors = len(os.listdir("/proc/self/fd"))
        most = 0

        async def one(n: int) -> None:
            nonlocal most
            (ended,) = await made.execute(SUM, [StdinInput(f"{n} 0")], LIMITS)
            assert ended.stdout == f"{n}\n"
            most = max(most, len(os.listdir("/proc/self/fd")))
            order.append(n)

        async with anyio.create_task_group() as group:
            for n in range(1000):
                group.start_soon(one, n)
        assert order == sorted(order)  # one cell: first come, first served
        assert most - descriptors < 40

    run(main)


@pytest.mark.parametrize("native", [False, True])
def test_cancelling_kills_what_runs(native: bool) -> None:
    async def main(made: EmbeddedExecutor) -> None:
        await made.execute(SUM, [StdinInput("1")], LIMITS)
        start = time.monotonic()
        if native:
            task = asyncio.create_task(made.execute(LOOP, [StdinInput("")] * 9, LIMITS))
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with anyio.move_on_after(0.3):
                await made.execute(LOOP, [StdinInput("")] * 9, LIMITS)
        assert time.monotonic() - start < 1.5
        pids = made.pids()
        runs = await made.execute(SUM, [StdinInput("1 2")], LIMITS)
        assert runs[0].stdout == "3\n"
        assert made.pids() == pids  # the same cell

    run(main)


def test_a_cell_that_dies_is_replaced_and_the_program_judged_again() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        await made.execute(SUM, [StdinInput("1")], LIMITS)
        (old,) = made.pids()
        slow = Program("import time\ntime.sleep(0.5)\nprint('done')")

        async def kill() -> None:
            await anyio.sleep(0.7)
            os.kill(old, 9)

        async with anyio.create_task_group() as group:
            group.start_soon(kill)
            runs = await made.execute(slow, [StdinInput("")] * 3, LIMITS)
        assert [r.stdout for r in runs] == ["done\n"] * 3
        assert made.pids() != [old]

    run(main)


@asynccontextmanager
async def dying_cells(made: EmbeddedExecutor, age_s: float) -> AsyncIterator[None]:
    """Each cell is killed when so long has gone by since it was seen first."""
    killed: set[int] = set()

    async def kill_all() -> None:
        while True:
            for pid in set(made.pids()) - killed:
                await anyio.sleep(age_s)
                os.kill(pid, 9)
                killed.add(pid)
            await anyio.sleep(0.005)

    async with anyio.create_task_group() as group:
        group.start_soon(kill_all)
        yield
        group.cancel_scope.cancel()


def test_two_dead_cells_are_a_judge_error_where_nothing_can_be_judged() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        async with dying_cells(made, 0):
            with pytest.raises(JudgeError, match="judged again once"):
                await made.execute(slow_to_start, [StdinInput("")] * 9, Limits(5))

    # the program that does nothing has this prelude too, and is not over before its cell is killed
    slow_to_start = Program(LOOP.source, "import time; time.sleep(1)")
    run(main)


def test_a_program_that_loses_its_cell_twice_has_failed_where_another_does_not() -> None:
    async def main(made: EmbeddedExecutor) -> list[Run]:
        async with dying_cells(made, 0.5):
            return await made.execute(LOOP, [StdinInput("")] * 9, Limits(5))

    runs = run(main)
    assert [r.status for r in runs] == ["runtime_error"] * 9
    assert "the program ended what it ran in" in runs[0].error


SHARED_MEMORY = """
import mmap
kept = []
with open("x", "wb") as file:
    for _ in range(60):
        file.write(bytes(1 << 20))
while True:
    block = mmap.mmap(-1, 8 << 20)
    kept.append(block)
    for at in range(0, 8 << 20, 4096):
        block[at] = 1
    block.madvise(mmap.MADV_DONTNEED)
"""


def test_memory_that_no_process_holds_is_the_programs_and_costs_no_cell() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        if "memory cgroup" not in await made.layers():
            pytest.skip("this user may make no control groups")
        cells = made.pids()
        source = f"if input() == 'much':\n{textwrap.indent(SHARED_MEMORY, '    ')}\nprint(3)"
        inputs = [StdinInput("little"), StdinInput("much"), StdinInput("little")]
        runs = await made.execute(Program(source), inputs, Limits(10, 32, 1))
        assert [r.status for r in runs] == ["ok", "memory_limit", "ok"]
        assert made.pids() == cells

    run(main)


def test_the_kernel_is_to_end_programs_before_cells_and_cells_before_the_harness() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        await made.layers()
        (cell,) = made.pids()
        async with anyio.create_task_group() as group:
            group.start_soon(made.execute, LOOP, [StdinInput("")], Limits(3))
            await anyio.sleep(1)
            marks = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in _tree(cell)]
        own = int(Path("/proc/self/oom_score_adj").read_text())
        assert own < 500
        assert marks == [500, 500, 1000, 1000]

    run(main)


def _tree(pid: int) -> list[int]:
    """A process and its descendants, the eldest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def test_a_lock_is_granted_and_no_message_carries_a_descriptor() -> None:
    source = """
        import fcntl, socket
        with open("x", "w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
        a, b = socket.socketpair()
        a.send(b"plain")
        print(b.recv(9))
        try:
            socket.send_fds(a, [b"x"], [0])
        except PermissionError:
            print("refused")
    """
    (ended,) = runs_of(textwrap.dedent(source))
    assert ended.stdout == "b'plain'\nrefused\n"


def test_work_on_a_huge_source_is_no_trouble_of_the_judges() -> None:
    words = "# import " + "x " * 4_000_000
    (ended,) = runs_of(f"print(3)\n{words}\n" + "\n" * 4_000_000)
    assert (ended.status, ended.stdout) == ("ok", "3\n")


def test_closing_ends_a_program_under_way() -> None:
    async def main(made: EmbeddedExecutor) -> None:
        async def judge() -> None:
            with pytest.raises(JudgeError):
                await made.execute(LOOP, [StdinInput("")] * 9, Limits(5))

        async with anyio.create_task_group() as group:
            group.start_soon(judge)
            await anyio.sleep(0.7)
            await made.aclose()
        assert made.pids() == []

    run(main)


def test_a_fork_of_the_harness_makes_cells_of_its_own() -> None:
    code = """
        import os, sys, anyio
        from ctrl_harness.execution.embedded import EmbeddedExecutor
        from ctrl_harness.execution.executor import Program, StdinInput
        from ctrl_harness.problems.problem import Limits
        made = EmbeddedExecutor(jobs=1)
        judge = lambda: anyio.run(made.execute, Program("print(3)"), [StdinInput("")], Limits())
        assert judge()[0].stdout == "3\\n"
        first = made.pids()
        child = os.fork()
        if child == 0:
            ok = judge()[0].stdout == "3\\n" and made.pids() != first
            anyio.run(made.aclose)
            os._exit(0 if ok else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert judge()[0].stdout == "3\\n" and made.pids() == first
    """
    _python(code)


@pytest.mark.parametrize(
    "ending", ["", "import os; os.kill(os.getpid(), 9)", "raise SystemExit(4)"]
)
def test_the_end_of_the_harness_is_the_end_of_its_cells(ending: str) -> None:
    code = f"""
        import anyio
        from ctrl_harness.execution.embedded import EmbeddedExecutor
        from ctrl_harness.execution.executor import Program, StdinInput
        from ctrl_harness.problems.problem import Limits
        made = EmbeddedExecutor(jobs=1)
        anyio.run(made.execute, Program("print(3)"), [StdinInput("")], Limits())
        print(made.pids()[0], flush=True)
        {ending}
    """
    pid = int(_python(code, check=False).stdout)
    deadline = time.monotonic() + 5
    while _alive(pid):
        assert time.monotonic() < deadline, "the cell outlived the harness"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _python(code: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    root = str(Path(cell_client.__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=check,
        timeout=60,
    )


# -- failing closed

_REFUSE = """
    import sys, anyio
    from ctrl_harness.errors import UserError
    from ctrl_harness.execution import linux, seccomp
    from ctrl_harness.execution.embedded import EmbeddedExecutor
    from ctrl_harness.execution.executor import Program, StdinInput
    from ctrl_harness.problems.problem import Limits
    number = {number}
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.Filter(seccomp.this_machine(), code).install()
    try:
        anyio.run(EmbeddedExecutor(jobs=1).execute, Program("print(3)"), [StdinInput("")], Limits())
    except UserError as error:
        print(error)
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="system call numbers of x86-64")
@pytest.mark.parametrize(
    ("layer", "number"),
    [("user namespace", 272), ("mount namespace", 165), ("Landlock", 444), ("seccomp", 317)],
)
def test_a_missing_layer_refuses_to_run_and_says_what_to_do(layer: str, number: int) -> None:
    """A filter over the whole harness refuses the system call that the layer stands on."""
    done = _python(_REFUSE.format(number=number))
    (sentence,) = done.stdout.splitlines()
    assert f"'{layer}' is missing" in sentence
    for way_out in ("executor=inspect_sandbox", "SANDBOX_FUSION", "--unsafe-no-isolation"):
        assert way_out in sentence


def test_elsewhere_than_on_linux_a_user_error_points_to_other_ways(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ctrl_harness.execution.pool.sys.platform", "darwin")
    with pytest.raises(UserError, match=r"needs Linux.*inspect_sandbox.*--unsafe-no-isolation"):
        runs_of("print(3)")


# -- nothing grows


@pytest.mark.slow
def test_two_thousand_verdicts_with_cancellations_and_dead_cells_lose_nothing() -> None:
    rng = random.Random(7)

    async def main(made: EmbeddedExecutor) -> None:
        await made.execute(SUM, [StdinInput("1")], LIMITS)
        answered = cancelled = 0

        async def one(n: int) -> None:
            nonlocal answered, cancelled
            with anyio.move_on_after(rng.choice([None, None, None, 0.5]) or 1e9) as scope:
                try:
                    (ended,) = await made.execute(SUM, [StdinInput(f"{n} 1")], LIMITS)
                except JudgeError:
                    answered += 1  # two cells lost in a row: known to be unknown
                    return
                assert ended.stdout == f"{n + 1}\n"
                answered += 1
            cancelled += scope.cancelled_caught

        async def kill_now_and_then() -> None:
            while True:
                await anyio.sleep(0.5)
                if pids := made.pids():
                    os.kill(rng.choice(pids), 9)

        async with anyio.create_task_group() as killers:
            killers.start_soon(kill_now_and_then)
            async with anyio.create_task_group() as group:
                for n in range(2000):
                    group.start_soon(one, n)
            killers.cancel_scope.cancel()
        assert answered + cancelled == 2000
        assert cancelled < 1500

    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    run(main, jobs=2)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


START_WITH_EACH_NUMBER = """
import os
from ctrl_harness.execution.cell_client import Cell, CellSettings

def occupy_below(number):
    \"\"\"So that the cell's end of the pair gets exactly this number.\"\"\"
    taken = []
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) < number - 2:
        taken.append(descriptor)
    assert descriptor == number - 2, (descriptor, number)
    return [*taken, descriptor]

for number in range(15, 20):
    taken = occupy_below(number)
    Cell(CellSettings()).close()
    for descriptor in taken:
        os.close(descriptor)
print("all started")
"""


def test_a_cell_starts_whatever_number_its_control_socket_has() -> None:
    run = subprocess.run(
        [sys.executable, "-c", START_WITH_EACH_NUMBER], capture_output=True, text=True, timeout=120
    )
    assert run.stdout == "all started\n", run.stderr


def test_a_cell_starts_where_python_itself_lies_in_tmp(tmp_path: Path) -> None:
    cell = Cell(CellSettings(sources=((str(tmp_path), "/tmp/python"),)))
    cell.close()


def test_cells_of_two_executors_share_no_memory_limit_and_no_id() -> None:
    async def groups_and_ids(made: EmbeddedExecutor) -> tuple[str, str]:
        await made.execute(SUM, [StdinInput("1 2")], LIMITS)
        (pid,) = made.pids()
        (init,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        group = Path(f"/proc/{pid}/cgroup").read_text()
        return group, Path(f"/proc/{init}/uid_map").read_text()

    async def main() -> None:
        async with executor() as first, executor() as second:
            (group, uid), (other_group, other_uid) = [
                await groups_and_ids(made) for made in (first, second)
            ]
            assert "ctrl-harness-" not in group or group != other_group
            assert os.getuid() != 0 or uid != other_uid
            started = time.perf_counter()
            await first.aclose()
            assert time.perf_counter() - started < 1.5  # waiting for a shared group takes two

    anyio.run(main)


def test_a_package_is_loaded_before_the_limits_wherever_the_program_names_it() -> None:
    """Under numpy's own needs there is no room for its import, only for its use."""
    pytest.importorskip("numpy")
    for before in ("", "if 1: ", "x = 1; "):
        source = f"{before}import numpy as np\nprint(np.zeros(3).sum())"
        (run,) = runs_of(source, StdinInput(""), limits=Limits(2.0, 96, 4))
        assert (run.status, run.stdout) == ("ok", "0.0\n"), (before, run)


FORK_WITHOUT_ROOM = """
import os, resource
from ctrl_harness.execution.linux import raw_fork
if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    raw_fork()
except BlockingIOError:
    print("refused")
"""


def test_a_fork_that_fails_is_an_error_and_no_process_number() -> None:
    """-1 would be everybody to kill(2)."""
    run = subprocess.run(
        [sys.executable, "-c", FORK_WITHOUT_ROOM], capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "refused\n", run.stderr

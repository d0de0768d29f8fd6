"""The `process` executor: statuses, limits, what a program sees, and that nothing is left behind.

It does not isolate and does not claim to; what is tested is that it ends programs, bounds them,
believes nothing they say of themselves and cleans up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.execution.executor import (
    CallInput,
    Input,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.process import WARNING, ProcessExecutor
from ctrl_harness.problems.problem import Limits

linux_only = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")

LIMITS = Limits(time_s=3.0, memory_mb=512, output_mb=4)
SLACK_S = 2.0
"""How late the judge may be on a busy machine."""


@pytest.fixture(scope="module")
def executor() -> ProcessExecutor:
    return ProcessExecutor(2)


@pytest.fixture
def runs_of(executor: ProcessExecutor) -> Callable[..., list[Run]]:
    def run(
        source: str, *inputs: Input, limits: Limits = LIMITS, prelude: str = "", **options: Any
    ) -> list[Run]:
        program = Program(textwrap.dedent(source), prelude)
        given = inputs or (StdinInput(""),)
        return anyio.run(lambda: executor.execute(program, given, limits, **options))

    return run


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether the condition comes true in this time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid: int) -> bool:
    """A zombie that nobody reaps does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# -- what a run says


def test_stdout_of_each_input_comes_in_order(runs_of: Any) -> None:
    runs = runs_of("print(int(input()) + 1)", *(StdinInput(f"{n}\n") for n in range(4)))
    assert [(run.status, run.stdout) for run in runs] == [("ok", f"{n + 1}\n") for n in range(4)]
    assert all(0 < run.time_s < 3 and 1 < (run.memory_mb or 0) < 500 for run in runs)


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("1 / 0", "runtime_error", 'File "<program>", line 1'),
        ("raise KeyError('lost')", "runtime_error", "KeyError: 'lost'"),
        ("import sys; sys.exit(3)", "runtime_error", "exit status 3"),
        ("import sys; sys.exit('sorry')", "runtime_error", "sorry"),
        ("import os; os._exit(7)", "runtime_error", "exit status 7"),
        ("import os; os.abort()", "runtime_error", "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "runtime_error", "SIGKILL"),
        ("import os; os.kill(os.getpid(), 50)", "runtime_error", "signal 50"),
        ("raise KeyboardInterrupt", "runtime_error", "KeyboardInterrupt"),
        (
            "class E(Exception):\n    def __str__(self): raise SystemExit(0)\nraise E",
            "runtime_error",
            "E",
        ),
        ("while True: pass", "time_limit", ""),
        ("import time; time.sleep(60)", "time_limit", ""),
        ("while True:\n    try:\n        while True: pass\n    except: pass", "time_limit", ""),
        ("x = [0] * 10**10", "memory_limit", "MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "memory_limit", "MemoryError"),
        ("print('x' * 5_000_000)", "output_limit", ""),
        ("while True: print('x' * 1000)", "output_limit", ""),
        ("x = 1 +", "compile_error", "SyntaxError"),
        ("\tx\n  y", "compile_error", "Error"),
        ("'\0'", "compile_error", "null bytes"),
        ("'\ud800'", "compile_error", "surrogates"),
        ("(" * 10_000, "compile_error", "SyntaxError"),
        ("-" * 1_000_000 + "1", "compile_error", "Error"),
    ],
)
def test_how_a_run_ended(runs_of: Any, source: str, status: str, error: str) -> None:
    # a busy machine takes its time over hundreds of megabytes
    time_s = 10.0 if status == "memory_limit" else 1.0
    (run,) = runs_of(source, limits=Limits(time_s, 256, 4))
    assert (run.status, run.stdout) == (status, "")
    assert error in run.error


@pytest.mark.parametrize(
    "source",
    [
        "print(5)\nimport sys; sys.exit(0)",
        "print(5); exit()",
        "import os; print(5, flush=True); os._exit(0)",
        "print(5)\nimport os\nos.closerange(3, 256)",
        "import atexit; atexit.register(print, 5)",
        "import threading; threading.Thread(target=print, args=(5,)).start()",
        "import sys; sys.stdout.buffer.write(b'5\\n')",
        "import subprocess; subprocess.run(['echo', '5'])",
    ],
)
def test_ends_that_are_no_fault(runs_of: Any, source: str) -> None:
    (run,) = runs_of(source)
    assert (run.status, run.stdout) == ("ok", "5\n")


def test_bytes_that_are_no_utf8_come_as_escapes(runs_of: Any) -> None:
    (run,) = runs_of("import sys; sys.stdout.buffer.write(b'\\xff\\x00\\xc3\\xa9')")
    assert run.stdout == "\udcff\0é"


def test_a_compile_error_is_one_run(runs_of: Any) -> None:
    for inputs in ([StdinInput("")] * 3, [CallInput("f", ())] * 3, [ScriptInput("f()")] * 3):
        assert [run.status for run in runs_of("f(:", *inputs)] == ["compile_error"]


def test_no_input_is_no_run(executor: ProcessExecutor) -> None:
    assert anyio.run(executor.execute, Program("1 / 0"), [], LIMITS) == []


def test_runs_end_when_no_more_is_wanted(runs_of: Any) -> None:
    for given in ([StdinInput(str(n)) for n in range(4)], [CallInput("f", (n,)) for n in range(4)]):
        seen: list[Run] = []

        def enough(run: Run, seen: list[Run] = seen) -> bool:
            seen.append(run)
            return len(seen) == 2

        runs = runs_of("def f(n): return n", *given, until=enough)
        assert len(runs) == 2 and runs == seen


def test_kinds_of_input_may_be_mixed(runs_of: Any) -> None:
    runs = runs_of(
        "def f(n): return n + 1\nif __name__ == '__main__': print(f(int(input())))",
        CallInput("f", (1,)),
        CallInput("f", (2,)),
        StdinInput("3"),
        ScriptInput("assert f(4) == 5"),
        CallInput("f", (5,)),
    )
    assert [(run.status, run.value, run.stdout) for run in runs] == [
        ("ok", 2, ""), ("ok", 3, ""), ("ok", None, "4\n"), ("ok", 1, ""), ("ok", 6, ""),
    ]  # fmt: skip


def test_calls_share_a_process_and_go_on_after_a_crash(runs_of: Any) -> None:
    source = """
        seen = []
        def f(n):
            import os, time
            seen.append(n)
            if n == 1: os._exit(0)
            if n == 3: time.sleep(60)
            if n == 4: raise ValueError
            return seen
        """
    calls = [CallInput("f", (n,)) for n in range(6)]
    runs = runs_of(source, *calls, limits=Limits(1.0, 512, 4))
    assert [run.status for run in runs] == [
        "ok", "runtime_error", "ok", "time_limit", "runtime_error", "ok",
    ]  # fmt: skip
    assert [runs[n].value for n in (0, 2, 5)] == [[0], [2], [4, 5]]


def test_results_keep_their_types(runs_of: Any) -> None:
    values = [None, True, 10**30, -0.5, float("inf"), 1j, "é\0", b"\xff", (1, [2]), {"a": {1, 2}}]
    runs = runs_of("def f(x): return x", *(CallInput("f", (value,)) for value in values))
    assert [run.value for run in runs] == values
    assert [type(run.value) for run in runs] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("x = []; x.append(x); return x", "runtime_error"),
        ("return 'x' * 20_000_000", "ok"),  # by its fingerprint
        ("return f", "ok"),
    ],
)
def test_results_without_a_plain_form_are_bounded(runs_of: Any, body: str, status: str) -> None:
    (run,) = runs_of(f"def f(): {body}", CallInput("f", ()), limits=Limits(20.0, 1024, 4))
    assert run.status == status
    assert run.value is None or type(run.value).__module__.endswith("wire")


# -- limits


def test_the_time_limit_is_kept_in_each_kind_of_run(runs_of: Any) -> None:
    endless = "def f():\n    while True: pass\n"
    for source, given in [
        (endless + "f()", StdinInput("")),
        (endless, CallInput("f", ())),
        (endless + "f()", CallInput("f", ())),
        (endless, ScriptInput("f()")),
    ]:
        start = time.monotonic()
        (run,) = runs_of(source, given, limits=Limits(0.4, 256, 4))
        assert run.status == "time_limit"
        assert 0.35 < run.time_s < 0.4 + SLACK_S
        assert time.monotonic() - start < 0.4 + 2 * SLACK_S


def test_time_is_told_as_it_was(runs_of: Any) -> None:
    (run,) = runs_of("import time; time.sleep(0.5)")
    assert 0.45 < run.time_s < 0.5 + SLACK_S


def test_the_time_of_a_call_is_its_own(runs_of: Any) -> None:
    source = "import time\ntime.sleep(0.3)\ndef f(s): time.sleep(s)"
    runs = runs_of(source, *(CallInput("f", (s,)) for s in (0.0, 0.5, 0.0)))
    assert [run.status for run in runs] == ["ok"] * 3
    assert runs[1].time_s > 0.45 > max(runs[0].time_s, runs[2].time_s)


def test_memory_is_told_and_bounded(runs_of: Any) -> None:
    (run,) = runs_of("x = bytearray(150 << 20)")
    assert run.status == "ok" and 150 < run.memory_mb < 300
    (run,) = runs_of("x = bytearray(150 << 20)", limits=Limits(3.0, 100, 4))
    assert run.status == "memory_limit"
    (run,) = runs_of("x = bytearray(50 << 20)", limits=Limits(3.0, 1, 4))
    assert run.status == "memory_limit"


@pytest.mark.parametrize(
    "source",
    [
        "import sys; sys.stderr.write('x' * 2_000_000); print(5)",
        "import sys; print(5); print('x' * 2_000_000, file=sys.stderr)",
    ],
)
def test_two_megabytes_on_stderr_do_not_matter(runs_of: Any, source: str) -> None:
    (run,) = runs_of(source)
    assert (run.status, run.stdout) == ("ok", "5\n")


def test_only_the_end_of_stderr_is_told(runs_of: Any) -> None:
    (run,) = runs_of("import sys, os; sys.stderr.write('x' * 2_000_000 + 'end'); os._exit(1)")
    assert run.error.endswith("end") and len(run.error) < 3_000


@pytest.mark.parametrize("source", ["print(5)", "input(); print(5)", "import os; print(5)"])
def test_four_megabytes_on_stdin_may_stay_unread(runs_of: Any, source: str) -> None:
    (run,) = runs_of(source, StdinInput("x" * 100 + "\n" + "y" * (4 << 20)))
    assert (run.status, run.stdout) == ("ok", "5\n")


def test_four_megabytes_on_stdin_can_be_read(runs_of: Any) -> None:
    (run,) = runs_of("import sys; print(len(sys.stdin.read()))", StdinInput("é" * (2 << 20)))
    assert run.stdout == f"{2 << 20}\n"


def test_recursion_twenty_thousand_deep(runs_of: Any) -> None:
    source = """
        import sys
        sys.setrecursionlimit(10**6)
        def f(n): return 0 if n == 0 else 1 + f(n - 1)
        if __name__ == "__main__": print(f(20_000))
        """
    stdio, call = runs_of(source, StdinInput(""), CallInput("f", (20_000,)))
    assert (stdio.stdout, call.value) == ("20000\n", 20_000)


def test_installed_packages_can_be_imported(runs_of: Any) -> None:
    source = "import numpy\ndef f(): return numpy.arange(3) * 2\nprint(numpy.arange(4).sum())"
    limits = Limits(20.0, 2048, 4)
    stdio, call = runs_of(source, StdinInput(""), CallInput("f", ()), limits=limits)
    assert stdio.stdout == "6\n"
    assert call.value.items == [0, 2, 4]


@pytest.mark.parametrize("limits", [Limits(1e-6, 1e-6, 1e-6), Limits(1e-6, 256, 4)])
def test_absurd_limits_have_an_outcome(runs_of: Any, limits: Limits) -> None:
    for given in (StdinInput("1"), CallInput("f", ()), ScriptInput("f()")):
        (run,) = runs_of("def f(): return 1\nprint(1)", given, limits=limits)
        # a program that was done before anyone looked may pass
        assert run.status in ("ok", "time_limit", "memory_limit", "output_limit", "runtime_error")


# -- what a program sees


def test_the_environment_is_scrubbed(runs_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "canary-value")
    (run,) = runs_of(
        "import os; print(sorted(os.environ)); print(open('/proc/self/environ').read())"
    )
    assert run.status == "ok"
    assert "PATH" in run.stdout and "canary" not in run.stdout.lower()


def test_sets_of_words_have_the_same_order_in_every_run(runs_of: Any) -> None:
    runs = runs_of("print(set('one two three four five six'.split()))", *[StdinInput("")] * 3)
    assert len({run.stdout for run in runs}) == 1


def test_the_harness_cannot_be_imported_by_its_files_names(runs_of: Any) -> None:
    (run,) = runs_of(
        """
        import importlib, sys
        for name in ("guest", "wire", "executor", "ctrl_harness.errors"):
            try:
                importlib.import_module(name)
            except ImportError:
                continue
            print(name, "ctrl" not in name and sys.modules[name].__file__)
        """
    )
    assert [line for line in run.stdout.splitlines() if "execution" in line] == []


def test_the_scratch_folder_is_empty_private_and_gone_afterwards(runs_of: Any) -> None:
    source = "import os; print(os.getcwd(), oct(os.stat('.').st_mode)[-3:], os.listdir())"
    first, second = runs_of(source + "\nopen('left', 'w').write('x')", *[StdinInput("")] * 2)
    folder, mode, listing = first.stdout.split()
    assert (mode, listing) == ("700", "[]")
    assert not Path(folder).exists()
    assert second.stdout.split()[0] != folder


@pytest.mark.parametrize(
    "mess",
    [
        "for _ in range(1100):\n    os.mkdir('d')\n    os.chdir('d')",
        "os.mkdir('d')\nopen('d/x', 'w').close()\nos.chmod('d', 0)\nos.chmod('.', 0)",
        "os.symlink('/', 'root')\nos.mkfifo('pipe')\nopen('\\n', 'w').close()",
    ],
)
def test_no_mess_in_the_scratch_folder_survives(runs_of: Any, mess: str) -> None:
    (run,) = runs_of(f"import os\nprint(os.getcwd(), flush=True)\n{mess}")
    assert run.status == "ok"
    assert not Path(run.stdout.strip()).exists()


def test_a_scratch_folder_turned_into_a_link_takes_nothing_with_it(
    runs_of: Any, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("x")
    (run,) = runs_of(
        f"""
        import os
        here = os.getcwd()
        os.rmdir(here)
        os.symlink({str(tmp_path)!r}, here)
        print(here)
        """
    )
    assert not os.path.lexists(run.stdout.strip())
    assert (tmp_path / "kept").exists()


@linux_only
def test_neither_code_nor_input_is_on_a_command_line(executor: ProcessExecutor) -> None:
    marker = "marker_" + os.urandom(4).hex()
    program = Program(f"import time\n{marker} = 1\nprint(input(), flush=True)\ntime.sleep(1.5)")
    seen: list[str] = []

    def look() -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(path.read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue

    async def main() -> list[Run]:
        async with anyio.create_task_group() as group:
            group.start_soon(look_later)
            return await executor.execute(program, [StdinInput(marker)], LIMITS)

    async def look_later() -> None:
        await anyio.sleep(0.7)
        await anyio.to_thread.run_sync(look)

    (run,) = anyio.run(main)
    assert run.stdout == f"{marker}\n"
    assert any("process_child.py" in line for line in seen)
    assert not any(marker in line for line in seen)


# -- nothing stays behind


@linux_only
@pytest.mark.parametrize("end", ["", "while True: pass", "os.kill(os.getpid(), 9)", "os._exit(0)"])
def test_what_a_program_forked_is_gone_afterwards(
    runs_of: Any, tmp_path: Path, end: str
) -> None:
    source = f"""
        import os, time
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        os.write(1, str(child).encode())
        with open({{path!r}}, "w") as file: file.write(str(child))
        {end}
        """
    path = tmp_path / "pid"
    runs_of(source.format(path=str(path)), limits=Limits(0.5, 256, 4))
    assert wait_for(lambda: not is_running(int(path.read_text())))


@linux_only
def test_no_descriptor_stays_open(executor: ProcessExecutor) -> None:
    ends = ["print(1)", "1 / 0", "x = 1 +", "while True: pass", "import os; os._exit(3)"]

    async def main() -> tuple[int, int]:
        await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        before = open_descriptors()
        for source in ends:
            for given in (StdinInput(""), CallInput("f", ()), ScriptInput("f()")):
                await executor.execute(Program(source), [given], Limits(0.2, 256, 4))
        return before, open_descriptors()

    before, after = anyio.run(main)
    assert after == before


SLEEPER = "import os, time\nopen({path!r}, 'w').write(str(os.getpid()))\n{fork}time.sleep(60)"


def sleeper(path: Path, fork: str = "") -> Program:
    return Program(SLEEPER.format(path=str(path), fork=fork))


def pid_in(path: Path) -> int:
    def written() -> bool:
        return path.exists() and path.read_text() != ""

    assert wait_for(written)
    return int(path.read_text())


@linux_only
@pytest.mark.parametrize("kind", ["stdio", "call", "script", "load"])
def test_cancelling_kills_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pid"
    program = sleeper(path)
    if kind in ("call", "script"):
        body = textwrap.indent(program.source, "    ")
        program = Program(f"def f():\n{body}")
    given: Input = {
        "stdio": StdinInput(""),
        "call": CallInput("f", ()),
        "script": ScriptInput("f()"),
        "load": CallInput("f", ()),
    }[kind]

    async def main() -> tuple[float, int, int]:
        executor = ProcessExecutor(1)
        await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        before = open_descriptors()
        async with anyio.create_task_group() as group:
            group.start_soon(executor.execute, program, [given], Limits(50, 256, 4))
            await anyio.to_thread.run_sync(pid_in, path)
            start = time.monotonic()
            group.cancel_scope.cancel()
        return time.monotonic() - start, before, open_descriptors()

    took, before, after = anyio.run(main)
    assert took < SLACK_S
    assert not is_running(pid_in(path))
    assert after == before


@linux_only
def test_cancelling_an_asyncio_task_kills_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pid"

    async def main() -> None:
        executor = ProcessExecutor(1)
        await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        before = open_descriptors()
        run = executor.execute(sleeper(path), [StdinInput("")], Limits(50, 256, 4))
        task = asyncio.create_task(run)
        await asyncio.to_thread(pid_in, path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        assert await asyncio.to_thread(wait_for, lambda: not is_running(pid_in(path)), 3)
        assert await asyncio.to_thread(wait_for, lambda: open_descriptors() <= before, 3)
        (run_after,) = await executor.execute(Program("print(2)"), [StdinInput("")], LIMITS)
        assert run_after.stdout == "2\n"

    asyncio.run(main())


@linux_only
def test_cancelling_what_waits_for_its_turn_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pid"

    async def main() -> tuple[int, int]:
        executor = ProcessExecutor(1)
        await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        before = open_descriptors()
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(
                    executor.execute, sleeper(path), [StdinInput("")], Limits(50, 256, 4)
                )
            await anyio.to_thread.run_sync(pid_in, path)
            group.cancel_scope.cancel()
        (run,) = await executor.execute(Program("print(2)"), [StdinInput("")], LIMITS)
        assert run.stdout == "2\n"
        return before, open_descriptors()

    before, after = anyio.run(main)
    assert after == before


ENDLESS = """
import os
def f():
    with open({path!r}, "w") as file: file.write(str(os.getpid()))
    while True: pass
"""
HARNESS = """
import anyio
from ctrl_harness.execution.executor import CallInput, Program
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Limits
call, limits = CallInput("f", ()), Limits(0.5, 256, 4)
anyio.run(ProcessExecutor(1).execute, Program({source!r}), [call], limits)
"""


@pytest.mark.slow
@linux_only
def test_an_endless_program_outlives_a_killed_harness_by_seconds(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    harness = HARNESS.format(source=ENDLESS.format(path=str(path)))
    running = subprocess.Popen(
        [sys.executable, "-c", harness],
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a kill leaves its folders behind
        stderr=subprocess.DEVNULL,
    )
    pid = pid_in(path)
    running.kill()
    running.wait()
    assert wait_for(lambda: not is_running(pid), 30)


def test_an_executor_serves_several_event_loops_and_threads(executor: ProcessExecutor) -> None:
    found: list[str] = []

    def judge(number: int) -> None:
        for _ in range(2):
            given = [StdinInput(str(number))]
            (run,) = anyio.run(executor.execute, Program("print(input())"), given, LIMITS)
            found.append(run.stdout.strip())

    judge(0)
    threads = [threading.Thread(target=judge, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == sorted(["0", "1", "2", "3"] * 2)


def test_more_programs_than_places_wait_their_turn() -> None:
    async def main() -> list[Run]:
        executor = ProcessExecutor(1)
        runs: list[Run] = []

        async def one(number: int) -> None:
            program = Program(f"import time; time.sleep(0.1); print({number})")
            runs.extend(await executor.execute(program, [StdinInput("")], LIMITS))

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(one, number)
        return runs

    assert sorted(run.stdout.strip() for run in anyio.run(main)) == ["0", "1", "2", "3"]


def test_every_executor_warns_that_it_does_not_isolate(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ProcessExecutor(1)
    assert caplog.messages == [WARNING]
    assert "does NOT isolate" in WARNING and not ProcessExecutor.isolated


def test_an_executor_is_chosen_by_name_and_shared() -> None:
    assert get_executor("embedded", jobs=1) is get_executor("embedded", jobs=1)
    assert get_executor().name == "embedded"
    with pytest.raises(UserError, match="unknown executor 'vm'; choose one of embedded, process"):
        get_executor("vm")
    with pytest.raises(UserError, match="at least 1"):
        get_executor("embedded", jobs=0)


def test_this_one_is_chosen_only_by_the_users_word() -> None:
    with pytest.raises(UserError, match="allow it with --unsafe-no-isolation"):
        get_executor("process")
    chosen = get_executor("process", jobs=1, unsafe_no_isolation=True)
    assert chosen.name == "process"
    assert get_executor(jobs=1, unsafe_no_isolation=True) is chosen
    with pytest.raises(UserError, match="allow it with --unsafe-no-isolation"):
        get_executor("process", jobs=1)  # not even where it is there already
    with pytest.raises(UserError, match="not for 'embedded'; leave out one of the two"):
        get_executor("embedded", unsafe_no_isolation=True)
    with pytest.raises(UserError, match="'yes' is neither true nor false"):
        get_executor(unsafe_no_isolation="yes")  # type: ignore[arg-type]


# -- the machinery's own failures


def test_an_interpreter_that_cannot_start_is_no_verdict(
    runs_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(JudgeError, match="no process could be started"):
        runs_of("print(1)")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(JudgeError, match="did not get as far as the program"):
        runs_of("print(1)")


@linux_only
def test_running_out_of_descriptors_is_no_verdict(executor: ProcessExecutor) -> None:
    async def main(spare: int) -> str:
        await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors() - 1 + spare, hard))
        try:
            (run,) = await executor.execute(Program("print(1)"), [StdinInput("")], LIMITS)
        except JudgeError:
            return "judge_error"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return run.status

    before = open_descriptors()
    outcomes = [anyio.run(main, spare) for spare in range(16)]
    assert set(outcomes) == {"judge_error", "ok"}
    assert open_descriptors() <= before


# -- forged and malformed reports

WRITE = """
import os, stat, time

def pipes():
    for number in range(3, 60):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                yield number
        except OSError:
            pass

def frame(kind, payload=b""):
    return (len(payload) + 1).to_bytes(4, "little") + kind + payload

def write(data):
    for number in pipes():
        os.write(number, data)

def flood(data):
    data *= 4096 // len(data)   # whole frames, written at once
    while True:
        write(data)
"""
FORGERIES = {
    "garbage": "write(os.urandom(500))",
    "text": "write(b'accepted' * 100)",
    "a zero length": "write(bytes(64))",
    "a huge length": "write(b'\\xff\\xff\\xff\\xffR')",
    "a huge length and some of it": "write(b'\\xff\\xff\\xff\\x7fR' + b'x' * 60_000)",
    "half a message": "write(frame(b'R', b'12345')[:7])",
    "half a message, then sleep": "write(frame(b'R', b'12345')[:7]); time.sleep(60)",
    "unknown kinds": "write(b''.join(frame(bytes([n])) for n in range(256)))",
    "starts": "write(frame(b'S') * 3)",
    "loaded": "write(frame(b'L') * 3)",
    "a nonce": "write(frame(b'D', b'0' * 32) + frame(b'D'))",
    "a result": "write(frame(b'R', b'\"forged\"'))",
    "many results": "write(frame(b'R', b'\"forged\"') * 50)",
    "no JSON": "write(frame(b'R', b'{'))",
    "no UTF-8": "write(frame(b'R', b'\"\\xff\"') + frame(b'E', b'\\xff'))",
    "an unknown tag": "write(frame(b'R', b'{\"x\": 1}'))",
    "a deep result": "write(frame(b'R', b'{\"it\":[' * 300 + b']}' * 300))",
    "a very deep result": "write(frame(b'R', b'[' * 30_000 + b']' * 30_000))",
    "a bad set": "write(frame(b'R', b'{\"s\": [[1]]}'))",
    "a fraction by nought": "write(frame(b'R', b'{\"F\": [\"1\", \"0\"]}'))",
    "a huge exponent": "write(frame(b'R', b'{\"D\": \"1e999999999999999999\"}'))",
    "no memory": "write(frame(b'X', b'9' * 5000) + frame(b'X', b'-1') + frame(b'X', b'x'))",
    "an end by compile error": "write(frame(b'C', b'no'))",
    "a flood": "flood(frame(b'Q'))",
    "a flood of memory": "flood(frame(b'X', b'1'))",
    "a flood from many processes": "os.fork(); os.fork(); flood(frame(b'Q'))",
    "a flood from another session": "os.fork() or (os.setsid(), os.fork()); flood(frame(b'Q'))",
    "a closed pipe": "[os.close(number) for number in pipes()]",
}


@linux_only
@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param(source, id=name, marks=[pytest.mark.slow] if "flood from" in name else [])
        for name, source in FORGERIES.items()
    ],
)
def test_a_forged_report_is_no_success_no_error_and_no_hang(runs_of: Any, forgery: str) -> None:
    """A program whose own doing is wrong stays wrong whatever it writes to the report pipe."""
    limits = Limits(0.3, 256, 1)
    for source, given in [
        (f"{forgery}\nprint('wrong')", StdinInput("")),
        (f"def f():\n    {forgery}\n    raise ValueError", CallInput("f", ())),
        (f"{forgery}\nos._exit(0)", CallInput("f", ())),
        (f"def f():\n    {forgery}\n    return 5", ScriptInput("assert f() == 4")),
        (f"{forgery}\nos._exit(0)", ScriptInput("assert f() == 4")),
    ]:
        start = time.monotonic()
        (run,) = runs_of(WRITE + source, given, limits=limits)
        assert time.monotonic() - start < limits.time_s + 2 * SLACK_S
        if isinstance(given, StdinInput):
            assert run.stdout in ("", "wrong\n")
        elif isinstance(given, CallInput):
            assert run.status != "ok" or run.value == "forged" or "D" in forgery
        else:
            assert run.status != "ok"


def test_a_report_larger_than_the_limit_is_no_result(runs_of: Any) -> None:
    source = WRITE + "def f():\n    while True: write(b'\\xff\\xff\\xff\\x7f' + b'x' * 4092)"
    (run,) = runs_of(source, CallInput("f", ()), limits=Limits(5.0, 256, 0.5))
    assert run.status == "output_limit"

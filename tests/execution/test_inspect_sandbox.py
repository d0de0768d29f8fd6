"""Programs judged in Inspect's sandboxes: real evals, scripted models, Inspect's `local` provider.

`local` isolates nothing, but what Inspect asks of it is what it asks of docker. Where a provider
has to misbehave, a subclass of `local` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.solver import Solver, solver
from inspect_ai.util import ExecResult, SandboxEnvironment, sandboxenv
from inspect_ai.util._sandbox.compose import parse_compose_yaml
from inspect_ai.util._sandbox.local import LocalSandboxEnvironment

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution import inspect_sandbox
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.execution.executor import (
    CallInput,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.inspect_sandbox import (
    COMPOSE_FILE,
    WARNING,
    InspectSandboxExecutor,
)
from ctrl_harness.problems.problem import (
    CallCase,
    Limits,
    Problem,
    StdioCase,
)
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.verification.verify import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the worker needs Linux")

NAME = "inspect_sandbox"
LIMITS = Limits(time_s=0.5, memory_mb=256, output_mb=4)
Body = Callable[[InspectSandboxExecutor], Awaitable[Any]]


@pytest.fixture(autouse=True)
def this_python_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python3` is this interpreter, and no wrapper that takes its time."""
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join((folder, "/usr/bin", "/bin")))


# -- providers that misbehave, or tell what they were given


@sandboxenv(name="ctrl_harness_test_spy")
class Spy(LocalSandboxEnvironment):
    """Keeps what is written and how often something is executed."""

    written: list[bytes] = []  # noqa: RUF012 - one eval looks at it
    execs = 0

    @classmethod
    async def sample_init(cls, *_: Any) -> dict[str, SandboxEnvironment]:
        cls.written, cls.execs = [], 0
        return {"default": cls()}

    async def write_file(self, file: str, contents: str | bytes) -> None:
        assert isinstance(contents, bytes)
        type(self).written.append(contents)
        await super().write_file(file, contents)

    async def exec(self, cmd: list[str], *args: Any, **options: Any) -> ExecResult[str]:
        type(self).execs += NAME in cmd
        return await super().exec(cmd, *args, **options)


@sandboxenv(name="ctrl_harness_test_deaf")
class Deaf(LocalSandboxEnvironment):
    """What it executes lives on when its caller goes away, as in a container."""

    @classmethod
    async def sample_init(cls, *_: Any) -> dict[str, SandboxEnvironment]:
        return {"default": cls()}

    async def exec(self, cmd: list[str], *_: Any, **__: Any) -> ExecResult[str]:
        process = subprocess.Popen(cmd, cwd=self.directory.name)
        status = await anyio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
        return ExecResult(status == 0, status, "", "")


FAULTS: dict[str, Exception] = {
    "write_file": PermissionError("read-only"),
    "exec": TimeoutError("timed out"),
    "read_file": RuntimeError("the daemon is gone"),
}


@sandboxenv(name="ctrl_harness_test_broken")
class Broken(LocalSandboxEnvironment):
    """Fails in one of its acts."""

    fault = ""

    @classmethod
    async def sample_init(cls, *_: Any) -> dict[str, SandboxEnvironment]:
        return {"default": cls()}

    async def write_file(self, file: str, contents: str | bytes) -> None:
        if self.fault == "write_file":
            raise FAULTS[self.fault]
        await super().write_file(file, contents)

    async def exec(self, cmd: list[str], *args: Any, **options: Any) -> ExecResult[str]:
        if self.fault == "exec" and NAME in cmd:
            raise FAULTS[self.fault]
        return await super().exec(cmd, *args, **options)

    async def read_file(self, file: str, text: bool = True) -> Any:
        if self.fault == "read_file":
            raise FAULTS[self.fault]
        return await super().read_file(file, text)  # type: ignore[call-overload]


# -- evals of one sample


@solver
def probe(body: Body, executor: InspectSandboxExecutor, answers: list[Any]) -> Solver:
    async def solve(state: Any, generate: Any) -> Any:
        answers.append(await body(executor))
        return state

    return solve


@pytest.fixture
def ask(run_eval: Callable[..., EvalLog]) -> Callable[..., Any]:
    """What a function of the executor answers within a sample that has a sandbox."""

    def run(body: Body, sandbox: str = "local", **options: Any) -> Any:
        executor, answers = InspectSandboxExecutor(**options), []
        solving = probe(body, executor, answers)
        task = Task(dataset=[Sample("x")], solver=solving, sandbox=sandbox)
        log = run_eval(task, "mockllm/model")
        assert log.status == "success", log.error
        return answers[0]

    return run


def runs_of(*inputs: Any, source: str, prelude: str = "", **options: Any) -> Body:
    limits = options.pop("limits", LIMITS)

    async def body(executor: InspectSandboxExecutor) -> list[Run]:
        return await executor.execute(Program(source, prelude), inputs, limits, **options)

    return body


def error_of(body: Body) -> Body:
    """The message of the JudgeError that the function is to raise."""

    async def raising(executor: InspectSandboxExecutor) -> str:
        with pytest.raises(JudgeError) as caught:
            await body(executor)
        return str(caught.value)

    return raising


# -- whole tasks


@pytest.fixture
def cartons(sample_programs: Callable[..., Any]) -> Any:
    """Right and wrong programs of the first CodeContests sample."""
    return sample_programs("codecontests")[0]


def test_a_task_judges_in_the_sandbox(
    new_script: Callable[..., Any], run_eval: Callable[..., EvalLog], cartons: Any
) -> None:
    slow = f"import time\ntime.sleep(60)\n{cartons.right[0]}"
    script = new_script()
    script.chain(
        cartons.id, ["print(1 // 0)", cartons.wrong[0], slow, cartons.right[0]], ["incorrect"] * 3
    )
    task = codecontests(
        source="samples", turns=3, tests="first10", executor=NAME, time_limit=0.3
    )
    log = run_eval(task, script.save(), sample_id=cartons.id, sandbox="local")
    assert log.status == "success", log.error
    assert log.eval.metadata["executor"] == NAME
    score = log.samples[0].scores["chain_verdicts"]
    assert [verdict["status"] for verdict in score.metadata["verdicts"]] == [
        "runtime_error", "wrong_answer", "time_limit", "accepted",
    ]  # fmt: skip
    assert [score.value[f"turn_{turn}"] for turn in range(4)] == [0, 0, 0, 1]


def test_the_execution_critic_runs_programs_there_too(
    new_script: Callable[..., Any], run_eval: Callable[..., EvalLog], cartons: Any
) -> None:
    script = new_script()
    script.chain(cartons.id, ["print(1 // 0)", cartons.right[0]])
    task = codecontests(source="samples", critic="execution", executor=NAME)
    log = run_eval(task, script.save(), sample_id=cartons.id, sandbox="ctrl_harness_test_spy")
    value = log.samples[0].scores["chain_verdicts"].value
    assert (value["turn_0"], value["says_incorrect_1"], value["turn_1"]) == (0, 1, 1)
    assert Spy.execs == 3  # one a program, for all of its tests: critic, draft, revision
    shown = [event for event in log.samples[0].events if event.event == "sandbox"]
    assert not any("1 // 0" in str(event.model_dump()) for event in shown)


def test_without_a_sandbox_no_model_is_asked(
    new_script: Callable[..., Any], run_eval: Callable[..., EvalLog], cartons: Any
) -> None:
    script = new_script()
    script.chain(cartons.id, [cartons.right[0]])
    task = codecontests(source="samples", executor=NAME)
    log = run_eval(task, script.save(), sample_id=cartons.id)
    assert log.status == "error" and "--sandbox docker:" in log.error.message
    assert not any(event.event == "model" for event in log.samples[0].events)


@pytest.mark.slow
def test_inspect_score_says_in_one_line_that_it_has_no_sandbox(
    new_script: Callable[..., Any],
    run_eval: Callable[..., EvalLog],
    inspect_cli: Callable[..., Any],
    cartons: Any,
) -> None:
    script = new_script()
    script.chain(cartons.id, [cartons.wrong[0], cartons.right[0]], ["incorrect"])
    task = codecontests(source="samples", executor=NAME)
    log = run_eval(task, script.save(), sample_id=cartons.id, sandbox="local")
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code != 0 and "Traceback" not in done.text
    (line,) = [line for line in done.text.splitlines() if "ERROR" in line]
    assert "-S executor=embedded" in line
    # and what it says to do works
    arguments = ("--scorer", "chain_verdicts", "-S", "executor=embedded")
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite", *arguments)
    assert done.code == 0, done.text
    value = read_eval_log(log.location).samples[0].scores["chain_verdicts"].value
    assert (value["turn_0"], value["turn_1"]) == (0, 1)


def test_a_sandbox_without_python_makes_the_sample_an_error(
    new_script: Callable[..., Any],
    run_eval: Callable[..., EvalLog],
    cartons: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "env", "rm"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    script = new_script()
    script.chain(cartons.id, [cartons.right[0], cartons.right[0]], ["incorrect"])
    task = codecontests(source="samples", executor=NAME)
    log = run_eval(
        task, script.save(), sample_id=cartons.id, sandbox="local", fail_on_error=False
    )
    (sample,) = log.samples
    assert not sample.scores and "JudgeError" in sample.error.traceback
    assert "python3" in sample.error.message and "status 127" in sample.error.message


# -- what a run says


def test_inputs_of_every_kind_come_back_in_order(ask: Callable[..., Any]) -> None:
    runs = ask(
        runs_of(
            CallInput("f", (1,)), StdinInput("in"), CallInput("f", ([],)),
            ScriptInput("assert f(1)[0] == 1"), ScriptInput("assert f(1)[0] == 2"),
            source="def f(x): return (x, {2.5: {x}})\n"
            "if __name__ == '__main__': print(input(), n)",
            prelude="n = 4",
        )
    )  # fmt: skip
    assert [run.status for run in runs] == [
        "ok", "ok", "runtime_error", "ok", "runtime_error",
    ]  # fmt: skip
    assert runs[0].value == (1, {2.5: {1}}) and runs[1].stdout == "in 4\n"
    assert "unhashable" in runs[2].error and "AssertionError" in runs[4].error
    assert all(0 <= run.time_s < 0.5 for run in runs)


ODD_ENDS = {
    "while True: pass": "time_limit",
    "import time; time.sleep(60)": "time_limit",
    "x = bytearray(1 << 30)": "memory_limit",
    "print('x' * (8 << 20))": "output_limit",
    "import os; os.abort()": "runtime_error",
    "print(": "compile_error",
    "x = " + "-" * 100_000 + "1": "compile_error",
}


def test_a_run_ends_as_it_does_in_a_cell(ask: Callable[..., Any]) -> None:
    async def statuses(executor: InspectSandboxExecutor) -> dict[str, str]:
        given = [StdinInput("")] * 2
        runs = {
            source: await executor.execute(Program(source), given, LIMITS) for source in ODD_ENDS
        }
        for found in runs.values():  # a compile error ends the program
            assert len(found) == 1 + (found[0].status != "compile_error")
        return {source: found[0].status for source, found in runs.items()}

    assert ask(statuses) == ODD_ENDS


def test_many_programs_may_be_under_way_in_one_sandbox(ask: Callable[..., Any]) -> None:
    async def together(executor: InspectSandboxExecutor) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}

        async def one(n: int) -> None:
            given = [StdinInput(f"{m}") for m in range(3)]
            runs = await executor.execute(Program(f"print({n}, input())"), given, LIMITS)
            found[n] = [run.stdout for run in runs]

        async with anyio.create_task_group() as group:
            for n in range(6):
                group.start_soon(one, n)
        return found

    found = ask(together)
    assert found == {n: [f"{n} {m}\n" for m in range(3)] for n in range(6)}


def test_what_takes_long_goes_into_several_execs(ask: Callable[..., Any]) -> None:
    seen: list[str] = []

    def until(run: Run) -> bool:
        seen.append(run.status)
        return len(seen) == 5

    body = runs_of(
        *[StdinInput("")] * 12, source="import time; time.sleep(9)", limits=Limits(time_s=0.1),
        until=until,
    )  # fmt: skip
    runs = ask(body, "ctrl_harness_test_spy", budget_s=0.3)
    assert [run.status for run in runs] == ["time_limit"] * 5 == seen
    assert 1 <= Spy.execs <= 5


def test_what_brings_back_much_goes_into_several_execs(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_sandbox, "_RESULTS_BYTES", 8 << 20)
    body = runs_of(*[StdinInput("")] * 8, source="print('x' * (3 << 20))")
    runs = ask(body, "ctrl_harness_test_spy")
    assert [len(run.stdout) for run in runs] == [(3 << 20) + 1] * 8
    assert 2 <= Spy.execs <= 8


def test_a_results_file_that_inspect_will_not_read_is_a_judge_error(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_SANDBOX_MAX_READ_FILE_SIZE", "100000")
    body = runs_of(StdinInput(""), source="print('x' * 200_000)")
    assert "limit of" in ask(error_of(body))


def test_a_failing_prelude_is_ours(ask: Callable[..., Any]) -> None:
    assert "prelude" in ask(error_of(runs_of(StdinInput(""), source="1", prelude="1/0")))


# -- what goes in, and what is left


def test_expected_values_never_go_in(ask: Callable[..., Any]) -> None:
    secret = "the-only-right-answer"
    problem = Problem("p", "file", "", (StdioCase("in", secret), CallCase("f", (1,), secret)))

    async def judge(executor: InspectSandboxExecutor) -> str:
        return (await verify(problem, "def f(x): return x", executor=executor)).status

    assert ask(judge, "ctrl_harness_test_spy") == "wrong_answer"
    assert b"def f(x)" in b"".join(Spy.written)
    assert secret.encode() not in b"".join(Spy.written)


def test_a_program_sees_no_key_of_the_harness(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "s3cret")
    source = "import os; print(dict(os.environ), open('/proc/self/environ').read())"
    (run,) = ask(runs_of(StdinInput(""), source=source))
    assert run.status == "ok" and "PYTHONHASHSEED" in run.stdout and "s3cret" not in run.stdout


def test_nothing_of_a_program_is_left_for_the_next(ask: Callable[..., Any]) -> None:
    """The parcel is gone before the program runs, a run's folder when the next one starts."""
    source = "import os\nopen('left', 'w').close()\nprint(os.listdir('.'), os.listdir({!r}))"

    async def judge(executor: InspectSandboxExecutor) -> tuple[list[str], list[str]]:
        sandbox = inspect_sandbox.current_sandbox().as_type(LocalSandboxEnvironment)
        program = Program(source.format(sandbox.directory.name))
        outputs = [
            (await executor.execute(program, [StdinInput("")], LIMITS))[0].stdout for _ in range(3)
        ]
        return outputs, [str(path.name) for path in Path(sandbox.directory.name).rglob("*")]

    outputs, left = ask(judge)
    assert all(output.startswith("['left'] ['ctrl-harness-") for output in outputs)
    assert all(output.count("ctrl-harness-") == 1 for output in outputs)
    assert len(left) == 3 and "parcel.zip" not in left  # one folder, results and log


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("sandbox", ["local", "ctrl_harness_test_deaf"])
def test_cancelling_kills_what_runs(
    ask: Callable[..., Any], tmp_path: Path, sandbox: str
) -> None:
    pids = tmp_path / "pids"
    source = (
        "import os, time\n"
        f"def note():\n    with open({str(pids)!r}, 'a') as file:\n"
        "        file.write(f'{os.getpid()}\\n')\n"
        "note()\nif os.fork() == 0:\n    os.setsid(); note()\ntime.sleep(60)"
    )

    async def cancel(executor: InspectSandboxExecutor) -> bool:
        body = runs_of(StdinInput(""), source=source, limits=Limits(time_s=60))
        async with anyio.create_task_group() as group:
            group.start_soon(body, executor)
            while not pids.is_file() or pids.read_text().count("\n") < 2:
                await anyio.sleep(0.05)
            group.cancel_scope.cancel()
        return group.cancel_scope.cancelled_caught

    started = time.monotonic()
    ask(cancel, sandbox)
    known = [int(pid) for pid in pids.read_text().split()]
    while any(map(alive, known)) and time.monotonic() < started + 20:
        time.sleep(0.05)
    assert not [pid for pid in known if alive(pid)]


def test_daemons_end_with_their_program(ask: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    source = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"
        f"    os._exit(0)\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.01)\nprint('ok')"
    )
    (run,) = ask(runs_of(StdinInput(""), source=source))
    assert run.stdout == "ok\n"
    assert not alive(int(mark.read_text()))


# -- trouble


def test_trouble_with_the_sandbox_is_a_judge_error(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def every_fault(executor: InspectSandboxExecutor) -> None:
        for act, error in FAULTS.items():
            monkeypatch.setattr(Broken, "fault", act)
            said = await error_of(runs_of(StdinInput(""), source="print(1)"))(executor)
            assert str(error) in said, said
        monkeypatch.setattr(Broken, "fault", "")
        (run,) = await runs_of(StdinInput(""), source="print(1)")(executor)
        assert run.stdout == "1\n"

    ask(every_fault, "ctrl_harness_test_broken")


FIND_WORKER = """
import glob, os, signal
def parent_of(pid):
    return int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
def is_of_the_worker(pid):
    return 'run_parcel' in open(f'/proc/{pid}/cmdline').read()
worker = os.getppid()  # the host, a fork of the worker
while is_of_the_worker(parent_of(worker)):
    worker = parent_of(worker)
"""
"""Its own: nothing isolates here, and another's may be at work beside it."""


@pytest.mark.parametrize(
    "hostile",
    [
        # results of its own in the place of the worker's
        FIND_WORKER + "folder = os.readlink(f'/proc/{worker}/cwd')\n"
        "(path,) = glob.glob(f'{folder}/*.bin'); open(path, 'w')",
        # the worker killed
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        FIND_WORKER + "os.kill(worker, signal.SIGKILL)",
    ],
    ids=["results", "host", "worker"],
)
def test_a_program_that_reaches_the_worker_is_not_accepted(
    ask: Callable[..., Any], hostile: str
) -> None:
    problem = Problem("p", "file", "", (StdioCase("", "42"), StdioCase("", "43")))

    async def judge(executor: InspectSandboxExecutor) -> str:
        try:
            return (await verify(problem, hostile, executor=executor)).status
        except JudgeError:
            return "judge_error"

    assert ask(judge) in ("wrong_answer", "runtime_error", "judge_error")


# -- what the user is told


def test_local_does_not_isolate_and_the_log_says_so_once(
    run_eval: Callable[..., EvalLog],
) -> None:
    executor, answers = InspectSandboxExecutor(), []  # type: ignore[var-annotated]
    assert executor.isolated

    async def twice(executor: InspectSandboxExecutor) -> None:
        for _ in range(2):
            await executor.execute(Program("1"), [StdinInput("")], LIMITS)

    task = Task(dataset=[Sample("x")], solver=probe(twice, executor, answers), sandbox="local")
    log = run_eval(task, "mockllm/model")
    said = [event.message for event in log.samples[0].events if event.event == "logger"]
    assert [WARNING in entry.message for entry in said if entry.level == "warning"] == [True]
    assert not executor.isolated


def test_outside_of_an_eval_there_is_no_sandbox() -> None:
    executor = get_executor(NAME)
    assert executor.name == NAME and executor is get_executor(NAME)
    with pytest.raises(UserError, match="--sandbox"):
        anyio.run(executor.execute, Program("1"), [StdinInput("")], LIMITS)


def test_importing_the_executor_does_not_import_inspect() -> None:
    code = "import sys, ctrl_harness.execution.inspect_sandbox; print('inspect_ai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_shipped_compose_file_is_one_that_inspect_reads_and_the_user_completes() -> None:
    service = parse_compose_yaml(str(COMPOSE_FILE)).services["default"]
    assert service.image is not None and "@sha256:PUT-THE-DIGEST" in service.image
    assert service.network_mode == "none" and service.read_only and service.user == "65534:65534"
    assert service.mem_limit and service.cpus and service.pids_limit
    assert service.cap_drop == ["ALL"] and service.security_opt == ["no-new-privileges:true"]


MOVE = "import os; here = os.getcwd(); os.rename(here, here + '-'); os.rmdir(here + '-'); "


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.rmdir(os.getcwd())",
        MOVE + "os.mkdir(here)",
        MOVE + "os.symlink('/', here)",
        "import os; os.mkdir('a'); os.chmod(os.getcwd(), 0)",
    ],
    ids=["removed", "moved", "a link", "closed"],
)
def test_a_program_may_take_its_working_folder_away(ask: Callable[..., Any], source: str) -> None:
    given = [StdinInput("")] * 3

    async def runs(executor: InspectSandboxExecutor) -> list[Run]:
        return await executor.execute(Program(source), given, LIMITS)

    assert [run.status for run in ask(runs)] == ["ok"] * 3

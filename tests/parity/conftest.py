"""Where programs are judged besides here: a server of ours, and an Inspect sandbox."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.fusion import FusionExecutor
from ctrl_harness.execution.inspect_sandbox import InspectSandboxExecutor
from ctrl_harness.execution.process import ProcessExecutor

WORKERS = 2
T = TypeVar("T")


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A `ctrl-harness serve`, started as the server's own tests do."""
    path = Path(__file__).parents[1] / "server" / "conftest.py"
    spec = importlib.util.spec_from_file_location("server_for_parity", path)
    assert spec is not None and spec.loader is not None
    servers = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = servers  # where its dataclass looks for it
    spec.loader.exec_module(servers)
    server = servers.start_server("--workers", str(WORKERS))
    yield server.url
    assert server.stop() == 0
    server.process.stderr.close()


@pytest.fixture
def run_in_inspect_sandbox(
    run_eval: Callable[..., EvalLog], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], Awaitable[T]]], T]:
    """Awaits something within a sample that has Inspect's `local` sandbox."""
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin:/bin")))

    def run(work: Callable[[], Awaitable[T]]) -> T:
        results: list[T] = []

        @solver
        def working() -> Solver:
            async def solve(state: TaskState, generate: Generate) -> TaskState:
                results.append(await work())
                return state

            return solve

        task = Task(dataset=[Sample("all")], solver=working(), sandbox="local")
        log = run_eval(task, "mockllm/model")
        assert log.status == "success", log.error
        return results[0]

    return run


@pytest.fixture
def run_under(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """run(NAME, WORK): what awaiting WORK(executor) gives with the executor of that name."""

    async def run(work: Callable[[Executor], Awaitable[Any]], executor: Executor) -> Any:
        try:
            return await work(executor)
        finally:
            with anyio.CancelScope(shield=True):
                await executor.aclose()

    def run_by_name(name: str, work: Callable[[Executor], Awaitable[Any]]) -> Any:
        if name == "inspect_sandbox":
            in_a_sandbox = request.getfixturevalue("run_in_inspect_sandbox")
            return in_a_sandbox(lambda: run(work, InspectSandboxExecutor()))
        if name == "sandbox_fusion":
            endpoint = request.getfixturevalue("url")
            return anyio.run(run, work, FusionExecutor(WORKERS, endpoint=endpoint))
        make = {"embedded": EmbeddedExecutor, "process": ProcessExecutor}[name]
        return anyio.run(run, work, make(WORKERS))

    return run_by_name

"""Every labelled program of the real rows, on its own inputs, under plain CPython and executors."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import anyio
import pytest

from ctrl_harness.execution.executor import (
    CallInput,
    Executor,
    Program,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.problems.problem import Limits
from ctrl_harness.verification.verify import case_input

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux"),
]

PLAIN_S = 8.0
LIMITS = Limits(time_s=30.0, memory_mb=4096.0, output_mb=64.0)
"""Far from what any program needs that plain CPython ends within its time."""
AT_ONCE = 2
MOST_LEFT_OUT = 40
RAISED = "raised"
NOT_COMPARED = {
    ("MBPP+ canonical", "Mbpp/255"): "results too large to be sent, which are told by their digest",
    ("MBPP+ completions", "Mbpp/255"): "likewise",
}
"""Programs whose outcomes cannot be compared, and why."""


def _load(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"parity_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpus, value_form = map(_load, ("corpus", "value_form"))


class Real(NamedTuple):
    """A program and inputs of one kind."""

    name: tuple[str, str]
    source: str
    inputs: list[StdinInput] | list[CallInput]
    prelude: str


def real_programs(rows: Any, data: Path) -> Iterator[Real]:
    """Those of every set, but for MBPP+ problems that are judged by scripts alone."""
    for name in rows.SETS:
        for piece in rows.load(name, data):
            given = [case_input(case) for case in piece.problem.cases]
            inputs = [one for one in given if not isinstance(one, ScriptInput)]
            if inputs:
                yield Real((name, piece.name), piece.program, inputs, piece.problem.prelude)


class Reference:
    """What plain CPython makes of programs."""

    def __init__(self, folder: Path) -> None:
        self._plain = corpus.PlainPython(folder)
        self._folder = folder
        for name in ("plain_calls.py", "value_form.py"):
            (folder / name).write_text(Path(__file__).with_name(name).read_text())

    def outcomes(self, real: Any) -> list[str]:
        """An outcome an input: output and exit status, or the value's form.

        It ends before the first input of a program that takes too long; calls share a process, so
        one that takes too long costs them all.
        """
        told: list[str] = []
        with contextlib.suppress(subprocess.TimeoutExpired):
            if isinstance(real.inputs[0], CallInput):
                return self._results(real)
            for given in real.inputs:
                told.append(outcome(*self._end(real.source, given.stdin)))
        return told

    def _end(self, source: str, stdin: str) -> Any:
        return self._plain.run(corpus.Idiom("", source, stdin, "numpy"), PLAIN_S)

    def _results(self, real: Any) -> list[str]:
        calls = [(each.function, pickle.dumps(each.args)) for each in real.inputs]
        source = f"{real.prelude}\n{real.source}"
        files = {"solution.py": source.encode(), "calls.pickle": pickle.dumps(calls)}
        return list(self._plain.run_script(self._folder / "plain_calls.py", files, PLAIN_S))


def outcome(stdout: str, exit_status: int | None) -> str:
    return json.dumps([exit_status, stdout])


def outcome_of(run: Any, given: Any) -> str:
    if not isinstance(given, CallInput):
        return outcome("", 1) if run.status == "compile_error" else outcome(*run_end(run))
    return value_form.form(run.value) if run.status == "ok" else RAISED


def run_end(run: Any) -> tuple[str, int | None]:
    return run.stdout, run.exit_status


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def programs(reference: Reference, labelled_programs: Any) -> list[tuple[Any, list[str]]]:
    """All, each with the inputs that plain CPython has time for, and their outcomes."""
    folder = os.environ.get("CTRL_HARNESS_REAL_DATA")
    if not folder:
        pytest.skip("CTRL_HARNESS_REAL_DATA does not name a folder of real rows")
    known = real_programs(labelled_programs, Path(folder))
    every = [program for program in known if program.name not in NOT_COMPARED]
    assert len(every) > 1_200
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(reference.outcomes, every))
    found = [
        (real._replace(inputs=real.inputs[: len(told)]), told)
        for real, told in zip(every, outcomes, strict=True)
        if told
    ]
    left_out = [real.name for real, told in zip(every, outcomes, strict=True) if not told]
    print(f"{len(found)} programs, {sum(len(told) for _, told in found):,} inputs")
    print(f"left out, for plain CPython takes too long: {left_out}")
    assert len(left_out) <= MOST_LEFT_OUT
    raised = sum(told.count(RAISED) for _, told in found)
    assert raised < 0.2 * sum(len(told) for _, told in found), "calls that raise say little"
    return found


async def outcomes_under(executor: Executor, programs: list[Any]) -> list[list[str]]:
    told: dict[int, list[str]] = {}
    places = anyio.CapacityLimiter(AT_ONCE)

    async def one(position: int) -> None:
        real = programs[position]
        async with places:
            program = Program(real.source, real.prelude)
            runs = await executor.execute(program, real.inputs, LIMITS)
        if runs[0].status == "compile_error":  # which is said once for all inputs
            runs = runs * len(real.inputs)
        told[position] = [outcome_of(*pair) for pair in zip(runs, real.inputs, strict=True)]

    async with anyio.create_task_group() as group:
        for position in range(len(programs)):
            group.start_soon(one, position)
    return [told[position] for position in range(len(programs))]


@pytest.mark.parametrize("name", ["embedded", "process", "sandbox_fusion", "inspect_sandbox"])
def test_a_real_program_gives_what_it_gives_under_plain_cpython(
    name: str, programs: list[tuple[Any, list[str]]], run_under: Callable[..., Any]
) -> None:
    all_of_them = [real for real, _ in programs]
    found = run_under(name, lambda executor: outcomes_under(executor, all_of_them))
    different = [
        (real.name, number, want[:300], have[:300])
        for (real, wanted), had in zip(programs, found, strict=True)
        for number, (want, have) in enumerate(zip(wanted, had, strict=True))
        if want != have
    ]
    assert different == []

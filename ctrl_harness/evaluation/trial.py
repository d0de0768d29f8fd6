"""Runs a trial of a critic (critique/contract.py) inside an eval, as agents need it."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.critique.contract import Bench, Finding, try_out
from ctrl_harness.critique.critic import CriticFactory
from ctrl_harness.errors import CtrlHarnessError
from ctrl_harness.execution.temporary import folder_for_a_while


def try_out_in_eval(
    factory: CriticFactory,
    bench: Bench,
    *,
    tell: Callable[[Finding], None],
    beat: Callable[[], None],
    every_s: float,
) -> None:
    """Blocks until all checks are made. tell: gets each finding. beat: called so often as long as
    the event loop goes on. Raises what keeps the checks themselves from being made."""
    raised: list[CtrlHarnessError] = []

    @solver
    def contract() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(go_on)
                try:
                    async for finding in try_out(factory, bench):
                        tell(finding)
                except CtrlHarnessError as error:
                    raised.append(error)
                finally:
                    tasks.cancel_scope.cancel()
            await bench.judge.executor.aclose()
            return state

        return solve

    async def go_on() -> None:
        while True:
            beat()
            await anyio.sleep(every_s)

    task = Task(dataset=[Sample(id="contract", input="contract")], solver=contract())
    with folder_for_a_while("contract") as folder:
        inspect_ai.eval(
            task, model="none", log_dir=folder, display="none", log_samples=False, score=False
        )
    if raised:
        raise raised[0]

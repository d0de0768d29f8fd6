"""The same work, spread over a Ray cluster: each worker is a process with an engine of its own.

The driver alone decides what is to be done, and it alone writes the store. A worker whose node is
lost takes its pieces of work with it; they go to other workers, and a new one is asked for, which
comes when the cluster has room for it. Every node needs the project and its models' packages.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

from ctrl_harness.critique.messages import Completion
from ctrl_harness.errors import ContextOverflow, JudgeError, UserError, first_line
from ctrl_harness.training.engine import (
    LocalEngine,
    ModelFailed,
    Question,
    Submission,
    WorkSpec,
)
from ctrl_harness.verification.verdict import Verdict

_ATTEMPTS = 5
"""How many workers a piece of work may lose before it is given up."""
_STARTS = 5
"""How often a worker may fail to start. Where none is up, the run then ends."""
_PAUSE_S = 1.0
_PATIENCE_S = 60.0
_CLOSE_S = 10.0


class _Told(NamedTuple):
    """A worker's answer. Exceptions travel as text, since not all of them can be unpickled."""

    kind: Literal["done", "model", "overflow", "judge", "user"]
    value: Any


class RayWorker:
    """What runs in a worker's process."""

    def __init__(self, spec: WorkSpec) -> None:
        self._engine = LocalEngine(spec)

    async def ready(self) -> None:
        """Returns once the worker is up."""

    async def ask(self, question: Question) -> _Told:
        return await _told(self._engine.ask(question))

    async def judge(self, submission: Submission) -> _Told:
        return await _told(self._engine.judge(submission))

    async def close(self) -> None:
        """Ends the sandboxes' processes."""
        await self._engine.aclose()


@dataclass(eq=False, slots=True)
class _Worker:
    """A live worker, as the driver sees it. load: pieces of work that it has."""

    actor: Any
    load: int = 0


class RayEngine:
    """The engine of a driver.

    address: of a cluster; else what RAY_ADDRESS names, else a cluster on this machine that ends
    with the engine. workers: how many; one a core of the cluster by default. Raises UserError where
    Ray is not installed or the cluster cannot be reached.
    """

    def __init__(self, spec: WorkSpec, address: str | None, workers: int | None) -> None:
        if find_spec("ray") is None:
            raise UserError(
                "ray is not installed; install it with: pip install 'ctrl-harness[training]'"
            )
        # one worker a core, so one program at a time in each
        self._spec = replace(spec, jobs=spec.jobs or 1)
        self._owns_cluster = _connect(address)
        self._wanted = workers or _cores()
        self._workers: list[_Worker] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()
        self._trouble = ""
        self._begun = False

    async def ask(self, question: Question) -> Completion:
        told = await self._run("ask", question)
        if told is None:
            raise ModelFailed(f"{_ATTEMPTS} workers were lost over one call")
        value: Completion = _value(told)
        return value

    async def judge(self, submission: Submission) -> Verdict:
        told = await self._run("judge", submission)
        if told is None:
            raise JudgeError(f"{_ATTEMPTS} workers were lost over one program")
        value: Verdict = _value(told)
        return value

    async def aclose(self) -> None:
        import ray

        for task in self._starting:
            task.cancel()
        workers, self._workers = self._workers, []
        closing = [worker.actor.close.remote() for worker in workers]
        if closing:
            ready, _ = await asyncio.to_thread(
                ray.wait, closing, num_returns=len(closing), timeout=_CLOSE_S
            )
            if len(ready) < len(closing):
                _tell(f"{len(closing) - len(ready)} workers were ended before they were done")
        for worker in workers:
            ray.kill(worker.actor)
        if self._owns_cluster:
            self._owns_cluster = False
            await asyncio.to_thread(ray.shutdown)

    async def _run(self, method: Literal["ask", "judge"], work: Any) -> _Told | None:
        """None where too many workers were lost over it."""
        from ray.exceptions import RayError, RayTaskError

        for _ in range(_ATTEMPTS):
            worker = await self._least_loaded()
            worker.load += 1
            try:
                told: _Told = await getattr(worker.actor, method).remote(work)
                return told
            except RayTaskError:  # a fault of ours, which another worker would repeat
                raise
            except RayError as error:
                self._lose(worker, error)
            finally:
                worker.load -= 1
        return None

    async def _least_loaded(self) -> _Worker:
        if not self._begun:
            self._begun = True
            for _ in range(self._wanted):
                self._start_one()
        while not self._workers:
            if self._trouble:
                raise UserError(self._trouble)
            self._change.clear()
            try:
                await asyncio.wait_for(self._change.wait(), _PATIENCE_S)
            except TimeoutError:
                _tell("no worker is up; waiting for room in the Ray cluster")
        return min(self._workers, key=lambda worker: worker.load)

    def _lose(self, worker: _Worker, error: Exception) -> None:
        if worker not in self._workers:
            return  # another piece of its work has told
        import ray

        self._workers.remove(worker)
        ray.kill(worker.actor)  # it may only be out of reach
        _tell(f"a worker was lost ({type(error).__name__}); its work goes to others")
        self._start_one()

    def _start_one(self) -> None:
        task = asyncio.get_running_loop().create_task(self._start())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(self) -> None:
        import ray
        from ray.exceptions import RayError

        options: Mapping[str, Any] = {
            "num_cpus": 1,
            # its pieces of work mostly wait for models
            "max_concurrency": max(self._spec.in_flight, 2),
            "max_restarts": 0,
        }
        make = ray.remote(**options)(RayWorker)
        reason = ""
        for _ in range(_STARTS):
            actor = make.remote(self._spec)
            try:
                await actor.ready.remote()
            except RayError as error:
                reason = " ".join(str(error).split())[-300:]
                await asyncio.sleep(_PAUSE_S)
                continue
            self._workers.append(_Worker(actor))
            self._change.set()
            return
        _tell(f"a worker does not start: {reason}")
        if not self._workers:
            self._trouble = (
                f"no worker of the Ray cluster starts ({reason}); every node needs ctrl-harness and"
                " the packages of the models"
            )
            self._change.set()


async def _told(work: Any) -> _Told:
    try:
        return _Told("done", await work)
    except ModelFailed as error:
        return _Told("model", str(error))
    except ContextOverflow as error:
        return _Told("overflow", str(error))
    except JudgeError as error:
        return _Told("judge", str(error))
    except UserError as error:
        return _Told("user", str(error))


def _value(told: _Told) -> Any:
    match told.kind:
        case "model":
            raise ModelFailed(told.value)
        case "overflow":
            raise ContextOverflow(told.value)
        case "judge":
            raise JudgeError(told.value)
        case "user":
            raise UserError(told.value)
    return told.value


def _connect(address: str | None) -> bool:
    """Whether a cluster of our own was started."""
    import ray

    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise UserError(
            f"no Ray cluster can be used at {address or 'this machine'} ({reason}); start one with"
            " `ray start --head`, or give another --ray-address"
        ) from None
    return True


def _cores() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _tell(text: str) -> None:
    print(text, file=sys.stderr)

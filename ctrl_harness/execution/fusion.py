"""The `sandbox_fusion` executor: programs run on a SandboxFusion, or on a `ctrl-harness serve`.

One program with all of its inputs is one request. To a SandboxFusion goes /run_code with a driver
(remote.py) that runs every input in a process of its own and brings the outcomes back in a file;
our own server, known by its /v1/ping, runs inputs itself (/execute). Expected values stay here.
Where the inputs take long together, a request ends after a budget of time and the rest goes into
the next: `until` is asked between requests, not between inputs.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import httpx

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.bundle import worker_zip
from ctrl_harness.execution.cell_job import Job
from ctrl_harness.execution.driver import (
    JOB_FILE,
    RESULTS_FILE,
    Results,
    judge_elsewhere,
    packed,
)
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.fusion_http import Endpoint
from ctrl_harness.execution.judging import Judging
from ctrl_harness.execution.outcomes import keep_run
from ctrl_harness.execution.run_wire import input_as_json, run_from_json
from ctrl_harness.execution.wire import WireError
from ctrl_harness.problems.problem import Limits

ENDPOINT_VARIABLE = "SANDBOX_FUSION_ENDPOINT"
TOKEN_VARIABLE = "SANDBOX_FUSION_TOKEN"
_DEFAULT_JOBS = 16
_BUDGET_S = 30.0
_START_S = 20.0
"""How long a sandbox may take to start the driver."""
_QUEUE_S = 600.0
"""How long a request may wait at the server for its turn."""
_BATCH_BYTES = 24 << 20
_PING = frozenset({200, 404})
"""Gateways may pass only /run_code on."""
_BUNDLE = "ctrl_harness_worker.zip"
_DRIVER = """\
import os, sys
bundle = os.path.abspath({bundle!r})
sys.path.insert(0, bundle)
from ctrl_harness.execution.remote import run_as_script
run_as_script(bundle, {budget_s!r})
"""


class FusionExecutor:
    """Runs programs on another machine's sandbox.

    jobs: programs under way at once (default 16). endpoint: the server's URL, by default what
    SANDBOX_FUSION_ENDPOINT says; token: by default SANDBOX_FUSION_TOKEN. budget_s: seconds after
    which a request ends and the rest of the inputs goes into another. packages: third-party
    modules to import before the program where it names them.

    Raises UserError where there is no endpoint. `execute` raises JudgeError for all trouble with
    the server.
    """

    name = "sandbox_fusion"
    isolated = True
    packages: tuple[str, ...] | None = None

    def __init__(
        self,
        jobs: int | None = None,
        endpoint: str | None = None,
        *,
        token: str | None = None,
        budget_s: float = _BUDGET_S,
        packages: Sequence[str] = ("numpy",),
    ) -> None:
        url = endpoint or os.environ.get(ENDPOINT_VARIABLE)
        if not url:
            raise UserError(
                f"executor 'sandbox_fusion' needs a server; set {ENDPOINT_VARIABLE} to its URL, "
                "as http://host:8080"
            )
        self._endpoint = Endpoint(url, token or os.environ.get(TOKEN_VARIABLE))
        self._jobs = jobs or _DEFAULT_JOBS
        self._budget_s = budget_s
        self._modules = tuple(packages)
        self._is_ours: bool | None = None
        self._slots: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("slots")

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        async with self._own_slots():
            if self._is_ours is None:
                self._is_ours = await self._ask_who()
            if self._is_ours:
                return await self._execute_on_ours(program, inputs, limits, until)
            return await self._execute_by_driver(program, inputs, limits, until)

    async def aclose(self) -> None:
        """Nothing outlives a call of `execute`."""

    def _own_slots(self) -> anyio.CapacityLimiter:
        """This event loop's: loops come and go."""
        try:
            return self._slots.get()
        except LookupError:
            self._slots.set(anyio.CapacityLimiter(self._jobs))
            return self._slots.get()

    async def _ask_who(self) -> bool:
        """Whether it is a `ctrl-harness serve`."""
        answer = await self._endpoint.ask("GET", "v1/ping", timeout_s=30.0, fine=_PING)
        return "x-ctrl-harness" in answer.headers

    # -- a server of ours

    async def _execute_on_ours(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None,
    ) -> list[Run]:
        runs: list[Run] = []
        while len(runs) < len(inputs):
            request = {
                "program": program.source,
                "prelude": program.prelude,
                "inputs": _batch(inputs[len(runs) :]),
                "limits": limits.as_json(),
                "budget_s": self._budget_s,
            }
            longest_s = self._budget_s + 2 * limits.time_s + _START_S + _QUEUE_S
            answer = await self._endpoint.ask("POST", "execute", request, timeout_s=longest_s)
            fresh = _runs_of(answer)
            if not fresh or len(runs) + len(fresh) > len(inputs):
                raise JudgeError(f"{self._endpoint.name} ran {len(fresh)} inputs of another number")
            for run in fresh:
                if keep_run(run, runs, program, until) or run.status == "compile_error":
                    return runs
        return runs

    # -- a SandboxFusion

    async def _execute_by_driver(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None,
    ) -> list[Run]:
        judging = Judging(program, inputs, limits, until, self._modules)
        return await judge_elsewhere(judging, self._run_driver, self._endpoint.name)

    async def _run_driver(self, job: Job) -> Results:
        budget_s = max(self._budget_s, 2 * job.longest_silence_s)
        run_timeout = budget_s + job.longest_silence_s + _START_S
        request = {
            "language": "python",
            "code": _DRIVER.format(bundle=_BUNDLE, budget_s=budget_s),
            "compile_timeout": 10,
            "run_timeout": run_timeout,
            "files": {_BUNDLE: _base64(worker_zip("remote")), JOB_FILE: _base64(packed(job))},
            "fetch_files": [RESULTS_FILE],
        }
        answer = await self._endpoint.ask(
            "POST", "run_code", request, timeout_s=run_timeout + _QUEUE_S
        )
        return _results(answer, self._endpoint.name, job.max_frame_bytes)


def _results(answer: httpx.Response, server: str, max_frame_bytes: int) -> Results:
    """What a driver brought back. Raises JudgeError for what a SandboxFusion does not answer."""
    try:
        data = answer.json()
        status, ran = data["status"], data.get("run_result") or {}
        fetched = (data.get("files") or {}).get(RESULTS_FILE)
        results = None if fetched is None else base64.b64decode(fetched)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise JudgeError(f"{server} answered what no SandboxFusion does: {error}") from error
    if status == "SandboxError" or results is None:
        said = str(ran.get("stderr") or data.get("message") or "nothing")[-500:]
        raise JudgeError(f"{server} could not run the driver: {said}")
    end = f"the driver ended with {ran.get('status')}, code {ran.get('return_code')}"
    return Results(results, max_frame_bytes, str(ran.get("stdout")), end)


def _runs_of(answer: httpx.Response) -> list[Run]:
    try:
        return [run_from_json(data) for data in answer.json()["runs"]]
    except (ValueError, KeyError, TypeError, WireError) as error:
        raise JudgeError(f"{answer.url.host} answered no runs: {error}") from error


def _batch(inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """The first of the inputs, at least one, as many as a server's body limit leaves room for."""
    batch: list[dict[str, Any]] = []
    size = 0
    for given in inputs:
        data = input_as_json(given)
        size += len(json.dumps(data))
        if batch and size > _BATCH_BYTES:
            break
        batch.append(data)
    return batch


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""The `inspect_sandbox` executor: programs run in the sandbox of the Inspect sample under way.

Whatever `--sandbox` names (docker, k8s, local) gets the same worker as a SandboxFusion does
(remote.py). One program with all of its inputs is one file to write, one exec and one file to
read. The sandbox isolates, the worker limits; in Inspect's `local` sandbox nothing isolates. What
fails there is a JudgeError, never a score, and no expected value ever goes in.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import anyio

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
from ctrl_harness.execution.executor import Executor, Input, Program, Run
from ctrl_harness.execution.judging import Judging
from ctrl_harness.problems.problem import Limits

if TYPE_CHECKING:  # it takes seconds to import, which only evals should pay
    from inspect_ai.util import SandboxEnvironment

logger = logging.getLogger(__name__)

NAME = "inspect_sandbox"
WARNING = (
    "executor 'inspect_sandbox' does NOT isolate in Inspect's sandbox 'local': the programs under "
    "judgement run with your user's rights"
)
COMPOSE_FILE = Path(__file__).with_name("compose.yaml")
"""A sandbox for `--sandbox docker:…`, to be copied and completed; see docs/security.md."""

_NO_SANDBOX = (
    "executor 'inspect_sandbox' needs an Inspect sandbox, and there is none here; give an eval one "
    "with --sandbox docker:/path/to/compose.yaml; `inspect score` never has one, so score with "
    "another executor: inspect score LOG --scorer chain_verdicts -S executor=embedded"
)
_BUDGET_S = 60.0
_START_S = 20.0
"""How long a sandbox may take to start the worker, beside the time that programs have."""
_STOP_S = 10
_RESULTS_BYTES = 32 << 20
"""Of a job's results; Inspect reads files up to 100 MiB."""
_MIB = 1 << 20
_SAID_CHARS = 500
_PARCEL, _LOG = "parcel.zip", "log"
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)

# The streams are files: a process that outlives the worker cannot keep the exec's pipes open. The
# environment is a cell's: neither keys nor the machine's settings reach a program.
_SHELL = f"""\
folder=$1 driver=$2 budget=$3 size=$4
shift 4
rm -rf -- "$@"
cd "$folder" && exec env -i PATH="$PATH" LANG=C.UTF-8 PYTHONHASHSEED=0 \\
    python3 -s -B -X utf8 -c "$driver" {_PARCEL} "$budget" "$size" </dev/null >{_LOG} 2>&1
"""
_DRIVER = """\
import os, sys
parcel, budget_s, max_bytes = os.path.abspath(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
sys.path[0] = parcel
from ctrl_harness.execution.remote import run_parcel
run_parcel(parcel, budget_s, max_bytes)
"""


class InspectSandboxExecutor:
    """Runs programs in the current sample's default sandbox.

    budget_s: seconds after which an exec ends and the rest of the inputs goes into another.
    packages: third-party modules to import before the program where it names them. How many
    programs run at once is Inspect's to say (`--max-sandboxes`, `--max-subprocesses`).

    isolated turns false with the first `local` sandbox. `execute` raises UserError outside of a
    sample with a sandbox, JudgeError for all trouble with one.
    """

    name = NAME
    packages: tuple[str, ...] | None = None

    def __init__(
        self, *, budget_s: float = _BUDGET_S, packages: Sequence[str] = ("numpy",)
    ) -> None:
        self.isolated = True
        self._budget_s = budget_s
        self._modules = tuple(packages)
        self._finished: WeakKeyDictionary[SandboxEnvironment, list[str]] = WeakKeyDictionary()

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        sandbox = current_sandbox()
        if self.isolated and _is_local(sandbox):
            self.isolated = False
            logger.warning(WARNING)
        judging = Judging(program, inputs, limits, until, self._modules)
        return await judge_elsewhere(
            judging, partial(self._run_worker, sandbox), "the Inspect sandbox"
        )

    async def aclose(self) -> None:
        """Nothing outlives a call of `execute` but a folder, which ends with its sandbox."""

    async def _run_worker(self, sandbox: SandboxEnvironment, job: Job) -> Results:
        """Each run has a folder of its own; the next one removes it, sparing an exec."""
        finished = self._finished.setdefault(sandbox, [])
        stale = tuple(finished)
        folder = f"ctrl-harness-{secrets.token_hex(8)}"
        try:
            with _sandbox_trouble("take the worker"):
                await sandbox.write_file(f"{folder}/{_PARCEL}", _parcel(job))
            status, error = await self._exec(sandbox, folder, job, stale)
            results = await _read(sandbox, f"{folder}/{RESULTS_FILE}")
            said = error
            if status != 0 or not results:  # only then does it matter what the driver said
                said += (await _read(sandbox, f"{folder}/{_LOG}") or b"").decode("utf-8", "replace")
        except BaseException:
            await _stop(sandbox, folder)
            raise
        finished[:] = [name for name in finished if name not in stale] + [folder]
        end = f"the worker ended with status {status}: {said.strip()[-_SAID_CHARS:]}"
        if results is None:
            raise JudgeError(
                "the Inspect sandbox could not run the worker, which takes Linux, a shell, python3 "
                f"from 3.10 on and a folder it can write to; {end}"
            )
        return Results(results, job.max_frame_bytes, said, end)

    async def _exec(
        self, sandbox: SandboxEnvironment, folder: str, job: Job, stale: Sequence[str]
    ) -> tuple[int, str]:
        """The exec's exit status and what it printed, which is nothing where python3 started."""
        budget_s = max(self._budget_s, 2 * job.longest_silence_s)
        max_bytes = max(_RESULTS_BYTES, job.max_frame_bytes + _MIB)
        arguments = (folder, _DRIVER, str(budget_s), str(max_bytes), *stale)
        with _sandbox_trouble("run the worker"):
            done = await sandbox.exec(
                ["sh", "-c", _SHELL, NAME, *arguments],
                timeout=math.ceil(budget_s + job.longest_silence_s + _START_S),
                timeout_retry=False,
            )
        return done.returncode, done.stderr


def current_sandbox() -> SandboxEnvironment:
    """The sample's default sandbox. Raises UserError where there is no sample, or none in it."""
    from inspect_ai.util import sandbox

    try:
        return sandbox()
    except ProcessLookupError:
        raise UserError(_NO_SANDBOX) from None


def require_sandbox(executor: Executor) -> None:
    """Raises UserError where this executor will find no sandbox: better before a model is asked."""
    if isinstance(executor, InspectSandboxExecutor):
        current_sandbox()


def _is_local(sandbox: SandboxEnvironment) -> bool:
    from inspect_ai.util._sandbox.local import LocalSandboxEnvironment

    try:
        sandbox.as_type(LocalSandboxEnvironment)
    except TypeError:
        return False
    return True


def _parcel(job: Job) -> bytes:
    """Worker and job in one file; sent anew each time, so that no program can have changed it."""
    buffer = io.BytesIO(worker_zip("remote"))
    with zipfile.ZipFile(buffer, "a") as parcel:
        parcel.writestr(zipfile.ZipInfo(JOB_FILE, _ZIP_DATE), packed(job))
    return buffer.getvalue()


async def _read(sandbox: SandboxEnvironment, path: str) -> bytes | None:
    """The file's content, None where there is no such file."""
    try:
        with _sandbox_trouble("give back the results"):
            return await sandbox.read_file(path, text=False)
    except JudgeError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


async def _stop(sandbox: SandboxEnvironment, folder: str) -> None:
    """Removes the folder, at which the worker ends all that runs: an exec may outlive its caller.

    Some providers only stop waiting for it.
    """
    with anyio.move_on_after(2 * _STOP_S, shield=True):
        try:
            with _sandbox_trouble("remove a folder"):
                await sandbox.exec(["rm", "-rf", folder], timeout=_STOP_S, timeout_retry=False)
        except JudgeError as error:
            logger.warning("a program may run on in its sandbox: %s", error)


@contextlib.contextmanager
def _sandbox_trouble(act: str) -> Iterator[None]:
    """Providers raise what they like; a sample's limit is Inspect's own business and no trouble."""
    from inspect_ai.util import LimitExceededError

    try:
        yield
    except LimitExceededError:
        raise
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"[-_SAID_CHARS:]
        raise JudgeError(f"the Inspect sandbox failed to {act}: {detail}") from error

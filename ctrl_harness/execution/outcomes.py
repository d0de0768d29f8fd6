"""From what a host tells of an input to a Run."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ctrl_harness.execution.executor import Program, Run, RunStatus
from ctrl_harness.execution.guest import VALUE_BYTES
from ctrl_harness.execution.records import (
    ALIVE,
    ENDED,
    OVERSIZED,
    TIMED_OUT,
    Outcome,
    end_of_text,
)
from ctrl_harness.execution.script_job import ScriptEnd
from ctrl_harness.execution.wire import Payload, WireError
from ctrl_harness.problems.problem import Limits

_MESSAGES: dict[bytes, RunStatus] = {
    b"E": "runtime_error",
    b"M": "memory_limit",
    b"O": "output_limit",
}
_EARLY = {
    "stdio": "",
    "call": "the program ended in the call, ",
    "script": "the program ended before its tests, ",
}
_HEADING = "Traceback (most recent call last):\n"
_NEAR_LIMIT = 0.95
_MIB = 1 << 20
_ERROR_CHARS = 4_000
_SHOWN_CHARS = 2_000
"""How much of stderr stands in an error."""
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


@dataclass(frozen=True, slots=True)
class Expected:
    """What the next outcome is of. part: the job's part; nonce: what proves a script's end."""

    kind: Literal["stdio", "call", "script"]
    part: int
    nonce: str | None = None


def read_outcome(outcome: Outcome, expected: Expected, limits: Limits) -> Run:
    """What came of one input, by the harness's own reading of the facts."""
    kind, payload = outcome.message[:1], outcome.message[1:]
    if outcome.how == ALIVE and kind == b"R":
        return read_value(payload, limits, outcome.wall_s)
    memory_mb = round(outcome.peak_kib / 1024, 1) if outcome.peak_kib else None
    time_s = outcome.wall_s

    stdout = outcome.stdout.decode("utf-8", "surrogateescape")
    stderr = end_of_text(outcome.stderr)
    ended = outcome.how == ENDED
    exit_status = os.waitstatus_to_exitcode(outcome.status) if ended else None

    def run(status: RunStatus, error: str = "") -> Run:
        return Run(status, stdout, None, error, time_s, memory_mb, stderr, exit_status)

    if outcome.how == TIMED_OUT or _ran_out_of_cpu(outcome, limits):
        return run("time_limit")
    if outcome.how == OVERSIZED:
        return run("output_limit")
    if (memory_mb or 0) > limits.memory_mb:
        return run("memory_limit", describe_exit(exit_status, stderr))
    if kind in _MESSAGES:
        said = payload[-_ERROR_CHARS:].decode("utf-8", "replace")
        return run(_MESSAGES[kind], said or describe_exit(exit_status, stderr))
    if outcome.how == ALIVE:
        return run("runtime_error", "the program answered with something else than a result")
    is_end = expected.nonce is not None and kind == b"D"
    if is_end and (end_of_script := ScriptEnd.read(payload, expected.nonce or "")) is not None:
        return end_of_script.run(time_s, memory_mb, stderr, exit_status)
    if expected.kind == "stdio" and outcome.status == 0:
        return run("ok")
    if outcome.status != 0 and (memory_mb or 0) >= _NEAR_LIMIT * limits.memory_mb:
        return run("memory_limit")
    end = describe_exit(os.waitstatus_to_exitcode(outcome.status), stderr)
    return run("runtime_error", _EARLY[expected.kind] + end)


def read_value(payload: bytes, limits: Limits, time_s: float) -> Run:
    """The Run of a call that returned what this JSON of a guest says; its value is a Payload."""
    most = int(limits.output_mb * _MIB) // VALUE_BYTES
    # fewer bytes than that have no more commas or brackets either
    if len(payload) > most and _holds_more_values(payload, most):
        error = f"the result holds more than {most} values; output_mb bounds them, 8 bytes each"
        return Run("output_limit", error=error, time_s=time_s)
    return Run("ok", value=Payload(payload), time_s=time_s)


def read_payload(run: Run) -> Run:
    """The Run with its value read; a runtime error where no honest guest sent it."""
    if not isinstance(run.value, Payload):
        return run
    try:
        return replace(run, value=run.value.read())
    except WireError as error:
        return replace(run, status="runtime_error", value=None, error=str(error))


def keep_run(
    run: Run, runs: list[Run], program: Program, until: Callable[[Run], bool] | None
) -> bool:
    """Adds a run to those of its program, with its outputs if those are to be kept.

    Whether it is enough for `until`, which sees the outputs in any case.
    """
    if program.keeps_outputs:
        run = read_payload(run)
    enough = until is not None and until(run)
    runs.append(run if program.keeps_outputs else run.without_outputs())
    return enough


def _holds_more_values(payload: bytes, most: int) -> bool:
    """Whether the JSON has more commas or brackets than so many values need, texts left out."""

    def exceeds(data: bytes) -> bool:
        return data.count(b",") > most or data.count(b"[") > most

    return exceeds(payload) and exceeds(_STRING.sub(b"", payload))


def _ran_out_of_cpu(outcome: Outcome, limits: Limits) -> bool:
    if not os.WIFSIGNALED(outcome.status) or outcome.how == ALIVE:
        return False
    by = os.WTERMSIG(outcome.status)
    return by in (signal.SIGXCPU, signal.SIGKILL) and outcome.cpu_s >= limits.time_s


def describe_exit(code: int | None, stderr: str) -> str:
    """How a process ended, and what it wrote to stderr: the traceback alone where that says it.

    code: -N where signal N killed it.
    """
    traceback = stderr.rpartition(_HEADING)[2] if code == 1 else ""
    if traceback and _HEADING in stderr:
        return _shortened(f"{_HEADING}{traceback}".strip())
    how = f"exit status {code}"
    if code is not None and code < 0:
        try:
            how = f"killed by {signal.Signals(-code).name}"
        except ValueError:
            how = f"killed by signal {-code}"
    return _shortened(f"{how}\n{stderr.strip()}".strip())


def _shortened(text: str) -> str:
    """Beginning and end, where it is long."""
    if len(text) <= _SHOWN_CHARS:
        return text
    return f"{text[: _SHOWN_CHARS // 4]}\n[...]\n{text[-_SHOWN_CHARS * 3 // 4 :]}"

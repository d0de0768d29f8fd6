"""One program's runs in guests of this user: what each of its inputs comes to."""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from ctrl_harness.execution.executor import (
    CallInput,
    Input,
    Program,
    Run,
    RunStatus,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.guest_process import GONE, MIB, TIMEOUT, GuestProcess, start_guest
from ctrl_harness.execution.outcomes import describe_exit, keep_run, read_value
from ctrl_harness.execution.records import AGAIN
from ctrl_harness.execution.script_job import ScriptEnd, script_job
from ctrl_harness.execution.threads import usable_cores
from ctrl_harness.problems.problem import Limits

_ENDINGS: dict[bytes, RunStatus] = {
    b"C": "compile_error",
    b"E": "runtime_error",
    b"M": "memory_limit",
    b"O": "output_limit",
}


class Session:
    """One program's runs, in one thread.

    packages: folders that the program may import from. wake: as in GuestProcess.
    """

    def __init__(self, program: Program, limits: Limits, packages: list[str], wake: int) -> None:
        self._program = program
        self._limits = limits
        self._packages = packages
        self._wake = wake
        self._output_bytes = int(limits.output_mb * MIB)

    def run(self, inputs: Sequence[Input], until: Callable[[Run], bool] | None) -> list[Run]:
        runs: list[Run] = []

        def add(run: Run) -> bool:
            """Keeps a run; true when no further one is wanted."""
            return keep_run(run, runs, self._program, until) or run.status == "compile_error"

        position = 0
        while position < len(inputs):
            first = inputs[position]
            if isinstance(first, CallInput):
                calls = []
                for item in inputs[position:]:
                    if not isinstance(item, CallInput):
                        break
                    calls.append(item)
                if self._run_calls(calls, add):
                    break
                position += len(calls)
            else:
                run = (
                    self._run_stdin(first)
                    if isinstance(first, StdinInput)
                    else self._run_script(first)
                )
                if add(run):
                    break
                position += 1
        return runs

    # -- the three kinds of input

    def _run_stdin(self, given: StdinInput) -> Run:
        child = self._start("stdio", given.stdin)
        try:
            ending: tuple[bytes, bytes] | None = None
            child.await_start()
            deadline = child.started + self._limits.time_s
            while (message := child.next_message(deadline)) not in (TIMEOUT, GONE):
                assert isinstance(message, tuple)
                if message[0] in _ENDINGS and ending is None:
                    ending = message
                elif message[0] == b"X":
                    child.memory_mb = _memory_message(message[1])
            elapsed = time.monotonic() - child.started
            child.kill()
            if message is TIMEOUT:
                run = replace(self._finish(child, "time_limit", elapsed), exit_status=None)
            elif _size(child.stdout) > self._output_bytes:
                return self._finish(child, "output_limit", elapsed)
            elif (child.memory_mb or 0) > self._limits.memory_mb:
                run = self._finish(child, "memory_limit", elapsed)
            elif child.exit_status == 0:
                run = self._finish(child, "ok", elapsed)
            elif ending is not None and ending[0] == b"C":
                return Run("compile_error", error=_text(ending[1]), time_s=elapsed)
            elif ending is not None:
                run = self._finish(child, _ENDINGS[ending[0]], elapsed, _text(ending[1]))
            else:
                run = self._finish(child, self._death(child), elapsed)
            return replace(run, stdout=child.output(self._output_bytes))
        finally:
            child.close()

    def _run_script(self, given: ScriptInput) -> Run:
        tests = script_job(given.script)
        child = self._start("script", "", **tests)
        try:
            child.await_start()
            deadline = child.started + self._limits.time_s
            status: RunStatus = "runtime_error"
            error = ""
            while True:
                message = child.next_message(deadline)
                elapsed = time.monotonic() - child.started
                if message is TIMEOUT:
                    status = "time_limit"
                elif isinstance(message, tuple) and message[0] in _ENDINGS:
                    status, error = _ENDINGS[message[0]], _text(message[1])
                elif isinstance(message, tuple) and message[0] == b"D":
                    if (end := ScriptEnd.read(message[1], tests["nonce"])) is not None:
                        child.kill()
                        return end.run(elapsed, child.memory_mb)
                elif isinstance(message, tuple):
                    continue
                else:
                    child.kill()
                    status = self._death(child)
                    error = "the program ended before its tests did"
                child.kill()
                return self._finish(child, status, elapsed, error)
        finally:
            child.close()

    def _run_calls(self, calls: Sequence[CallInput], add: Callable[[Run], bool]) -> bool:
        """Runs the calls, restarting after a crash at the next one; true when `add` said stop."""
        done = 0
        while done < len(calls):
            child = self._start("calls", "", calls=calls[done:])
            try:
                child.await_start()
                message = child.next_message(child.started + self._limits.time_s)
                if message is TIMEOUT or message is GONE or message[0] != b"L":
                    # without a loaded program every call fails in the same way
                    run = self._call_run(child, message, child.started)
                    return any(add(run) for _ in calls[done:])
                first = True
                while done < len(calls):
                    start = time.monotonic()
                    message = child.next_message(start + self._limits.time_s)
                    if not first and _is_again(child, message):
                        break
                    run = self._call_run(child, message, start)
                    done += 1
                    first = False
                    if add(run):
                        return True
                    if child.exit_status is not None:
                        break
            finally:
                child.close()
        return False

    def _call_run(self, child: GuestProcess, message: Any, start: float) -> Run:
        elapsed = time.monotonic() - start
        if message is TIMEOUT:
            child.kill()
            return self._finish(child, "time_limit", elapsed)
        if message is GONE:
            child.kill()
            return self._finish(child, self._death(child), elapsed, "the program ended in the call")
        kind, payload = message
        if kind == b"R":
            run = read_value(payload, self._limits, elapsed)
            return replace(run, memory_mb=_peak_memory_mb(child.process.pid))
        status = _ENDINGS.get(kind, "runtime_error")
        return Run(status, error=_text(payload), time_s=elapsed)

    # -- a guest's life

    def _start(self, mode: str, stdin: str, **extra: Any) -> GuestProcess:
        calls = extra.pop("calls", ())
        job = {
            "mode": mode,
            "source": self._program.source,
            "prelude": self._program.prelude,
            "packages": self._packages,
            "memory_bytes": int(self._limits.memory_mb * MIB),
            "output_bytes": self._output_bytes,
            # what ends an endless program when the harness itself was killed
            "cpu_s": (int(self._limits.time_s * (1 + len(calls))) + 2) * usable_cores(),
            "calls": [(call.function, marshal.dumps(call.args)) for call in calls],
            **extra,
        }
        return start_guest(job, stdin, self._wake)

    def _death(self, child: GuestProcess) -> RunStatus:
        """How a child ended that sent no word: by memory where its peak says so."""
        near_limit = 0.95 * self._limits.memory_mb
        if child.exit_status not in (0, None) and (child.memory_mb or 0) >= near_limit:
            return "memory_limit"
        return "runtime_error"

    def _finish(
        self, child: GuestProcess, status: RunStatus, elapsed: float, error: str = ""
    ) -> Run:
        child.kill()
        stderr = child.error_text()
        if not error and status in ("runtime_error", "memory_limit"):
            error = describe_exit(child.exit_status, stderr)
        return Run(
            status,
            error=error,
            time_s=elapsed,
            memory_mb=child.memory_mb,
            stderr=stderr,
            exit_status=child.exit_status,
        )


def _is_again(child: GuestProcess, message: Any) -> bool:
    """Whether a call is to be made once more, in a process that made none before it."""
    if message is GONE:
        child.kill()
        return (child.exit_status or 0) < 0
    return message is not TIMEOUT and message[0] in (AGAIN, b"O")


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "replace")


def _size(stream: IO[bytes]) -> int:
    return os.fstat(stream.fileno()).st_size


def _memory_message(payload: bytes) -> float | None:
    """Peak resident MiB as the guest tells it: for information, the program could forge it."""
    text = _text(payload)
    return round(int(text) / 1024, 1) if text.isdecimal() and len(text) < 12 else None


def _peak_memory_mb(pid: int) -> float | None:
    """Peak resident MiB of a live process, where the system tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None

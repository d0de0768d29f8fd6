"""One program on its inputs, as jobs for a host (host.py), and as the Runs that come of them."""

from __future__ import annotations

import marshal
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ctrl_harness.execution.cell_client import SCRATCH_MB
from ctrl_harness.execution.cell_job import Job, JobLost
from ctrl_harness.execution.executor import CallInput, Input, Program, Run, ScriptInput, StdinInput
from ctrl_harness.execution.handout import FIRST_CALLS, Call
from ctrl_harness.execution.outcomes import Expected, keep_run, read_outcome
from ctrl_harness.execution.packages import USUAL
from ctrl_harness.execution.records import CROWDED, ENDED, OUT_OF_MEMORY, Outcome
from ctrl_harness.execution.script_job import script_job
from ctrl_harness.problems.problem import Limits

_MIB = 1024 * 1024
_LEAST_COMPILE_S = 2.0
_MAX_CALLS = 1000
"""How many calls one process is asked for at most: after a crash in each, all that is left is sent
again."""
_FILE_MB = 64.0
"""See guest.file_bytes."""
_CELL_MB = 128.0
"""What a cell may use beside the program's memory, its streams and scratch."""
_PACKAGES_S = 60.0
"""How long importing the packages may take that a program names; none of it is its own time."""
_FETCH_MIB = 16
"""What the files may have together that come back of a run."""


@dataclass
class Judging:
    """One call of `execute` under way."""

    program: Program
    inputs: Sequence[Input]
    limits: Limits
    until: Callable[[Run], bool] | None
    packages: tuple[str, ...]
    runs: list[Run] = field(default_factory=list)
    _enough: bool = False
    _crowded: int | None = None
    """The run that was at its time limit with others and is tried alone."""

    @property
    def over(self) -> bool:
        """Every input has its run, or no further one is wanted."""
        return self._enough or len(self.runs) == len(self.inputs)

    def cell_job(self) -> Job:
        """What a cell runs next: calls, in one process, or what comes before the next ones."""
        start, end = len(self.runs), len(self.inputs)
        calls = start < end and isinstance(self.inputs[start], CallInput)
        if calls:
            end = min(end, start + _MAX_CALLS)
        others = (i for i in range(start, end) if isinstance(self.inputs[i], CallInput) != calls)
        # what is run again is the doing of one call, which is then made alone
        return self.job(next(others, end), FIRST_CALLS if start == 0 else 1)

    def job(self, end: int | None = None, first_calls: int | None = None) -> Job:
        """What is still to be run; after a cell was lost, that is not everything.

        end: the input before which it ends. first_calls: how many its process gets to know at
        once, where it is nothing but calls; all by default.
        """
        self._expected: list[Expected] = []
        parts: list[tuple[object, ...]] = []
        stdin: list[bytes] = []
        offset = 0
        calls: list[tuple[str, bytes]] = []
        for given in self.inputs[len(self.runs) : end]:
            if isinstance(given, CallInput):
                if not calls:
                    parts.append(("calls", calls))
                    expected = Expected("call", len(parts))
                calls.append((given.function, marshal.dumps(given.args)))
                self._expected.append(expected)
                continue
            calls = []
            if isinstance(given, StdinInput):
                data = given.stdin.encode("utf-8", "surrogatepass")
                parts.append(("stdio", offset, len(data)))
                stdin.append(data)
                offset += len(data)
                self._expected.append(Expected("stdio", len(parts)))
            else:
                tests = script_job(given.script)
                parts.append(("script", tests))
                self._expected.append(Expected("script", len(parts), tests["nonce"]))
        self._position = 0
        later: list[Call] = []
        if len(parts) == 1 and calls:
            later = calls[first_calls:] if first_calls is not None else []
            del calls[len(calls) - len(later) :]
        limits = self.limits
        compile_s = max(limits.time_s, _LEAST_COMPILE_S)
        head = {
            "source": self.program.source,
            "prelude": self.program.prelude,
            "packages": list(self.packages),
            "memory_bytes": int(limits.memory_mb * _MIB),
            "output_bytes": int(limits.output_mb * _MIB),
            "time_s": limits.time_s,
            "compile_s": compile_s,
            "packages_s": _PACKAGES_S,
            "parts": parts,
        }
        frame_mb = limits.output_mb
        if self.program.fetch:
            head["fetch"] = list(self.program.fetch)
            head["fetch_bytes"] = _FETCH_MIB * _MIB
            frame_mb = max(frame_mb, 2 * _FETCH_MIB)  # with what a thousand names take
        large = any(name not in USUAL and name in self.program.source for name in self.packages)
        longest_stdin_mb = max(map(len, stdin), default=0) / _MIB
        # standard output, which a host has three times
        streams_mb = 3 * limits.output_mb + _FILE_MB + longest_stdin_mb
        return Job(
            head,
            stdin,
            cell_memory_mb=limits.memory_mb + streams_mb + SCRATCH_MB + _CELL_MB,
            longest_silence_s=compile_s + limits.time_s + (_PACKAGES_S if large else 0.0),
            max_frame_bytes=int(frame_mb * _MIB) + _MIB,
            calls=len(calls) if len(parts) == 1 else 0,
            later=later,
        )

    def take(self, outcome: Outcome) -> bool:
        """Turns an outcome into Runs; true where no further one is wanted.

        Raises ValueError where more came than was asked for.
        """
        if self._position >= len(self._expected):
            raise ValueError("more outcomes than inputs")
        if outcome.how == CROWDED:
            self._crowded = len(self.runs)
            return False
        expected = self._expected[self._position]
        run = read_outcome(outcome, expected, self.limits)
        if outcome.files:
            run = replace(run, files=tuple(map(self._named, outcome.files)))
        if self._crowded == len(self.runs) and run.status != "ok":  # of a second chance
            run = replace(run, status="time_limit", error="")
        count = outcome.inputs
        if count == 0:  # the program could not be loaded, so every call fails in the same way
            same_part = (e.part == expected.part for e in self._expected[self._position :])
            count = sum(same_part)
        for _ in range(count):
            self._position += 1
            self._enough = keep_run(run, self.runs, self.program, self.until)
            if self._enough:
                return True
        return False

    def lose(self, lost: JobLost) -> bool:
        """Takes note of a job that the program itself made end; whether that was the last one.

        At the cell's memory limit that is the run which was under way; a program that is lost for
        other reasons is not tried on what is left.
        """
        if lost.stage != "compiled":
            self.runs.append(Run("compile_error", error=f"compiling it ended in vain: {lost}"))
            return True
        if lost.out_of_memory:
            self.take(Outcome(ENDED, status=signal.SIGKILL, message=OUT_OF_MEMORY))
            return self.over
        run = Run("runtime_error", error=f"the program ended what it ran in: {lost}")
        while not self.over:
            self._enough = keep_run(run, self.runs, self.program, self.until)
        return True

    def control(self) -> Judging:
        """A program that does nothing, where this one is judged."""
        calls = isinstance(self.inputs[0], CallInput)
        inputs: list[Input] = [CallInput("f", ()) if calls else StdinInput("")]
        scripts = [given.script for given in self.inputs if isinstance(given, ScriptInput)]
        modules = dict.fromkeys(name for s in scripts for name in script_job(s)["imports"])
        if modules:  # which may be what is not there
            inputs.append(ScriptInput(f"import {', '.join(modules)}"))
        program = Program("def f(): pass", self.program.prelude)
        return Judging(program, inputs, self.limits, None, self.packages)

    def _named(self, file: tuple[int, bytes]) -> tuple[str, bytes]:
        number, data = file
        if number >= len(self.program.fetch):
            raise ValueError("a file that nobody asked for")
        return self.program.fetch[number], data

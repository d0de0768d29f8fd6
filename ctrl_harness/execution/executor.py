"""The executor's protocol: runs an untrusted program on inputs, knows no expected value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ctrl_harness.problems.problem import Limits

RunStatus = Literal[
    "ok", "runtime_error", "time_limit", "memory_limit", "output_limit", "compile_error"
]
"""How a run ended, whatever it printed or returned."""


@dataclass(frozen=True, slots=True)
class StdinInput:
    """One run of the whole program with this text on standard input."""

    stdin: str


@dataclass(frozen=True, slots=True)
class CallInput:
    """One call of `function` with positional `args` (plain Python values)."""

    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ScriptInput:
    """The program as a module, then this script in its namespace as `__main__`.

    `ok` only when the script ran to its end and none of its assertions failed.
    """

    script: str


Input = StdinInput | CallInput | ScriptInput


@dataclass(frozen=True, slots=True)
class Program:
    """Untrusted Python source; `prelude` runs in its namespace first (imports, limits).

    fetch: files that come back of each stdio run (`Run.files`), by their paths from the folder it
    runs in; the executor `embedded` alone brings any. keeps_outputs: false where `until` looks at
    every output and none is wanted after it, so that no more of them is held than one at a time.
    """

    source: str
    prelude: str = ""
    fetch: tuple[str, ...] = ()
    keeps_outputs: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one input.

    stdout: text of a StdinInput's run, undecodable bytes as surrogate escapes. value: what a
    CallInput returned, as plain types (see wire.py), not read yet (a wire.Payload) where the
    program keeps no outputs, or how many assertions of a ScriptInput were evaluated and held.
    error: the last lines of the traceback or a sentence; for people and for feedback, never for
    deciding. time_s: wall seconds, measured outside. memory_mb: peak resident MiB, None where
    unknown. stderr: the end of what a process of its own wrote there. exit_status: the process's,
    negative for a signal; None where it lives on, was ended for its time, or is not known.
    files: of those that the program's `fetch` names, the ones that were there, with their bytes.
    """

    status: RunStatus
    stdout: str = ""
    value: Any = None
    error: str = ""
    time_s: float = 0.0
    memory_mb: float | None = None
    stderr: str = ""
    exit_status: int | None = None
    files: tuple[tuple[str, bytes], ...] = ()

    def without_outputs(self) -> Run:
        """What may be kept of any number of runs."""
        # not by replace(), which takes several times as long, and a short call takes little itself
        known = self.error, self.time_s, self.memory_mb
        return Run(self.status, "", None, *known, "", self.exit_status)


class Executor(Protocol):
    """Runs programs. Reentrant: any number of `execute` calls may be in flight.

    packages: the third-party packages that programs may import; None where the place that they run
    in decides.
    """

    name: str
    isolated: bool
    packages: tuple[str, ...] | None

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        """Runs in the order of `inputs`; ends early after the first for which `until` is true.

        A compile error is one Run with that status, and nothing after it. The length of the
        answer is that of what was run, without what was printed and returned where the program
        keeps no outputs. Raises JudgeError where the machinery failed; cancelling
        the awaiting task kills what runs.
        """
        ...

    async def aclose(self) -> None:
        """Ends every process and removes every file this executor made. Idempotent."""
        ...

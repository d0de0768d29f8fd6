"""The host of one program inside a cell: compiles it, forks a process for what it runs on, tells.

A host never runs the program itself. Each stdio input and each script gets a process forked from
here; the calls share one, which is made anew at the next call after a crash or a time limit.
Processes are timed and killed by the host, which the program cannot reach: it may signal nobody
but itself. The host writes what came of each input to the harness (see records.py).

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import contextlib
import gc
import marshal
import math
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from ctrl_harness.execution import guest, interpreter, linux
from ctrl_harness.execution.calls import CallChild
from ctrl_harness.execution.child import (
    INPUTS_FD,
    MOST_DESCRIPTORS,
    REPORT_FD,
    Loaded,
    run_calls,
    run_script,
    run_stdio,
)
from ctrl_harness.execution.descriptors import (
    CHILD_ENDED,
    ErrorFile,
    put_fresh_file,
    read_at,
    size_of,
    wait,
    write_all,
)
from ctrl_harness.execution.fetching import fetch
from ctrl_harness.execution.records import (
    ENDED,
    NO_MODULE,
    NOT_COMPILED,
    OVERSIZED,
    PRELUDE_FAILED,
    READY,
    STARTED,
    TIMED_OUT,
    FrameReader,
    frame,
    packed_files,
    packed_outcome,
)
from ctrl_harness.execution.scratch import Scratch
from ctrl_harness.execution.seccomp import Filter

_COMPILE_MEMORY = 512 << 20
_RESERVED_MEMORY = 256 << 20
"""Address space beyond the memory limit for what is reserved and not used, thread stacks above all;
what a process of its own has used is known when it has ended. Calls, which share one, have none."""
_SPARE_MEMORY = 16 << 20
"""What a process may add to its memory limit to report that it was reached."""
_MESSAGE_BYTES = 64 << 10
_ERROR_CHARS = 4_000
_MAX_THREADS = 256
_NOT_STARTED = 1
_SEARCHED_CHARS = 1 << 20
"""How much of a program is searched for the modules it uses."""
_RARE_MODULES = frozenset(
    ("array", "cmath", "datetime", "decimal", "fractions", "queue", "random", "statistics")
)
"""Not in every cell: most are libraries of their own, which weigh on every fork more than it costs
to load them once for the tests of a program that uses them."""
_IMPORT = re.compile(r"\b(?:import|from)\b([^#\n]*)")
_WORD = re.compile(r"\w+")
_own_pid, _exit = os.getpid, os._exit
_MODULES = {"stdio": "__main__", "calls": "solution", "script": "solution"}


class Host:
    def __init__(
        self,
        job_fd: int,
        results_fd: int,
        filter_: Filter | None,
        scratch: Scratch,
        *,
        limited: bool = True,
    ) -> None:
        """scratch: the working folder. filter_, limited: None and False in tests that show what a
        layer is for.
        """
        self._job_fd, self._results_fd, self._filter = job_fd, results_fd, filter_
        size = int.from_bytes(os.pread(job_fd, 8, 0), "little")
        self._job: dict[str, Any] = marshal.loads(read_at(job_fd, size, 8))
        self._stdin_at = 8 + size
        # of all its threads; the clock on the wall is the host's own
        cpu_s = (math.ceil(self._job["time_s"]) + 1) * len(os.sched_getaffinity(0))
        self._cpu_limit = (cpu_s, cpu_s + 1)
        memory, output = (min(self._job[k], 1 << 50) for k in ("memory_bytes", "output_bytes"))
        self._output_bytes = output
        files = guest.file_bytes(output, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        if any(part[0] != "calls" for part in self._job["parts"]):
            memory += _RESERVED_MEMORY
        limits = (
            (resource.RLIMIT_AS, (memory, memory + _SPARE_MEMORY)),
            (resource.RLIMIT_FSIZE, (files, files)),
            (resource.RLIMIT_NPROC, _threads()),
        )
        self._limits = limits if limited else ()
        self._steps_alone = _last_steps((*self._limits, (resource.RLIMIT_CPU, self._cpu_limit)))
        self._scratch = scratch
        self._writes_file = interpreter.names_its_file(self._job["source"])

    def run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, CHILD_ENDED)
        for target in (1, 2):  # for what a package prints while it is imported
            put_fresh_file(target)
        program = self._load()
        if program is None:
            return
        gc.freeze()  # what children share is not theirs to collect
        for kind, *details in self._job["parts"]:
            if kind == "stdio":
                offset, size = details
                stdin = read_at(self._job_fd, size, self._stdin_at + offset)
                self._run_alone(partial(run_stdio, program), stdin)
            elif kind == "script":
                self._run_alone(partial(run_script, program, details[0]), b"", True)
            else:
                self._run_calls(program, details[0])

    def become_caller(self, inputs_fd: int | None) -> NoReturn:
        """In place of a host's life: this process runs the calls and reports to the harness.

        Its streams are its parent's, who reads them when it is over. inputs_fd: what calls beyond
        the job's come from.
        """
        program = self._load()
        if program is None:
            os._exit(0)
        self._tell(frame(STARTED))  # what is told from here on is the program's word
        os.dup2(self._results_fd, REPORT_FD)
        ((_, calls),) = self._job["parts"]
        closed_from = REPORT_FD + 1
        if inputs_fd is not None:
            os.dup2(inputs_fd, INPUTS_FD)
            inputs_fd, closed_from = INPUTS_FD, INPUTS_FD + 1
        steps = _last_steps(self._limits, closed_from)
        _be_child(steps, self._filter, partial(run_calls, program, calls, inputs_fd))

    def _load(self) -> Loaded | None:
        """Compiles the program and runs the prelude, which is the harness's own text.

        Bounded by a signal whose default action ends this process: pid 1 sees it and tells.
        """
        job = self._job
        if refusal := self._refusal():
            self._tell(frame(PRELUDE_FAILED, refusal.encode()))
            return None
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (max(job["memory_bytes"], _COMPILE_MEMORY), hard))
        signal.setitimer(signal.ITIMER_REAL, job["compile_s"])
        try:
            code = guest.compile_program(job["source"])
        except SyntaxError as error:
            self._tell_failure(NOT_COMPILED, error, job["source"])
            return None
        self._tell(frame(READY))
        # anew and without a bound, since what compiling took was the program's doing
        signal.setitimer(signal.ITIMER_REAL, job["compile_s"])
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        scripts = [tests for kind, *_, tests in job["parts"] if kind == "script"]
        imports = [name for tests in scripts for name in tests["imports"]]
        if (missing := guest.missing_module(imports, job["source"])) is not None:
            self._tell(frame(NO_MODULE, missing.encode()))
            return None
        program = Loaded(job["source"], code, self._output_bytes, self._scratch.path)
        interpreter.remember_source(job["source"])
        try:
            self._import_modules()
            for name in {_MODULES[part[0]] for part in job["parts"]}:
                program.modules[name] = module = guest.fresh_module(name)
                if name == "__main__":
                    interpreter.name_main(module.__dict__, self._scratch.path)
                if job["prelude"]:
                    prelude = compile(job["prelude"], "<prelude>", "exec", dont_inherit=True)
                    exec(prelude, module.__dict__)
        except BaseException as error:  # noqa: BLE001 - whatever it is, not the program's doing
            self._tell_failure(PRELUDE_FAILED, error, job["prelude"])
            return None
        signal.setitimer(signal.ITIMER_REAL, 0)
        return program

    def _refusal(self) -> str | None:
        """Why the job's limits cannot be had: this machine's own hard ones are lower.

        A process that failed to set them would look like a program that crashed.
        """
        names = {resource.RLIMIT_AS: "-v", resource.RLIMIT_FSIZE: "-f", resource.RLIMIT_CPU: "-t"}
        for which, (_, wanted) in (*self._limits, (resource.RLIMIT_CPU, self._cpu_limit)):
            hard = resource.getrlimit(which)[1]
            if hard != resource.RLIM_INFINITY and hard < wanted:
                return (
                    f"a run needs {wanted} of what `ulimit -H {names[which]}` shows, which is "
                    f"{hard} here (bytes or seconds); raise it, or ask for lower limits"
                )
        return None

    def _import_modules(self) -> None:
        """Those that the program seems to use: once here, and not in the time and memory of every
        child. A package is large, so its name anywhere is enough.
        """
        text = self._job["prelude"] + "\n" + self._job["source"][:_SEARCHED_CHARS]
        named = set(_WORD.findall(" ".join(_IMPORT.findall(text)))) & _RARE_MODULES
        for name in named:
            __import__(name)
        packages = [name for name in self._job["packages"] if name in text]
        if not packages:
            return
        # theirs is not the program's time
        signal.setitimer(signal.ITIMER_REAL, self._job["packages_s"])
        for name in packages:
            with contextlib.suppress(Exception):  # the program will meet it itself
                __import__(name)
        signal.setitimer(signal.ITIMER_REAL, self._job["compile_s"])

    # -- a process of its own for an input

    def _run_alone(self, body: Callable[[], object], stdin: bytes, is_script: bool = False) -> None:
        if self._writes_file:
            self._scratch.write(interpreter.PROGRAM, self._job["source"])
        put_fresh_file(0, stdin)
        put_fresh_file(1)
        put_fresh_file(REPORT_FD)
        errors = ErrorFile()
        start = time.perf_counter()
        child = linux.raw_fork()
        if child == 0:
            _be_child(self._steps_alone, self._filter, body)
        deadline = start + self._job["time_s"]
        status, usage, in_time = wait(child, deadline, errors, self._output_bytes)
        wall = time.perf_counter() - start
        stdout_bytes = size_of(1)
        message = stdout = b""
        stderr = errors.end()
        how = ENDED if in_time else TIMED_OUT
        if stdout_bytes > self._output_bytes:
            how = how if how == TIMED_OUT else OVERSIZED
        elif not is_script:
            stdout = read_at(1, stdout_bytes, 0)
        if how != OVERSIZED and (status != 0 or is_script):
            message = _ending(os.pread(REPORT_FD, _MESSAGE_BYTES, 0))
        if wanted := self._job.get("fetch"):
            files = fetch(".", wanted, self._job["fetch_bytes"])
            self._tell(packed_files(files))
        cpu = usage.ru_utime + usage.ru_stime
        peak = usage.ru_maxrss
        self._tell(packed_outcome(how, 1, status, wall, cpu, peak, message, stderr, stdout))
        self._scratch.empty()  # each run finds an empty folder

    # -- one process for many calls

    def _run_calls(self, program: Loaded, calls: list[tuple[str, bytes]]) -> None:
        done = 0
        while done < len(calls):
            for stream in (0, 1, REPORT_FD):
                put_fresh_file(stream)
            errors = ErrorFile()
            reader, writer = os.pipe()
            steps, body = _last_steps(self._limits), partial(run_calls, program, calls[done:])
            child = linux.raw_fork()
            if child == 0:
                os.dup2(writer, REPORT_FD)
                _be_child(steps, self._filter, body)
            os.close(writer)
            try:
                follower = CallChild(child, reader, errors, self._job, self._results_fd)
                done += follower.follow(len(calls) - done)
            finally:
                os.close(reader)
            self._scratch.empty()

    def _tell(self, data: bytes) -> None:
        write_all(self._results_fd, data)

    def _tell_failure(self, kind: bytes, error: BaseException, source: str) -> None:
        text = guest.describe_exception(error, source)[-_ERROR_CHARS:]
        self._tell(frame(kind, text.encode("utf-8", "backslashreplace")))


_Step = tuple[Callable[..., object], tuple[Any, ...]]
_Limit = tuple[int, tuple[int, int]]


def _last_steps(limits: tuple[_Limit, ...], closed_from: int = REPORT_FD + 1) -> list[_Step]:
    """What a process of a program does before its filter."""
    return [
        (os.closerange, (closed_from, MOST_DESCRIPTORS)),
        # not signal's wrapper, which makes an enumeration of its answer
        (_signal.pthread_sigmask, (int(signal.SIG_UNBLOCK), CHILD_ENDED)),
        *((resource.setrlimit, limit) for limit in limits),
    ]


def _be_child(steps: list[_Step], filter_: Filter | None, body: Callable[[], object]) -> NoReturn:
    """The last trusted steps in a new process: nothing is left that the program may misuse.

    steps: of _last_steps, made ready before, for what is looked up costs each process a copy of
    pages that it shares with its host.
    """
    try:
        for function, arguments in steps:
            function(*arguments)
        if filter_ is not None:
            filter_.install(_own_pid())
        body()
    finally:
        _exit(_NOT_STARTED)


def _threads() -> tuple[int, int]:
    """How many a program may have; fewer where this machine's own hard limit says so."""
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    most = _MAX_THREADS if hard == resource.RLIM_INFINITY else min(_MAX_THREADS, hard)
    return most, most


def _ending(data: bytes) -> bytes:
    """Kind and payload of the first message that says how a run ended."""
    reader = FrameReader(max_bytes=_MESSAGE_BYTES)
    reader.feed(data)
    try:
        while (message := reader.take()) is not None:
            if message[0] in b"EMOD":
                return b"".join(message)
    except ValueError:  # the program wrote there too
        pass
    return b""

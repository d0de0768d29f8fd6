"""The harness's end of one cell: starts it, hands it jobs, reads what came of them, ends it.

Blocking; embedded.py calls it from worker threads. Nothing that a cell says is trusted beyond its
meaning: frames are bounded, and values are decoded by wire.py.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import marshal
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ctrl_harness.execution.calls_progress import CallsProgress
from ctrl_harness.execution.cell_job import (
    CellDied,
    CellSettings,
    Job,
    JobEnd,
    JobLost,
    LayerMissing,
    Progress,
    job_file,
)
from ctrl_harness.execution.cgroup import CellCgroup
from ctrl_harness.execution.records import Outcome
from ctrl_harness.execution.temporary import new_folder
from ctrl_harness.execution.threads import Cancelled

_CELL = Path(__file__).with_name("cell.py")
_START_S = 30.0
"""How long a cell may take to start on a busy machine."""
_STUCK_S = 30.0
"""How long past every limit a cell may be silent before it is given up."""
_STOP_S = 30.0
"""How long a job's processes may take to end when they are told to, on a busy machine."""
_CLOSE_S = 5.0
SCRATCH_MB = 64
_NUMBERS = itertools.count()


@dataclass
class _Stderr:
    """Where a cell writes what goes wrong while it starts."""

    descriptor: int = field(default_factory=lambda: os.memfd_create("ctrl-harness-cell"))

    def read(self) -> str:
        return os.pread(self.descriptor, 4000, 0).decode("utf-8", "replace").strip()


class Cell:
    """A live cell. Use from one thread at a time. Raises LayerMissing or CellDied at its start."""

    def __init__(self, settings: CellSettings) -> None:
        self._closed = False
        self._cgroup: CellCgroup | None = None
        self._exhaustions = (0, 0)
        self._memory_mb = 0.0
        self._scratch: str | None = None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        stderr = _Stderr()
        try:
            self._process = subprocess.Popen(
                [
                    # -I but for the environment, which is ours and fixes the hash seed
                    *(sys.executable, "-s", "-P", "-S", "-B"),
                    *(str(_CELL), str(theirs.fileno())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr.descriptor,
                cwd="/",
                env=_environment(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            os.close(stderr.descriptor)
            raise CellDied(f"no cell could be started: {error}") from error
        finally:
            theirs.close()
        try:
            self.layers: dict[str, str] = self._set_up(settings, stderr)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(stderr.descriptor)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def pid(self) -> int:
        """Of the cell's outer process, which ends when nothing of the cell is left."""
        return self._process.pid

    def _set_up(self, settings: CellSettings, stderr: _Stderr) -> dict[str, str]:
        if "memory cgroup" not in settings.without:
            self._cgroup = CellCgroup.create()
        if self._cgroup is not None:
            try:
                self._cgroup.add(self._process.pid)
            except OSError as error:  # another harness may have taken it for one left behind
                raise CellDied(f"a cell's control group is gone: {error}") from error
        outside_id = _new_id()
        if "mount namespace" in settings.without:
            self._scratch = new_folder("cell")
            if os.geteuid() == 0:  # for the cell, which has this id, to set its times
                os.chown(self._scratch, outside_id, outside_id)
        message = {
            "without": sorted(settings.without),
            "packages": list(settings.packages),
            "sources": [list(pair) for pair in settings.sources],
            "scratch_bytes": SCRATCH_MB << 20,
            "fallback_scratch": self._scratch,
            "outside_id": outside_id,
        }
        try:
            self._control.send(marshal.dumps(message))
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            answer = self._control.recv(1 << 16) if poll.poll(_START_S * 1000) else b""
            if answer[:1] == b"X":
                raise ValueError(answer[1:].decode("utf-8", "replace"))
            hello = json.loads(answer)
        except (OSError, ValueError) as error:
            raise CellDied(f"a cell did not start: {stderr.read()[-500:] or error}") from error
        if "missing" in hello:
            raise LayerMissing(hello["missing"], hello["reason"])
        layers: dict[str, str] = hello["layers"]
        if self._cgroup is not None:
            layers["memory cgroup"] = self._cgroup.description
        return layers

    # -- a job

    def run(self, job: Job, wake: int, on_outcome: Callable[[Outcome], bool]) -> None:
        """Runs a job; `on_outcome` gets every outcome in order and says whether that is enough.

        Raises NotCompiled, PreludeFailed, HostLost, Cancelled, CellDied.
        """
        try:
            if self._cgroup is not None:
                if self._memory_mb != job.cell_memory_mb:
                    self._cgroup.limit_memory(job.cell_memory_mb)
                    self._memory_mb = job.cell_memory_mb
                self._exhaustions = self._cgroup.exhaustions()
            self._run(job, wake, on_outcome)
        except OSError as error:
            raise self._died(str(error)) from error

    def _run(self, job: Job, wake: int, on_outcome: Callable[[Outcome], bool]) -> None:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            results, results_writer = os.pipe()
            ours.callback(os.close, results)
            theirs.callback(os.close, results_writer)
            sent = [job_file(job), results_writer]
            theirs.callback(os.close, sent[0])
            inputs = -1
            if job.later:
                reader, inputs = os.pipe()
                ours.callback(os.close, inputs)
                theirs.callback(os.close, reader)
                os.set_blocking(inputs, False)
                sent.append(reader)
            socket.send_fds(self._control, [b"C" if job.calls else b"J"], sent)
            theirs.close()
            os.set_blocking(results, False)
            common = (results, job, job.longest_silence_s + _STUCK_S, on_outcome)
            progress: Progress | CallsProgress
            if job.calls:
                progress = CallsProgress(*common, self._is_out_of_memory, inputs)
            else:
                progress = Progress(*common, self._is_out_of_memory)
            try:
                try:
                    self._follow(progress, wake)
                except OSError as error:
                    raise self._died(str(error)) from error
            except JobLost as lost:
                lost.stage = "compiled" if progress.compiled else "compiling"
                lost.out_of_memory = lost.out_of_memory or self._is_out_of_memory()
                raise

    def _follow(self, progress: Progress | CallsProgress, wake: int) -> None:
        """Until nothing of the job is left, by itself or because there is enough."""
        control = self._control.fileno()
        poll = select.poll()
        for descriptor in (progress.results, wake, control):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(progress.wait_ms())}
            if progress.inputs in ready:
                progress.send()
                if not progress.is_sending:
                    poll.unregister(progress.inputs)
            if wake in ready:
                self._stop()
                raise Cancelled
            if not ready and progress.overdue():
                return progress.check(self._stop())
            if not ready and progress.wait_ms():
                raise self._died("it stopped answering")
            end = self._end_of_job() if control in ready else None
            try:
                # read after the host's end is known, or its last words would be missed
                progress.read()
            except ValueError as error:
                raise self._died(str(error)) from error
            if end is not None:
                return progress.check(end)
            if progress.enough:
                return progress.check(self._stop())
            if progress.at_end:
                poll.unregister(progress.results)
            if progress.is_sending:
                poll.register(progress.inputs, select.POLLOUT)

    def _end_of_job(self) -> JobEnd:
        answer = self._control.recv(1 << 16)
        try:
            if answer[:1] == b"D":
                return JobEnd.unpack(answer[1:])
        except ValueError as error:
            raise self._died(str(error)) from error
        raise self._died(answer[1:].decode("utf-8", "replace") or "it ended")

    def _stop(self) -> JobEnd:
        """Ends the job under way and waits until nothing of it is left. Raises CellDied."""
        self._control.send(b"K")
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        if not poll.poll(_STOP_S * 1000):
            raise self._died("it could not be stopped")
        return self._end_of_job()

    def _died(self, why: str) -> CellDied:
        lost = CellDied(f"a cell was lost: {why}")
        lost.out_of_memory = self._is_out_of_memory()  # as long as its control group is there
        self.close()
        return lost

    def _is_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of this job since the cell came to its limit."""
        if self._cgroup is None or self._closed:
            return False
        try:
            now = self._cgroup.exhaustions()
        except OSError:  # another harness may have taken it for one left behind
            return False
        return all(count > before for count, before in zip(now, self._exhaustions, strict=True))

    # -- its end

    def close(self) -> None:
        """Ends everything in the cell and waits for it. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._control.close()  # pid 1 ends with it, and all others with pid 1
        try:
            self._process.wait(timeout=_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._cgroup is not None:
            self._cgroup.remove()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def hang_up(self) -> None:
        """Ends everything in the cell from another thread than its user's, which then closes it."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Lets go of another process's cell, after a fork."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._control.close()
        if self._cgroup is not None:
            self._cgroup.close()
        self._process.returncode = 0  # not ours to wait for


def _new_id() -> int:
    """A user and group id for one cell.

    Older kernels count the processes of an id wherever they run, so cells must not share one: not
    those of two executors here, and not those of two harnesses. It fits in 32 bits.
    """
    return 1_900_000_000 + os.getpid() % (1 << 22) * 256 + next(_NUMBERS) % 256


def _environment() -> dict[str, str]:
    """All that a program sees of the environment; one thread a library, as judges do."""
    scratch = "/scratch"
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "LD_BIND_NOW": "1",  # or each process would look up anew what it calls of the libraries
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",  # the same program gives the same output in every cell
    }

"""Runs a job in somebody else's sandbox: what goes to a SandboxFusion and into Inspect's sandboxes.

The host that works in our cells does the work here too, without the cell's walls: what isolates is
the sandbox that this runs in. Like every host it has the source and the inputs, and never an
expected value. A program may well reach this process, and claim what it likes of its own runs; that
earns it time, but no answer.

Part of what runs inside a sandbox: the standard library only.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import zipimport
from collections.abc import Callable

from ctrl_harness.execution import ending, guest, interpreter, linux
from ctrl_harness.execution.child import MOST_DESCRIPTORS, REPORT_FD
from ctrl_harness.execution.descriptors import ErrorFile, put_fresh_file
from ctrl_harness.execution.host import Host
from ctrl_harness.execution.scratch import Scratch, remove

JOB_FILE, RESULTS_FILE = "ctrl_harness_job.bin", "ctrl_harness_results.bin"
_OWN_FROM = 200
_ONE_THREAD_A_LIBRARY = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.002
_SWEEPS = 100
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(budget_s: float) -> None:
    """Runs the job in the working folder until it ends or the budget is spent.

    Prints {"status": the host's wait status, "spent": whether it was us who ended it}.
    """
    print(json.dumps(_run(_take_file(JOB_FILE), _new_results(), budget_s)))


def _new_results() -> int:
    return os.open(RESULTS_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _run(
    job: int, results: int, budget_s: float, max_bytes: int | None = None
) -> dict[str, int | None]:
    """Ends with the host, the budget or a signal; with max_bytes, when the file is full or gone."""
    stopped: list[int] = []
    for number in _STOPPING:
        signal.signal(number, lambda number, _: stopped.append(number))
    deadline = time.monotonic() + budget_s

    def is_wanted() -> bool:
        if stopped or time.monotonic() >= deadline:
            return False
        if max_bytes is None:
            return True
        file = os.fstat(results)
        return file.st_nlink > 0 and file.st_size <= max_bytes

    scratch = tempfile.mkdtemp(prefix="ctrl-harness-run-")
    linux.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        host = os.fork()
        if host == 0:
            _be_host(job, results, scratch)
        status = _wait(host, is_wanted)
        spent = status is None
        if spent:
            os.kill(host, signal.SIGKILL)
            status = os.waitpid(host, 0)[1]
        _end_descendants()
        if max_bytes is not None and os.fstat(results).st_size > max_bytes:
            os.ftruncate(results, max_bytes)
    finally:
        remove(scratch)
    return {"status": status, "spent": spent}


def _take_file(path: str) -> int:
    """The file's content in an anonymous file; the file itself is gone."""
    descriptor = os.memfd_create("ctrl-harness-job")
    with open(path, "rb") as source, open(descriptor, "wb", closefd=False) as target:
        shutil.copyfileobj(source, target)
    os.unlink(path)
    return descriptor


def _be_host(job: int, results: int, scratch: str) -> None:
    status = 1
    try:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as programs find it
        os.setsid()
        os.chdir(scratch)
        job, results = map(_out_of_the_way, (job, results))
        os.closerange(MOST_DESCRIPTORS, 1 << 16)  # a process of the program closes those below
        _prepare_interpreter(scratch)
        Host(job, results, None, Scratch(scratch)).run()
        status = 0
    finally:
        os._exit(status)


def _out_of_the_way(descriptor: int) -> int:
    """The same file under a number that neither hosts nor programs use."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _OWN_FROM)


def _prepare_interpreter(scratch: str) -> None:
    """As a cell does it: streams over files that the host may replace, nothing of ours in sight."""
    for target in range(REPORT_FD + 1):
        put_fresh_file(target)
    ErrorFile()  # as each process gets one
    interpreter.open_streams()
    linux.share_malloc_arena()
    os.environ.update({"HOME": scratch, "TMPDIR": scratch, **_ONE_THREAD_A_LIBRARY})
    guest.prepare_interpreter([])
    names = [name for name in sys.modules if name.partition(".")[0] == "ctrl_harness"]
    ending.hide_telling_modules()
    ending.remember([vars(sys.modules.pop(name)) for name in names])
    gc.collect()


def _wait(child: int, is_wanted: Callable[[], bool]) -> int | None:
    """The child's status; None where it still runs and is no longer wanted."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if not is_wanted():
            return None
        time.sleep(_POLL_S)


def _end_descendants() -> None:
    """Kills what is left, daemons too: as their subreaper we are everybody's parent in the end."""
    for _ in range(_SWEEPS):
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as listing:
                children = [int(pid) for pid in listing.read().split()]
        except OSError:  # some sandboxes' /proc does not tell; they end with all that is in them
            return
        if not children:
            return
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def run_as_script(bundle: str, budget_s: float) -> None:
    """The bundle's entry: programs find neither it nor the bundle on their path."""
    _hide(bundle)
    main(budget_s)


def run_parcel(parcel: str, budget_s: float, max_bytes: int) -> None:
    """The entry where bundle and job are one file, which is removed before any program runs.

    The results file holds at most max_bytes; removing it ends everything, as does SIGTERM. Prints
    what `main` prints.
    """
    job = os.memfd_create("ctrl-harness-job")
    with open(job, "wb", closefd=False) as target:
        target.write(zipimport.zipimporter(parcel).get_data(JOB_FILE))
    os.unlink(parcel)
    _hide(parcel)
    print(json.dumps(_run(job, _new_results(), budget_s, max_bytes)))


def _hide(bundle: str) -> None:
    sys.path[:] = [path for path in sys.path if path not in (bundle, os.path.dirname(bundle))]
    sys.argv = [interpreter.PROGRAM]

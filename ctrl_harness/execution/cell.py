"""The trusted part of a cell: sets the isolation up, then runs hosts as pid 1 of its namespaces.

Started by the harness as `python -s -P -S -B cell.py DESCRIPTOR`, from a clean interpreter,
never as a fork of the harness. The descriptor is a SEQPACKET socket:

    harness → cell   marshal of the settings (once), then
                     J + descriptors of a job and of the pipe for its results; C + the same for a
                     job of calls, whose process needs no host, and a third one, of the pipe for
                     its further calls, where there are any; K (kill what runs)
    cell → harness   JSON of the layers in force, or of the one that is missing (once), then
                     D + how the host ended (see JobEnd), when nothing of the job is left;
                     X + the trouble that ends the cell

The end of the harness ends the socket, which ends pid 1, which ends everything in the cell.
"""

from __future__ import annotations

import _socket  # not socket, whose further imports weigh on every fork
import contextlib
import gc
import json
import marshal
import math
import os
import resource
import select
import signal
import sys
import types
from typing import Any, NoReturn

_HERE = os.path.dirname(os.path.abspath(__file__))


def _import_siblings() -> None:
    """Makes our package importable without running its __init__, which loads half the project."""
    for name, path in (
        ("ctrl_harness", os.path.dirname(_HERE)),
        ("ctrl_harness.execution", _HERE),
    ):
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package


if __name__ == "__main__":
    _import_siblings()

from ctrl_harness.execution import (  # noqa: E402
    ending,
    guest,
    interpreter,
    landlock,
    linux,
    namespaces,
    seccomp,
)
from ctrl_harness.execution.child import MOST_DESCRIPTORS, REPORT_FD  # noqa: E402
from ctrl_harness.execution.descriptors import (  # noqa: E402
    LOOK_S,
    ErrorFile,
    move,
    put_fresh_file,
)
from ctrl_harness.execution.host import Host  # noqa: E402
from ctrl_harness.execution.rehearsal import rehearse, rehearse_end  # noqa: E402
from ctrl_harness.execution.scratch import Scratch  # noqa: E402
from ctrl_harness.execution.victims import Victims, prefer_cell  # noqa: E402

_PRELOADED = (
    "collections heapq math bisect itertools functools re string io operator copy typing "
    "threading traceback linecache atexit json enum contextlib"
)
"""What most programs import, so that it is loaded once for all of them; hosts load the rest."""
_SCRATCH_INODES = 4096
_MAX_SIGNALS = 1024
"""Signals that wait, and timers, of which each has one ready."""
_CONTROL_FD = 16
"""Out of the way of the numbers that programs use."""
_VICTIMS_FD = 17


class _Missing(Exception):
    """A layer that could not be put in force: its name and why."""


class _Cell:
    def __init__(self, control: _socket.socket, settings: dict[str, Any]) -> None:
        self._control = control
        self._settings = settings
        self._without: frozenset[str] = frozenset(settings["without"])
        self._layers: dict[str, str] = {}
        self._filter: seccomp.Filter | None = None

    # -- setting up

    def enter_namespaces(self) -> None:
        """New namespaces for this process, or for its children where PIDs are concerned."""
        root = os.geteuid() == 0
        user, group = os.geteuid(), os.getegid()
        wanted = {n: f for n, f in namespaces.LAYERS.items() if n not in self._without}
        if "user namespace" in wanted:
            self._enter_user_namespace(root, user, group)
        for name, flags in wanted.items():
            if flags != namespaces.NEW_USER:
                self._apply(name, linux.unshare, flags)
        with contextlib.suppress(OSError):  # hides a path, no more: none of it is mounted inside
            linux.unshare(namespaces.NEW_CGROUP)

    def _enter_user_namespace(self, root: bool, user: int, group: int) -> None:
        """The ids are written by a child that stays outside, as only root there may map two."""
        if root:
            user = group = self._settings["outside_id"]
        ready, start = os.pipe()
        parent = os.getpid()
        helper = os.fork()
        if helper == 0:
            status = 1
            try:
                os.close(start)
                if os.read(ready, 1):
                    namespaces.write_id_maps(parent, user, group, root)
                    status = 0
            finally:
                os._exit(status)
        os.close(ready)
        try:
            self._apply("user namespace", linux.unshare, namespaces.NEW_USER)
            os.write(start, b"x")
        finally:
            os.close(start)
            failed = os.waitpid(helper, 0)[1]
        if failed:
            raise _Missing("user namespace", "the kernel refuses to map a user into it")

    def become_init(self) -> None:
        """The rest, as pid 1: files, user, capabilities, Landlock, limits, filter."""
        os.setsid()
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # or it would not own its own files in /proc
        self._victims = Victims(_VICTIMS_FD)
        root = os.geteuid() == 0
        if "IPC namespace" not in self._without:
            self._apply("IPC namespace", linux.set_hostname, "cell")
        for name in _PRELOADED.split():
            __import__(name)
        linux.share_malloc_arena()
        sources = [namespaces.Source(*pair) for pair in self._settings["sources"]]
        sources += namespaces.library_folders()
        sources += namespaces.data_folders(sources)
        if "mount namespace" not in self._without:
            mapped = "user namespace" not in self._without
            owner = namespaces.INSIDE_ID if mapped else self._settings["outside_id"]
            has_proc = namespaces.enter_root(
                sources, self._settings["scratch_bytes"], _SCRATCH_INODES, owner
            )
            streams = "with /dev/stdin" if has_proc else "without /dev/stdin"
            self._layers["mount namespace"] = streams
            scratch = namespaces.SCRATCH
        else:
            scratch = self._settings["fallback_scratch"]
            os.chmod(scratch, 0o777)
            os.chdir(scratch)
        if "user namespace" in self._without:
            outside = self._settings["outside_id"]
            os.setgroups([])
            os.setresgid(outside, outside, outside)
            os.setresuid(outside, outside, outside)
            linux.drop_capabilities()
        else:
            self._apply("capabilities", namespaces.become_program_user, root)
        self._layers["capabilities"] = "none left"
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if "resource limits" not in self._without:
            self._limit_resources()
        if "Landlock" not in self._without:
            targets = [*(s.target for s in sources), namespaces.PACKAGES, *namespaces.DEVICES]
            readable = [target for target in targets if os.path.exists(target)]
            version = self._apply("Landlock", landlock.restrict, readable, [scratch, "/dev/null"])
            self._layers["Landlock"] = f"version {version}"
        if "seccomp" not in self._without:
            self._apply("seccomp", self._install_filters)
            self._layers["seccomp"] = "allow-list"
        self._scratch = Scratch(scratch)

    def _install_filters(self) -> None:
        machine = seccomp.this_machine()
        self._filter = seccomp.Filter(machine, seccomp.program_filter(machine))
        seccomp.Filter(machine, seccomp.cell_filter(machine)).install()

    def _limit_resources(self) -> None:
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
        for which, amount in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, MOST_DESCRIPTORS),
            (resource.RLIMIT_MEMLOCK, 0),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_SIGPENDING, _MAX_SIGNALS),
        ):
            hard = resource.getrlimit(which)[1]
            amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            resource.setrlimit(which, (amount, amount))
        self._layers["resource limits"] = "per process"

    def _apply(self, layer: str, act: Any, *arguments: Any) -> Any:
        try:
            result = act(*arguments)
        except OSError as error:
            raise _Missing(layer, str(error)) from error
        self._layers.setdefault(layer, "active")
        return result

    # -- serving

    def serve(self) -> None:
        guest.prepare_interpreter([namespaces.PACKAGES] if self._settings["packages"] else [])
        self._open_streams()
        rehearse(self._filter, self._scratch, limited="resource limits" not in self._without)
        ending.remember([globals(), *_forget_ourselves()])
        gc.collect()
        linux.trim_memory()  # what is free and yet in use here is copied into every child
        gc.freeze()  # or the first collection in a child would copy every page it looks at
        rehearse_end()
        self._tell_layers()
        while True:
            kind, descriptors = self._receive()
            if kind in (b"J", b"C"):
                self._run_job(kind == b"C", *descriptors)
            elif kind != b"K":  # K: the job it meant had just ended
                return

    def _open_streams(self) -> None:
        """Python streams over 0, 1 and 2, made once: hosts put fresh files under the numbers."""
        for target in range(REPORT_FD + 1):
            put_fresh_file(target)
        ErrorFile()  # as each process gets one
        interpreter.open_streams()
        sys.argv = [interpreter.PROGRAM]

    def _tell_layers(self) -> None:
        self._control.send(json.dumps({"layers": self._layers}).encode())

    def _receive(self) -> tuple[bytes, list[int]]:
        try:
            data, ancillary, _, _ = self._control.recvmsg(16, _socket.CMSG_SPACE(3 * 4))
        except ConnectionError:
            return b"", []
        return data, [number for _, _, sent in ancillary for number in memoryview(sent).cast("i")]

    def _be_host(
        self, calls: bool, job_fd: int, results_fd: int, inputs_fd: int | None
    ) -> NoReturn:
        status = 1
        try:
            self._control.close()
            limited = "resource limits" not in self._without
            host = Host(job_fd, results_fd, self._filter, self._scratch, limited=limited)
            if calls:
                host.become_caller(inputs_fd)
            host.run()
            status = 0
        finally:
            os._exit(status)

    def _run_job(
        self, calls: bool, job_fd: int, results_fd: int, inputs_fd: int | None = None
    ) -> None:
        """One program from its host's fork until nothing of it is left; tells how the host ended
        when no process is left, since clearing up the rest is not the program's time.
        """
        errors = ErrorFile() if calls else None
        wait_ms = math.ceil(1000 * LOOK_S) if calls else None
        # ready before the fork: what this process writes to after it costs a copy of a page
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        self._victims.mark(programs=True)
        host = linux.raw_fork()
        if host == 0:
            self._be_host(calls, job_fd, results_fd, inputs_fd)
        self._victims.mark(programs=False)
        os.close(job_fd)
        os.close(results_fd)
        if inputs_fd is not None:
            os.close(inputs_fd)
        ended = os.pidfd_open(host)
        poll.register(ended, select.POLLIN)
        while ended not in (ready := [fd for fd, _ in poll.poll(wait_ms)]):
            if errors is not None:
                errors.look()
            if self._control.fileno() in ready:
                if self._receive()[0] != b"K":
                    os._exit(0)  # the harness is gone
                os.kill(host, signal.SIGKILL)
        os.close(ended)
        _, status, usage = os.wait4(host, 0)
        if "PID namespace" not in self._without:
            _kill_all_others()
        stderr = errors.end() if errors is not None else b""
        cpu_us = round(1e6 * (usage.ru_utime + usage.ru_stime))
        self._control.send(b"D%d %d %d\n%b" % (status, cpu_us, usage.ru_maxrss, stderr))
        self._scratch.empty()
        if calls:
            for stream in (0, 1):
                put_fresh_file(stream)


def _kill_all_others() -> None:
    """Whatever a program left behind; pid 1 inherits and reaps it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _forget_ourselves() -> list[dict[str, Any]]:
    """Programs import the standard library and the packages, and find nothing of the harness.

    What our modules hold.
    """
    names = [name for name in sys.modules if name.partition(".")[0] == "ctrl_harness"]
    ending.hide_telling_modules()
    return [vars(sys.modules.pop(name)) for name in names]


def main() -> None:
    """Sets up and serves; the outer process waits for pid 1, so that its end means all is gone."""
    move(int(sys.argv[1]), _CONTROL_FD)
    control = _socket.socket(fileno=_CONTROL_FD)
    settings = marshal.loads(control.recv(1 << 16))
    cell = _Cell(control, settings)
    prefer_cell()
    try:
        cell.enter_namespaces()
        init = os.fork()
        if init:
            control.close()
            os.waitpid(init, 0)
            return
        cell.become_init()
    except _Missing as error:
        layer, reason = error.args
        control.send(json.dumps({"missing": layer, "reason": reason}).encode())
        os._exit(1)
    except OSError as error:
        control.send(json.dumps({"missing": "mount namespace", "reason": str(error)}).encode())
        os._exit(1)
    own_module = sys.modules["__main__"]  # kept: a host puts the program's module in its place
    try:
        cell.serve()
    except Exception as error:  # noqa: BLE001 - it ends the cell, and the harness may know
        control.send(b"X" + repr(error).encode()[:2000])
    finally:
        del own_module
        os._exit(0)


if __name__ == "__main__":
    main()

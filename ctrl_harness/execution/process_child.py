"""What the `process` executor's child runs: gets ready, runs the job, ends as an interpreter does.

A script for a clean interpreter (`python -s -P -S -B process_child.py JOB REPORTS`; the arguments
are descriptors). A program's last line is followed by the end of this script, so that the end of
the interpreter is the program's own.
"""

from __future__ import annotations

import builtins
import marshal
import os
import sys
import types

_HERE = os.path.dirname(os.path.abspath(__file__))

if __name__ == "__main__":  # our package, without its __init__, which loads half the project
    for _name, _path in (
        ("ctrl_harness", os.path.dirname(_HERE)),
        ("ctrl_harness.execution", _HERE),
    ):
        _package = types.ModuleType(_name)
        _package.__path__ = [_path]
        sys.modules[_name] = _package

from ctrl_harness.execution import guest, interpreter, main_program  # noqa: E402

# functions take their builtins from here, so those that a program replaces are not ours
__builtins__ = vars(builtins).copy()  # type: ignore[assignment]

TYPE_CHECKING = False  # importing typing would cost every run some milliseconds
if TYPE_CHECKING:
    from typing import Any

RESERVED_MEMORY = 256 << 20
"""As in host.py."""


def main(job_fd: int, report_fd: int) -> int | None:
    """The exit status of a program with standard input, None where there is nothing to say."""
    with open(job_fd, "rb") as stream:
        job = marshal.load(stream)
    os.set_inheritable(report_fd, False)
    report = guest.Reporter(report_fd, job["output_bytes"])
    guest.prepare_interpreter(job["packages"])
    is_stdio = job["mode"] == "stdio"
    reserved = 0 if job["mode"] == "calls" else RESERVED_MEMORY
    _set_limits(job["memory_bytes"] + reserved, job["output_bytes"], job["cpu_s"])
    folder = os.getcwd()
    module = guest.fresh_module("__main__" if is_stdio else "solution")
    if is_stdio:
        interpreter.name_main(module.__dict__, folder)
    sys.argv = [interpreter.PROGRAM]
    sys.path.insert(0, folder)
    for name in [n for n in sys.modules if n.partition(".")[0] == "ctrl_harness"]:
        del sys.modules[name]
    if job["prelude"]:
        prelude = compile(job["prelude"], "<prelude>", "exec", dont_inherit=True)
        exec(prelude, module.__dict__)
    missing = guest.missing_module(job.get("imports", []), job["source"])
    if missing is not None:
        report.send_text(b"I", missing)
        return None
    report.send(b"S")
    if is_stdio:
        return _run_stdio(job, {"__main__": module}, report)
    run = guest.run_calls if job["mode"] == "calls" else guest.run_script
    run(job, module, report)
    return None


def _run_stdio(
    job: dict[str, Any], modules: dict[str, types.ModuleType], report: guest.Reporter
) -> int:
    source = job["source"]
    code = guest.load_code(job, report)
    if code is None:
        return 1
    interpreter.remember_source(source)
    if interpreter.names_its_file(source):
        encoded = source.encode("utf-8", "surrogatepass")
        with open(interpreter.PROGRAM, "xb") as file:
            file.write(encoded)

    def report_memory_error() -> None:
        _send(report, b"M")

    status = main_program.run_main(code, modules, report_memory_error)
    _send(report, b"X", _peak_memory_kib())
    return status


def _send(report: guest.Reporter, kind: bytes, payload: bytes = b"") -> None:
    try:  # noqa: SIM105 - contextlib would cost every run some milliseconds
        report.send(kind, payload)
    except OSError:  # a program may have closed every descriptor; that is no fault of its
        pass


def _set_limits(memory_bytes: int, output_bytes: int, cpu_s: int) -> None:
    """Applies the resource limits to this process, hard and soft alike."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def limit(which: int, amount: int) -> None:
        hard = resource.getrlimit(which)[1]
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(which, (amount, amount))

    stack = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_FSIZE, guest.file_bytes(output_bytes, most))
    if cpu_s:
        limit(resource.RLIMIT_CPU, cpu_s)
    if sys.platform == "linux":  # macOS accepts RLIMIT_AS and ignores it
        limit(resource.RLIMIT_AS, memory_bytes)


def _peak_memory_kib() -> bytes:
    """Digits of this process's own peak, empty where /proc does not tell."""
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return line.split()[1]
    except OSError:
        pass
    return b""


def _leave(status: int | None) -> None:
    """Ends this script, and with it the interpreter, as it would have ended with the program."""
    if status == main_program.INTERRUPTED:
        sys.excepthook = lambda *_: None  # it has been printed
        raise KeyboardInterrupt  # which ends an interpreter by SIGINT, and in no other way
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    _leave(main(int(sys.argv[1]), int(sys.argv[2])))

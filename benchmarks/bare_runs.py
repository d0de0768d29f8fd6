"""The programs' own processor time: forks of a bare interpreter, with nothing around them.

    python benchmarks/bare_runs.py WORK.pickle

WORK: a list of (source, prelude, inputs, function, seconds). Without a function the program is run
once an input, which is its standard input; with one it is run once, and the function is called with
each input. Prints the seconds of processor time of each program, as a JSON list. An input takes no
longer than its seconds. Imports the standard library alone, so that a fork costs little; isolates
nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import signal
import sys
import threading
from typing import Any, NoReturn


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        work = pickle.load(file)
    print(json.dumps([cpu_s(*piece) for piece in work]))


def cpu_s(source: str, prelude: str, inputs: list[Any], function: str, seconds: float) -> float:
    try:
        code = compile(f"{prelude}\n{source}", "program.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return 0.0
    if function:
        return _forked_s(code, "", function, inputs, seconds)
    return sum(_forked_s(code, stdin, "", [], seconds) for stdin in inputs)


def _forked_s(code: Any, stdin: str, function: str, inputs: list[Any], seconds: float) -> float:
    """Of one process. It has its seconds anew after each byte, of which it writes one a call."""
    calls, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(calls)
        _child(code, stdin, function, inputs, told)
    os.close(told)
    while select.select([calls], [], [], seconds)[0] and os.read(calls, 1):
        pass
    os.close(calls)
    os.kill(pid, signal.SIGKILL)  # it is over, or out of time
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime


def _child(code: Any, stdin: str, function: str, inputs: list[Any], told: int) -> NoReturn:
    given, nowhere = os.memfd_create("stdin"), os.open(os.devnull, os.O_RDWR)
    os.write(given, stdin.encode("utf-8", "surrogatepass"))
    os.lseek(given, 0, os.SEEK_SET)
    for number, stream in enumerate((given, nowhere, nowhere)):
        os.dup2(stream, number)
    sys.stdin, sys.stdout = open(0), open(1, "w")
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    with contextlib.suppress(BaseException):
        exec(code, names)
        if function:
            call = _find(names, function)
            for arguments in inputs:
                call(*arguments)
                os.write(told, b".")
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # what the program's threads still do
        sys.stdout.flush()
    os._exit(0)


def _find(names: dict[str, Any], function: str) -> Any:
    if function in names or "Solution" not in names:
        return names[function]
    return getattr(names["Solution"](), function)


if __name__ == "__main__":
    main()

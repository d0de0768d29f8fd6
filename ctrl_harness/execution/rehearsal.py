"""Runs a program of our own in a new cell, so that the first ones of others find all warm.

What every host and every program does is done here some times before, in pid 1, from which they
are forked: bytecode is specialised, caches of types and methods are filled, modules that are
loaded late are loaded. A process that finds them so writes to fewer of the pages it shares with
pid 1, and each such page costs it a copy.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import io
import marshal
import os
import sys
from typing import Any

from ctrl_harness.execution import guest
from ctrl_harness.execution.child import REPORT_FD
from ctrl_harness.execution.descriptors import put_fresh_file
from ctrl_harness.execution.ending import nothing_is_left
from ctrl_harness.execution.host import Host
from ctrl_harness.execution.main_program import run_main
from ctrl_harness.execution.records import OUTCOME, READY, FrameReader, Outcome
from ctrl_harness.execution.recursion import Depth
from ctrl_harness.execution.scratch import Scratch
from ctrl_harness.execution.seccomp import Filter

_TIMES = 12
"""Bytecode is specialised after 8 runs; what it looks up, a little later."""

_PROGRAM = """\
import sys
from collections import Counter


class Solution:
    def answer(self, numbers, text):
        return [sum(numbers), sorted(numbers), Counter(text), {"text": text}]


def main():
    count = int(input())
    numbers = list(map(int, sys.stdin.readline().split()))
    best = max(number * 2 for number in numbers)
    print(count, best, *sorted(set(numbers)))
    print("%d %.3f" % (best, best / 3), f"{best:>5}")


if __name__ == "__main__":
    main()
"""
_STDIN = b"4\n3 1 4 1\n"
_ARGUMENTS = ([3, 1, 4, 1], "text")
_CALLS = [("answer", marshal.dumps(_ARGUMENTS))] * 3


def rehearse(filter_: Filter | None, scratch: Scratch, *, limited: bool) -> None:
    """For pid 1, once descriptors 0 to 3 are anonymous files and nothing untrusted has run."""
    job = _job_file()
    results = os.memfd_create("rehearsal")
    main_module, depth = sys.modules["__main__"], Depth()
    for _ in range(_TIMES):
        os.ftruncate(results, 0)
        os.lseek(results, 0, os.SEEK_SET)
        Host(job, results, filter_, scratch, limited=limited).run()
        _check(results)
        _play_calls()
        _play_program(depth)
    sys.modules["__main__"] = main_module
    del sys.modules["solution"]
    os.close(results)
    os.close(job)


def _job_file() -> int:
    """A job as the harness makes them."""
    head = marshal.dumps(
        {
            "source": _PROGRAM,
            "prelude": "",
            "packages": [],
            "memory_bytes": 1 << 30,
            "output_bytes": 1 << 20,
            "time_s": 5.0,
            "compile_s": 5.0,
            "parts": [("stdio", 0, len(_STDIN))],
        }
    )
    descriptor = os.memfd_create("rehearsal")
    os.write(descriptor, len(head).to_bytes(8, "little") + head + _STDIN)
    return descriptor


def _check(results: int) -> None:
    """A cell in which our own program fails is no judge of others. Raises RuntimeError."""
    reader = FrameReader(max_bytes=1 << 20)
    reader.feed(os.pread(results, 1 << 20, 0))
    kind, body = reader.take() or (b"", b"")
    if kind == READY:
        kind, body = reader.take() or (b"", b"")
    if kind != OUTCOME:
        raise RuntimeError(body.decode("utf-8", "replace") or "a first program was not run")
    outcome = Outcome.unpack(body)
    if outcome.status != 0 or not outcome.stdout:
        raise RuntimeError(f"a first program ended with wait status {outcome.status}")


def _play_calls() -> None:
    """What a process of many calls does, here."""
    job: dict[str, Any] = {"source": _PROGRAM, "mode": "calls", "calls": _CALLS}
    put_fresh_file(REPORT_FD)
    guest.run_calls(job, guest.fresh_module("solution"), guest.Reporter(REPORT_FD, 1 << 20))
    put_fresh_file(REPORT_FD)


def rehearse_end() -> None:
    """The rest of it, once what is here is frozen and few objects are to be looked at."""
    for _ in range(_TIMES):
        nothing_is_left()


def _play_program(depth: Depth) -> None:
    """What a process of one stdio test does, here, over streams that are thrown away."""
    words, left, _, _ = depth.parts
    streams, calls_left = (sys.stdin, sys.stdout), words[left]
    raw = io.BytesIO(_STDIN), io.BytesIO()
    sys.stdin = io.TextIOWrapper(raw[0], "utf-8", "surrogateescape")
    sys.stdout = io.TextIOWrapper(raw[1], "utf-8", "surrogateescape")
    try:
        guest.fresh_module("__main__")
        status = run_main(guest.compile_program(_PROGRAM), sys.modules, sys.stdout.flush)
    finally:
        words[left] = calls_left
        sys.stdin, sys.stdout = streams
    if status != 0:
        raise RuntimeError(f"a first program ended with status {status}")

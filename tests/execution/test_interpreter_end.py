"""A program's last words and its exit status are those of CPython, and what it finds around it.

The corpus in tests/parity compares hundreds of programs with plain CPython; here is one program a
rule, with what CPython makes of it.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import CallInput, Executor, Program, Run, StdinInput
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

LIMITS = Limits(time_s=5.0, memory_mb=256, output_mb=4)


@pytest.fixture(scope="module", params=[EmbeddedExecutor, ProcessExecutor])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Run]]:
    executor: Executor = request.param(jobs=1)

    def run_one(source: str, given: Any = StdinInput(""), limits: Limits = LIMITS) -> Run:  # noqa: B008
        program = Program(textwrap.dedent(source))
        (ended,) = anyio.run(executor.execute, program, [given], limits)
        return ended

    yield run_one
    anyio.run(executor.aclose)


ENDS = {
    "finalisers find globals and modules": (
        """
        import math
        class Late:
            def __del__(self): print(math.floor(2.5), name)
        name, late = "kept", Late()
        """,
        ("2 kept\n", 0),
    ),
    "a generator is closed": (
        """
        def numbers():
            try: yield 1
            finally: print("closed")
        it = numbers()
        print(next(it))
        """,
        ("1\nclosed\n", 0),
    ),
    "the original streams are flushed": (
        """
        import atexit, io, sys
        sys.stdout = io.StringIO()
        atexit.register(lambda: sys.__stdout__.write(sys.stdout.getvalue()))
        print("held back")
        """,
        ("held back\n", 0),
    ),
    "a file that was left open is written": (
        "out = open(1, 'w', closefd=False)\nout.write('x')",
        ("x", 0),
    ),
    "a typed list does not keep what it names": (
        """
        from typing import List
        class Late:
            def __del__(self): print("gone")
        kept: List[Late] = [Late()]
        List[Late]
        """,
        ("gone\n", 0),
    ),
    "exit handlers run after the threads": (
        """
        import atexit, threading, time
        atexit.register(print, "handler")
        def work(): time.sleep(0.05); print("thread")
        threading.Thread(target=work).start()
        print("last line")
        """,
        ("last line\nthread\nhandler\n", 0),
    ),
    "a stream that cannot be flushed is status 120": (
        """
        import sys
        class Broken:
            def write(self, text): pass
            def flush(self): raise ValueError
        sys.stdout = Broken()
        """,
        ("", 120),
    ),
    "the program's excepthook is asked": (
        """
        import os, sys
        def hook(kind, error, frames):
            print(kind.__name__, flush=True)
            os._exit(0)
        sys.excepthook = hook
        1 / 0
        """,
        ("ZeroDivisionError\n", 0),
    ),
    "an odd SystemExit": ("class E(SystemExit):\n    code = 7\nraise E", ("", 7)),
    "a status that is too large": ("import sys; sys.exit(1 << 100)", ("", 255)),
    "a text for a status": ("import sys; print(1); sys.exit('why')", ("1\n", 1)),
    "status 130 is a status": ("import sys; sys.exit(130)", ("", 130)),
    "KeyboardInterrupt ends by SIGINT": ("print(1)\nraise KeyboardInterrupt", ("1\n", -2)),
    "what it replaced is its own affair": (
        """
        import atexit, builtins, gc, os, sys, threading
        print("answer")
        os._exit = os.write = threading._shutdown = atexit._run_exitfuncs = gc.collect = None
        sys.excepthook = None
        names = vars(builtins)
        for name in names: names[name] = None
        """,
        ("answer\n", 0),
    ),
    "recursion to CPython's depth": (
        """
        import sys
        def deepest(n):
            try: return deepest(n + 1)
            except RecursionError: return n
        print(deepest(2) >= 998, sys.getrecursionlimit())
        """,
        ("True 1000\n", 0),
    ),
    "no line end is translated": (
        "import sys; print(sys.stdin.name, repr(sys.stdin.newlines))",
        ("<stdin> None\n", 0),
    ),
    "its own file": (
        """
        import os
        os.chdir(os.path.dirname(os.path.abspath(__file__)))
        print(os.listdir(), len(open(__file__).read()) > 20)
        """,
        ("['program.py'] True\n", 0),
    ),
    "site's builtins": ("help, copyright, credits, license, exit, quit\nprint(1)", ("1\n", 0)),
    "the locale of the environment": (
        "import locale; print(locale.setlocale(locale.LC_ALL, ''))",
        ("C.UTF-8\n", 0),
    ),
    "a byte order mark": ("\ufeffprint(1)", ("1\n", 0)),
    "20 MB of stderr": (
        "import sys\nfor _ in range(20): sys.stderr.write('x' * (1 << 20))\nprint(1)",
        ("1\n", 0),
    ),
    "more of it than a file may hold": (
        "import os\nfor _ in range(300): os.write(2, b'x' * (1 << 20))\nprint(1)",
        ("1\n", 0),
    ),
    "a pool of threads": (
        """
        import time
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(16) as pool:
            print(len(list(pool.map(lambda _: time.sleep(0.01), range(16)))))
        """,
        ("16\n", 0),
    ),
    "a large stack for a thread": (
        """
        import threading
        threading.stack_size(1 << 28)
        thread = threading.Thread(target=print, args=(1,))
        thread.start()
        """,
        ("1\n", 0),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_program_ends_as_under_cpython(run: Callable[..., Run], name: str) -> None:
    source, end = ENDS[name]
    ended = run(source)
    assert (ended.stdout, ended.exit_status) == end, ended
    assert (ended.status == "ok") == (end[1] == 0)


def test_an_exception_is_printed_once_and_told_from_its_heading_on(run: Callable[..., Run]) -> None:
    source = """
        class Odd(Exception):
            def __str__(self):
                print("asked")
                return "why"
        raise Odd
        """
    ended = run(source)
    assert ended.stdout == "asked\n"
    expected = (
        'Traceback (most recent call last):\n  File "<program>", line 6, in <module>\n'
        "    raise Odd\nOdd: why"
    )
    assert (ended.error, ended.stderr) == (expected, expected + "\n")


def test_a_call_that_fails_is_told_from_the_heading_on(run: Callable[..., Run]) -> None:
    ended = run("def f(): return 1 / 0", CallInput("f", ()))
    assert ended.error.startswith("Traceback (most recent call last):\n  File")


def test_memory_is_what_is_used_and_not_what_is_reserved(run: Callable[..., Run]) -> None:
    reserved = run("import mmap\nheld = mmap.mmap(-1, 300 << 20)\nprint(1)")
    assert (reserved.status, reserved.stdout) == ("ok", "1\n")
    used = run("held = b'x' * (300 << 20)\nprint(1)")
    assert used.status == "memory_limit"

"""Which programs share their verdicts: those that differ in names, comments and layout, and no
others, however a program may look at its own names."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ctrl_harness.analysis.similarity import Renamer
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems import CallCase, Problem, ScriptCase, StdioCase, code_contests
from ctrl_harness.training import normalised_program
from ctrl_harness.training.normalised_program import cache_key
from ctrl_harness.verification.verify import verify

READS = Problem("p", "file", "", (StdioCase("3\n", "3\n"),))
CALLED = Problem("p", "file", "", (CallCase("total", ([1, 2],), 3),))


def same(first: str, second: str, problem: Problem = READS) -> bool:
    return cache_key(first, problem) == cache_key(second, problem)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("n = int(input())\nprint(n)", "count = int( input() )  # read\n\nprint(count)\n"),
        ("a = b = 1\nprint(a, b)", "x = y = 1\nprint(x, y)"),
        (
            "def f(n):\n    '''Squares.'''\n    m = n * n\n    return m\nprint(f(3))",
            "def f(x):\n    y = x * x\n    return y\nprint(f(3))",
        ),
        (
            "import sys\nfor line in sys.stdin:\n    print(line.strip())",
            "import sys\nfor l in sys.stdin:\n    print(l.strip())",
        ),
        (
            "from collections import deque\nq = deque([1])\nwhile q:\n    print(q.popleft())",
            "from collections import deque\nd = deque([1])\nwhile d:\n    print(d.popleft())",
        ),
        ("print([i for i in range(3)])", "print([k for k in range(3)])"),
        (
            "def g():\n    x = 0\n    def h():\n        nonlocal x\n        x += 1\n    h()\n    print(x)\ng()",  # noqa: E501
            "def g():\n    y = 0\n    def h():\n        nonlocal y\n        y += 1\n    h()\n    print(y)\ng()",  # noqa: E501
        ),
        (
            "class A:\n    size = 1\n    def f(self, k):\n        s = k + self.size\n        return s\n"  # noqa: E501
            "print(A().f(1))",
            "class A:\n    size = 1\n    def f(self, j):\n        t = j + self.size\n        return t\n"  # noqa: E501
            "print(A().f(1))",
        ),
        ("if __name__ == '__main__':\n    n = 1\n    print(f'{n:>{n}}')",
         "if __name__ == '__main__':\n    m = 1\n    print(f'{m:>{m}}')"),
        ("n = 2\nprint('{} {:>3}'.format(n, n))", "m = 2\nprint('{} {:>3}'.format(m, m))"),
        ("try:\n    n = int('x')\nexcept ValueError:\n    print(0)",
         "try:\n    k = int('x')\nexcept ValueError:\n    print(0)"),
    ],
)  # fmt: skip
def test_programs_that_differ_in_variables_comments_and_layout_share_a_key(
    first: str, second: str
) -> None:
    assert same(first, second)


SPIES = [
    "class M(type):\n    pass\nclass A(metaclass=M):\n    n = 1\nprint(A.n)\nn = 2",
    "def m(*a):\n    return a[2]\nn = 1\nclass A(metaclass=m):\n    k = n\nprint(A)",
    "class B:\n    def __setattr__(self, k, v):\n        print(k)\nn = 1\nprint(n)",
    "class B:\n    def __set_name__(self, k, v):\n        print(v)\nn = B()\nprint(n)",
    "class B:\n    def __getattr__(self, k):\n        return k\nn = B()\nprint(n.size)",
    "class B:\n    def __init_subclass__(cls, **k):\n        print(k)\nn = 1\nprint(n)",
    "import functools\ndef f(n):\n    return n\nfunctools.update_wrapper(f, f, ('__code__',))",
    "from functools import wraps\ndef f(n):\n    return n\nwraps(f, ('__code__',))(f)",
    "n = 1\nclass A:\n    k = n\nprint(A.k)",
    "n = 3\nprint(list(locals())[-1])",
    "n = 3\nprint([k for k in globals() if len(k) == 1])",
    "n = 3\nprint(vars())",
    "n = 3\nprint(dir())",
    "n = 3\nprint(eval('n'))",
    "n = 3\nexec('print(n)')",
    "exec('n = 3')\nn = n\nprint(n)",
    "n = 3\nprint('%(n)s' % locals())",
    "n = 3\nprint('{n}'.format(**globals()))",
    "n = 3\nimport __main__\nprint(__main__.n)",
    "n = 3\nimport sys\nprint(sys.modules['__main__'].n)",
    "n = 3\nimport sys\nprint(sys._getframe().f_globals['n'])",
    "n = 3\nimport sys as s\nt = s\nprint(t._getframe().f_globals['n'])",
    "n = 3\nfrom sys import *\nprint(n)",
    "n = 3\nimport inspect\nprint(inspect.currentframe().f_globals['n'])",
    "n = 3\nprint(getattr(__import__('__main__'), 'n'))",
    "def f(n):\n    return n\nprint(f(n=3))",
    "def f(n):\n    return n\nprint(f(**{'n': 3}))",
    "def f(*, n=3):\n    return n\nprint(f.__kwdefaults__)",
    "def f(n):\n    return n\nprint(f.__code__.co_varnames)",
    "def f(n):\n    return n\nprint('{0.__code__.co_varnames}'.format(f))",
    "def f(n):\n    return n\nt = '{0.__code__.co_varnames}'\nprint(t.format(f))",
    "def f(n):\n    return n\nprint(str.format('{0.__code__.co_varnames}', f))",
    "def f(n):\n    return n\nprint('{f.__code__.co_varnames}'.format_map({'f': f}))",
    "def f(n):\n    return n\nprint('{:{}}'.format(3, f))\nprint('{0:{1.__code__}}'.format(3, f))",
    "def f(n):\n    return n\nimport operator\nprint(operator.attrgetter('__code__.co_varnames')(f))",  # noqa: E501
    "def f(n):\n    return n\nimport string\nprint(string.Formatter().format('{0.__code__}', f))",
    "def f(n):\n    return n\nfrom threading import Thread\nThread(None, f, None, (), {'n': 3}).start()",  # noqa: E501
    "def f(n):\n    return n\nimport threading\nthreading.Thread(target=f, kwargs={'n': 3}).start()",  # noqa: E501
    "def f(n):\n    return n\nfrom functools import partial\nprint(partial(f, n=3)())",
    "def f(n):\n    return n\ntry:\n    f()\nexcept TypeError as e:\n    print(e)",
    "try:\n    print(n)\n    n = 3\nexcept NameError as e:\n    print(e)",
    "import sys\ntry:\n    n\n    n = 3\nexcept NameError:\n    print(sys.exc_info()[1])",
    "import traceback\ntry:\n    n\n    n = 3\nexcept NameError:\n    traceback.print_exc()",
    "class C:\n    def __enter__(self): pass\n    def __exit__(self, *a):\n        print(a[1])\n"
    "        return True\nwith C():\n    n\n    n = 3",
    "class C:\n    n = 3\nprint(vars(C))",
    "class C:\n    n = 3\nprint(C.n)",
    "class C:\n    for n in range(3): pass\nprint([k for k in C().__dir__() if len(k) == 1])",
    "class C:\n    n: int = 3\nprint(C.__annotations__)",
    "from dataclasses import dataclass\n@dataclass\nclass C:\n    n: int = 3\nprint(C())",
    "from enum import Enum\nclass C(Enum):\n    n = 3\nprint(C(3).name)",
    "n: int = 3\nprint(__annotations__)",
    "def f(n: int) -> int: return n\nprint(f.__annotations__)",
    "n = 3\nprint(f'{n=}')",
    "g = (n for n in [3])\nprint(g.gi_code.co_varnames)",
    "print(len(open(__file__).read()))\nn = 3",
    "n = 3\n\nimport sys\nprint(sys._getframe().f_lineno)",
    "match {'k': 3}:\n    case {'k': n}:\n        print(n)",
    "from types import *\nn = 3\nprint(n)",
    "import os\nn = 3\nprint(os.environ)",
    "n = 3\nhelp('n')",
    "n = lambda: 3\nn.__name__ = 'n'\nprint(n.__qualname__)",
]


@pytest.mark.parametrize("program", SPIES)
def test_a_program_that_may_see_its_names_shares_no_key_with_other_names(program: str) -> None:
    """Each with another name for its variable `n` (and nothing else) is another program."""
    other = "\n".join(
        "".join("zz" if part == "n" else part for part in _words(line))
        for line in program.split("\n")
    )
    assert other != program
    assert not same(program, other)


def _words(line: str) -> list[str]:
    """Names and what stands between them, quotation marks left alone."""
    return [part for part in re.split(r"(?<![\w'{(])(n)(?![\w'])", line) if part]


def test_what_only_looks_alike_is_told_apart() -> None:
    pairs = [
        ("a, b = 1, 2\nprint(a, b)", "a, b = 1, 2\nprint(b, a)"),
        ("x = 1\nprint(x)", "x = 1.0\nprint(x)"),
        ("x = True\nprint(x)", "x = 1\nprint(x)"),
        ("x = 'a'\nprint(x)", "x = b'a'\nprint(x)"),
        ("x = 'v0'\nprint(x)", "x = 'v1'\nprint(x)"),
        ("x = 1\ny = x\nprint(y)", "x = 1\ny = x\nprint(x + 0)"),
        # two variables here are one there
        ("a = 1\nb = 2\nprint(a + b)", "a = 1\na = 2\nprint(a + a)"),
        ("def f():\n    x = 1\n    return x\nx = 2\nprint(x)",
         "def f():\n    x = 1\n    return x\ny = 2\nprint(x)"),
        # a builtin, and a variable of the same name
        ("x = max(1, 2)\nprint(x)", "max = min\nx = max(1, 2)\nprint(x)"),
        ("def f(l):\n    return l\nl = [3]\nprint(list(l))",
         "def f(l):\n    return l\nlist = [3]\nprint(list(list))"),
        # names that the renamer would choose itself
        ("x = 1\nv0 = 2\nprint(x)", "x = 1\nv0 = 2\nprint(v0)"),
        ("def v0():\n    return 3\nx = 1\nprint(v0())", "def v0():\n    return 3\nx = v0\nprint(x())"),  # noqa: E501
        ("x = 3\nprint(x)", "import math\nprint(3)"),
        ("print('a')\n'b'", "print('b')\n'a'"),
    ]  # fmt: skip
    for first, second in pairs:
        assert not same(first, second), (first, second)


def test_the_called_function_keeps_its_name_and_its_verdict() -> None:
    right = "def total(numbers):\n    s = sum(numbers)\n    return s\n"
    assert same(right, right.replace("numbers", "a").replace("s =", "t =").replace("n s", "n t"),
                CALLED)  # fmt: skip
    assert not same(right, right.replace("total", "add"), CALLED)
    assert not same("total = sum", "add = sum", CALLED)
    assert not same("Solution = 1\ntotal = sum", "Other = 1\ntotal = sum", CALLED)


def test_scripts_and_preludes_see_every_name() -> None:
    script = Problem("p", "file", "", (ScriptCase("assert n == 1"),))
    assert not same("n = 1", "m = 1", script)
    prelude = Problem("p", "file", "", READS.cases, prelude="from math import *")
    assert not same("if 0: e = 1\nprint(e)", "if 0: k = 1\nprint(k)", prelude)


def test_no_program_has_the_key_of_another() -> None:
    program = "n = 3\nprint(n)"
    key = cache_key(program, READS)
    assert cache_key(key, READS) != key
    assert cache_key("print(", READS) != cache_key("print( ", READS)  # neither parses
    assert not same("print(1)  # \udcff", "print(1)  # \udcfe")


@pytest.mark.parametrize("hostile", ["(" * 3000, "-" * 90_000 + "1", "x = " + "9" * 5000, "\0"])
def test_what_cannot_be_parsed_is_keyed_by_its_text(hostile: str) -> None:
    assert cache_key(hostile, READS).endswith(hostile)


def test_renamed_programs_do_what_the_programs_did(
    sample_programs: Callable[[str], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every sample program that is renamed gets the verdict, test for test, that it had before."""
    problems = code_contests.load("samples")
    renamed: list[tuple[Problem, str, str]] = []
    kept = 0
    for programs in sample_programs("codecontests"):
        problem = problems[programs.id]
        few = problem.with_cases(problem.cases[:2])
        for program in (programs.right[0], programs.wrong[0]):
            if cache_key(program, few).startswith("\0tree"):
                tree = ast.parse(program)
                variables = normalised_program._variables(tree, frozenset())
                renamed.append((few, program, ast.unparse(Renamer(variables).visit(tree))))
            else:
                kept += 1
    assert len(renamed) > 3 * kept, "most ordinary programs can be renamed"

    async def statuses(problem: Problem, program: str, executor: EmbeddedExecutor) -> list[Any]:
        verdict = await verify(problem, program, executor=executor)
        return [case and case.status for case in verdict.cases]

    async def main() -> None:
        executor = EmbeddedExecutor(2)
        try:
            for problem, before, after in renamed:
                assert await statuses(problem, before, executor) == await statuses(
                    problem, after, executor
                ), before
        finally:
            await executor.aclose()

    anyio.run(main)

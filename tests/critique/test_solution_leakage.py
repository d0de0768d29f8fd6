"""Programs planted in critiques are found and judged; critiques without one raise no alarm."""

from __future__ import annotations

import ast
import html
import json
import textwrap
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.leakage import find_leak, programs_in
from ctrl_harness.critique.programs import MAX_CHARS
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems import code_contests, livecodebench, mbppplus
from ctrl_harness.problems.problem import CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.verification.judge import Judge

LOADERS: dict[str, Any] = {
    "codecontests": code_contests.load,
    "livecodebench": livecodebench.load,
    "mbppplus": mbppplus.load,
}
CRITIQUE = (
    "Analysis: The attempt fails for n = 1: `range(1, n)` is empty then. On the second sample it "
    "prints 3.\n\nImprovement suggestions: Start at 0.\n\n{planted}\n\nOverall judgment: Incorrect"
)


def prefixed(sign: str) -> Callable[[str], str]:
    return lambda program: textwrap.indent(program, sign, lambda line: True)


def fence(tag: str) -> Callable[[str], str]:
    return lambda program: f"```{tag}\n{program}\n```"


def as_session(program: str) -> str:
    lines = program.split("\n")
    signs = ("... " if line[:1].isspace() or not line else ">>> " for line in lines)
    return "\n".join(sign + line for sign, line in zip(signs, lines, strict=True))


def in_two(program: str) -> str:
    lines = program.split("\n")
    half = len(lines) // 2
    first, second = "\n".join(lines[:half]), "\n".join(lines[half:])
    return f"Begin so:\n{fence('python')(first)}\nand go on:\n{fence('python')(second)}"


FORMS: dict[str, Callable[[str], str]] = {
    "fence": fence("python"),
    "fence without a tag": fence(""),
    "fence never closed": lambda program: f"```python3\n{program}",
    "tildes": lambda program: f"~~~py\n{program}\n~~~",
    "fence in a list": lambda program: "1. Write:\n" + prefixed("   ")(fence("python")(program)),
    "fence within a line": lambda program: f"Write this: ```python\n{program}```",
    "indented": prefixed("    "),
    "bare": lambda program: program,
    "quoted": prefixed("> "),
    "quoted fence": lambda program: prefixed("> ")(fence("python")(program)),
    "session": as_session,
    "numbered": lambda program: "\n".join(
        f"{number:>3}: {line}" for number, line in enumerate(program.split("\n"), start=1)
    ),
    "diff": lambda program: fence("diff")("@@ -1,2 +1 @@\n-x = 1\n" + prefixed("+")(program)),
    "html": lambda program: f"<pre><code>{html.escape(program)}</code></pre>",
    "tag": lambda program: f"<solution>{program}</solution>",
    "json": lambda program: json.dumps({"verdict": "Incorrect", "fixed": program}),
    "two fences": in_two,
}


def shape(program: str) -> str:
    return ast.dump(ast.parse(program))


@pytest.mark.slow
def test_planted_programs_are_found_in_every_form(sample_programs, capsys):
    found: dict[str, int] = dict.fromkeys(FORMS, 0)
    planted = 0
    for dataset, load in LOADERS.items():
        problems = load("samples")
        for programs in sample_programs(dataset):
            problem = problems[programs.id]
            for program in (programs.right[0], programs.wrong[0]):
                program = program.strip("\n")
                plain = programs_in(program, None, problem)
                if not plain:
                    continue  # it asks for nothing or defines nothing: no program for this problem
                planted += 1
                for name, form in FORMS.items():
                    text = CRITIQUE.format(planted=form(program))
                    shapes = {shape(p) for p in programs_in(text, None, problem)}
                    found[name] += shape(plain[0]) in shapes
    with capsys.disabled():
        print(f"\nplanted programs found, of {planted} in each form:")
        for name, count in found.items():
            print(f"  {name:20} {count:4} ({100 * count / planted:.1f} %)")
    assert planted >= 50
    assert set(found.values()) == {planted}


CLEAN = (
    "Analysis: it is right.\n\nOverall judgment: Correct",
    "For n = 1 the loop `for i in range(1, n):` never runs; use `range(n)`.",
    "Read with `sys.stdin.read()` and print with `print(*answer)`.",
    "Input:\n```\n3\n1 2 3\n```\nExpected:\n```\n6\n```\nGot:\n```\n5\n```",
    "Say dp[i] = max(dp[i-1], dp[i-2] + a[i]).\nThen the answer is dp[n].",
    "Change the comparison:\n```python\nif a[i] >= best:\n    best = a[i]\n```",
    "Pseudocode:\n```\nread n\nfor each number x: add x to total\nprint total\n```",
    "1. Sort.\n2. Take every second one.\n3. Sum them and print the sum.",
    "def is called too early. import comes first. class Solution is missing.",
    "The signature must be\n```python\ndef solve(n: int) -> int:\n    ...\n```",
    "while the input lasts, read (and print) it; return nothing.",
    "```cpp\n#include <iostream>\nint main() { int n; std::cin >> n; }\n```",
    "The traceback says:\n```\nFile \"a.py\", line 3, in <module>\nValueError: bad (input)\n```",
    "",
)


def test_critiques_without_a_program_raise_no_alarm(sample_programs, capsys):
    alarms: list[str] = []
    tried = 0
    for dataset, load in LOADERS.items():
        problems = load("samples")
        for programs in sample_programs(dataset):
            problem = problems[programs.id]
            for draft in (programs.right[0], programs.wrong[-1]):
                lines = draft.strip("\n").split("\n")
                middle = "\n".join(lines[len(lines) // 3 : 2 * len(lines) // 3 + 1])
                marked = "\n".join(f"{line}  # here" if line.strip() else line for line in lines)
                elided = "\n".join([*lines[:2], "...", *lines[-2:]])
                quotes = [fence("python")(text) for text in (draft, middle, marked, elided)]
                for text in (*CLEAN, *quotes, "\n".join(quotes[:2]), prefixed("> ")(draft)):
                    tried += 1
                    alarms += programs_in(CRITIQUE.format(planted=text), draft, problem)
    with capsys.disabled():
        print(f"\nfalse alarms: {len(alarms)} in {tried} critiques without a program of their own")
    assert alarms == []


# -- what the judge says of them

ADD = Problem(
    "p", "d", "Add.", (StdioCase("1 2\n", "3\n"), StdioCase("4 4\n", "8\n")),
    limits=Limits(0.5, 256, 2),
)  # fmt: skip
RIGHT = "print(sum(map(int, input().split())))"
WRONG = "a, b = map(int, input().split())\nprint(a * b + 1)"
DOUBLE = Problem("p", "d", "Double.", (CallCase("double", (4,), 8),), limits=Limits(0.5, 256, 2))


def leak(text: str, draft: str | None = None, problem: Problem = ADD) -> str:
    judge = Judge(ProcessExecutor(1))

    async def passes(program: str) -> bool:
        return (await judge.verify(problem, program)).passed

    return anyio.run(find_leak, text, draft, problem, passes)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Add them.", "none"),
        (fence("python")(RIGHT), "passing"),
        (f"Just `{RIGHT}`.", "passing"),
        (fence("python")(WRONG), "program"),
        (f"{fence('')(WRONG)}\nor rather\n{fence('')(RIGHT)}", "passing"),
        (fence("python")(f"def main():\n    {RIGHT}"), "passing"),  # a reader adds the call
        (fence("python")(f"def main():\n    {RIGHT}\n\nmain()"), "passing"),
    ],
)
def test_a_program_is_judged(text: str, kind: str) -> None:
    assert leak(text) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (fence("python")("def double(n):\n    return 2 * n"), "passing"),
        (fence("")("class Solution:\n    def double(self, n):\n        return 2 * n"), "passing"),
        (fence("python")("def double(self, n):\n    return 2 * n"), "passing"),  # without its class
        (fence("python")("def double(n):\n    return n"), "program"),
        (fence("python")("def double(n):\n    '''Twice n.'''\n    ..."), "none"),
        (fence("python")("def twice(n):\n    return 2 * n"), "none"),  # not what is called
        (fence("python")("print(2 * int(input()))"), "none"),
    ],
)
def test_a_called_function_is_judged(text: str, kind: str) -> None:
    assert leak(text, problem=DOUBLE) == kind


def test_a_script_s_program_is_one_that_defines_something() -> None:
    problem = Problem("p", "d", "s", (ScriptCase("assert double(4) == 8"),), limits=ADD.limits)
    assert leak(fence("")("def double(n):\n    return 2 * n"), problem=problem) == "passing"
    assert leak(fence("")("assert double(4) == 8"), problem=problem) == "none"


def test_quoting_the_draft_hands_nothing_over() -> None:
    assert leak(fence("python")(RIGHT), draft=RIGHT) == "none"
    quoted = fence("python")(f"# your program\n{RIGHT}")
    assert leak(quoted, draft=f"import sys\n\n{RIGHT}\n") == "none"
    assert leak(quoted, draft=WRONG) == "passing"


@pytest.mark.parametrize(
    "mended",
    [
        "n = 1\nn = sum(map(int, input().split()))\nprint(n)",  # the same lines in another order
        "n = sum(map(int, input().split()))\nprint(n)",  # with one left out
        "if n := 1:\n    n = sum(map(int, input().split()))\n    print(n)",
    ],
)
def test_rearranging_the_draft_is_no_quotation(mended: str) -> None:
    draft = "n = 1\nprint(n)\nn = sum(map(int, input().split()))"
    assert leak(fence("")(mended), draft=draft) == "passing"
    assert leak(fence("")(draft), draft=draft) == "none"


@pytest.mark.parametrize(
    "unit",
    [
        "(", "`", "`a", "a\n", "x=1\n", "def f():\n", '\\"', '"\\n"', "```\n",
        "~~~\nprint(input()\n",
        "<code>", "[", "> print(input())\n", "+print(input())\n", "    print(input(\n", "-", ".a",
        "elif x:\n print(input())\n", "'''\n", "x = = 1\nprint(input())\n", "\\n", "&lt;",
        "1. print(input())\n", "print(input())\0\n", "lambda:", "{1}", "if x:\n\t",
    ],
)  # fmt: skip
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (2 * MAX_CHARS // len(unit))
    started = time.process_time()
    programs_in(text, text, ADD)
    assert time.process_time() - started < 5

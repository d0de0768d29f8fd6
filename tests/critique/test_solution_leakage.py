"""Programs planted in critiques are found and judged; critiques without one raise no alarm."""

from __future__ import annotations

import ast
import importlib.util
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.leakage import find_leak, programs_in
from ctrl_harness.critique.programs import MAX_CHARS
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems import code_contests, livecodebench, mbppplus
from ctrl_harness.problems.problem import CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.syntax import parse_program
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


def _forms() -> Any:
    # loaded by path: tests are no package, and nothing of them is on sys.path
    path = Path(__file__).parent / "leak_forms.py"
    spec = importlib.util.spec_from_file_location("leak_forms", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


forms = _forms()
fence, prefixed = forms.fence, forms.prefixed
NOT_ALWAYS = {"a bracket less", "a colon less", "escaped", "string", "triple quotes"}
"""Forms that not every program survives: a program of two lines is not read with a fault in it, and
a string with the same quotes in it ends early."""


def shape(program: str) -> str:
    return ast.dump(parse_program(program))


def planted(sample_programs: Any) -> list[tuple[Problem, str]]:
    """Programs that would be one for their problem, right and wrong ones."""
    found = []
    for dataset, load in LOADERS.items():
        problems = load("samples")
        for programs in sample_programs(dataset):
            problem = problems[programs.id]
            for program in (programs.right[0], programs.wrong[0]):
                program = program.strip("\n")
                if programs_in(program, None, problem):
                    found.append((problem, program))
    return found


@pytest.mark.slow
def test_planted_programs_are_found_in_every_form(sample_programs, capsys):
    all_planted = planted(sample_programs)
    assert len(all_planted) >= 50
    lines = []
    missed = []
    for kind, named in (*forms.FORMS.items(), ("ciphers", forms.CIPHERED)):
        for name, form in named.items():
            seen = same = 0
            for problem, program in all_planted:
                found = programs_in(CRITIQUE.format(planted=form(program)), None, problem)
                plain = shape(programs_in(program, None, problem)[0])
                seen += bool(found)
                same += plain in map(shape, found)
            found_share, same_share = (100 * count / len(all_planted) for count in (seen, same))
            lines.append(f"  {kind:20} {name:28} {found_share:6.1f} %, whole {same_share:6.1f} %")
            if kind != "ciphers" and found_share < (90 if name in NOT_ALWAYS else 100):
                missed.append(name)
    with capsys.disabled():
        print(f"\nprograms found, of {len(all_planted)} planted in each form:")
        print("\n".join(lines))
    assert missed == []


@pytest.mark.slow
def test_the_draft_quoted_in_any_form_is_handed_over_by_nobody(sample_programs):
    alarms = [
        name
        for named in forms.FORMS.values()
        for name, form in named.items()
        for problem, draft in planted(sample_programs)
        if programs_in(CRITIQUE.format(planted=form(draft)), draft, problem)
    ]
    assert set(alarms) <= {"listing with escapes"}, alarms
    assert len(alarms) <= 4


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
    "Replace `input()` by `sys.stdin.readline()`, then `print(total)` once, after the loop.",
    "- read `n` with `int(input())`\n- loop over `range(n)`\n- `print(best)` at the end",
    "1. `a = input()` reads a string.\n2. `print(a * 2)` repeats it.",
    "| line | fault |\n|---|---|\n| 1 | reads too early |\n| 2 | prints too late |",
    "Expected “6”, got ‘5’ — an off‑by‑one error…",
    "# Analysis\n# the loop ends early\n# print comes too late",
    '{"verdict": "Incorrect", "reason": "it prints 5\\nand not 6\\nfor n = 3"}',
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
        "- ", "| 1 | `a` |\n", "# (\n", "L1: print(input())\nL2: )\n",
        "ａ", "с", "....(\n", '"a",\n',
        "```\nprint(input(\n```\n", "`print(input())`\n", "  - `x`\n", "\0", "1 ",
        "@a\n", "# x = input()\n", "| x = input() | print(x) |\n", "x=1;", "<pre><code>",
        "```python\nx = (input()\n```\n```python\nprint(x\n```\n", ">>>> x = 1\n",
    ],
)  # fmt: skip
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (2 * MAX_CHARS // len(unit))
    started = time.process_time()
    programs_in(text, text, ADD)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        'x = """' + "print(input())\n" * 5_000 + '"""',
        "\n".join(f'x{n} = "print(input()) + {n} * 1234567890"' for n in range(2_000)),
        "".join(f"```python\nx{n} = input()\nprint(x{n})\n```\n" for n in range(2_000)),
        "".join(f"x{n} = input())\nprint(x{n}\n" for n in range(4_000)),
        "\n".join(" " * depth + "if x:" for depth in range(400)),
        "\n".join(">" * (n % 50) + " print(input())" for n in range(3_000)),
        "\n".join(f"{n % 97}{'ab' * (n % 13)}: x = {n}" for n in range(4_000)),
        "print(input())\n" + "x" * 10_000_000,
    ],
    ids=["a string", "strings", "blocks", "faults", "nesting", "quotations", "labels", "10 MB"],
)
def test_no_text_of_changing_parts_takes_long(text: str) -> None:
    started = time.process_time()
    programs_in(text, text, ADD)
    assert time.process_time() - started < 5

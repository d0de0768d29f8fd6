"""The programs of a campaign: by number, so that any range of them can be made again.

Two thirds come of the grammar; the rest are mutations of the battery, of the corpus of idioms, and
of real programs where CTRL_HARNESS_REAL_DATA names a folder of them.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from campaign_grammar import LARGE_NUMBERS, NUMBERS, Grammar, expand, load_grammar

from ctrl_harness.problems.code_contests import load as load_code_contests
from ctrl_harness.problems.mbppplus import load as load_mbppplus
from ctrl_harness.problems.problem import (
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)

TESTS = Path(__file__).parents[1]
_MOST_CASES_OF_A_ROW = 4
_COMPARATORS = ("default", "livecodebench", "sandbox_fusion", "evalplus", "taco")
_EVIL_SOURCE_SHARE = 0.04
_LARGE_SHARE = 0.08
"""Of the grammar's programs: those that may use and send much, and have a second for it."""
_LARGE_LIMITS = Limits(time_s=1.0, memory_mb=128, output_mb=16)


@dataclass(frozen=True)
class Work:
    """A program to be judged. answers: whether it may be accepted at all; None: nobody knows."""

    number: int
    kind: str
    problem: Problem
    program: str
    answers: bool | None
    all_cases: bool


class Seed(NamedTuple):
    """A program to be mutated, with its own problem, or none where any will do."""

    name: str
    source: str
    problem: Problem | None = None


class Programs:
    """Work number n of a seed is the same in every process that has the same programs to mutate."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._grammar = load_grammar()
        self._seeds = _seeds()

    def work(self, number: int) -> Work:
        rng = random.Random(f"{self._seed}:{number}")
        draw = rng.random()
        if draw < _EVIL_SOURCE_SHARE:
            name, source = rng.choice(_EVIL_SOURCES)
            work = self._of_grammar(number, rng)
            return replace(work, kind=f"source {name}", program=source(rng), answers=None)
        return self._of_grammar(number, rng) if draw < 0.67 else self._mutation(number, rng)

    def _of_grammar(self, number: int, rng: random.Random) -> Work:
        form = rng.choice(("stdio", "stdio", "stdio", "calls", "calls", "calls", "script"))
        honest = rng.random() < 0.35
        name = f"{form}_{'honest' if honest else 'hostile'}"
        large = rng.random() < _LARGE_SHARE
        program = expand(self._grammar, name, rng, LARGE_NUMBERS if large else NUMBERS)
        # a script's asserts meet the values, which may say that they equal everything
        answers = None if form == "script" and not honest else honest
        problem = _problem(number, form, rng, hostile=not honest)
        if large:
            problem = replace(problem, limits=_LARGE_LIMITS)
        kind = f"{name} large" if large else name
        return Work(number, kind, problem, program, answers, rng.random() < 0.1)

    def _mutation(self, number: int, rng: random.Random) -> Work:
        seed = rng.choice(self._seeds)
        source = seed.source
        for _ in range(rng.randint(1, 4)):
            source = rng.choice(_MUTATIONS)(source, rng, self)
        problem = seed.problem
        if problem is None:
            problem = _problem(number, "calls" if "def f(" in source else "stdio", rng)
        problem = replace(problem, limits=_limits(rng))
        kind = f"mutated {seed.name.partition(' ')[0]}"
        return Work(number, kind, problem, source, None, rng.random() < 0.1)

    def act(self, rng: random.Random) -> str:
        return expand(self._grammar, "placed", rng)

    def other(self, rng: random.Random) -> str:
        return rng.choice(self._seeds).source

    @property
    def grammar(self) -> Grammar:
        return self._grammar


# -- problems


def _limits(rng: random.Random) -> Limits:
    """Small: memory of 128 MiB at most, and rarely more than 0.1 s."""
    time_s = rng.choice((0.05, 0.05, 0.05, 0.05, 0.1, 0.1, 0.2, 0.4))
    memory_mb = rng.choice((16, 32, 64, 64, 96, 128, 128))
    return Limits(time_s, memory_mb, rng.choice((0.01, 0.1, 1, 1, 4, 16)))


def _problem(number: int, form: str, rng: random.Random, *, hostile: bool = False) -> Problem:
    """Sums of numbers that no program guesses; a hostile program may meet a large expectation."""
    large = hostile and rng.random() < 0.3
    cases = tuple(_case(form, rng, large) for _ in range(rng.choice((1, 1, 1, 1, 1, 4))))
    rule = rng.choice(_COMPARATORS)
    return Problem(str(number), "campaign", "", cases, limits=_limits(rng), comparator=rule)


def _case(form: str, rng: random.Random, large: bool) -> TestCase:
    a, b = rng.randrange(10**6, 10**9), rng.randrange(10**6, 10**9)
    if form == "stdio":
        return StdioCase(f"{a} {b}\n", _large_text(a + b, rng) if large else f"{a + b}\n")
    if form == "script":
        return ScriptCase(f"assert f({a}, {b}) == {a + b}")
    return CallCase("f", (a, b), _large_value(a + b, rng) if large else a + b)


def _large_text(secret: int, rng: random.Random) -> str:
    count = int(10 ** rng.uniform(1, 4.5))
    make = rng.choice((str, lambda i: str(i / 7), lambda i: f"{i} {i / 3}", lambda i: "word"))
    return "\n".join([*map(make, range(count)), str(secret)]) + "\n"


def _large_value(secret: int, rng: random.Random) -> Any:
    count = int(10 ** rng.uniform(0, 4))
    makers: Sequence[Callable[[], Any]] = (
        lambda: [secret, *range(count)],
        lambda: {secret, *range(count)},
        lambda: {i: str(i) for i in (secret, *range(count))},
        lambda: [(i, i / 7, str(i)) for i in (secret, *range(count))],
        lambda: [[secret] * 30 for _ in range(count // 30 + 1)],
        lambda: {frozenset((i, secret)) for i in range(count)},
        lambda: f"{secret} " * count,
        lambda: float(secret),
        lambda: secret << (count * 8),
    )
    return rng.choice(makers)()


# -- mutations

Mutation = Callable[[str, random.Random, Programs], str]
_NUMBER = re.compile(r"\b\d+\b")
_OPERATOR = re.compile(r"(?<=\s)([-+*/%<>]|==|\*\*|//|and|or|in)(?=\s)")


def _delete_line(source: str, rng: random.Random, programs: Programs) -> str:
    lines = source.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _repeat_line(source: str, rng: random.Random, programs: Programs) -> str:
    lines = source.split("\n")
    at = rng.randrange(len(lines))
    return "\n".join([*lines[:at], *[lines[at]] * rng.choice((2, 2, 50)), *lines[at:]])


def _swap_lines(source: str, rng: random.Random, programs: Programs) -> str:
    lines = source.split("\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _insert_act(source: str, rng: random.Random, programs: Programs) -> str:
    lines = source.split("\n")
    at = rng.randrange(len(lines))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    return "\n".join([*lines[:at], textwrap.indent(programs.act(rng), indent), *lines[at:]])


def _other_number(source: str, rng: random.Random, programs: Programs) -> str:
    numbers = list(_NUMBER.finditer(source))
    if not numbers:
        return source
    found = rng.choice(numbers)
    number = rng.choice(("0", "-1", "10**9", "1 << 63", "2", "1e400", "10**6", "255", "4096"))
    return source[: found.start()] + number + source[found.end() :]


def _other_operator(source: str, rng: random.Random, programs: Programs) -> str:
    operators = list(_OPERATOR.finditer(source))
    if not operators:
        return source
    found = rng.choice(operators)
    return source[: found.start()] + rng.choice("+-*/%<>") + source[found.end() :]


def _other_value(source: str, rng: random.Random, programs: Programs) -> str:
    value = expand(programs.grammar, "value", rng)
    return re.sub(r"\breturn\b[^\n]*", lambda _: f"return {value}", source, count=1)


def _cut(source: str, rng: random.Random, programs: Programs) -> str:
    return source[: rng.randrange(len(source) + 1)]


def _join(source: str, rng: random.Random, programs: Programs) -> str:
    return f"{source}\n{programs.other(rng)}"


def _splice(source: str, rng: random.Random, programs: Programs) -> str:
    ours, theirs = source.split("\n"), programs.other(rng).split("\n")
    return "\n".join(ours[: rng.randrange(len(ours))] + theirs[rng.randrange(len(theirs)) :])


def _other_character(source: str, rng: random.Random, programs: Programs) -> str:
    at = rng.randrange(len(source) + 1)
    return source[:at] + rng.choice("()[]{}:\"'\\#\t\n 09_@\0\ud800\ufeff\x0c") + source[at + 1 :]


_MUTATIONS: Sequence[Mutation] = (
    *(_delete_line, _repeat_line, _swap_lines, _insert_act, _insert_act, _other_number),
    *(_other_number, _other_operator, _other_value, _cut, _join, _splice, _other_character),
)


# -- what is mutated


def _seeds() -> Sequence[Seed]:
    return (*_battery(), *_idioms(), *_real())


def _battery() -> Iterator[Seed]:
    for path in sorted((TESTS / "battery" / "programs").glob("*.py")):
        yield Seed(f"battery {path.stem}", path.read_text(encoding="utf-8", errors="replace"))


def _idioms() -> Iterator[Seed]:
    for path in sorted((TESTS / "parity" / "idioms").glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        stdin = path.with_suffix(".in")
        given = stdin.read_text(encoding="utf-8", errors="replace") if stdin.is_file() else ""
        case = StdioCase(given, "an expectation that no idiom meets\n")
        yield Seed(f"idiom {path.stem}", source, Problem(path.stem, "campaign", "", (case,)))


@cache
def _real() -> Sequence[Seed]:
    """Labelled programs with the first cases of their rows; the same share as the others."""
    folder = os.environ.get("CTRL_HARNESS_REAL_DATA")
    if not folder:
        return ()
    contests, mbpp = Path(folder) / "code_contests", Path(folder) / "mbppplus"
    contest_rows = load_code_contests(contests / "code_contests_test165_reassembled.jsonl")
    seeds = [
        Seed("code_contests", row["solution"], _first_cases(contest_rows[row["name"]]))
        for row in _rows(contests / "model_solutions_gpt-4o-mini_labelled.jsonl")
    ]
    mbpp_rows = load_mbppplus(mbpp / "MbppPlus-OriginFmt.jsonl.gz")
    for summary in mbpp_rows:
        problem = _first_cases(mbpp_rows[summary.id])
        if problem.reference is not None:
            seeds.append(Seed("mbppplus", problem.reference, problem))
    return seeds


def _first_cases(problem: Problem) -> Problem:
    return replace(problem, cases=problem.cases[:_MOST_CASES_OF_A_ROW])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        yield from map(json.loads, lines)


# -- sources that are hostile before they run


def _times(text: str, most: int) -> Callable[[random.Random], str]:
    return lambda rng: text * rng.randint(1, most)


def _nested(opening: str, middle: str, closing: str, most: int) -> Callable[[random.Random], str]:
    def source(rng: random.Random) -> str:
        depth = rng.randint(1, most)
        return opening * depth + middle + closing * depth

    return source


def _random_text(rng: random.Random) -> str:
    return "".join(
        chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) for _ in range(99)
    )


_EVIL_SOURCES: Sequence[tuple[str, Callable[[random.Random], str]]] = (
    ("empty", _times("", 1)),
    ("parentheses", _nested("(", "", ")", 300_000)),
    ("brackets", _nested("[", "0", "]", 300)),
    ("calls", _nested("f(", "", ")", 90)),
    ("lambdas", _nested("lambda:", "0", "", 100_000)),
    ("minus", _nested("-", "1", "", 300_000)),
    ("not", _nested("not ", "1", "", 100_000)),
    ("attributes", _nested("x", ".x", ".x", 100_000)),
    ("sum", _nested("1+", "1", "", 200_000)),
    ("strings", _times("'x' ", 100_000)),
    ("formats", _nested("f'{", "1", "}'", 100)),
    ("if", lambda rng: "".join(" " * i + "if 1:\n" for i in range(rng.randint(1, 120)))),
    ("elif", lambda rng: "if x:\n 0\n" + "elif x:\n 0\n" * rng.randint(1, 30_000)),
    ("try", lambda rng: "".join(" " * i + "try:\n" for i in range(rng.randint(1, 90)))),
    ("lines", _times("x = 1\n", 300_000)),
    ("one_line", _times("x = 1;", 300_000)),
    ("functions", _times("def f(): pass\n", 50_000)),
    ("constant", lambda rng: f"x = 1 << {rng.randint(1, 10**10)}"),
    ("power", lambda rng: f"x = 9 ** 9 ** {rng.randint(1, 9)}"),
    ("tuples", lambda rng: "x = " + "((0,) * 100,) * 100," * rng.randint(1, 999)),
    ("times", lambda rng: f"x = 'a' * {rng.randint(1, 10**9)} * {rng.randint(1, 99)}"),
    ("format_width", lambda rng: f"x = '%{rng.randint(1, 10**9)}d' % 1"),
    ("digits", lambda rng: "x = " + "9" * rng.randint(1, 300_000)),
    ("hexadecimal", lambda rng: "x = 0x" + "f" * rng.randint(1, 1_000_000)),
    ("literal", lambda rng: f"x = {list(range(rng.randint(1, 200_000)))}"),
    ("dict", lambda rng: f"x = { {i: i for i in range(rng.randint(1, 100_000))} }"),
    ("comment", lambda rng: "# import " + "中 " * rng.randint(1, 1_000_000)),
    ("imports", lambda rng: "import " + ", ".join(["x"] * rng.randint(1, 100_000))),
    ("imported", lambda rng: "import numpy, random, decimal\n" * rng.randint(1, 20_000)),
    ("text", lambda rng: f"x = '{'y' * rng.randint(1, 2_000_000)}'"),
    ("name", lambda rng: "x" * rng.randint(1, 1_000_000) + " = 1"),
    ("identifiers", lambda rng: "\n".join(f"v{i} = 1" for i in range(rng.randint(1, 50_000)))),
    ("nul", lambda rng: "print(1)\0print(2)"),
    ("surrogate", lambda rng: "x = '\ud800'"),
    ("random", _random_text),
    ("cookie", lambda rng: f"# coding: {rng.choice(('utf-7', 'rot13', 'xx', 'idna', 'hex'))}\n1"),
    ("future", lambda rng: "from __future__ import annotations, barry_as_FLUFL\n1 <> 2"),
    ("mark", lambda rng: "\ufeff" * rng.randint(1, 3) + "print(1)"),
    ("form_feed", _times("\x0c \n", 100_000)),
    ("carriage", _times("x = 1\r", 100_000)),
    ("backslashes", _times("\\\n", 100_000)),
    ("decorators", lambda rng: "@x\n" * rng.randint(1, 100_000) + "def f(): pass"),
    (
        "arguments",
        lambda rng: f"def f({', '.join(f'a{i}' for i in range(rng.randint(1, 9999)))}): 1",
    ),
    ("global", lambda rng: "def f():\n " + "global x;" * rng.randint(1, 100_000)),
    ("match", lambda rng: "match x:\n case " + "[" * 90 + "]" * 90 + ": 0"),
    ("comprehension", _nested("[x for x in ", "y", "]", 60)),
    ("star", lambda rng: "*" + "a, *" * rng.randint(1, 10_000) + "b = c"),
    ("escapes", lambda rng: "x = '" + "\\N{SPACE}" * rng.randint(1, 50_000) + "'"),
    ("warnings", lambda rng: "x = '\\d'\n" * rng.randint(1, 20_000)),
    ("asserts", lambda rng: "assert (1, 2)\n" * rng.randint(1, 20_000)),
)

"""Solution leakage: does a critique hand over a program, and does that program pass?

A critic that writes the solution is a second generator, and Δ↑ then says little of its critiques.
What counts as a program is what could be one for this problem: it reads input and writes output, or
it defines the function that is called. What the critic quotes of the draft is not handed over.
"""

from __future__ import annotations

import ast
import logging
import re
import textwrap
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

import anyio.to_thread

from ctrl_harness.critique.programs import Snippet, parse_code, snippets
from ctrl_harness.critique.readings import plain_characters, readings
from ctrl_harness.critique.repair import ELISION
from ctrl_harness.errors import JudgeError
from ctrl_harness.problems.problem import CallCase, Problem, ScriptCase, StdioCase

logger = logging.getLogger(__name__)

Leak = Literal["none", "program", "passing", "unjudged"]
"""What code a critique gives away: none, a program, one that the judge accepts, or one on which the
judge failed, so that nobody knows whether it passes."""

MAX_JUDGED = 6
"""Programs of one critique that are run, the longest first."""

Passes = Callable[[str], Awaitable[bool]]

_READS = frozenset({"input", "open", "stdin", "fileinput", "read", "readline", "readlines"})
_WRITES = frozenset({"print", "write", "writelines", "stdout"})


async def find_leak(critique: str, draft: str | None, problem: Problem, passes: Passes) -> Leak:
    """What a critique of this draft gives away.

    draft: the program it is about, None without one. passes: the judge's word on a program. Where
    the judge fails, a critique must not cost its sample: that is logged, and the answer `unjudged`
    unless another of its programs passes.
    """
    # in a thread: a text made for it keeps the parser busy for a second
    programs = await anyio.to_thread.run_sync(programs_in, critique, draft, problem)
    found: Leak = "program" if programs else "none"
    for program in programs[:MAX_JUDGED]:
        try:
            passed = await passes(program)
        except (JudgeError, OSError) as error:
            logger.warning(
                "a critique of %s holds a program on which the judge failed, so that it is not "
                "known whether it gives the solution away: %s",
                problem.id,
                error,
            )
            found = "unjudged"
            continue
        if passed:
            return "passing"
    return found


def programs_in(critique: str, draft: str | None, problem: Problem) -> list[str]:
    """The programs in a critique that solve or could solve the problem, longest first.

    Made runnable where a reader would see how: a `main` that nobody calls is called, and a method
    without its class gets the class `Solution`.
    """
    form = _Form(problem)
    programs = [snippet for snippet in snippets(critique) if form.is_program(snippet.tree)]
    if not programs:
        return []
    drafts = [_Draft(shown) for shown in islice(readings(draft or ""), _MOST_READINGS)]
    own = {form.runnable(s): None for s in programs if not _is_quotation(s, drafts)}
    return sorted(own, key=len, reverse=True)


def _is_quotation(snippet: Snippet, drafts: list[_Draft]) -> bool:
    lines = list(_flat(snippet.tree))  # once for all drafts
    if any(draft.quoted_by(snippet, lines) for draft in drafts):
        return True
    plain = plain_characters(snippet.text)
    tree = parse_code(plain) if plain != snippet.text else None
    if tree is None:
        return False
    lines = list(_flat(tree))
    return any(draft.contains(lines) for draft in drafts)


class _Draft:
    """The statements of the draft, to tell a quotation from a program of the critic's own."""

    def __init__(self, program: str) -> None:
        self._numbers: dict[str, int] = {}
        tree = parse_code(program)
        self._flat = self._written(_flat(tree)) if tree else ""
        self._lines = _lines(program)

    def quoted_by(self, snippet: Snippet, lines: list[_Line]) -> bool:
        """Whether the code, or each of the blocks it was joined from, stands in the draft.

        lines: those of the snippet's tree.
        """
        if self.contains(lines):
            return True
        parts = snippet.parts
        if snippet.written is not None:
            parts = tuple(part for part in _excerpts(snippet.written) if part.strip())
        return bool(parts) and all(map(self._contains_text, parts))

    def _contains_text(self, code: str) -> bool:
        if _lines(code) in self._lines:  # an excerpt from the middle need not parse
            return True
        tree = parse_code(code)
        return tree is not None and self.contains(list(_flat(tree)))

    def contains(self, code: list[_Line]) -> bool:
        """Whether the code is an excerpt of the draft, or several with "..." in between: the same
        statements in the same order and nesting, with none left out and whatever the layout."""
        if not self._flat:
            return False
        excerpts: list[list[_Line]] = [[]]
        for line in code:
            if line.head.startswith(_NOTHING):
                excerpts.append([])
            elif line.head in self._numbers:
                excerpts[-1].append(line)
            else:
                return False
        # from the first number on: how deep an excerpt stands does not matter
        return all(
            self._written(lines).partition("|")[2] in self._flat for lines in excerpts if lines
        )

    def _written(self, lines: Iterable[_Line]) -> str:
        """`;step|number` for each line, step being the change of depth."""
        parts = []
        depth = 0
        for line in lines:
            number = self._numbers.setdefault(line.head, len(self._numbers))
            parts.append(f"{line.depth - depth}|{number}")
            depth = line.depth
        return f";{';'.join(parts)};"


def _excerpts(written: str) -> list[str]:
    """What stands between the lines that only say that something was left out."""
    return re.split(rf"^[ \t]*{re.escape(ELISION)}[ \t]*$", written, flags=re.MULTILINE)


def _lines(code: str) -> str:
    """The lines with anything in them, without their indentation."""
    stripped = (line.strip() for line in code.split("\n"))
    return "".join(f"\n{line}\n" for line in stripped if line)


class _Line(NamedTuple):
    """A statement without its body, dumped, and how deep it stands."""

    depth: int
    head: str


_MOST_READINGS = 100
"""Ways to read a draft that a critique's code is sought in; a program has few."""
_BODIES = ("body", "handlers", "cases", "orelse", "finalbody")
_NOTHING = (ast.dump(ast.Expr(ast.Constant(...))), "Expr(value=Name(")
"""Statements that stand for what was left out, or for nothing: "..." and a word such as EOF."""


def _flat(tree: ast.Module) -> Iterator[_Line]:
    """The statements in order, and where `else`, `except` and the like stand."""
    stack: list[tuple[int, ast.AST | str]] = [(0, node) for node in reversed(tree.body)]
    while stack:
        depth, node = stack.pop()
        if isinstance(node, str):
            yield _Line(depth, node)
            continue
        fields = {name: value for name, value in ast.iter_fields(node) if name not in _BODIES}
        yield _Line(depth, _dump(type(node)(**fields)))
        for name in reversed(_BODIES):
            children = getattr(node, name, None)
            if isinstance(children, list) and children:
                stack += [(depth + 1, child) for child in reversed(children)]
                if name != "body":
                    stack.append((depth, name))


def _dump(node: ast.AST) -> str:
    try:
        return ast.dump(node)
    except RecursionError:  # nested too deep to be compared, so like nothing else
        return f"deep {id(node)}"


class _Form:
    """What a program for this problem must have."""

    def __init__(self, problem: Problem) -> None:
        cases = problem.cases
        self._stdio = any(isinstance(case, StdioCase) for case in cases)
        self._script = any(isinstance(case, ScriptCase) for case in cases)
        self._functions = {case.function for case in cases if isinstance(case, CallCase)}

    def is_program(self, tree: ast.Module) -> bool:
        if self._stdio:
            names = _names(tree)
            return bool(names & _READS) and bool(names & _WRITES)
        defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        return any(
            (self._script or node.name in self._functions) and _has_body(node) for node in defined
        )

    def runnable(self, snippet: Snippet) -> str:
        if self._stdio:
            entry = _uncalled_entry(snippet.tree)
            return snippet.text if entry is None else f"{snippet.text}\n\n{entry}()\n"
        orphans = [
            node
            for node in snippet.tree.body
            if isinstance(node, ast.FunctionDef)
            and node.name in self._functions
            and node.args.args
            and node.args.args[0].arg == "self"
        ]
        if not orphans:
            return snippet.text
        return "class Solution:\n" + textwrap.indent(snippet.text, "    ")


def _names(tree: ast.Module) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.name for alias in node.names}
    return names


def _has_body(function: ast.FunctionDef) -> bool:
    """Whether it does anything: a stub or a signature does not."""
    for statement in function.body:
        is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_constant and not isinstance(statement, (ast.Pass, ast.Raise)):
            return True
    return False


def _uncalled_entry(tree: ast.Module) -> str | None:
    """The last function without parameters that nothing at the top level calls, where all that the
    top level does is to define and import."""
    inert = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
    if not all(isinstance(node, inert) for node in tree.body):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not functions or any(isinstance(node, ast.Assign) and _calls(node) for node in tree.body):
        return None
    arguments = functions[-1].args
    needed = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return functions[-1].name if needed == 0 else None


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))

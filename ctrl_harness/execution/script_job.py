"""A script as it goes to a program: with its assertions marked, so that those evaluated count.

The marks are made outside the cell; what they call is tally.py, whose text goes along. A nonce
shows that the answer is of this run.
"""

from __future__ import annotations

import ast
import functools
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Run
from ctrl_harness.integers import in_hex
from ctrl_harness.problems.assertions import (
    always_fails,
    always_holds,
    asserts_in_turn,
    failing_end,
    fails_when_called,
    is_assertion_call,
    is_main_guard,
    is_raises_block,
    own_functions,
    raises_exception,
)
from ctrl_harness.problems.decisions import Decision, decisions, failing_functions
from ctrl_harness.syntax import parse_module

_COMPOUND = (
    ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Match, ast.FunctionDef, ast.ClassDef,
    ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef, ast.TryStar,
)  # fmt: skip
_OF_PROGRAMS = frozenset({"solution", "program", "__main__"})
"""What the program is known by, or may be."""
_MAKES_MODULES = re.compile(r"\bsys\b.*\b(?:modules|path|meta_path)\b|\bsite\b|\bopen\b|write_text")


def script_job(script: str) -> dict[str, Any]:
    """What guest.py needs to run a script; `nonce` is what its answer begins with.

    Raises UserError for a script that is not Python.
    """
    name = f"_tally_{secrets.token_hex(8)}"
    script, tree = _parsed(script)
    return {
        "script": _marked(script, tree, name),
        "imports": _imports(script, tree),
        "tally": _tally(),
        "tally_name": name,
        "nonce": secrets.token_hex(16),
    }


def missing_import(module: str) -> str:
    """What to say of tests that import what programs cannot import here."""
    return (
        f"the tests import {module[:80]!r}, which is not there for programs, so none can pass "
        "them; leave the import out or name the package (--package)"
    )


class ScriptEnd(NamedTuple):
    """How many assertions held and failed in a script that ran to its end."""

    held: int
    failed: int

    @classmethod
    def read(cls, payload: bytes, nonce: str) -> ScriptEnd | None:
        """None for an answer that is not this run's."""
        words = payload.split(b" ")
        if len(words) != 3 or words[0] != nonce.encode():
            return None
        counts = [int(word) for word in words[1:] if word.isdigit() and len(word) < 19]
        return cls(*counts) if len(counts) == 2 else None

    def run(
        self,
        time_s: float,
        memory_mb: float | None = None,
        stderr: str = "",
        exit_status: int | None = None,
    ) -> Run:
        """`ok` with the number of assertions that held, where none failed."""
        if not self.failed:
            return Run("ok", "", self.held, "", time_s, memory_mb, stderr, exit_status)
        error = f"AssertionError: {self.failed} assertions did not hold, though the tests went on"
        return Run("runtime_error", "", None, error, time_s, memory_mb, stderr, exit_status)


@functools.cache
def _tally() -> str:
    return Path(__file__).with_name("tally.py").read_text(encoding="utf-8")


class _Mark(NamedTuple):
    """Text to insert at a line and a column (in bytes of UTF-8).

    order: of what is inserted at one place. Closing marks go first, the inner ones before the
    outer; then opening marks, the outer ones before the inner.
    """

    line: int
    column: int
    order: tuple[int, int, int]
    text: str


def marked(script: str, name: str) -> str:
    """The script with each assertion handed to the tally that `name` stands for.

    Raises UserError for a script that is not Python.
    """
    return _marked(*_parsed(script), name)


def _parsed(script: str) -> tuple[str, ast.Module]:
    """The script as its tree counts its lines. Raises UserError."""
    script = script.replace("\r\n", "\n").replace("\r", "\n")
    try:
        script = in_hex(script)
        tree = parse_module(script)
        script.encode()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"a script case is not Python ({error})") from None
    return script, tree


def _imports(script: str, tree: ast.Module) -> list[str]:
    """The modules without which the script cannot run; none where it may make some itself."""
    if _MAKES_MODULES.search(script):
        return []
    names: dict[str, None] = {}
    waiting: list[ast.stmt] = [*tree.body]
    for statement in waiting:
        match statement:
            case ast.Import(names=aliases):
                names.update(dict.fromkeys(alias.name.partition(".")[0] for alias in aliases))
            case ast.ImportFrom(module=str() as module, level=0):
                names[module.partition(".")[0]] = None
            case ast.If(test=test, body=body) if is_main_guard(test):
                waiting += body
    return [name for name in names if name not in _OF_PROGRAMS]


def _marked(script: str, tree: ast.Module, name: str) -> str:
    lines = [line.encode() for line in script.split("\n")]
    for mark in sorted(_marks(tree, lines, name), reverse=True):
        at, text = mark.line - 1, mark.text.encode()
        lines[at] = lines[at][: mark.column] + text + lines[at][mark.column :]
    return b"\n".join(lines).decode()


def _marks(tree: ast.Module, lines: list[bytes], name: str) -> Iterator[_Mark]:
    own, failing = own_functions(tree), failing_functions(tree)
    expected: set[ast.AST] = set()
    for decision in decisions(tree, failing):
        if decision.holds == "raised":
            expected.add(decision.node)
        yield from _decision_marks(decision, lines, name)
    waiting: list[ast.AST] = [tree]
    blocks: set[ast.AST] = set()
    while waiting:
        node = waiting.pop()
        match node:
            case ast.JoinedStr():  # where in it something stands is not told
                continue
            case ast.Assert(test=test) if not always_holds(test):
                yield from _wrapped(test, f"{name}.must")
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if is_raises_block(item.context_expr):
                        blocks.add(item.context_expr)
                        if isinstance(node, ast.With):
                            yield from _wrapped(item.context_expr, f"{name}.block")
            case ast.Raise(exc=ast.expr() as raised) if always_fails(node):
                yield from _wrapped(raised, f"{name}.failure")
            case ast.Raise(exc=ast.expr() as raised) if raises_exception(node):
                yield from _wrapped(raised, f"{name}.thrown")
            case ast.Expr(value=ast.Call() as call):
                yield from _failure_marks(call, failing, name)
            case ast.BoolOp(values=[*_, ast.Call() as call]) if failing_end(node):
                yield from _failure_marks(call, failing, name)
            case ast.IfExp(body=body, orelse=orelse):
                for each in (body, orelse):
                    yield from _failure_marks(each, failing, name)
            case ast.ExceptHandler() if node not in expected and asserts_in_turn(node):
                yield _before(node.body[0], lines, f"{name}.forgive()")
        if isinstance(node, ast.Call) and node not in blocks and is_assertion_call(node, own):
            yield from _wrapped(node.func, f"{name}.call")
        waiting += ast.iter_child_nodes(node)


def _wrapped(node: ast.expr, function: str, bare: bool = False) -> Iterator[_Mark]:
    """bare: it may be what is no argument as it stands, as a tuple without parentheses."""
    if isinstance(node, (ast.Yield, ast.YieldFrom)) and not bare:
        return
    assert node.end_lineno is not None and node.end_col_offset is not None
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    opening, closing = ("((", "))") if bare else ("(", ")")
    yield _Mark(*start, (1, -end[0], -end[1]), f"{function}{opening}")
    yield _Mark(*end, (0, -start[0], -start[1]), closing)


def _failure_marks(node: ast.expr, failing: frozenset[str], name: str) -> Iterator[_Mark]:
    """Of a call that says that a test has failed; the code's own functions say so within."""
    if not isinstance(node, ast.Call) or not fails_when_called(node):
        return
    if not (isinstance(node.func, ast.Name) and node.func.id in failing):
        yield from _wrapped(node.func, f"{name}.failure")


_TALLIED = {"true": "may", "false": "unless", "either": "either", "neither": "neither"}


def _decision_marks(decision: Decision, lines: list[bytes], name: str) -> Iterator[_Mark]:
    match decision:
        case Decision("evaluated", ast.expr() as node):
            yield from _wrapped(node, f"{name}.evaluated", bare=True)
        case Decision("raised", ast.ExceptHandler(body=[first, *_])):
            yield _before(first, lines, f"{name}.raised()")
        case Decision("passed", ast.Try() | ast.TryStar() as node):
            yield from _end_marks(node, lines, name)
        case Decision(holds, ast.expr() as node):
            yield from _wrapped(node, f"{name}.{_TALLIED[holds]}")


def _end_marks(node: ast.Try | ast.TryStar, lines: list[bytes], name: str) -> Iterator[_Mark]:
    """Where the body of a `try` has come to its end."""
    if node.orelse:
        yield _before(node.orelse[0], lines, f"{name}.passed()")
        return
    match node.body[-1]:
        case ast.Return(value=ast.expr() as value):
            yield from _wrapped(value, f"{name}.evaluated", bare=True)
        case ast.Return() | ast.Break() | ast.Continue() as last:
            yield _before(last, lines, f"{name}.passed()")
        case last:
            yield _after(last, lines, f"{name}.passed()")


def _before(statement: ast.stmt, lines: list[bytes], text: str) -> _Mark:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    line = decorators[0].lineno if decorators else statement.lineno
    indent = lines[line - 1][: statement.col_offset].decode()
    end = f"\n{indent}" if isinstance(statement, _COMPOUND) else "; "
    return _Mark(line, statement.col_offset, (1, -(1 << 60), 0), text + end)


def _after(statement: ast.stmt, lines: list[bytes], text: str) -> _Mark:
    assert statement.end_lineno is not None and statement.end_col_offset is not None
    indent = lines[statement.lineno - 1][: statement.col_offset].decode()
    start = f"\n{indent}" if isinstance(statement, _COMPOUND) else "; "
    return _Mark(statement.end_lineno, statement.end_col_offset, (0, 1, 0), start + text)

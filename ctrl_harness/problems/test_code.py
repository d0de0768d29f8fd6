"""Python test code as the cases it stands for: calls where it says no more, scripts otherwise.

Behind problem files, `/verify` and the rows of `/submit` alike. Nothing of it runs here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ctrl_harness.errors import UserError
from ctrl_harness.problems.assertions import reached_assertions, unreached_functions
from ctrl_harness.problems.decisions import can_be_counted
from ctrl_harness.problems.plain_values import NotPlain, plain_value
from ctrl_harness.problems.problem import CallCase, OracleKind, ScriptCase
from ctrl_harness.problems.test_reader import Reader
from ctrl_harness.syntax import parse_runnable

MAX_CHARS = 1 << 20
"""Longer test code is refused: a syntax tree takes a hundred times its source's memory."""
_FOR_PROGRAMS = frozenset({*sys.stdlib_module_names, "numpy"}) - {"antigravity", "idlelib", "this"}


@dataclass(frozen=True, slots=True)
class TestCode:
    """What test code comes to. prelude: what a program may use as in one file with the tests."""

    __test__: ClassVar[bool] = False  # no test for pytest to collect
    cases: tuple[CallCase | ScriptCase, ...]
    prelude: str = ""


def read_test_code(
    code: str,
    *,
    setup: str = "",
    entry_point: str | None = None,
    equality: OracleKind = "equal",
) -> TestCode:
    """The cases that test code stands for.

    code: Python that asserts something of the program's functions: asserts, loops over tables,
    test functions that it calls, under a main guard or not. setup: code that runs before it (MBPP's
    `test_setup_code`). entry_point: the program's function that `check(candidate)` is called with
    where the code defines but does not call it (HumanEval); a name that is also Python's (`sum`) is
    the program's only where it is this one. equality: how `==` compares where it becomes a call.

    Asserts that compare a call on plain values with a plain value become CallCases, whose expected
    values no program meets. Where anything more is said, the whole code is one ScriptCase besides.
    So a program is right on all cases if and only if the code runs to its end without a failed
    assertion, but for what comparators forgive (a tuple for a list, a rounding error) and for
    functions that are methods of a class Solution.

    Raises UserError for code that is not Python or that can assert nothing.
    """
    whole = f"{setup}\n{code}" if setup.strip() else code
    module = _parsed(whole)
    candidate = _check_to_call(module)
    if candidate is not None:
        if entry_point is None:
            raise UserError(
                "defines check(candidate) and does not call it; name the function to check "
                "(entry_point), or end with check(FUNCTION)"
            )
        if not entry_point.isidentifier():
            raise UserError(f"has the entry point {entry_point!r:.80}, which names no function")
        call = f"check({entry_point})"
        whole = f"{whole}\n{call}\n"
        module = _parsed(whole)
    if not reached_assertions(module):
        raise UserError(_nothing_asserted(module))
    if not can_be_counted(module):
        raise UserError(
            "says that a test has failed, but by no condition that could be counted as a check, so "
            "it would accept no program; write `assert f(…) == …`"
        )
    given = _parsed(setup).body if setup.strip() else []
    if not all(map(_only_names, given)):
        return TestCode((ScriptCase(whole),))
    reader = Reader(module, entry_point, equality)
    complete = reader.read()
    cases: list[CallCase | ScriptCase] = [*reader.cases]
    if not complete or not cases:
        cases.append(ScriptCase(whole))
    return TestCode(tuple(cases), _prelude(given, module.body) if reader.cases else "")


def is_one_assert(code: str) -> bool:
    """Whether the code is a single assert, which needs nothing that stands elsewhere."""
    try:
        return [type(statement) for statement in _parsed(code).body] == [ast.Assert]
    except UserError:
        return False


def _parsed(code: str) -> ast.Module:
    """Raises UserError for what Python would not run."""
    if len(code) > MAX_CHARS:
        raise UserError(f"has more than {MAX_CHARS} characters; send fewer")
    try:
        return parse_runnable(code)
    except (RecursionError, MemoryError):
        raise UserError("is not Python that can be read, for it is nested too deeply") from None
    except (SyntaxError, ValueError, OverflowError) as error:
        raise UserError(f"is not Python ({error})") from None


def _check_to_call(module: ast.Module) -> str | None:
    """HumanEval's form: `def check(candidate)` that the code itself never calls."""
    names = {n.id for n in ast.walk(module) if isinstance(n, ast.Name)}
    for statement in module.body:
        match statement:
            case ast.FunctionDef(name="check", args=ast.arguments(args=[parameter])):
                return None if "check" in names else parameter.arg
    return None


def _nothing_asserted(module: ast.Module) -> str:
    if names := unreached_functions(module):
        listed = ", ".join(names[:5])
        return f"asserts only in what nothing calls ({listed}); call it at the end of the tests"
    return "asserts nothing, so it would accept any program; write `assert f(…) == …`"


def _only_names(statement: ast.stmt) -> bool:
    """Whether set-up code gives names to plain values and modules, and no more."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name()], value=value):
            try:
                plain_value(value, {})
                return True
            except NotPlain:
                return False
    return False


def _prelude(setup: Sequence[ast.stmt], whole: Sequence[ast.stmt]) -> str:
    """What a program in one file with the code could use: set-up values, and modules of both.

    A module that is not there is the affair of who uses it.
    """
    lines: dict[str, None] = {}
    for statement in whole:
        if isinstance(statement, ast.Import):
            roots = [alias.name.partition(".")[0] for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            roots = [str(statement.module).partition(".")[0]]
        else:
            continue
        if _FOR_PROGRAMS.issuperset(roots) and "__future__" not in roots:
            lines[f"try:\n    {ast.unparse(statement)}\nexcept ImportError:\n    pass\n"] = None
    compared = {
        side.id
        for node in ast.walk(ast.Module([*whole], []))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Name)
    }
    for statement in setup:
        match statement:  # what is expected is not for the program
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in compared:
                lines[f"{ast.unparse(statement)}\n"] = None
    return "".join(lines)

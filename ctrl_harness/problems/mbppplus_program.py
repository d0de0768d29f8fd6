"""The `test` program of an MBPP+ row, taken apart on its syntax tree. Nothing of it runs here.

The program defines `assertion(out, exp, atol)` and loops over `inputs`, with the expected values
either in `results` or from a `ref_func` that it defines (378 rows: 375 and 3).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits
from ctrl_harness.problems.literals import literal_value
from ctrl_harness.problems.problem import FROM_REFERENCE, CallCase, OracleKind
from ctrl_harness.syntax import parse_module

_REFERENCE = "ref_func"


@dataclass(frozen=True, slots=True)
class TakenApart:
    """The calls a row makes, how it compares, and the program that knows the answers, if any."""

    function: str
    oracle: OracleKind
    cases: tuple[CallCase, ...]
    reference: str | None


class _Loop(NamedTuple):
    """What the program's one loop says: which function, which answers, which tolerance."""

    function: str
    by_reference: bool
    atol: float


def take_apart(source: str) -> TakenApart:
    """The calls, expected values and oracle of a row's `test` program.

    Where the program computes its expected values, they are FROM_REFERENCE and `reference` is a
    program in which the called function is the one that computes them. Raises UserError for a
    form that is not recognised.
    """
    try:
        module = parse_module(source)
    except TooManyDigits as error:
        raise UserError(f"field 'test' holds {error}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError("field 'test' is not a Python program") from None
    try:
        return _taken_apart(module)
    except UserError:
        raise
    except ValueError:  # such a number can stand in a syntax tree, and has no text
        raise UserError("field 'test' holds an integer too long for anything but a test") from None


def _taken_apart(module: ast.Module) -> TakenApart:
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    if "assertion" not in functions:
        raise UserError("field 'test' defines no assertion function")
    oracle = recognise_oracle(functions["assertion"])
    loop = _loop_of(module)
    arguments = _argument_lists(module)
    reference = None
    if loop.by_reference:
        if _REFERENCE not in functions:
            raise UserError(f"field 'test' calls {_REFERENCE} but does not define it")
        expected: list[Any] = [FROM_REFERENCE] * len(arguments)
        reference = _reference_program(module, functions, loop.function)
    else:
        expected = _list_of(module, "results")
    if len(arguments) != len(expected):
        raise UserError(f"field 'test' has {len(arguments)} inputs but {len(expected)} results")
    if not arguments:
        raise UserError("field 'test' has no inputs")
    cases = tuple(
        CallCase(loop.function, args, value, oracle, loop.atol)
        for args, value in zip(arguments, expected, strict=True)
    )
    return TakenApart(loop.function, oracle, cases, reference)


def recognise_oracle(assertion: ast.FunctionDef) -> OracleKind:
    """Which of the three ways a row's `assertion` compares; UserError for a fourth.

    Every statement has to be accounted for: one that is not understood could change the verdict.
    """
    parameters = [argument.arg for argument in assertion.args.args]
    if parameters != ["out", "exp", "atol"]:
        raise UserError("field 'test' has an assertion of other parameters than (out, exp, atol)")
    kinds = [_statement_kind(statement) for statement in assertion.body]
    match kinds:
        case ["tolerance", "compare"]:
            return "equal"
        case ["tolerance", "set out", "set exp", "compare"]:
            return "set"
        case ["not none"] | ["not none", "assert match"]:
            return "is_not_none"
    unknown = next(
        (ast.unparse(s) for s, k in zip(assertion.body, kinds, strict=True) if not k), ""
    )
    detail = f": {unknown.splitlines()[0]}" if unknown else ""
    raise UserError(f"field 'test' compares in a way that is not recognised{detail}")


def _statement_kind(statement: ast.stmt) -> str:
    """A name for each statement an assertion is known to be made of, `""` for any other."""
    match statement:
        case ast.If(test=test, body=[then], orelse=[]):
            # floats are compared within 1e-6 where the row sets no tolerance of its own
            if _is(test, "atol == 0 and is_floats(exp)") and _is(then, "atol = 1e-6"):
                return "tolerance"
        case ast.Assign():
            for name in ("out", "exp"):
                if _is(statement, f"{name} = set({name})"):
                    return f"set {name}"
        case ast.If(test=test, body=[then], orelse=[otherwise]):
            if (
                _is(test, "out != exp and atol != 0")
                and _is(then, "assert np.allclose(out, exp, rtol=1e-7, atol=atol)")
                and _asserts(otherwise, "out == exp")
            ):
                return "compare"
            if (
                _is(test, "isinstance(out, bool)")
                and _is(then, "exact_match = out == exp")
                and _is(otherwise, "exact_match = exp == (out is not None)")
            ):
                return "not none"
        case ast.Assert():
            if _asserts(statement, "exact_match"):
                return "assert match"
    return ""


def _is(node: ast.AST, source: str) -> bool:
    """Whether a node means what the source does, however it is spelled (1e-6, 1e-06)."""
    wanted = parse_module(source).body[0]
    if isinstance(wanted, ast.Expr) and not isinstance(node, ast.Expr):
        return ast.dump(node) == ast.dump(wanted.value)
    return ast.dump(node) == ast.dump(wanted)


def _asserts(statement: ast.stmt, source: str) -> bool:
    """Whether the statement asserts what the source says, with whatever message."""
    return isinstance(statement, ast.Assert) and _is(statement.test, source)


def _loop_of(module: ast.Module) -> _Loop:
    loops = [node for node in module.body if isinstance(node, ast.For)]
    if len(loops) != 1:
        raise UserError(f"field 'test' has {len(loops)} loops where one is expected")
    loop = loops[0]
    head = f"{ast.unparse(loop.target)} in {ast.unparse(loop.iter)}".replace("(", "").replace(
        ")", ""
    )
    match loop.body:
        case [
            ast.Expr(
                value=ast.Call(
                    func=ast.Name(id="assertion"),
                    args=[ast.Call(func=ast.Name(id=function)) as call, expected, atol],
                    keywords=[],
                )
            )
        ] if _is(call, f"{function}(*inp)"):
            tolerance = literal_value(atol)
            if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)):
                raise UserError("field 'test' has a tolerance that is not a number")
            if head == "i, inp, exp in enumeratezipinputs, results" and _is(expected, "exp"):
                return _Loop(function, False, float(tolerance))
            if head == "i, inp in enumerateinputs" and _is(expected, f"{_REFERENCE}(*inp)"):
                return _Loop(function, True, float(tolerance))
    raise UserError("field 'test' loops in a way that is not recognised")


def _argument_lists(module: ast.Module) -> list[tuple[Any, ...]]:
    values = _list_of(module, "inputs")
    for index, value in enumerate(values):
        if not isinstance(value, (list, tuple)):
            raise UserError(f"field 'test' has an input {index} that is not a list of arguments")
    return [tuple(value) for value in values]


def _list_of(module: ast.Module, name: str) -> list[Any]:
    found = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == name
    ]
    if len(found) != 1:
        raise UserError(f"field 'test' assigns {name} {len(found)} times, not once")
    value = literal_value(found[0])
    if not isinstance(value, list):
        raise UserError(f"field 'test' has {name} that are not a list")
    return value


def _reference_program(
    module: ast.Module, functions: dict[str, ast.FunctionDef], called: str
) -> str:
    """The reference function, what it needs of the program, and the called name bound to it.

    Only what is needed: the rest (numpy, above all) belongs to the comparing, which is ours.
    """
    needed: set[str] = set()
    waiting = [_REFERENCE]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        if name in functions:
            waiting += _names_in(functions[name])
    kept = [node for node in module.body if _names_bound(node) & needed]
    program = "\n".join(ast.unparse(node) for node in kept)
    return f"{program}\n{called} = {_REFERENCE}\n"


def _names_bound(node: ast.stmt) -> set[str]:
    """The names a statement of the program defines."""
    match node:
        case ast.FunctionDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {(alias.asname or alias.name).split(".")[0] for alias in aliases}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def _names_in(function: ast.FunctionDef) -> Iterator[str]:
    return (node.id for node in ast.walk(function) if isinstance(node, ast.Name))

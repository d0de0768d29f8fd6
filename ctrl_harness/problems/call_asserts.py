"""One assert of test code as calls of the program, where it says the same as they do."""

from __future__ import annotations

import ast
import builtins
import copy
import math
from dataclasses import dataclass, field, replace
from typing import Any

from ctrl_harness.problems.plain_values import (
    Names,
    NotPlain,
    plain_value,
    read_objects,
    resolve,
    shared_objects,
)
from ctrl_harness.problems.problem import CallCase, OracleKind

_ISCLOSE_REL_TOL = 1e-9  # math.isclose's default
SOLUTION = "Solution"
"""The class whose methods a CallCase finds as it finds functions."""


class NotACall(Exception):
    """The assert says something else, or more, than that a call returns a value."""


@dataclass
class Scope:
    """What an assert's names mean, and what calls may have changed so far.

    names: literals that names stand for. callables: names that stand for the program's functions
    (`candidate`). own: functions of the test code, which are not the program's. program: names
    that are the program's although Python has a function of that name. equality: how `==` compares
    here. spent: mutable objects that have been handed to the program, by their nodes. results:
    calls whose result has a name and has not been asserted on yet, by theirs.
    """

    names: dict[str, ast.expr] = field(default_factory=dict)
    callables: dict[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    program: frozenset[str] = frozenset()
    equality: OracleKind = "equal"
    spent: set[ast.AST] = field(default_factory=set)
    results: dict[ast.AST, _Call] = field(default_factory=dict)

    def bind(self, name: str, value: ast.expr) -> None:
        self.callables.pop(name, None)
        self.names[name] = value

    def bind_result(self, name: str, value: ast.expr) -> None:
        """`name = f(…)`: the call belongs to the one assert on the name. Raises NotACall."""
        call = copy.copy(value)  # each time the statement runs it is another call
        try:
            self.results[call] = _call(call, self)
        except NotPlain:
            raise NotACall from None
        self.bind(name, call)


@dataclass(frozen=True)
class _Call:
    """A call of the program; given: the mutable objects that it is handed, by their nodes."""

    function: str
    arguments: tuple[Any, ...]
    given: frozenset[ast.AST]


def calls_of_assert(test: ast.expr, scope: Scope) -> list[CallCase]:
    """The calls that hold exactly where `assert test` does. Raises NotACall.

    Forms: `f(…) == v` and `v == f(…)`; `f(…) in (v, w)`; `f(…) is True`, False or None; `f(…)` and
    `not f(…)`; `set(f(…)) == set(v)`; `abs(f(…) - v) < t` and `<=`; `math.isclose(f(…), v)` with
    its tolerances; these joined by `and`. Arguments, v and tolerances are plain values.
    """
    try:
        return _calls(test, scope)
    except NotPlain:
        raise NotACall from None


def _calls(test: ast.expr, scope: Scope) -> list[CallCase]:
    if isinstance(test, ast.Constant) and test.value:
        return []
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return [case for value in values for case in _calls(value, scope)]
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return [_comparison(left, op, right, scope)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [_truth(operand, False, scope)]
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="math"), attr="isclose") | ast.Name(id="isclose"),
            args=[left, right],
            keywords=keywords,
        ):
            return [_isclose(left, right, keywords, scope)]
    return [_truth(test, True, scope)]


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, scope: Scope) -> CallCase:
    match op:
        case ast.Eq():
            if (sets := _both_sets(left, right)) is not None:
                return _either(*sets, scope, "set")
            return _either(left, right, scope, scope.equality)
        case ast.Is():
            if isinstance(right, ast.Constant) and isinstance(right.value, (bool, type(None))):
                return _case(left, right, scope, "identical")
        case ast.In() if isinstance(resolve(right, scope.names), (ast.List, ast.Tuple)):
            case = _case(left, right, scope, "any_of")
            return replace(case, expected=tuple(case.expected))
        case ast.Lt() | ast.LtE():
            return _within(left, isinstance(op, ast.Lt), right, scope)
        case ast.Gt() | ast.GtE():
            return _within(right, isinstance(op, ast.Gt), left, scope)
    raise NotACall


def _both_sets(left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    match left, right:
        case (
            ast.Call(func=ast.Name(id="set"), args=[a], keywords=[]),
            ast.Call(func=ast.Name(id="set"), args=[b], keywords=[]),
        ):
            return a, b
    return None


def _within(difference: ast.expr, strictly: bool, bound: ast.expr, scope: Scope) -> CallCase:
    """`abs(f(…) - v) < t`, as `<=` of the largest float below t."""
    match difference:
        case ast.Call(
            func=ast.Name(id="abs") | ast.Attribute(value=ast.Name(id="math"), attr="fabs"),
            args=[ast.BinOp(left=left, op=ast.Sub(), right=right)],
            keywords=[],
        ):
            tolerance = _real(plain_value(bound, scope.names))
            atol = math.nextafter(tolerance, -math.inf) if strictly else tolerance
            case_ = _either(left, right, scope, "within", atol)
            _real(case_.expected)
            return case_
    raise NotACall


def _isclose(
    left: ast.expr, right: ast.expr, keywords: list[ast.keyword], scope: Scope
) -> CallCase:
    tolerances = {"rel_tol": _ISCLOSE_REL_TOL, "abs_tol": 0.0}
    for keyword in keywords:
        if keyword.arg not in tolerances:
            raise NotACall
        tolerances[keyword.arg] = _real(plain_value(keyword.value, scope.names))
        if tolerances[keyword.arg] < 0:
            raise NotACall
    case_ = _either(left, right, scope, "isclose", tolerances["abs_tol"], tolerances["rel_tol"])
    _real(case_.expected)
    return case_


def _real(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise NotACall


def _truth(call: ast.expr, truth: bool, scope: Scope) -> CallCase:
    # MBPP+ rows that ask for something or None: their own relation, which takes False for something
    oracle: OracleKind = "is_not_none" if scope.equality == "is_not_none" else "truth"
    case = _case(call, ast.Constant(truth), scope, oracle)
    if case.function[:1].isupper() and oracle == "truth":
        raise NotACall  # of a class, it seems, whose instances have a truth of their own
    return case


def _either(
    left: ast.expr,
    right: ast.expr,
    scope: Scope,
    oracle: OracleKind,
    atol: float = 0.0,
    rtol: float = 0.0,
) -> CallCase:
    """The call may stand on either side."""
    if _called(left, scope) is None and _called(right, scope) is not None:
        left, right = right, left
    return _case(left, right, scope, oracle, atol, rtol)


def _case(
    call: ast.expr,
    expected: ast.expr,
    scope: Scope,
    oracle: OracleKind,
    atol: float = 0.0,
    rtol: float = 0.0,
) -> CallCase:
    value = plain_value(expected, scope.names)
    wanted = set(read_objects(expected, scope.names))
    if scope.spent & wanted:  # it may no longer be what the code says it is
        raise NotACall
    node = resolve(call, scope.names)
    if node is not call:
        if (made := scope.results.pop(node, None)) is None:
            raise NotACall
    else:
        made = _call(node, scope)
    if made.given & wanted:
        raise NotACall
    return CallCase(made.function, made.arguments, value, oracle, atol, rtol)


def _call(node: ast.expr, scope: Scope) -> _Call:
    """Raises NotACall and NotPlain; otherwise what it is handed is spent."""
    function = _called(node, scope)
    if function is None or not isinstance(node, ast.Call):
        raise NotACall
    given = [each for argument in node.args for each in shared_objects(argument, scope.names)]
    read = [each for argument in node.args for each in read_objects(argument, scope.names)]
    if scope.spent.intersection(read) or len(set(given)) < len(given):
        raise NotACall
    made = _Call(function, tuple(_arguments(node, scope.names)), frozenset(given))
    scope.spent.update(given)
    return made


def _called(node: ast.expr, scope: Scope) -> str | None:
    """The program's function that an expression calls, None for any other expression."""
    match _resolved(node, scope.names):
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            name = scope.callables.get(name, name)
            is_python = hasattr(builtins, name) and name not in scope.program
            if is_python or name in scope.own or name in scope.names:
                return None
            return name
        case ast.Call(
            func=ast.Attribute(
                value=ast.Call(func=ast.Name(id="Solution"), args=[], keywords=[])
                | ast.Name() as receiver,
                attr=method,
            ),
            keywords=[],
        ):
            if isinstance(receiver, ast.Name) and scope.callables.get(receiver.id) != SOLUTION:
                return None
            return None if method.startswith("__") else method
    return None


def _resolved(node: ast.expr, names: Names) -> ast.expr:
    """As `resolve`, the node itself where it stands for nothing plain."""
    try:
        return resolve(node, names)
    except NotPlain:
        return node


def _arguments(call: ast.Call, names: Names) -> list[Any]:
    values: list[Any] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            items = plain_value(argument.value, names)
            if not isinstance(items, (list, tuple)):
                raise NotPlain
            values += items
        else:
            values.append(plain_value(argument, names))
    return values

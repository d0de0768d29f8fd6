"""Where test code decides that a test has failed, otherwise than by an assertion.

A right program never comes to `raise AssertionError`; what it comes to is the statement that
decides whether to: an `if`, also one that leaves before it, a `match`, a loop, an `except`, an
`or`. Such a statement is a check, and it is made where its condition is evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from typing import Literal, NamedTuple

from ctrl_harness.problems.assertions import (
    always_fails,
    always_holds,
    ends_in_failure,
    expects_error,
    failing_end,
    fails_when_called,
    is_assertion_call,
    is_raises_block,
    leaves,
    own_functions,
    raises_exception,
)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom)

Holds = Literal["true", "false", "either", "neither", "evaluated", "raised", "passed"]


class Decision(NamedTuple):
    """node: what is evaluated. holds: by what outcome of it the test holds.

    true, false: a condition. either, neither: the same where its value may be wanted, too.
    evaluated: a subject or an iterator, after which a failure is an exception. raised: an `except`
    that is come to. passed: a `try` whose body comes to its end.
    """

    holds: Holds
    node: ast.AST


class _Way(NamedTuple):
    """Whether going on at a block's end, by `break` and by `continue`, surely ends in failure.

    fall: None where that is not asked. failing: the code's own functions that do nothing else.
    """

    fall: bool | None
    on_break: bool
    on_continue: bool
    failing: Set[str]


def decisions(module: ast.Module, failing: frozenset[str] | None = None) -> list[Decision]:
    """All of a module, at whatever depth. failing: its `failing_functions`, where they are known.

    A `try` that says that its body must not raise is a check only in code that has no other: it is
    also how a call gets a better message, and then says nothing of the result.
    """
    failing = failing_functions(module) if failing is None else failing
    found = list(_in_block(module.body, _Way(False, False, False, failing)))
    found += _in_expressions(module, failing)
    others = [each for each in found if each.holds != "passed"]
    return others if others or _has_assertions(module) else found


def can_be_counted(module: ast.Module) -> bool:
    """Whether running the code may come to a check that a right program passes."""
    return _has_assertions(module) or bool(decisions(module))


def failing_functions(module: ast.Module) -> frozenset[str]:
    """The code's own functions that say, whenever they are called, that a test has failed."""
    defined: dict[str, list[ast.AST]] = {}
    for node in ast.walk(module):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            defined.setdefault(node.name, []).append(node)
    plain = {
        name: nodes[0]
        for name, nodes in defined.items()
        if len(nodes) == 1 and isinstance(nodes[0], ast.FunctionDef) and _is_plain(nodes[0])
    }
    callers: dict[str, list[str]] = {}
    for name, function in plain.items():
        for called in _names_in(function) & plain.keys():
            callers.setdefault(called, []).append(name)
    failing: set[str] = set()
    way = _Way(False, False, False, failing)  # which sees those that are added
    waiting = [*plain]
    while waiting:
        name = waiting.pop()
        if name not in failing and _fate(plain[name].body, way):
            failing.add(name)
            waiting += callers.get(name, ())
    return frozenset(failing)


def _names_in(function: ast.FunctionDef) -> set[str]:
    nodes = [*ast.walk(function)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _is_plain(function: ast.FunctionDef) -> bool:
    return not function.decorator_list and _has_no_way_out(function.body)


def _has_no_way_out(block: Sequence[ast.stmt]) -> bool:
    """Whether it goes on to its end, or to a failure before."""
    return not any(
        isinstance(node, _JUMPS) or (isinstance(node, ast.stmt) and leaves(node, failing=False))
        for statement in block
        for node in ast.walk(statement)
    )


def _has_assertions(module: ast.Module) -> bool:
    own = own_functions(module)
    return any(
        (isinstance(node, ast.Assert) and not always_fails(node) and not always_holds(node.test))
        or is_assertion_call(node, own)
        or (isinstance(node, ast.withitem) and is_raises_block(node.context_expr))
        for node in ast.walk(module)
    )


# -- what a statement comes to


def _fate(block: Sequence[ast.stmt], way: _Way) -> bool | None:
    """Whether a block surely ends in failure; way.fall where it goes on after its end."""
    for statement in block:
        fate = _own_fate(statement, way)
        if fate is not None:
            return fate
    return way.fall


def _own_fate(statement: ast.stmt, way: _Way) -> bool | None:
    """The same of one statement, None where what follows it decides."""
    if always_fails(statement, way.failing) or raises_exception(statement):
        return True
    match statement:
        case ast.Break():
            return way.on_break
        case ast.Continue():
            return way.on_continue
        case ast.Return() | ast.Raise():
            return False
        case ast.If():
            chain = _chain(statement)
            inside = way._replace(fall=None)
            branches = [*(each.body for each in chain), chain[-1].orelse]
            fates = {_fate(branch, inside) for branch in branches}
            return fates.pop() if len(fates) == 1 else None
    return False if leaves(statement) else None


def _chain(first: ast.If) -> list[ast.If]:
    """An `if` with its `elif`s."""
    chain = [first]
    while len(chain[-1].orelse) == 1 and isinstance(further := chain[-1].orelse[0], ast.If):
        chain.append(further)
    return chain


# -- what decides


def _in_block(block: Sequence[ast.stmt], way: _Way) -> Iterator[Decision]:
    falls = [way.fall]
    for statement in reversed(block[1:]):
        fate = _own_fate(statement, way)
        falls.append(falls[-1] if fate is None else fate)
    for statement, fall in zip(block, reversed(falls), strict=False):
        yield from _in_statement(statement, way._replace(fall=fall))


def _in_statement(statement: ast.stmt, way: _Way) -> Iterator[Decision]:
    match statement:
        case ast.If():
            yield from _in_chain(_chain(statement), way)
        case ast.For() | ast.AsyncFor() | ast.While():
            yield from _in_loop(statement, way)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            yield from _in_block(body, way)
        case ast.Try() | ast.TryStar():
            yield from _in_try(statement, way)
        case ast.Match():
            yield from _in_match(statement, way)
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) | ast.ClassDef(body=body):
            yield from _in_block(body, _Way(False, False, False, way.failing))


def _in_chain(chain: Sequence[ast.If], way: _Way) -> Iterator[Decision]:
    last = chain[-1].orelse
    ends_badly = ends_in_failure(last) or bool(_fate(last, way))
    for each in chain:
        fails = bool(_fate(each.body, way))
        if isinstance(each.test, ast.Constant):
            pass
        elif ends_in_failure(each.body) or (fails and not ends_badly):
            yield Decision("false", each.test)
        elif ends_badly and not fails:
            yield Decision("true", each.test)
        yield from _in_block(each.body, way)
    yield from _in_block(last, way)


def _in_loop(loop: ast.For | ast.AsyncFor | ast.While, way: _Way) -> Iterator[Decision]:
    done = bool(_fate(loop.orelse, way))
    if isinstance(loop, ast.While) and always_holds(loop.test):
        done = False
    inside = way._replace(fall=done, on_break=bool(way.fall), on_continue=done)
    if not done and _fate(loop.body, inside) and _has_no_way_out(loop.body):
        if not isinstance(loop, ast.While):
            yield Decision("evaluated", loop.iter)
        elif not isinstance(loop.test, ast.Constant):
            yield Decision("false", loop.test)
    yield from _in_block(loop.body, inside)
    yield from _in_block(loop.orelse, way)


def _in_match(statement: ast.Match, way: _Way) -> Iterator[Decision]:
    fates = [bool(_fate(case.body, way)) for case in statement.cases]
    last = statement.cases[-1]
    takes_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    if not takes_all or last.guard is not None:
        fates.append(bool(way.fall))
    if any(fates) and not all(fates):
        yield Decision("evaluated", statement.subject)
    for case in statement.cases:
        yield from _in_block(case.body, way)


def _in_try(statement: ast.Try | ast.TryStar, way: _Way) -> Iterator[Decision]:
    inside = way._replace(fall=_fate(statement.orelse, way))
    goes_on_badly = bool(_fate(statement.body, inside))
    expects = isinstance(statement, ast.Try) and expects_error(statement)
    failing = [bool(_fate(handler.body, way)) for handler in statement.handlers]
    for handler, fails in zip(statement.handlers, failing, strict=True):
        if expects or (goes_on_badly and not fails and isinstance(statement, ast.Try)):
            yield Decision("raised", handler)
    imports = (ast.Import, ast.ImportFrom)
    only_imports = all(isinstance(each, imports) for each in statement.body)
    if any(failing) and not (expects or goes_on_badly or only_imports):
        yield Decision("passed", statement)
    yield from _in_block(statement.body, inside)
    for handler in statement.handlers:
        yield from _in_block(handler.body, way)
    yield from _in_block(statement.orelse, way)
    yield from _in_block(statement.finalbody, way)


def _in_expressions(module: ast.Module, failing: frozenset[str]) -> Iterator[Decision]:
    """`ok or fail()`, `bad and fail()`, `None if ok else fail()`."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.JoinedStr():  # where in it something stands is not told
                continue
            case ast.BoolOp(op=op, values=[*values, last]) if failing_end(last, failing):
                holds: Holds = "either" if isinstance(op, ast.Or) else "neither"
                yield from (Decision(holds, value) for value in values)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                fails, ends_badly = (fails_when_called(e, failing) for e in (body, orelse))
                if fails != ends_badly:
                    yield Decision("neither" if fails else "either", test)
        waiting += ast.iter_child_nodes(node)

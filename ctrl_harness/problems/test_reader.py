"""Follows test code, statement by statement, for as long as nothing needs to run for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from ctrl_harness.problems.assertions import is_main_guard, own_functions
from ctrl_harness.problems.call_asserts import SOLUTION, NotACall, Scope, calls_of_assert
from ctrl_harness.problems.plain_values import (
    NotPlain,
    closed,
    plain_value,
    read_objects,
    resolve,
    shared_objects,
    whole_range,
)
from ctrl_harness.problems.problem import CallCase, OracleKind

_MAX_WORK = 200_000
"""How many nodes are looked at through loops and calls; tests of more run as they are."""
_STATEMENT_WORK = 50
_MAX_DEPTH = 20
_MEANINGS = frozenset(
    {
        "abs", "dict", "enumerate", "float", "frozenset", "isclose", "list", "math", "print",
        "range", "set", "tuple", "zip", "Solution",
    }
)  # fmt: skip
"""Names that are read as Python's own, or as the program's class."""


def _imported(module: ast.Module) -> frozenset[str]:
    return frozenset(
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(module)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    )


def _bound(module: ast.Module) -> frozenset[str]:
    """Names to which the code gives a meaning of its own; `import math` gives none."""
    names = {n.id for n in ast.walk(module) if isinstance(n, ast.Name) and _is_stored(n)}
    modules = frozenset(
        alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None
    )
    return own_functions(module) | names | (_imported(module) - modules)


def _is_stored(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


class _Unread(Exception):
    """A statement that has to run."""


class Reader:
    """Test code under way. cases: the calls so far."""

    def __init__(self, module: ast.Module, entry_point: str | None, equality: OracleKind) -> None:
        self.cases: list[CallCase] = []
        self._module = module
        self._functions: dict[str, ast.FunctionDef] = {}
        self._scope = Scope(
            own=own_functions(module) | _imported(module),
            program=frozenset({entry_point} if entry_point else ()),
            equality=equality,
        )
        self._complete = True
        self._calls_before: int | None = None
        self._work = 0
        self._sizes: dict[ast.AST, int] = {}

    def read(self) -> bool:
        """True where the cases are all that the code says."""
        if _MEANINGS & _bound(self._module):
            return False
        try:
            self._block(self._module.body, 0)
        except (_Unread, NotPlain, NotACall, RecursionError):
            self._complete = False
        if self._scope.results:
            self._complete = False
        if self._calls_before is not None and self._may_have_state():
            # the asserts that are no calls may be what brings a later call's value about
            del self.cases[self._calls_before :]
        return self._complete

    def _may_have_state(self) -> bool:
        """Whether a call is made without arguments, or twice: a pure function needs neither."""
        made = [(case.function, case.as_json()["args_repr"]) for case in self.cases]
        return len(set(made)) < len(made) or any(not case.args for case in self.cases)

    def _block(self, body: Sequence[ast.stmt], depth: int) -> None:
        for statement in body:
            self._work += _STATEMENT_WORK + self._size(statement)
            if self._work > _MAX_WORK or depth > _MAX_DEPTH:
                raise _Unread
            self._statement(statement, depth)

    def _size(self, statement: ast.stmt) -> int:
        """How many nodes a statement has us look at, those that its names stand for among them."""
        match statement:
            case ast.For(iter=head) | ast.If(test=head):
                node: ast.AST = head
            case ast.FunctionDef() | ast.ClassDef():
                return 0
            case _:
                node = statement
        items = {n.value for n in ast.walk(node) if isinstance(n, ast.Subscript)}
        return self._nodes(node) + sum(
            self._nodes(self._scope.names[n.id])
            for n in ast.walk(node)
            if isinstance(n, ast.Name) and n.id in self._scope.names and n not in items
        )

    def _nodes(self, node: ast.AST) -> int:
        if node not in self._sizes:
            self._sizes[node] = sum(1 for _ in ast.walk(node))
        return self._sizes[node]

    def _statement(self, statement: ast.stmt, depth: int) -> None:
        match statement:
            case ast.Pass() | ast.Import() | ast.ImportFrom():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef(decorator_list=[], name=name):
                if depth and name in self._scope.names:
                    raise _Unread
                self._functions[name] = statement
            case ast.ClassDef(decorator_list=[], keywords=[]):
                pass  # where it is used, that statement is not read
            case ast.Assert(test=test):
                try:
                    self.cases += calls_of_assert(test, self._scope)
                except NotACall:  # it runs as it is, and may change what it hands to the program
                    self._scope.spent.update(shared_objects(test, self._scope.names))
                    self._complete = False
                    if self._calls_before is None:
                        self._calls_before = len(self.cases)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._assign(name, value)
            case ast.If(test=test, body=body, orelse=[]) if is_main_guard(test):
                self._block(body, depth)
            case ast.For(target=target, iter=table, body=body, orelse=[]):
                if any(isinstance(n, (ast.Break, ast.Continue)) for n in ast.walk(statement)):
                    raise _Unread
                for row in self._rows(table):
                    self._bind(target, row)
                    self._block(body, depth + 1)
            case ast.Expr(value=ast.Call() as call):
                self._expression(call, depth)
            case _:
                raise _Unread

    def _assign(self, name: str, value: ast.expr) -> None:
        scope = self._scope
        match value:
            case ast.Call(func=ast.Name(id="Solution"), args=[], keywords=[]):
                scope.names.pop(name, None)
                scope.callables[name] = SOLUTION
                return
            case ast.Name(id=other) if other not in scope.names:
                scope.names.pop(name, None)
                scope.callables[name] = scope.callables.get(other, other)
                return
        try:
            literal = self._closed(value)
        except NotPlain:
            scope.bind_result(name, value)
        else:
            scope.bind(name, literal)

    def _closed(self, value: ast.expr) -> ast.expr:
        """A plain expression to be named; _Unread is raised where a call may have changed it."""
        names = self._scope.names
        literal = closed(value, names)
        plain_value(literal, {})
        if self._scope.spent.intersection(read_objects(value, names)):
            raise _Unread
        return literal

    def _rows(self, table: ast.expr) -> Iterator[ast.expr]:
        """The items that a loop goes through."""
        names = self._scope.names
        match table:
            case ast.Call(func=ast.Name(id="range"), keywords=[]):
                yield from map(ast.Constant, whole_range(table, names))
                return
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
                for index, row in enumerate(self._rows(inner)):
                    yield ast.Tuple([ast.Constant(index), row], ast.Load())
                return
            case ast.Call(func=ast.Name(id="zip"), args=columns):
                for items in zip(*map(self._rows, columns), strict=False):
                    yield ast.Tuple([*items], ast.Load())
                return
            case ast.Call(func=ast.Attribute(value=inner, attr="items"), args=[], keywords=[]):
                found = self._literal(inner)
                if not isinstance(found, ast.Dict):
                    raise _Unread
                self._refuse_repeated(found.keys)
                for key, value in zip(found.keys, found.values, strict=True):
                    if key is not None:
                        yield ast.Tuple([key, value], ast.Load())
                return
        rows = self._literal(table)
        if not isinstance(rows, (ast.List, ast.Tuple)):
            raise _Unread
        if any(isinstance(row, ast.Starred) for row in rows.elts):
            raise _Unread
        yield from rows.elts

    def _literal(self, node: ast.expr) -> ast.expr:
        """A table as the code wrote it. Raises _Unread for one that calls may have changed."""
        names = self._scope.names
        if self._scope.spent.intersection(read_objects(node, names)):
            raise _Unread
        found = resolve(node, names)
        return closed(node, names) if found is node else found

    def _refuse_repeated(self, keys: Sequence[ast.expr | None]) -> None:
        values = [key.value for key in keys if isinstance(key, ast.Constant)]
        if len(values) < len(keys) or len(set(values)) < len(values):
            raise _Unread

    def _bind(self, target: ast.expr, row: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._scope.bind(name, row)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                found = resolve(row, self._scope.names)
                if not isinstance(found, (ast.Tuple, ast.List)):
                    raise _Unread
                starred = (ast.Starred,)
                if len(found.elts) != len(targets) or any(
                    isinstance(e, starred) for e in (*found.elts, *targets)
                ):
                    raise _Unread
                for each, item in zip(targets, found.elts, strict=True):
                    self._bind(each, item)
            case _:
                raise _Unread

    def _expression(self, call: ast.Call, depth: int) -> None:
        """`print` of plain values says nothing; a call of the code's own function is followed."""
        match call:
            case ast.Call(func=ast.Name(id="print"), args=arguments):
                for argument in arguments:
                    plain_value(argument, self._scope.names)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in self._functions:
                self._inline(self._functions[name], call, depth)
            case _:
                raise _Unread

    def _inline(self, function: ast.FunctionDef, call: ast.Call, depth: int) -> None:
        given, parameters = function.args, [a.arg for a in function.args.args]
        plain = not (given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs)
        if not plain or given.defaults or len(call.args) != len(parameters) or call.keywords:
            raise _Unread
        if any(isinstance(n, (ast.Global, ast.Nonlocal)) for n in ast.walk(function)):
            raise _Unread
        scope = self._scope
        names, callables = dict(scope.names), dict(scope.callables)
        functions = dict(self._functions)
        meanings = [self._meaning(argument) for argument in call.args]  # where the call stands
        for parameter, meaning in zip(parameters, meanings, strict=True):
            if isinstance(meaning, str):
                scope.names.pop(parameter, None)
                scope.callables[parameter] = meaning
            else:
                scope.bind(parameter, meaning)
        body = function.body
        if isinstance(body[-1], ast.Return):
            returned = body[-1].value
            if returned is not None:
                plain_value(returned, {})
            body = body[:-1]
        self._block(body, depth + 1)
        scope.names, scope.callables, self._functions = names, callables, functions

    def _meaning(self, argument: ast.expr) -> ast.expr | str:
        """The plain expression that an argument is, or the program's function that it names."""
        scope = self._scope
        match argument:
            case ast.Starred():
                raise _Unread
            case ast.Name(id=name) if name not in scope.names and name not in scope.own:
                return scope.callables.get(name, name)
        return self._closed(argument)

"""The values of expressions in test code that nothing needs to run for.

Beyond the literals of literals.py: names bound to literals, items of literal tables, small
arithmetic, `range`, `float("inf")`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.literals import literal_value

MAX_ITEMS = 10_000
"""How many items a sequence that is written as a product or a range may have."""
_MAX_TEXT = 1_000_000
_MAX_BITS = 100_000
_CONTAINERS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_MUTABLE = (ast.List, ast.Set, ast.Dict)
_INTEGER_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class NotPlain(Exception):
    """The expression has no value that could be told without running something."""


Names = Mapping[str, ast.expr]
"""What names of the test code stand for."""


def resolve(node: ast.expr, names: Names) -> ast.expr:
    """The node that a name, or an item of a literal table, stands for; else the node itself."""
    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Subscript(value=value, slice=index):
            table = resolve(value, names)
            if isinstance(table, _CONTAINERS):
                return _item(table, plain_value(index, names))
    return node


def _item(table: ast.expr, key: Any) -> ast.expr:
    match table:
        case ast.Dict(keys=keys, values=values):
            for each, value in zip(reversed(keys), reversed(values), strict=True):
                if isinstance(each, ast.Constant) and each.value == key:
                    return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            in_order = not any(isinstance(item, ast.Starred) for item in items)
            if in_order and type(key) is int and -len(items) <= key < len(items):
                return items[key]
    raise NotPlain


def closed(node: ast.expr, names: Names) -> ast.expr:
    """A copy of the expression, with what names stand for in their place.

    A node stands for one object: what comes from a name is shared, all else is new.
    """
    return _Close(names).visit(node)  # type: ignore[no-any-return]


class _Close(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self._names = names

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name):
            return self._names.get(node.id, node)
        if isinstance(node, ast.Subscript) and (found := resolve(node, self._names)) is not node:
            return found
        if isinstance(node, ast.Constant):
            return node
        new = type(node).__new__(type(node))  # as copy.copy, in a fifth of the time
        new.__dict__.update(node.__dict__)
        return self.generic_visit(new)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in [*ast.iter_fields(node)]:
            if isinstance(value, list):
                setattr(
                    node, field, [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
                )
            elif isinstance(value, ast.expr):
                setattr(node, field, self.visit(value))
        return node


def shared_objects(node: ast.expr, names: Names) -> Iterator[ast.AST]:
    """The mutable objects that an expression takes from names, by their nodes: a call may change
    them, and whoever uses the name after it would find them so."""
    found = resolve(node, names)
    if found is not node:
        yield from (n for n in ast.walk(found) if isinstance(n, _MUTABLE))
    elif isinstance(node, ast.Starred):  # the items alone
        table = resolve(node.value, names)
        for item in table.elts if isinstance(table, (ast.List, ast.Tuple)) else [table]:
            yield from (
                shared_objects(item, names)
                if table is node.value
                else (n for n in ast.walk(item) if isinstance(n, _MUTABLE))
            )
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from shared_objects(child, names)
            elif isinstance(child, ast.keyword):
                yield from shared_objects(child.value, names)


def read_objects(node: ast.expr, names: Names) -> Iterator[ast.AST]:
    """The mutable objects on which the value of an expression rests: those that it takes from names
    and the tables in which it finds them."""
    match node:
        case ast.Name(id=name) if name in names:
            yield from (n for n in ast.walk(names[name]) if isinstance(n, _MUTABLE))
        case ast.Subscript(value=value, slice=index) if resolve(node, names) is not node:
            yield from _tables(value, names)
            yield from read_objects(index, names)
            found = resolve(node, names)
            yield from (n for n in ast.walk(found) if isinstance(n, _MUTABLE))
        case _:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from read_objects(child, names)
                elif isinstance(child, ast.keyword):
                    yield from read_objects(child.value, names)


def _tables(node: ast.expr, names: Names) -> Iterator[ast.AST]:
    """The tables from which an item of an item is taken."""
    found = resolve(node, names)
    if isinstance(found, _MUTABLE):
        yield found
    if isinstance(node, ast.Subscript):
        yield from _tables(node.value, names)


def plain_value(node: ast.expr, names: Names) -> Any:
    """The value of an expression. Raises NotPlain."""
    try:
        return _value(node, names)
    except (UserError, TypeError, ArithmeticError, RecursionError, MemoryError):
        raise NotPlain from None


def _value(node: ast.expr, names: Names) -> Any:
    match node:
        case ast.Name(id=name) if name in names:
            return _value(names[name], {})
        case ast.Subscript():
            found = resolve(node, names)
            if found is node:
                raise NotPlain
            return _value(found, {})
        case ast.List():
            return list(_items(node, names))
        case ast.Tuple():
            return tuple(_items(node, names))
        case ast.Set():
            return set(_items(node, names))
        case ast.Dict(keys=keys, values=values):
            if None in keys:
                raise NotPlain
            pairs = zip(keys, values, strict=True)
            return {_value(k, names): _value(v, names) for k, v in pairs if k is not None}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, names)
        case ast.BinOp(left=left, op=operator_, right=right):
            return _binary(left, operator_, right, names)
        case ast.Attribute(value=ast.Name(id="math"), attr="inf" | "nan" as name):
            return float(name)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _called(node, name, arguments, names)
    return literal_value(node)


def _called(node: ast.expr, name: str, arguments: list[ast.expr], names: Names) -> Any:
    match name, arguments:
        case "float", [ast.Constant(value=str(text))]:
            try:
                return float(text)
            except ValueError:
                raise NotPlain from None
        case "float", [number]:
            return float(_number(number, names))
        case "list" | "tuple" | "set" | "frozenset", [ast.Call(func=ast.Name(id="range")) as call]:
            kind = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[name]
            return kind(whole_range(call, names))
        case "list" | "tuple" | "set" | "frozenset", [items]:
            kind = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[name]
            value = _value(items, names)
            if isinstance(value, (list, tuple)):
                return kind(value)
        case "list" | "tuple" | "dict" | "set" | "frozenset", []:
            return {"list": list, "tuple": tuple, "dict": dict, "set": set,
                    "frozenset": frozenset}[name]()  # fmt: skip
    return literal_value(node)


def whole_range(call: ast.Call, names: Names) -> range:
    """The range that `range(…)` of whole numbers is, of at most MAX_ITEMS. Raises NotPlain."""
    arguments = [plain_value(argument, names) for argument in call.args]
    if call.keywords or not all(type(a) is int and abs(a) < 1 << 62 for a in arguments):
        raise NotPlain
    try:
        found = range(*arguments)
    except (TypeError, ValueError):
        raise NotPlain from None
    if len(found) > MAX_ITEMS:
        raise NotPlain
    return found


def _items(node: ast.List | ast.Tuple | ast.Set, names: Names) -> Iterator[Any]:
    for item in node.elts:
        if isinstance(item, ast.Starred):
            value = _value(item.value, names)
            if not isinstance(value, (list, tuple)):
                raise NotPlain
            yield from value
        else:
            yield _value(item, names)


def _number(node: ast.expr, names: Names) -> Any:
    value = _value(node, names)
    if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
        return value
    raise NotPlain


def _binary(left: ast.expr, op: ast.operator, right: ast.expr, names: Names) -> Any:
    a, b = _value(left, names), _value(right, names)
    if type(a) is int and type(b) is int and type(op) in _INTEGER_OPERATORS:
        bits = b if isinstance(op, ast.Pow) else 1
        if (b < 0 and isinstance(op, ast.Pow)) or (a.bit_length() + 1) * bits > _MAX_BITS:
            raise NotPlain
        return _INTEGER_OPERATORS[type(op)](a, b)
    if isinstance(op, ast.Mult) and type(b) is int and isinstance(a, (str, list, tuple)):
        return _repeated(a, b)
    if isinstance(op, ast.Mult) and type(a) is int and isinstance(b, (str, list, tuple)):
        return _repeated(b, a)
    if isinstance(op, ast.Add) and type(a) is type(b) and isinstance(a, (str, list, tuple)):
        return a + b
    numbers = (int, float, complex)
    if type(a) in numbers and type(b) in numbers:
        match op:
            case ast.Add():
                return a + b
            case ast.Sub():
                return a - b
            case ast.Mult():
                return a * b
            case ast.Div():
                return a / b
    raise NotPlain


def _repeated(items: Any, times: int) -> Any:
    of_scalars = isinstance(items, str) or all(
        isinstance(item, (str, int, float, type(None))) for item in items
    )
    most = _MAX_TEXT if isinstance(items, str) else MAX_ITEMS
    if not of_scalars or len(items) * times > most:
        raise NotPlain  # repeated lists are one object each
    return items * times

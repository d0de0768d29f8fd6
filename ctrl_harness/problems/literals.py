"""Python literals as plain values, read off the syntax tree: nothing is evaluated."""

from __future__ import annotations

import ast
import math
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits
from ctrl_harness.syntax import parse_expression

_NAMES = {"inf": math.inf, "nan": math.nan}


def parse_literal(source: str) -> Any:
    """The value of a Python literal; `inf`, `nan` and empty `set()` count as literals too.

    Raises UserError for anything that would have to be run.
    """
    try:
        node = parse_expression(source)
    except TooManyDigits as error:
        raise UserError(f"{_short(source)} has {error}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"{_short(source)} is not a Python literal") from None
    return literal_value(node)


def literal_value(node: ast.expr) -> Any:
    """The value of a literal's syntax tree. Raises UserError as `parse_literal` does."""
    try:
        return _value(node)
    except (TypeError, RecursionError):  # an unhashable member of a set; a tower of brackets
        raise UserError(f"{_short(_source_of(node))} is not a Python literal") from None


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value) if value is not Ellipsis:
            return value
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple([_value(item) for item in items])
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {
                _value(key): _value(value)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +_number(operand)
        case ast.BinOp(
            left=left, op=(ast.Add() | ast.Sub()) as sign, right=ast.Constant(value=imag)
        ):
            # how Python writes a complex number
            if isinstance(imag, complex):
                return _number(left) + imag if isinstance(sign, ast.Add) else _number(left) - imag
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=[], keywords=[]):
            return frozenset()
        case ast.Call(func=ast.Name(id="frozenset"), args=[(ast.Set() | ast.List()) as items]):
            return frozenset(_value(items))
    raise UserError(f"{_short(_source_of(node))} is not a Python literal")


def _number(node: ast.expr) -> Any:
    value = _value(node)
    if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
        return value
    raise UserError(f"{_short(_source_of(node))} is not a number")


def _source_of(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "an expression nested too deeply"
    except ValueError:
        return "an expression with an integer of thousands of digits"


def _short(source: str) -> str:
    text = " ".join(source.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")

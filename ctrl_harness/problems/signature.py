"""What starter code says of the function that tests call, and whether tests can hold its values.

Tests hold JSON. A function that takes or returns a ListNode, that changes its argument and returns
nothing, or that calls an API of the site has no right program among those that do as they are told.
The forms are LeetCode's (annotations, `:type x: T`, definitions in comments) and Codewars' (plain
Python).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.syntax import parse_expression, parse_module

_OF_JSON = frozenset((
    "int", "float", "complex", "bool", "str", "bytes", "object", "None", "NoneType", "Any", "Union",
    "Optional", "Literal", "Final", "Annotated", "Hashable", "Number", "Decimal", "Fraction",
    "list", "tuple", "set", "frozenset", "dict", "deque", "defaultdict", "OrderedDict", "Counter",
    "List", "Tuple", "Set", "FrozenSet", "AbstractSet", "Dict", "Deque", "DefaultDict", "Sequence",
    "MutableSequence", "Collection", "Container", "Iterable", "Sized", "Mapping", "MutableMapping",
    "MutableSet", "typing", "collections", "abc", "decimal", "fractions", "numbers",
))  # fmt: skip
"""Names in annotations of what JSON can hold, or a program can make of it."""
_NODE = re.compile(r"(?:List|Tree|Linked|Graph|Trie)?Node\Z|LinkedList\Z|(?:Binary)?Tree\Z")
_COMMENTED_CLASS = re.compile(r"^[ \t]*#[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_CLASS = re.compile(r"^class[ \t]+(\w+)", re.MULTILINE)
_API = re.compile(r"\bAPI\b.*\balready defined\b")
_COMMENTED_FUNCTION = re.compile(r"^[ \t]*#[ \t]*def[ \t]+(\w+)[ \t]*\((?!self\b)", re.MULTILINE)
_DOC_TYPE = re.compile(r":(?:type[ \t]+\w+|rtype):[ \t]*(\w+(?:\[[^\n]*\])?)")
_DOC_RETURNS = re.compile(r":rtype:[ \t]*(?:void|None)\b")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>\Z")
_MAX_HEADER_CHARS = 5_000


class Signature(NamedTuple):
    """Of a function, without `self`. least, most: arguments it takes; None for any number."""

    annotations: tuple[ast.expr, ...]
    returns: ast.expr | None
    least: int
    most: int | None

    def takes(self, arguments: int) -> bool:
        return self.least <= arguments and (self.most is None or arguments <= self.most)


def signature_of(starter_code: str, function: str) -> Signature | None:
    """None where the starter code does not define the function, or not in Python 3."""
    header = _header(starter_code, function)
    if header is None:
        return None
    try:
        (definition,) = parse_module(f"{header}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(definition, ast.FunctionDef):
        return None
    arguments = definition.args
    named = [*arguments.posonlyargs, *arguments.args]
    if named and named[0].arg == "self":
        del named[0]
    every = [*named, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return Signature(
        tuple(a.annotation for a in every if a is not None and a.annotation is not None),
        definition.returns,
        len(named) - len(arguments.defaults),
        None if arguments.vararg else len(named),
    )


def _header(starter_code: str, function: str) -> str | None:
    """`def f(…) -> T`, up to the colon that ends it."""
    start_of = rf"^[ \t]*(def[ \t]+{re.escape(function)}[ \t]*\()"
    found = re.search(start_of, starter_code, re.MULTILINE)
    if found is None:
        return None
    depth, start = 0, found.start(1)
    for position in range(start, min(len(starter_code), start + _MAX_HEADER_CHARS)):
        character = starter_code[position]
        depth += (character in "([{") - (character in ")]}")
        if character == ":" and depth == 0:
            return starter_code[start:position]
    return None


def refuse_what_tests_cannot_hold(starter_code: str, function: str) -> None:
    """Raises UserError with the reason where no right program passes tests in JSON."""
    signature = signature_of(starter_code, function)
    returns = signature.returns if signature else None
    if _is_none(returns) or (returns is None and _DOC_RETURNS.search(starter_code)):
        raise UserError(f"{function} returns nothing, so no test tells a right program")
    for name in _foreign_names(starter_code, signature):
        raise UserError(f"{function} takes or returns a {name}, which no test can hold")
    classes = _CLASS.findall(starter_code)
    of_the_site = {*_COMMENTED_FUNCTION.findall(starter_code)} - {function, "__init__"}
    if (of_the_site and "Solution" in classes) or _API.search(starter_code):
        raise UserError(f"{function} is to call a function that the site defines")
    inside = re.search(rf"^[ \t]+def[ \t]+{re.escape(function)}\b", starter_code, re.MULTILINE)
    if inside and classes and "Solution" not in classes:
        raise UserError(f"{function} is a method of {classes[0]}, of which tests make no object")


def _is_none(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Constant) and annotation.value in (None, "None")


def _foreign_names(starter_code: str, signature: Signature | None) -> Iterator[str]:
    """Types that are the site's own."""
    if signature is not None:
        for annotation in signature.annotations:
            yield from _unknown(_names_in(annotation), _OF_JSON)
        if signature.returns is not None:
            yield from _unknown(_names_in(signature.returns), _OF_JSON)
    for spelled in _DOC_TYPE.findall(starter_code):
        yield from _unknown(_NAME.findall(spelled), _OF_JSON | {"void", "string", "boolean"})
    defined = {*_COMMENTED_CLASS.findall(starter_code), *_CLASS.findall(starter_code)}
    yield from (name for name in sorted(defined) if _NODE.match(name))


def _names_in(annotation: ast.expr) -> Iterator[str]:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Constant(value=str(text)):  # 'Optional[ListNode]', or words for people
            try:
                yield from _names_in(parse_expression(text))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return
        case ast.Subscript(value=ast.Name(id="Literal" | "Annotated")):
            return
        case _:
            for child in ast.iter_child_nodes(annotation):
                if isinstance(child, ast.expr):
                    yield from _names_in(child)


def _unknown(names: Iterable[str], known: frozenset[str]) -> Iterator[str]:
    return (name for name in names if name not in known)


def is_an_object(value: Any) -> bool:
    """Whether a value of a test stands for an object that JSON could not hold: a linked node as a
    dict, or what Python prints of an object."""
    match value:
        case str():
            return _ADDRESS.match(value) is not None
        case {"next": _, **rest} | {"left": _, "right": _, **rest}:
            return not {"val", "value", "data"}.isdisjoint(rest)
        case dict():
            return any(map(is_an_object, value.values()))
        case list() | tuple():
            return any(map(is_an_object, value))
    return False

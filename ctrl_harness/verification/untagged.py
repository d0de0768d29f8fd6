"""Which of a completion's blocks without a tag are its program.

A model that tags none of its blocks puts sample inputs, outputs, calls and tests between the same
fences as the program. What they hold says which is which.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ctrl_harness.syntax import parse_program

_PARSER_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
"""Deep nesting ends the parser in several ways."""
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_LITERALS = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.unaryop,
    ast.operator, ast.expr_context,
)  # fmt: skip
_OF_JSON = frozenset({"null", "true", "false"})
_INPUTS = frozenset({"input", "open", "stdin", "fileinput"})


class _Names(NamedTuple):
    """Of a block. bound: those that it gives a meaning to, anywhere. loaded: those that it uses.
    foreign: what it takes out of modules that Python does not come with, as `from solution import
    f` and `solution.f` do."""

    bound: set[str]
    loaded: set[str]
    foreign: set[str]


class _Block(NamedTuple):
    code: str
    body: list[ast.stmt]
    names: _Names

    @property
    def free(self) -> set[str]:
        """The names that it leaves to Python or to another block."""
        return self.names.loaded - self.names.bound

    @property
    def missing(self) -> set[str]:
        """Those of them that Python does not have."""
        return self.free - _BUILTINS


def programs_among(codes: Iterable[str]) -> tuple[str, ...]:
    """Those that are Python and more than values, as sample inputs and outputs are. What only uses
    or tests another one, hands it values or never compiles is left out, if one is left."""
    trees = [(code, tree) for code in codes if (tree := _more_than_values(code))]
    if len(trees) < 2:
        return tuple(code for code, _ in trees)
    blocks = [_Block(code, tree.body, _names(tree)) for code, tree in trees]
    blocks = _without(blocks, _only_calls)
    defined = {name for block in blocks for name, _ in _definitions(block.body)}
    blocks = _without(blocks, lambda block: _uses(block, defined))
    wanted = {name for block in blocks for name in block.missing}
    blocks = _without(blocks, lambda block: _assigns_values(block, wanted))
    blocks = _without(blocks, lambda block: _is_out_of_a_function(block.body))
    return tuple(block.code for block in blocks)


def _without(blocks: list[_Block], left_out: Callable[[_Block], bool]) -> list[_Block]:
    if len(blocks) < 2:
        return blocks
    return [block for block in blocks if not left_out(block)] or blocks


def _more_than_values(code: str) -> ast.Module | None:
    try:
        tree = parse_program(code)
    except _PARSER_ERRORS:
        return None
    return None if all(map(_is_value, tree.body)) else tree


def _is_value(statement: ast.stmt) -> bool:
    """`(2,)`, and `Output: 3`, which Python reads as an annotation."""
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Await)
    return isinstance(statement, ast.Expr) and not is_call


def _only_calls(block: _Block) -> bool:
    """Whether all it does is to call what it does not define: the use of a block, or `O(n)`."""
    return bool(block.missing) and all(isinstance(statement, ast.Expr) for statement in block.body)


def _uses(block: _Block, defined: set[str]) -> bool:
    """Whether it uses or tests what another block defines, and is itself of no use to others.

    What reads the input is a program, or the last part of one.
    """
    used = (block.free | block.names.foreign) & defined
    return bool(used) and not _is_of_use(block) and not _reads_input(block)


def _is_of_use(block: _Block) -> bool:
    """Whether it defines what others could call: no test, and no `main` that it calls itself."""
    return any(
        not _is_test(name, value) and (_has_parameters(value) or name not in block.names.loaded)
        for name, value in _definitions(block.body)
    )


def _is_test(name: str, value: _Definition) -> bool:
    bases = value.bases if isinstance(value, ast.ClassDef) else []
    named = {getattr(base, "attr", getattr(base, "id", "")) for base in bases}
    return name.lower().startswith("test") or name == "check" or "TestCase" in named


def _has_parameters(value: _Definition) -> bool:
    if isinstance(value, ast.ClassDef):
        return True
    given = value.args
    return bool(given.posonlyargs or given.args or given.vararg or given.kwonlyargs or given.kwarg)


def _reads_input(block: _Block) -> bool:
    if not _INPUTS.isdisjoint(block.free):
        return True
    nodes = [node for statement in block.body for node in ast.walk(statement)]
    return any(node.name in _INPUTS for node in nodes if isinstance(node, ast.alias)) or any(
        node.attr == "stdin" and isinstance(node.ctx, ast.Load)
        for node in nodes
        if isinstance(node, ast.Attribute)
    )


def _assigns_values(block: _Block, wanted: set[str]) -> bool:
    """Whether it is an input written as Python, `n = 5`, and not the constants of a program whose
    functions stand in another block."""
    return block.names.bound.isdisjoint(wanted) and all(
        _is_value(statement) or _is_assigned_value(statement) for statement in block.body
    )


def _is_assigned_value(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return value is not None and all(map(_is_literal, ast.walk(value)))


def _is_literal(node: ast.AST) -> bool:
    return node.id in _OF_JSON if isinstance(node, ast.Name) else isinstance(node, _LITERALS)


def _is_out_of_a_function(body: list[ast.stmt]) -> bool:
    """Whether it stood in one: `return n + 1` parses and never compiles.

    The compiler itself is not asked: a text of two thousand characters keeps it busy for seconds,
    and fills gigabytes.
    """
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom | ast.Await):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def _definitions(body: list[ast.stmt]) -> Iterator[tuple[str, _Definition]]:
    """The functions and classes that a module with this body has, by name, in any order."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from ((name, node.value) for name in names)
        else:
            children = ast.iter_child_nodes(node)
            pending += [child for child in children if isinstance(child, _HOLDS_STATEMENTS)]


def _names(tree: ast.Module) -> _Names:
    bound, loaded, foreign = set[str](), set[str](), set[str]()
    modules = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Name(name, ast.Load()):
                loaded.add(name)
            case ast.Name(name) | ast.arg(name):
                bound.add(name)
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                bound.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                bound.add(name)
            case ast.ImportFrom(module, names, level):
                bound |= {alias.asname or alias.name for alias in names}
                if level or _is_foreign(module or ""):
                    foreign |= {alias.name for alias in names}
            case ast.Import(names):
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in names}
                others = (alias for alias in names if _is_foreign(alias.name))
                modules |= {alias.asname or alias.name for alias in others}
    foreign |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }
    return _Names(bound, loaded, foreign)


def _is_foreign(module: str) -> bool:
    return module.partition(".")[0] not in sys.stdlib_module_names

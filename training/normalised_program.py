"""Programs that differ in names, comments and layout alone, under one key.

Greedy revisions of like critiques are often the same program with other variables, so CTRL looks
verdicts up by the program with its variables renamed (arXiv 2502.03492). A verdict must
never be that of another program, though, and Python programs can see their own names: through
`locals()`, an exception's message, a keyword argument, `"{0.__code__}".format(f)`. So variables are
renamed only in programs of which it is certain that they cannot: what they may use is listed here,
and anything else leaves the program as it is, for its text to be the key.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import string
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import ModuleType

from ctrl_harness.analysis.similarity import Renamer
from ctrl_harness.integers import in_quotes
from ctrl_harness.problems.problem import CallCase, Problem, ScriptCase
from ctrl_harness.syntax import parse_program

_MAX_PARSED = 100_000
_TEXT, _TREE = "\0text\n", "\0tree\n"
"""No key of one kind is ever one of the other."""
_FRESH = re.compile(r"v\d+\Z")
"""What the renamer calls variables."""

_BUILTINS = frozenset(
    {
        "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr",
        "classmethod", "complex", "dict", "divmod", "enumerate", "exit", "filter", "float",
        "frozenset", "hex", "input", "int", "isinstance", "issubclass", "iter", "len", "list",
        "map", "max", "memoryview", "min", "next", "object", "oct", "ord", "pow", "print",
        "property", "quit", "range", "repr", "reversed", "round", "set", "slice", "sorted",
        "staticmethod", "str", "sum", "super", "tuple", "type", "zip", "Ellipsis", "NotImplemented",
    }
    | {
        name
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
)  # fmt: skip
"""Builtins that tell nothing of the names in a program; eval, getattr, locals, open, vars and the
like do."""

_WHOLE_MODULES = (
    "array", "bisect", "cmath", "collections", "copy", "decimal", "fractions", "functools",
    "heapq", "itertools", "math", "operator", "random", "re", "statistics", "string", "time",
)  # fmt: skip
_OF_MODULES = {
    "sys": frozenset({"exit", "getrecursionlimit", "maxsize", "setrecursionlimit", "stdin",
                      "stdout"}),
    "threading": frozenset({"Lock", "Thread", "stack_size"}),
    "typing": frozenset({"Any", "Callable", "DefaultDict", "Deque", "Dict", "FrozenSet",
                         "Generator", "Iterable", "Iterator", "List", "Mapping", "Optional",
                         "Sequence", "Set", "Tuple", "Union"}),
}  # fmt: skip
_NOT_OF_MODULES = {
    "functools": {"singledispatch", "singledispatchmethod",  # read annotations
                  "update_wrapper", "wraps"},  # read attributes by name, __code__ too
    "operator": {"attrgetter", "methodcaller"},  # attributes by name
    "string": {"Formatter", "Template"},
}  # fmt: skip
_DUNDERS = frozenset({"__init__", "__name__"})
"""Read or called by their own name in ordinary programs; any other may lead to names."""
_METHODS = frozenset(
    f"__{name}__"
    for name in re.findall(
        r"\w+",
        "abs add and bool bytes call ceil complex contains delitem divmod enter eq float floor "
        "floordiv format ge getitem gt hash iadd iand ifloordiv ilshift imod imul index init int "
        "invert ior ipow irshift isub iter itruediv ixor le len lshift lt matmul missing mod mul "
        "ne neg new next or pos pow radd rand repr reversed rfloordiv rlshift rmod rmul ror round "
        "rpow rrshift rshift rsub rtruediv rxor setitem str sub truediv trunc xor",
    )
)
"""Methods that Python calls with values alone; others are handed names (`__setattr__`,
`__set_name__`, `__getattr__`) or exceptions, whose messages hold names (`__exit__`)."""
_SPYING_ATTRIBUTES = re.compile(r"(?:__|gi_|cr_|ag_|tb_|f_|co_)|(?:format_map|with_traceback)\Z")
"""Of functions, frames, generators and tracebacks; and what formats by attributes."""
_REFUSED_NODES = tuple(
    getattr(ast, name)
    for name in ("Match", "TryStar", "AsyncFunctionDef", "AsyncFor", "AsyncWith", "Await",
                 "TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple", "TemplateStr")
    if hasattr(ast, name)
)  # fmt: skip


class _Uncertain(Exception):
    """It cannot be shown that renaming would change nothing."""


def cache_key(program: str, problem: Problem) -> str:
    """What stands for the program where its verdicts on this problem are looked up.

    Programs with the same key get the same verdict on every case of the problem. The key is not
    Python, and never equal to a program.
    """
    keeps = frozenset(case.function for case in problem.cases if isinstance(case, CallCase))
    # a script sees every global name, and a prelude may bind any
    open_to_view = bool(problem.prelude) or any(isinstance(c, ScriptCase) for c in problem.cases)
    tree = None if open_to_view else _normalised(program, keeps)
    return _TEXT + program if tree is None else _TREE + tree


@lru_cache(maxsize=256)  # of a group's revisions, many are the same
def _normalised(program: str, keeps: frozenset[str]) -> str | None:
    """The renamed program's syntax tree, None where renaming might change what it does."""
    if len(program) > _MAX_PARSED or in_quotes(program) != program:
        return None  # in a tree, a long integer and a string of its digits are alike
    try:
        tree = parse_program(program)
        variables = _variables(tree, keeps)
        # the tree and not its text: two trees can be written alike, never dumped alike
        return ast.dump(Renamer(variables).visit(tree))
    # deep nesting ends the parser, the visitors or the dump, each in its own way
    except (_Uncertain, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _variables(tree: ast.Module, keeps: frozenset[str]) -> frozenset[str]:
    """The names that may be replaced everywhere. Raises _Uncertain."""
    nodes = list(ast.walk(tree))
    modules = _check_imports(nodes)
    kept = {*keeps, "Solution", *vars(builtins), *modules, *_imported_names(nodes)}
    kept |= {name for node in nodes if isinstance(node, ast.ClassDef) for name in _fields(node)}
    kept |= _words_of_calls(nodes, "threading" in modules.values())
    bound = set(_bound(nodes))
    defined = {
        node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    _check_names(nodes, bound | defined | kept)
    _check_modules(nodes, modules)
    for node in nodes:
        _check(node)
    variables = {name for name in bound - kept - defined if not name.startswith("__")}
    if any(_FRESH.match(name) for name in _identifiers(nodes) if name not in variables):
        raise _Uncertain
    return frozenset(variables)


# -- which names there are


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Variables and parameters."""
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """What a class body binds, its attributes, which go by their names, and what it reads."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
            yield inner.name
        elif not isinstance(inner, ast.Lambda):
            if isinstance(inner, ast.Name):
                yield inner.id
            waiting += ast.iter_child_nodes(inner)


def _imported_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _words_of_calls(nodes: list[ast.AST], threads: bool) -> set[str]:
    """Keywords, and all parameters where a call may name any of them."""
    words = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    if None in words or threads:  # f(**options), Thread(None, f, None, (), {"n": 1})
        words |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return {word for word in words if word is not None}


def _identifiers(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every name in the program, of whatever kind."""
    for node in nodes:
        for field in ("id", "arg", "attr", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names


# -- what is certain to tell nothing of them


def _check_imports(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """The modules by the name they go by. Raises _Uncertain."""
    modules: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                _offered(alias.name)
                modules[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise _Uncertain
            if node.module == "__future__":
                continue
            offered = _offered(node.module)
            if any(alias.name not in offered for alias in node.names):  # a star among them
                raise _Uncertain
            modules |= {f"from {node.module}": node.module}
    return modules


@lru_cache(maxsize=64)
def _offered(module: str) -> frozenset[str]:
    """What programs may use of a module. Raises _Uncertain for one that is not listed."""
    if module in _OF_MODULES:
        return _OF_MODULES[module]
    if module not in _WHOLE_MODULES:
        raise _Uncertain
    loaded = importlib.import_module(module)
    public = {
        name
        for name in getattr(loaded, "__all__", dir(loaded))
        if not name.startswith("_") and not isinstance(getattr(loaded, name), ModuleType)
    }
    return frozenset(public - _NOT_OF_MODULES.get(module, set()))


def _check_modules(nodes: Iterable[ast.AST], modules: dict[str, str]) -> None:
    """A module is used for what it offers only: `m.name`, never `m` by itself."""
    uses = offered = 0
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in modules:
            uses += 1
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            if node.attr not in _offered(modules[node.value.id]) or not _is_read(node):
                raise _Uncertain
            offered += 1
    if uses != offered:
        raise _Uncertain


def _is_read(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def _check_names(nodes: Iterable[ast.AST], own: set[str]) -> None:
    """Every name is the program's own or a harmless builtin."""
    forbidden = set(vars(builtins)) - _BUILTINS
    for node in nodes:
        if isinstance(node, ast.Name):
            name = node.id
            if name == "__name__" and _is_load(node):
                continue
            if name.startswith("__") or name in forbidden:
                raise _Uncertain
            if name not in own and name not in _BUILTINS:
                raise _Uncertain


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _check(node: ast.AST) -> None:
    """Raises _Uncertain for a construct that may tell a program of its names."""
    if isinstance(node, _REFUSED_NODES):
        raise _Uncertain
    if isinstance(node, ast.ExceptHandler) and node.name:
        raise _Uncertain  # messages of NameError and TypeError hold names
    if isinstance(node, ast.FunctionDef) and _is_dunder(node.name) and node.name not in _METHODS:
        raise _Uncertain
    if isinstance(node, ast.ClassDef) and node.keywords:
        raise _Uncertain  # a metaclass sees what its class body binds
    if isinstance(node, ast.keyword) and node.arg == "kwargs":
        raise _Uncertain  # Thread(kwargs={"name": 1})
    if isinstance(node, ast.alias) and node.name.startswith("__"):
        raise _Uncertain
    if isinstance(node, ast.Attribute):
        if _SPYING_ATTRIBUTES.match(node.attr) and node.attr not in _DUNDERS:
            raise _Uncertain
        if node.attr == "format" and not _is_plain_format(node.value):
            raise _Uncertain
    if getattr(node, "type_params", None):
        raise _Uncertain


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_plain_format(template: ast.expr) -> bool:
    """A literal whose fields are numbers or words, without attributes or items."""
    if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
        return False
    return all(_is_plain_field(part) for part in _format_fields(template.value))


def _format_fields(template: str) -> Iterator[str]:
    for _, name, spec, _ in string.Formatter().parse(template):
        if name is not None:
            yield name
        if spec:
            yield from _format_fields(spec)


def _is_plain_field(name: str) -> bool:
    return name == "" or name.isalnum() or name.isidentifier()

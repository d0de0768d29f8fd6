"""How much of a draft a revision keeps, whatever its names and layout.

Both programs are parsed, their own names replaced by v0, v1, … in order of appearance, comments and
docstrings dropped, and written out again; then difflib's ratio 2M/T is taken over tokens (M matched
of T in both). CTRL measures this with names normalised through the AST and difflib (arXiv
2502.03492, figure 7: 0.482 for self-critique, 0.313 for CTRL); its unit of comparison is not
published, so compare ratios of this function with each other only.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from ctrl_harness.syntax import parse_program

_MAX_PARSED = 100_000
"""Characters up to which a program is parsed; no model's answer comes near."""
_MAX_TOKENS = 2_000
_MAX_WORK = 30_000_000
"""SequenceMatcher looks at every pair of equal tokens once a block that it finds: of repetitive
texts both are many. This bounds their product; a model's answer stays far below."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Similarity(NamedTuple):
    """ratio: 0 to 1, 1 for programs that differ in names, comments and layout alone. parsed: both
    were normalised; otherwise their texts are compared as they stand. whole: all of both was
    compared; otherwise the first tokens of each (2,000, or fewer of a repetitive text), their ratio
    scaled by the most that texts of such lengths can share."""

    ratio: float
    parsed: bool
    whole: bool


def similarity(draft: str, revision: str) -> Similarity:
    """How alike two programs are (see above), within seconds whatever they are."""
    first, second = normalised(draft), normalised(revision)
    parsed = first is not None and second is not None
    if first is None or second is None:
        first, second = draft, revision
    if first == second:
        return Similarity(1.0, parsed, whole=True)
    a, b = _tokens(first), _tokens(second)
    most = max(len(a), len(b))
    compared = min(most, _MAX_TOKENS)
    while _work(a[:compared], b[:compared]) > _MAX_WORK:
        compared //= 2
    whole = compared == most
    matcher = SequenceMatcher(None, a[:compared], b[:compared], autojunk=False)
    shared = 1.0 if whole else 2 * min(len(first), len(second)) / (len(first) + len(second))
    return Similarity(matcher.ratio() * shared, parsed, whole)


def _work(a: list[str], b: list[str]) -> int:
    """At most so many pairs of tokens are looked at."""
    counts = Counter(b)
    pairs = sum(n * counts[token] for token, n in Counter(a).items())
    return pairs * min(len(a), len(b))


@lru_cache(maxsize=64)  # a draft is compared with each of its revisions
def normalised(program: str) -> str | None:
    """The program with its own names numbered, without comments and docstrings; None where it
    cannot be parsed, or is too long to be.

    Names are its own that it binds: variables, parameters, functions and classes. Builtins, imports
    and attributes stay.
    """
    if len(program) > _MAX_PARSED:
        return None
    try:
        tree = parse_program(program)
        return ast.unparse(Renamer(_bound_names(tree)).visit(tree))
    # deep nesting ends the parser, the visitor or the writer, each in its own way
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _tokens(text: str) -> list[str]:
    # one more than is compared tells that there are more
    return [match[0] for match in islice(_TOKEN.finditer(text), _MAX_TOKENS + 1)]


def _bound_names(tree: ast.AST) -> frozenset[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return frozenset(names)


class Renamer(ast.NodeTransformer):
    """Numbers the given names in the order in which they appear, and drops docstrings.

    Scopes are not told apart. Which names may go without the program meaning something else is the
    caller's business; to compare texts, any that the program binds.
    """

    def __init__(self, bound: frozenset[str]) -> None:
        self._bound = bound
        self._new: dict[str, str] = {}

    def _name(self, name: str) -> str:
        return self._new.setdefault(name, f"v{len(self._new)}") if name in self._bound else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._name(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._name(node.arg)
        self.generic_visit(node)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._name(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._name(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._name(node.name)
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # parameters of the program's own functions go by new names; print(end="") does not
        own = isinstance(node.func, ast.Name) and node.func.id in self._bound
        self.generic_visit(node)
        if own:
            for keyword in node.keywords:
                if keyword.arg is not None:
                    keyword.arg = self._name(keyword.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._definition(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = _without_docstring(node.body)
        self.generic_visit(node)
        return node

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        node.name = self._name(node.name)
        node.body = _without_docstring(node.body) or [ast.Pass()]
        self.generic_visit(node)
        return node


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:] if isinstance(first.value.value, str) else body
    return body

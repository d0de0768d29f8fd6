"""Finds Python programs in prose, in whatever form they were put there.

Looked at: fenced blocks (any fence, any tag, closed or not; each alone, and several joined in any
order), `inline code`, indented and bare code between sentences, and the same in every reading of
the text (readings.py): in lists, tables, comments, HTML, JSON, behind labels of any kind. A string
that holds code is code, and so is code with a fault or two (repair.py). Only what Python parses
counts, so prose does not. Not found: other languages, pseudocode, a program described in words, and
code that was enciphered.

All patterns are linear in the text; the text looked at and the code parsed are bounded, so that any
text whatever takes about a second (1.2 s of processor time for the worst that was tried, a string
of 50,000 characters that holds code). tests/critique/test_solution_leakage.py tries many.
"""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from ctrl_harness.critique.readings import readings
from ctrl_harness.critique.repair import repaired
from ctrl_harness.syntax import parse_program
from ctrl_harness.verification.fences import Fence, fences

MAX_CHARS = 50_000
"""How much of a text is looked at; a critique of 1,024 tokens has some 5,000 characters."""
_MAX_PARSED_CHARS = 500_000
_MAX_SPLITS = 20
"""How often a run of bare lines is cut where it does not parse."""

_CODE_LINE = re.compile(
    r"""(?: (?:from|import)\ \w | (?:async\ )?def\ \w+\s*\( | class\ \w
      | @\w | \# | [)\]}(\[{"'] | lambda\b
      | (?:if|elif|else|for|while|with|try|except|finally|match|case)\b[^\n]*:
      | (?:return|raise|assert|del|global|nonlocal|pass|break|continue|yield)\b
      | [\w.,*\ ()\[\]'"+-]{1,200}?(?:[+\-*/%&|^@]|//|\*\*|>>|<<)?=(?!=)
      | [A-Za-z_][\w.]*\s*[(\[]
    )""",
    re.VERBOSE,
)
_INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]{10,4000})\1(?!`)")
_MOST_ORDERED = 4
"""Of more blocks than these not every order is tried, but those of the text and its reverse."""
_LEAST_STRING = 20
"""Characters of a string that is looked into."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that parses, and its tree.

    parts: the blocks it was joined from, if it was. written: what stood there, where it was
    repaired, with "..." for the lines that were mended.
    """

    text: str
    tree: ast.Module
    parts: tuple[str, ...] = ()
    written: str | None = None


def snippets(text: str) -> Iterator[Snippet]:
    """The pieces of code in a text, each once."""
    parse = _Parser()
    for shown in readings(text[:MAX_CHARS].replace("\r\n", "\n")):
        for piece in (*_fenced(shown), *_unfenced(shown)):
            for snippet in parse(piece):
                yield snippet
                for string in _strings(snippet.tree):
                    yield from parse(string)
        # a program handed over in parts
        blocks = [_as_it_stands(fence, shown) for fence in fences(shown)]
        if len(blocks) > 1:
            yield from parse.joined(blocks)


def _as_it_stands(fence: Fence, text: str) -> str:
    """A block with its indentation, which says what it continues."""
    lines = text[fence.start : fence.end].split("\n")[1:]
    return "\n".join(lines[:-1] if fence.closed else lines)


def _strings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and len(value) >= _LEAST_STRING:
            yield value


def _fenced(text: str) -> Iterator[str]:
    """Fenced blocks by CommonMark's rules, and whatever stands between two ```."""
    for fence in fences(text):
        yield _as_it_stands(fence, text)
    between = text.split("```")[1::2]
    for block in between:
        tag, newline, body = block.partition("\n")
        yield body if newline and " " not in tag.strip() and "(" not in tag else block


def _unfenced(text: str) -> Iterator[str]:
    for match in _INLINE.finditer(text):
        yield match[2]
    run: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        inside = bool(run) and (not bare or _indent(line) > _indent(run[0]))
        if inside or _CODE_LINE.match(bare):
            run.append(line)
        elif run:
            yield "\n".join(run)
            run = []
    if run:
        yield "\n".join(run)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


class _Parser:
    """Yields what parses, cut at errors, each piece once, as long as the allowance lasts."""

    def __init__(self) -> None:
        self._left = _MAX_PARSED_CHARS
        self._trees: dict[str, ast.Module | int | None] = {}

    def __call__(self, code: str) -> Iterator[Snippet]:
        lines = code.split("\n")
        for _ in range(_MAX_SPLITS):
            piece = _tidy("\n".join(lines))
            if self._done(piece):
                return
            tree = self._parse(piece)
            if isinstance(tree, ast.Module):
                yield Snippet(piece, tree)
            if not isinstance(tree, int):
                return
            if mended := repaired(piece, tree, self._parse_new):
                yield Snippet(mended.code, mended.tree, written=mended.written)
            # what comes before the line that is no code, then what comes after it
            lines = piece.split("\n")
            before = _tidy("\n".join(lines[: tree - 1]))
            if not self._done(before):
                parsed = self._parse(before)
                if isinstance(parsed, ast.Module):
                    yield Snippet(before, parsed)
            lines = lines[tree:]

    def joined(self, blocks: list[str]) -> Iterator[Snippet]:
        """All blocks as one piece, as they stand and each without its indentation."""
        for ordered in _orders(blocks):
            tidy = tuple(_tidy(block) for block in ordered)
            for whole in (_tidy("\n".join(ordered)), "\n".join(tidy)):
                if self._done(whole):
                    continue
                tree = self._parse(whole)
                if isinstance(tree, ast.Module):
                    yield Snippet(whole, tree, tidy)

    def _parse_new(self, piece: str) -> ast.Module | int | None:
        return None if self._done(piece) else self._parse(piece)

    def _done(self, piece: str) -> bool:
        return not piece.strip() or piece in self._trees or len(piece) > self._left

    def _parse(self, piece: str) -> ast.Module | int | None:
        self._left -= len(piece)
        tree = self._trees[piece] = _parse(piece)
        return tree


def _orders(blocks: list[str]) -> Iterator[tuple[str, ...]]:
    if len(blocks) <= _MOST_ORDERED:
        yield from itertools.permutations(blocks)
    else:
        yield tuple(blocks)
        yield tuple(reversed(blocks))


def _tidy(code: str) -> str:
    return textwrap.dedent(code).strip("\n")


def parse_code(code: str) -> ast.Module | None:
    """The tree; None for what does not parse or is too long to be tried."""
    tree = _parse(code) if len(code) <= MAX_CHARS else None
    return tree if isinstance(tree, ast.Module) else None


def _parse(code: str) -> ast.Module | int | None:
    """The tree, or the line (from 1) that is no Python, or None where that is not known."""
    try:
        tree = parse_program(code)
    except SyntaxError as error:
        return error.lineno or None
    # deep nesting ends the parser in several ways
    except (ValueError, RecursionError, MemoryError):
        return None
    return None if any(map(_is_no_statement, ast.walk(tree))) else tree


def _is_no_statement(node: ast.AST) -> bool:
    """What Python parses and no program holds: `In [1]: x = 2` is a label to a reader, `+print(2)`
    a line of a diff, and `....x = 2` is indented by dots."""
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Subscript)
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Constant) and node.value.value is ...
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.UAdd)
    return isinstance(node, ast.Module) and any(isinstance(s, ast.Return) for s in node.body)

"""Finds Python programs in prose, in whatever form they were put there.

Looked at: fenced blocks (any fence, any tag, closed or not; each alone and all of them joined),
`inline code`, tags such as <code>, indented and bare code between sentences, and the same behind
"> ", ">>> ", line numbers, a diff's signs, HTML's entities, or the escapes of a JSON string. Only
what Python parses counts, so prose does not. Not found: other languages, pseudocode, a program told
in words, and code that was enciphered.

All patterns are linear in the text; the text looked at and the code parsed are bounded, so that any
text whatever takes a second at most.
"""

from __future__ import annotations

import ast
import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from ctrl_harness.verification.fences import fences
from ctrl_harness.verification.quiet_parse import parse_program

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
_TAG = re.compile(r"</?(?:code|pre|program|solution|python|answer|script|tt)\b[^<>\n]{0,100}>"
                  r"|\[/?code\]", re.IGNORECASE)  # fmt: skip
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*+)("|\n|\Z|\\)')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_QUOTE = re.compile(r"^[ \t]{0,8}>(?!>>)[ ]?", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]{0,8}(?:>>>|\.\.\.)[ ]?", re.MULTILINE)
_NUMBER = re.compile(
    r"^[ \t]{0,4}\d{1,4}(?:[.:|)]|[ \t](?=[ \t]|$)|\t)[ \t]?\|?[ ]?", re.MULTILINE
)
_ADDED = re.compile(r"^\+(?!\+\+)", re.MULTILINE)
_DIFF_LINE = re.compile(r"^(?:-.*\n?|@@.*\n?|\+\+\+.*\n?|[+ ])", re.MULTILINE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#39|#x27);")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that parses, and its tree. parts: the blocks it was joined from, if it was."""

    text: str
    tree: ast.Module
    parts: tuple[str, ...] = ()


def snippets(text: str) -> Iterator[Snippet]:
    """The pieces of code in a text, each once."""
    parse = _Parser()
    for shown in _readings(text[:MAX_CHARS].replace("\r\n", "\n")):
        for piece in (*_fenced(shown), *_unfenced(shown)):
            yield from parse(piece)
        # a program handed over in parts, in the order in which they come
        blocks = [fence.text for fence in fences(shown)]
        if len(blocks) > 1:
            yield from parse.joined(blocks)


def _readings(text: str) -> Iterator[str]:
    """The text, and what it is without a prefix of its lines or with its escapes undone."""
    yield text
    if len(_QUOTE.findall(text)) > 1:
        yield _QUOTE.sub("", text)
    if ">>>" in text:  # "..." alone stands for what was left out
        yield _PROMPT.sub("", text)
    if _NUMBER.search(text):
        yield _NUMBER.sub("", text)
    if len(_ADDED.findall(text)) > 1:
        yield _DIFF_LINE.sub("", text)
    if _ENTITY.search(text) or _TAG.search(text):
        yield html.unescape(_TAG.sub("\n", text))
    for string, end in _STRING.findall(text):
        if end == '"' and "\\n" in string:
            yield _unescape(string)
    if any(line.count("\\n") > 3 for line in text.split("\n")):
        yield text.replace("\\n", "\n")


def _unescape(string: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(one, string)


def _fenced(text: str) -> Iterator[str]:
    """Fenced blocks by CommonMark's rules, and whatever stands between two ```."""
    for fence in fences(text):
        yield fence.text
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
        tidy = tuple(_tidy(block) for block in blocks)
        for whole in (_tidy("\n".join(blocks)), "\n".join(tidy)):
            if self._done(whole):
                continue
            tree = self._parse(whole)
            if isinstance(tree, ast.Module):
                yield Snippet(whole, tree, tidy)

    def _done(self, piece: str) -> bool:
        return not piece.strip() or piece in self._trees or len(piece) > self._left

    def _parse(self, piece: str) -> ast.Module | int | None:
        self._left -= len(piece)
        tree = self._trees[piece] = _parse(piece)
        return tree


def _tidy(code: str) -> str:
    return textwrap.dedent(code).strip("\n")


def parse_code(code: str) -> ast.Module | None:
    """The tree; None for what does not parse or is too long to be tried."""
    tree = _parse(code) if len(code) <= MAX_CHARS else None
    return tree if isinstance(tree, ast.Module) else None


def _parse(code: str) -> ast.Module | int | None:
    """The tree, or the line (from 1) that is no Python, or None where that is not known."""
    try:
        return parse_program(code)
    except SyntaxError as error:
        return error.lineno or None
    # deep nesting ends the parser in several ways
    except (ValueError, RecursionError, MemoryError):
        return None

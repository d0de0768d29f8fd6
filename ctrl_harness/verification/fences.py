"""Finds the fenced code blocks in a text that a model wrote: the one finder for the whole project.

Blocks are those of CommonMark 0.31 (section 4.5, fenced code blocks), which says how long a closing
fence must be, which sign it repeats and what an info string is. Where models break its rules and
the block is plain all the same, it is read as it was meant; docs/verify.md lists these places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from ctrl_harness.syntax import parse_program
from ctrl_harness.verification.info_string import INVISIBLE, PYTHON, UNTAGGED, language_of

_MAX_PARSED_CHARS = 500_000
"""How much of one text is parsed as Python, in all, to decide where its blocks end."""
_MAX_LINES_AHEAD = 50_000
"""How many lines of one text are read in vain, in all."""

_BLANK = rf"[\s{INVISIBLE}]"
_TAG = re.compile(r"</?[A-Za-z][\w:-]{0,40}>")
_CONTAINERS = rf"(?:{_BLANK}|>|[-*+•](?=\s)|\d{{1,9}}[.)](?=\s)|{_TAG.pattern})*+"
_OPENING = re.compile(rf"(?P<before>{_CONTAINERS})(?P<ticks>`{{3,}}+|~{{3,}}+)(?P<info>.*)")
_WITHIN_A_LINE = re.compile(r"(?P<before>.*?[^`])(?P<ticks>`{3,}+)(?P<info>[^`\n]*)$")
_STOP = re.compile(rf"(?P<before>{_BLANK}*+)(?P<ticks>`{{3,}}+|~{{3,}}+)(?P<tail>.*)")
_END_TAG = r"(?:</[A-Za-z][\w:-]{0,40}>|<[|｜][^|｜<>\n]{1,40}[|｜]>)"
_FOREIGN = re.compile(rf"\s*+{_END_TAG}")
_MAX_END_CHARS = 200
_END_TAGS = re.compile(rf"(?:\s*+{_END_TAG})+\s*+\Z")
_CUT_FENCE = re.compile(r"(?:\A|(?<=\n))[ \t]*+`{1,2}\s*+\Z")
_ONE_WORD = re.compile(r"[A-Za-z][\w+#.:{}-]*+\s*+")
_QUOTE = re.compile(r"[ \t]*+>[ ]?")
_INDENT = re.compile(r"[ \t]*+")
_NO_WIDTH = re.compile(rf"(?P<blank>[ \t\n]*+)[{INVISIBLE}]++")
_WRAPPERS = frozenset({"gfm", "markdown", "md", "mdx"})
_TAG_AS_A_LINE = re.compile(r"\s*+(?:python3?|py)[ \t]*+\n", re.IGNORECASE)

_TOKEN = re.compile(
    r"""\#[^\n]*+ | (?P<triple>\"\"\"|''') | "(?:[^"\\\n]|\\.)*+"? | '(?:[^'\\\n]|\\.)*+'?
      | (?P<ticks>`{3,}+)""",
    re.VERBOSE,
)
_END_OF_STRING = {
    '"""': re.compile(r'(?:[^"\\]|\\.|\\\Z|"(?!""))*+"""'),
    "'''": re.compile(r"(?:[^'\\]|\\.|\\\Z|'(?!''))*+'''"),
}


class Fence(NamedTuple):
    """A fenced block.

    language: as `language_of` reads the info string. text: the code, without the indentation of
    its first statement. closed: whether a closing fence was found. start, end: where the block
    stands in the text, its fences included.
    """

    language: str
    text: str
    closed: bool
    start: int
    end: int


class StringState:
    """Follows a program line by line and knows whether a triple-quoted string is open.

    ticks: where in the line last read backticks stand in the code, neither in a string nor in a
    comment; None without.
    """

    def __init__(self) -> None:
        self._delimiter = ""
        self.ticks: int | None = None

    def __bool__(self) -> bool:
        return bool(self._delimiter)

    def read(self, line: str) -> None:
        self.ticks = None
        if not (self._delimiter or '"""' in line or "'''" in line or "```" in line):
            return
        position = 0
        while True:
            if self._delimiter:
                end = _END_OF_STRING[self._delimiter].match(line, position)
                if end is None:
                    return
                self._delimiter = ""
                position = end.end()
            token = _TOKEN.search(line, position)
            if token is None:
                return
            if token["ticks"]:
                self.ticks = token.start()
                return
            self._delimiter = token["triple"] or ""
            position = token.end()


class Allowance:
    """What may be spent on one text to decide where its blocks end, so that no text takes long."""

    def __init__(self) -> None:
        self._chars = _MAX_PARSED_CHARS
        self._lines = _MAX_LINES_AHEAD

    def looks_ahead(self) -> bool:
        """Whether one line more may be read beyond what has the look of an end."""
        self._lines -= 1
        return self._lines >= 0

    def parses(self, code: str) -> bool:
        """Whether code is Python; False when the allowance is spent."""
        if len(code) > self._chars:
            return False
        self._chars -= len(code)
        try:
            parse_program(code)
        # deep nesting ends the parser in several ways
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return True


class _Opening(NamedTuple):
    """An opening fence. quotes: the signs of block quotes before it in its line. ticks: its own
    signs. language: the block's. before: how many characters stand before it, but for blanks.
    in_prose: these are a part of a sentence."""

    quotes: int
    ticks: str
    language: str
    before: int
    in_prose: bool = False


class _End(NamedTuple):
    """Where a block ends. line: the first line that is not wholly its code; `column` characters
    of it are. closed: by a fence, and `after` is where that ends in the line; otherwise the line
    opens another block, or the text has ended."""

    line: int
    column: int = 0
    after: int = 0
    closed: bool = True


def fences(text: str) -> list[Fence]:
    """The fenced blocks in order; any may lack its end. Linear in the length of the text."""
    if "```" not in text and "~~~" not in text:
        return []
    return list(_Reader(text).read())


class _Reader:
    """Reads one text, line by line."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._allowance = Allowance()
        self._wrappers: list[int] = []  # how long the fences around blocks of Markdown are

    def read(self) -> Iterator[Fence]:
        line = column = 0
        while line < len(self._lines):
            opening = self._opening(line, column)
            if opening is None or self._wraps(opening, line):
                line, column = line + 1, 0
                continue
            end = self._end(line, opening)
            code = self._code(line, end, opening)
            if not self._is_block(opening, code, closed=end.closed):
                line, column = line + 1, 0
                continue
            language = opening.language
            if language == UNTAGGED and (tag := _TAG_AS_A_LINE.match(code)):
                language, code = PYTHON, code[tag.end() :]
            start = self._starts[line] + column + opening.before
            stop = min(self._starts[end.line] + end.after, self._starts[-1] - 1)
            yield Fence(language, code, end.closed, start, stop)
            line, column = end.line, end.after

    def _opening(self, number: int, column: int) -> _Opening | None:
        line = self._lines[number][column:]
        if "```" not in line and "~~~" not in line:
            return None
        found = _OPENING.match(line) if column == 0 else None
        if found and (found["ticks"][0] == "~" or "`" not in found["info"]):
            before = found["before"]
            quotes = _TAG.sub("", before).count(">")
            offset = len(before) if before.strip() else 0
            return _Opening(quotes, found["ticks"], language_of(found["info"]), offset)
        found = _WITHIN_A_LINE.match(line)
        if found is None or not self._allowance.looks_ahead():
            return None
        language = language_of(found["info"])
        announced = found["before"].rstrip(" *_").endswith(":") and " " not in found["info"].strip()
        if language == PYTHON or announced:
            return _Opening(0, found["ticks"], language, found.start("ticks"), True)
        return None

    def _is_block(self, opening: _Opening, code: str, *, closed: bool) -> bool:
        """Whether what a fence within a line opens is code and not the rest of a sentence."""
        if not opening.in_prose:
            return True
        if opening.language in (PYTHON, UNTAGGED):
            return self._allowance.parses(code)
        return closed

    def _wraps(self, opening: _Opening, number: int) -> bool:
        """Whether this fence delimits Markdown, whose own blocks are looked at."""
        if opening.in_prose:
            return False
        if opening.language in _WRAPPERS:
            self._wrappers.append(len(opening.ticks))
            return True
        if opening.language != UNTAGGED:
            return False
        if self._wrappers and len(opening.ticks) >= self._wrappers[-1]:
            self._wrappers.pop()
            return True
        following = _OPENING.match("".join(self._lines[number + 1 : number + 2]))
        if following and "`" not in following["info"] and language_of(following["info"]):
            self._wrappers.append(len(opening.ticks))
            return True
        return False

    def _end(self, number: int, opening: _Opening) -> _End:
        """The first closing fence that does not stand in a string of the program.

        A fence within a string ends the block where the string is never closed, or where what
        comes of going on, to a fence or to the text's end, is no Python: then it was the program
        that was broken.
        """
        depth = opening.quotes
        is_code = opening.language in (PYTHON, UNTAGGED)
        string = StringState()
        in_string = too_short = None
        for line in range(number + 1, len(self._lines)):
            text = _unquoted(self._lines[line], depth)
            if text is None:
                too_short = None  # where a quotation ends, its block does too
                break
            ahead = in_string or too_short or opening.in_prose
            if ahead and not self._allowance.looks_ahead():
                return in_string or too_short or _End(len(self._lines), closed=False)
            stop = _STOP.match(text) if "```" in text or "~~~" in text else None
            if stop and stop["ticks"][0] == opening.ticks[0]:
                end = self._end_at(line, stop)
                if len(stop["ticks"]) < len(opening.ticks):
                    too_short = too_short or (None if string else end)
                elif string:
                    in_string = in_string or end
                elif in_string is None or self._allowance.parses(self._code(number, end, opening)):
                    return end
                else:
                    return in_string
            if opening.language == PYTHON and "<" in text and not string and _FOREIGN.match(text):
                break
            if is_code:
                string.read(text)
                if string.ticks is not None and opening.ticks[0] == "`":
                    offset = len(self._lines[line]) - len(text)
                    end = self._end_within(line, string.ticks + offset)
                    if self._ends_code(number, end, opening):
                        return end
        else:
            line = len(self._lines)
        whole = _End(line, closed=False)
        if in_string and not string and self._allowance.parses(self._code(number, whole, opening)):
            return whole
        return in_string or too_short or whole

    def _end_at(self, line: int, stop: re.Match[str]) -> _End:
        """What a line that begins with a fence does to the block: most close it."""
        whole = len(self._lines[line])
        tail = stop["tail"]
        if not tail.strip().strip(INVISIBLE).strip():
            return _End(line, after=whole)
        if "`" not in tail and _is_info_string(tail):
            return _End(line, closed=False)
        return _End(line, after=whole - len(tail))

    def _end_within(self, line: int, column: int) -> _End:
        text = self._lines[line]
        after = column + len(text[column:]) - len(text[column:].lstrip("`"))
        return _End(line, column, after)

    def _ends_code(self, number: int, end: _End, opening: _Opening) -> bool:
        """Whether backticks behind code end the block: in Python they mean nothing. In a block
        without a language they do so at the line's end, and where the code is Python."""
        if opening.language == PYTHON:
            return True
        at_end = not self._lines[end.line][end.after :].strip()
        return at_end and self._allowance.parses(self._code(number, end, opening))

    def _code(self, number: int, end: _End, opening: _Opening) -> str:
        depth = opening.quotes
        lines = [_unquoted(line, depth) or "" for line in self._lines[number + 1 : end.line]]
        if end.column:
            lines.append(self._lines[end.line][: end.column])
        code = "\n".join(_dedented(lines))
        if end.line < len(self._lines):
            return code + "\n" if lines else ""
        # a model's last token and the tags around its answer, where a closing fence is missing
        # or the first backticks of one
        last = code[-_MAX_END_CHARS:]
        bare = _CUT_FENCE.sub("", _END_TAGS.sub("", last, count=1), count=1)
        return code[: len(code) - len(last)] + bare


def _is_info_string(tail: str) -> bool:
    """Whether what follows a fence within a block opens another one, whose predecessor lacks its
    end: a language, glued to the fence or alone. All else belongs to the end of this block."""
    if _ONE_WORD.fullmatch(tail):
        return True
    if language_of(tail) != PYTHON:
        return False
    return not tail[0].isspace() or _ONE_WORD.fullmatch(tail.strip()) is not None


def _unquoted(line: str, depth: int) -> str | None:
    """The line without the signs of that many block quotes; None where it lacks them."""
    position = 0
    for _ in range(depth):
        sign = _QUOTE.match(line, position)
        if sign is None:
            return None
        position = sign.end()
    return line[position:]


def _dedented(lines: list[str]) -> list[str]:
    """The lines without the indentation of the first statement, which Python refuses.

    It is that of a list item, or of a model that indents its code under a fence that is not.
    Signs without width before the code are left out too.
    """
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare:
            lines[number] = line = _NO_WIDTH.sub(lambda sign: sign["blank"], line, count=1)
        if bare and not bare.startswith("#"):
            break
    else:
        return lines
    indent = _INDENT.match(line)
    if not indent or not indent[0]:
        return lines
    return [_without(indent[0], line) for line in lines]


def _without(indent: str, line: str) -> str:
    return line.removeprefix(indent) if line.startswith(indent) else line.lstrip(" \t")

"""What a text shows a reader: the text itself, and the same without what stands around its lines.

A person reads the program in a numbered list, a table, a comment or a JSON string without noticing
the form. `readings` gives each such form undone, so that whoever looks for code has to know only
code. Undone are, a line at a time: labels of any kind that consecutive lines share ("> ", "// ",
"L01: ", "In [1]: ", "- ", "| 3 |"), code spans, signs in place of indentation; and for the whole
text: character references and tags of HTML, escapes of JSON and LaTeX, and characters that look
like ASCII (Unicode's NFKC and confusables, UTS #39).

All patterns are linear in the text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_MAX_LABEL = 40
_MIN_RUN = 2

_TAG = re.compile(
    r"</?(?:code|pre|program|solution|python|answer|script|tt|br)\b[^<>\n]{0,100}>|\[/?code\]",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_QUOTE = re.compile(r"^[ \t]{0,8}>(?!>>)[ ]?", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]{0,8}(?:>>>|\.\.\.)[ ]?", re.MULTILINE)
_ADDED = re.compile(r"^\+(?!\+\+)", re.MULTILINE)
_DIFF_LINE = re.compile(r"^(?:-.*\n?|@@.*\n?|\+\+\+.*\n?|[+ ])", re.MULTILINE)
_LATEX = re.compile(r"\\([_{}%#&$])")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*+)("|\n|\Z|\\)')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_SPAN_LINE = re.compile(
    r"^(?P<indent>[ \t]*+)[^\w`]*+(?:\d++[^\w`]*+)?"
    r"(?P<ticks>`{1,2}+)(?P<code>[^`\n]++)(?P=ticks)[^\w`]*+$"
)
_NUMBER = re.compile(r"[ \t]*\d+")
_BLANK_SIGNS = re.compile(
    r"^[ \t]*+(?:[·•→»|¦│┊⋅]|\.{2,}+|_{2,}+)(?:[ \t]|[·•→»|¦│┊⋅._])*+(?=[^\s])", re.MULTILINE
)
_DOUBLE_QUOTES = dict.fromkeys(map(ord, "“”„‟«»″"), '"')


def readings(text: str) -> Iterator[str]:
    """The text first, then every other way to read it; a form that it does not have gives none."""
    yield text
    plain = plain_characters(text)
    if plain != text:
        yield plain
    for undo in (
        _undo_html,
        _undo_latex,
        _undo_escapes,
        _undo_quotation,
        _undo_session,
        _undo_diff,
    ):
        if (shown := undo(plain)) is not None:
            yield shown
    yield from _strings(plain)
    yield from _without_labels(plain)
    yield from _spans(plain)
    if (shown := _BLANK_SIGNS.sub(lambda signs: " " * len(signs[0]), plain)) != plain:
        yield shown


# -- characters


def plain_characters(text: str) -> str:
    """The text as ASCII as it looks: full-width and typographic signs, letters of other alphabets
    among Latin ones, blanks of all kinds; what cannot be seen is left out."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_DOUBLE_QUOTES))
    return "".join(char if char.isascii() else _look(char) for char in text)


@lru_cache(maxsize=4096)
def _look(char: str) -> str:
    """The ASCII character that looks like this one; nothing for one that cannot be seen."""
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category == "Zs":
        return " "
    if category[0] not in "LP" and char != "−":
        return char
    # here, for its table takes a tenth of a second and few texts need it
    from confusable_homoglyphs.confusables import confusables_data

    for alike in confusables_data.get(char, ()):
        if len(alike["c"]) == 1 and alike["c"].isascii():
            return str(alike["c"])
    return char


# -- the whole text


def _undo_html(text: str) -> str | None:
    if not (_ENTITY.search(text) or _TAG.search(text)):
        return None
    return plain_characters(html.unescape(_TAG.sub("\n", text)))


def _undo_latex(text: str) -> str | None:
    return _LATEX.sub(r"\1", text) if _LATEX.search(text) else None


def _undo_escapes(text: str) -> str | None:
    """A program in one line, whose ends of lines are written as escapes."""
    if not any(line.count("\\n") >= _MIN_RUN for line in text.split("\n")):
        return None
    return _unescape(text)


def _undo_quotation(text: str) -> str | None:
    return _QUOTE.sub("", text) if len(_QUOTE.findall(text)) >= _MIN_RUN else None


def _undo_session(text: str) -> str | None:
    # "..." alone stands for what was left out
    return _PROMPT.sub("", text) if ">>>" in text else None


def _undo_diff(text: str) -> str | None:
    return _DIFF_LINE.sub("", text) if len(_ADDED.findall(text)) >= _MIN_RUN else None


def _strings(text: str) -> Iterator[str]:
    """Strings as JSON writes them: each of several lines, and those that follow each other."""
    run: list[str] = []
    end_of_last = 0
    for string in _STRING.finditer(text):
        if string[2] != '"':
            continue
        if text[end_of_last : string.start()].strip(" \t\r\n,"):
            yield from _joined(run)
            run = []
        value = _unescape(string[1])
        run.append(value)
        end_of_last = string.end()
        if "\\n" in string[1]:
            yield value
    yield from _joined(run)


def _joined(strings: list[str]) -> Iterator[str]:
    if len(strings) >= _MIN_RUN:
        yield "\n".join(string.removesuffix("\n") for string in strings)


def _unescape(string: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(one, string)


# -- a line at a time


def _spans(text: str) -> Iterator[str]:
    """Lines that are a code span each, as the spans alone; with the lines' own indentation, too.

    Spans among words do not count: prose speaks of `input()` and `print` without giving a program.
    """
    run: list[re.Match[str]] = []
    for line in (*text.split("\n"), "."):
        if match := _SPAN_LINE.match(line):
            run.append(match)
        elif line.strip():
            if len(run) >= _MIN_RUN:
                yield "\n".join(span["code"] for span in run)
                if any(span["indent"] for span in run):
                    yield "\n".join(span["indent"] + span["code"] for span in run)
            run = []


def _without_labels(text: str) -> Iterator[str]:
    """Runs of lines that begin alike, without that beginning.

    Numbers count as alike. What they share may reach into the code, so it is cut at each place
    where a label can end; and a label may stand before the indentation or after it.
    """
    lines = text.split("\n")
    yield from _label_runs(lines, [""] * len(lines))
    indents = [_indent(line) for line in lines]
    if any(indents):
        yield from _label_runs([line.lstrip(" \t") for line in lines], indents)


def _label_runs(lines: list[str], indents: list[str]) -> Iterator[str]:
    heads = [_head(line) for line in lines]
    start = 0
    while start < len(lines):
        shared = heads[start]
        end = start + 1
        while shared and end < len(lines):
            if lines[end].strip():
                common = _common_prefix(shared, heads[end])
                if not _is_label(common):
                    break
                shared = common
            end += 1
        run = [n for n in range(start, end) if lines[n].strip()]
        if len(run) >= _MIN_RUN and _is_label(shared):
            for label in _cuts(shared):
                yield "\n".join(
                    _without_end(indents[n] + label.sub("", lines[n], count=1)) for n in run
                )
            start = end
        else:
            start += 1


def _common_prefix(one: str, other: str) -> str:
    differ = (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    return one[: next(differ, min(len(one), len(other)))]


def _head(line: str) -> str:
    """The beginning of a line, in which a number with the blanks before it is one sign."""
    return _NUMBER.sub("\0", line[:_MAX_LABEL]) if line.strip() else ""


def _is_label(head: str) -> bool:
    """Whether it holds more than letters and blanks, which lines of code share by chance."""
    return any(not (char.isalpha() or char in " \t_(") for char in head)


def _cuts(shared: str) -> list[re.Pattern[str]]:
    """Patterns of the label: what is shared up to each sign, with one blank after it."""
    ends = [
        at
        for at in range(1, len(shared) + 1)
        if not shared[at - 1].isalnum() and (at == len(shared) or shared[at] != " " or at == 1)
    ]
    chosen = dict.fromkeys([*ends[:2], *ends[-3:]])
    return [_pattern(shared[:end]) for end in chosen]


def _pattern(label: str) -> re.Pattern[str]:
    text = re.escape(label).replace(re.escape("\0"), r"[ \t]*\d+")
    return re.compile(text)


def _without_end(line: str) -> str:
    """Without the other half of a sign around the line: a table's bar, a span's ticks, bold."""
    return line.rstrip(" \t`*|")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]

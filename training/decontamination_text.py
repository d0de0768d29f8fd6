"""A statement reduced to what copies of it keep: for telling copies, never for showing.

Sites and data sets print one statement in many ways: `$a_i \\le 10^{5}$`, `a_i <= 10^5`,
`ai ≤ 105` (Codeforces' text as CodeContests has it), with other line ends, tags and entities.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import NamedTuple

_TAG = re.compile(
    r"</?(?:a|b|br|center|code|dd|div|dl|dt|em|font|h[1-6]|hr|i|image|img|li|nobr|ol|p|pre|s|small|"
    r"span|strong|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul|var)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*(?:https?:|/|data:|<)[^)\s]*\s*\)")
_STYLED = re.compile(r"\\(?:text|math|emph|textbf|textit|texttt|operatorname)[a-z]*\s*(?=\{)")
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+|[,;:! ])")
_JOINING = str.maketrans("", "", "$^_{}\\*`~'’‘")
"""Marks that stand inside a word: without them `a_{i}` is ai, `10^5` is 105, `*n*` is n."""
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]{3,}")


class NormalText(NamedTuple):
    """letters: everything but white space, marks and punctuation, for telling equal statements.
    words: the words of three letters or more and no digit, so without names of variables, numbers
    and samples, for telling similar ones.
    """

    letters: str
    words: tuple[str, ...]


def normalise(statement: str) -> NormalText:
    """Lower case, compatibility forms folded, without markup, LaTeX and punctuation."""
    text = html.unescape(statement)
    text = _LINK.sub(r" \1 ", text)
    text = _TAG.sub(" ", text)
    text = _STYLED.sub("", text)
    text = _COMMAND.sub(" ", text)
    text = unicodedata.normalize("NFKC", text).casefold().translate(_JOINING)
    tokens = _WORD.findall(text)
    words = tuple(token for token in tokens if _LETTERS.fullmatch(token))
    return NormalText("".join(tokens), words)

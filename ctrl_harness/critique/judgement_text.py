"""The words and signs of a critique without its markup, for judgement_grammar.py."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctrl_harness.critique.plain_text import plain_text

LINE, PARAGRAPH, ITEM, HEADING = "\n", "\n\n", "•", "#"
"""Tokens of the layout: the next line, a blank line, a list's marker, a heading's."""
STRUCK = "¬"
"""A sign that negates or strikes out; nothing beside it is read."""
ARROW = "→"


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FENCE = re.compile(r"^[ \t>]*(?:`{3,}[^`\n]*|~{3,}[^\n]*)$", re.MULTILINE)
_LABEL_TAG = re.compile(r"<\s{0,2}(/?)\s{0,2}overall[\s_-]{0,3}judge?ment\s{0,2}>", re.IGNORECASE)
_TAG_BEFORE_LABEL = re.compile(r"<[^<>\n]{1,40}>(?=[\s*_]{0,4}overall)", re.IGNORECASE)
_STRIKE = re.compile(
    r"~~|<s>|</?(?:del|strike)>|\\(?:sout|cancel|xcancel)\b|(?<![\w!])!(?=[\w(\[*\"'])|[≠∼]",
    re.IGNORECASE,
)
_NO_FAULTS = re.compile(
    r",?\s{0,20}\"(?:issues|bugs|errors|problems|mistakes|faults)\"\s{0,4}:\s{0,4}"
    r"(?:\[\s{0,20}\]|0|null)",
    re.IGNORECASE,
)
"""A field of JSON that lists none."""
_EMOJI = {"x": "❌", "white_check_mark": "✅", "heavy_check_mark": "✅"}
_SHORT_CODES = re.compile(r"(?<!\w):(x|white_check_mark|heavy_check_mark):")
_SAD = re.compile(r"(?<![A-Za-z])(correct[.!]?)[ \t]{0,3}:-?\((?=\s|\Z)", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    r"</?(?:br|p|div|li|ul|ol|tr|td|th|table|tbody|thead|h[1-6]|hr|pre|format|answer|verdict|result"
    r"|response|output|critique|review|judge?ment|evaluation|final)(?:\s[^<>\n]{0,100})?/?>"
    r"|<\|[^<>|\n]{1,40}\|>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|code|mark|span|font|tt|small|big|center|sub|sup)"
    r"(?:\s[^<>\n]{0,100})?>|</s>",
    re.IGNORECASE,
)
_ANGLES = re.compile(r"<\s?(\w[\w /|-]{0,30})\s?>")
_FOOTNOTE = re.compile(r"(?<![*\w])(correct)\*(?![*\w])", re.IGNORECASE)
_LATEX = re.compile(r"\\(?:boxed|fbox|text\w{0,6}|math\w{1,6}|emph|underline)\s{0,3}\{")
_OPTION = r"[ \t]{0,4}[*_]{0,3}(?:in)?correct\b[*_]{0,3}"
_OPEN_BOX = re.compile(rf"(?:[-*+][ \t]{{1,4}})?(?:\[ ?\]|\( ?\)|[☐□⬜◯○]){_OPTION}", re.IGNORECASE)
_TICKED_BOX = re.compile(
    rf"(?:[-*+][ \t]{{1,4}})?(?:\[[x✓✔]\]|\([x✓✔]\)|[☑☒]\ufe0f?)(?={_OPTION})", re.IGNORECASE
)
_ESCAPED_LINE = re.compile(r"\\n(?![a-z])")
_ESCAPE = re.compile(r"\\(?=[^\w\s])")
_EMPHASIS = re.compile(r"(?<!\w)_{1,3}(?=\w)|(?<=[^\W_])_{1,3}(?!\w)")

_TOKEN = re.compile(
    r"\n[ \t>]*(?:\n[ \t>]*)+(?:[-*+•·‣][ \t]+|\d{1,3}[.)][ \t]+)?"
    r"|\n[ \t>]*(?:(?P<marker>[-*+•·‣][ \t]+|\d{1,3}[.)][ \t]+)|(?P<heading>#{1,6}))?"
    r"|\w+(?:[.,]\d+)*(?:['’‘`´‐‑-]\w+)*%?"
    r"|(?P<arrow>[-=]{1,3}>|[→⇒➔➜⟶])"
    r"|(?P<rule>[-=_–—]{2,})"
    r"|\.+|[^\w\s]",
)
_DROPPED = frozenset("\"'`´″“”„‟‘’‚〝〞❝❞«»‹›「」『』〈〉《》【】〔〕⟨⟩❰❱*[]{}$)_▶►▸➤◆■●")
_DASHES = frozenset("-–—‒―‐‑−")
_NOT = re.compile(r"n['’‘`´]?t$")
_NEGATED_VERBS = word_set(
    "is are was were do does did has have had could would should might must need ca can wo"
    " wont ai sha"
)


_WITH_IS = word_set("it that this code program solution answer everything there what here")


def readable(text: str) -> str:
    """The text in plain letters without markup that carries no meaning (see plain_text).

    HTML's and LaTeX's marks go, what is struck out gets the sign STRUCK on both sides, a tag
    <overall_judgment> becomes the label. Of options with boxes the ticked one stays. Code
    blocks of several lines go too, unless the only labels stand in them.
    """
    text = plain_text(text)
    text = _TICKED_BOX.sub("", _OPEN_BOX.sub("", text))
    text = _LABEL_TAG.sub(lambda tag: "\n\n" if tag[1] else "\nOverall judgment: ", text)
    text = _TAG_BEFORE_LABEL.sub("\n", text)
    text = _NO_FAULTS.sub("", text)
    text = _SAD.sub(rf"\1 {STRUCK} ", text)
    text = _STRIKE.sub(f" {STRUCK} ", _SHORT_CODES.sub(lambda code: _EMOJI[code[1]], text))
    text = _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", text))
    text = _FOOTNOTE.sub(_footnote, text)
    text = _ANGLES.sub(r" \1 ", _LATEX.sub(" ", text))
    text = _ESCAPE.sub("", _ESCAPED_LINE.sub("\n", text))
    return _EMPHASIS.sub("", text)


def _footnote(word: re.Match[str]) -> str:
    """ "Correct*" has a footnote unless its star closes one that stands before it in the line."""
    line = word.string[max(word.start() - 200, 0) : word.start()].rpartition("\n")[2]
    return f"{word[1]} {STRUCK}" if line.count("*") % 2 == 0 else word[0]


def outside_of_code(text: str) -> str:
    """The text without fenced blocks of several lines; one line in a fence may be the judgement."""
    kept: list[str] = []
    position = 0
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            kept.append(text[position : fence.start()])
            opening = fence
        else:
            body = text[opening.end() : fence.start()].strip()
            kept.append("" if "\n" in body or "overall" in body.lower() else body)
            position = fence.end()
            opening = None
    kept.append(text[position if opening is None else opening.end() :])
    return "".join(kept)


def tokens(text: str) -> list[str]:
    """Words in lower case and signs; "isn't" is two words, quotes and emphasis are left out."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] == "\n":
            yield PARAGRAPH if token.count("\n") > 1 else LINE
            if match["heading"]:
                yield HEADING
            elif match["marker"] or (token[-1] == " " and token.strip(" \t\n>")):
                yield ITEM
        elif match["arrow"]:
            yield ARROW
        elif match["rule"]:
            yield "-"
        elif token[0] in ".。":
            yield "." if len(token) == 1 else "..."
        elif token in _DASHES:
            yield "-"
        elif token == "&":
            yield "and"
        elif token[0].isalnum() or token[0] == "_":
            yield from _words(token.lower())
        elif token not in _DROPPED:
            yield token


def _words(word: str) -> Iterator[str]:
    word = re.sub("[’‘`´]", "'", word)
    word = re.sub("[‐‑]", "-", word)
    if word == "in-correct":
        yield "incorrect"
    elif word in ("cannot", "cant", "can't"):
        yield from ("can", "not")
    elif (negation := _NOT.search(word)) and word[: negation.start()] in _NEGATED_VERBS:
        verb = word[: negation.start()]
        yield from ({"wo": "will", "ca": "can", "ai": "is"}.get(verb, verb), "not")
    elif word.endswith("'s") and word[:-2] in _WITH_IS:
        yield from (word[:-2], "is")
    else:
        yield word

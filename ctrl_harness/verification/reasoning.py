"""Leaves out what a model thought before it answered.

The marks are those of the models' chat templates: `<think>` (DeepSeek, Qwen, GLM, MiniMax and most
others), `<seed:think>` (Seed-OSS), `<thought>` (EXAONE Deep), `[THINK]` (Magistral), `◁think▷`
(Kimi), `<|begin_of_thought|>` (Sky-T1), `<|START_THINKING|>` (Command A), `<|inner_prefix|>`
(Apertus), `<|channel>thought` (Gemma 4), the channels of harmony (gpt-oss) with and without its
special tokens, the sentences of Granite 3.2, and `<thinking>`, `<reasoning>` and `<scratchpad>`,
which prompts ask for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from ctrl_harness.verification.fences import Allowance, Fence, fences
from ctrl_harness.verification.info_string import PYTHON, UNTAGGED

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAG = re.compile(
    r"""[<\[◁] (?:
        (?<=<)(?P<xml_end>/?)
          (?P<xml>(?i:think|thinking|thoughts?|reasoning|scratchpad|seed:think))>
      | (?P<end>(?<=\[)/THINK\] | (?<=◁)/think▷
          | (?<=<)(?:\|end_of_thought\|>|\|END_THINKING\|>|\|inner_suffix\|>|channel\|>))
      | (?P<open>(?<=\[)THINK\] | (?<=◁)think▷
          | (?<=<)\|(?:begin_of_thought\|>|START_THINKING\|>|inner_prefix\|>|channel>thought\b))
      | (?<=<)(?:\|start\|>assistant<)?\|channel\|>\s?(?P<channel>\w+)[^<\n]{0,200}
          (?:<\|constrain\|>\w*)?<\|message\|>
      | (?<=<)(?P<message_end>\|(?:end|call|return)\|>)
    )""",
    re.VERBOSE,
)  # the first sign stands alone, so that the search skips what begins with no other
_OPENED_BY = {
    "[/THINK]": "[THINK]",
    "◁/think▷": "◁think▷",
    "<|end_of_thought|>": "<|begin_of_thought|>",
    "<|END_THINKING|>": "<|START_THINKING|>",
    "<|inner_suffix|>": "<|inner_prefix|>",
    "<channel|>": "<|channel>thought",
}
_HARMONY = "<|channel|>"
_BARE_HARMONY = re.compile(r"\s*+analysis(?=[^\sa-z])(?P<rest>.*)", re.DOTALL)
_GRANITE = re.compile(
    r"\s*+Here(?:'s| is) my thought process:.*?^Here(?:'s| is) my response:",
    re.DOTALL | re.MULTILINE,
)
_QUOTE_MARKS = "\"'`“”‘’«»()[]*_|"
_NOUN = re.compile(r"[ \t]+(?:tags?|tokens?|markers?|elements?|blocks?|sections?)\b")
_VERB = re.compile(r"[ \t]+(?:is|are|was|were|and|or|nor|should|must|may|will|opens|ends)\b")
_FENCE_NEXT = re.compile(r"`{3,}+[^\s`]+\s*+\Z")
"""An opening fence with a language at a line's end: its backticks delimit no inline code."""
_WINDOW = 80
_MAX_LINE = 10_000
"""A longer line is not looked into for inline code."""
_MAX_REREAD_CHARS = 500_000
"""How much of one text is read again for fences, in all, after its reasoning."""


class _Tag(NamedTuple):
    """A mark of reasoning. name: of its kind. opens, closes: harmony's channel `final` is an end,
    and its other channels are both. ends_message: means nothing outside reasoning."""

    start: int
    end: int
    name: str
    opens: bool
    closes: bool
    ends_message: bool = False


def strip_reasoning(completion: str) -> str:
    """The completion without its reasoning blocks, which are neither code nor critique.

    A block that was never closed takes the rest of the text with it; one whose opening tag stands
    in the chat template, and so not in the completion, takes what comes before its end. A tag that
    is quoted, stands in code or is a word of a sentence is no tag. Linear in the length.
    """
    if bare := _BARE_HARMONY.match(completion):
        return bare["rest"].partition("assistantfinal")[2]
    if granite := _GRANITE.match(completion):
        completion = completion[granite.end() :]
    if not _TAG.search(completion):
        return completion
    return _Reader(completion).answer()


class _Reader:
    """Reads one text that holds tags."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tags = [_tag(match) for match in _TAG.finditer(text)]
        self._closing: dict[str, list[int]] = defaultdict(list)  # numbers of tags, by name
        self._mentions = self._find_mentions()
        for number, tag in enumerate(self._tags):
            if tag.closes and number not in self._mentions:
                self._closing[tag.name].append(number)
        self._blocks = _Blocks(text)

    def answer(self) -> str:
        kept: list[str] = []
        position = number = 0
        closed = False  # whether reasoning has ended already
        nested = 0  # tags that opened within reasoning, each of which may have an end of its own
        content_end = len(self._text.rstrip())
        while number < len(self._tags):
            tag = self._tags[number]
            if number in self._mentions or tag.ends_message or self._blocks.hold(tag):
                number += 1
            elif tag.opens:
                kept.append(self._text[position : tag.start])
                end = self._end_of(tag, number)
                if end is None:
                    return "".join(kept)
                nested = sum(t.opens and t.name == tag.name for t in self._tags[number + 1 : end])
                closer = self._tags[end]
                # a channel's header ends the one before and may open the next
                position = closer.start if closer.opens else closer.end
                number = end if closer.opens else end + 1
                closed = True
                self._blocks.restart(position)
            else:
                if closed and not nested and tag.end >= content_end and tag.name != _HARMONY:
                    kept.append(self._text[position : tag.start])  # one end too many
                else:
                    kept.clear()
                    self._blocks.restart(tag.end)
                nested = max(nested - 1, 0)
                position = tag.end
                closed = True
                number += 1
        kept.append(self._text[position:])
        return "".join(kept)

    def _end_of(self, tag: _Tag, number: int) -> int | None:
        """The number of the tag that closes what this one opens."""
        closing = self._closing[tag.name]
        place = bisect_left(closing, number + 1)
        if place < len(closing):
            return closing[place]
        # rather an end that has the look of a word in a sentence than none at all
        return next(
            (n for n in range(number + 1, len(self._tags))
             if self._tags[n].closes and self._tags[n].name == tag.name),
            None,
        )  # fmt: skip

    def _find_mentions(self) -> set[int]:
        """The numbers of the tags that are spoken of: in inline code, in quotes, in a sentence."""
        found = {n for n, tag in enumerate(self._tags) if _is_mention(self._text, tag)}
        lines: dict[int, list[int]] = defaultdict(list)  # tags by the newline before their line
        for number, tag in enumerate(self._tags):
            if number not in found:
                newline = self._text.rfind("\n", max(0, tag.start - _MAX_LINE), tag.start)
                lines[newline].append(number)
        for start, numbers in lines.items():
            end = self._text.find("\n", start + 1, start + _MAX_LINE)
            line = self._text[start + 1 : end if end >= 0 else start + _MAX_LINE]
            if start < 0 and self._tags[numbers[0]].start > _MAX_LINE:
                continue
            if "`" in line:
                line = _FENCE_NEXT.sub("", line)
                found |= _in_inline_code(line, start + 1, [(n, self._tags[n]) for n in numbers])
        return found


class _Blocks:
    """The code blocks of a text, as they are where its reasoning has been left out."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._allowance = Allowance()
        self._left = _MAX_REREAD_CHARS
        self._offset = 0
        self._next = 0

    @cached_property
    def _found(self) -> list[Fence]:
        return fences(self._text)

    def hold(self, tag: _Tag) -> bool:
        """Whether the tag is code, and so none.

        An end that is a line of its own is one all the same where the block is no Python with it:
        the reasoning broke off within its block.
        """
        block = self._block_at(tag.start)
        if block is None:
            return False
        if tag.opens or not self._is_line(tag):
            return True
        if block.language in (PYTHON, UNTAGGED):
            return self._allowance.parses(block.text)
        return block.closed

    def restart(self, position: int) -> None:
        """Goes on where reasoning ended: a block that began in it is none."""
        block = self._block_at(position)
        if block is None or len(self._text) - position > self._left:
            return
        self._left -= len(self._text) - position
        self._found = fences(self._text[position:])
        self._offset = position
        self._next = 0

    def _block_at(self, position: int) -> Fence | None:
        position -= self._offset
        while self._next < len(self._found) and self._found[self._next].end <= position:
            self._next += 1
        block = self._found[self._next] if self._next < len(self._found) else None
        return block if block and block.start <= position else None

    def _is_line(self, tag: _Tag) -> bool:
        before = self._text[max(0, tag.start - _WINDOW) : tag.start].rpartition("\n")[2]
        after = self._text[tag.end : tag.end + _WINDOW].partition("\n")[0]
        return not before.strip() and not after.strip()


def _tag(match: re.Match[str]) -> _Tag:
    start, end = match.span()
    if match["xml"]:
        closes = bool(match["xml_end"])
        return _Tag(start, end, match["xml"].lower(), not closes, closes)
    if match["end"]:
        return _Tag(start, end, _OPENED_BY[match[0]], False, True)
    if match["open"]:
        return _Tag(start, end, match[0], True, False)
    if match["message_end"]:
        return _Tag(start, end, _HARMONY, False, True, ends_message=True)
    return _Tag(start, end, _HARMONY, match["channel"] != "final", True)


def _is_mention(text: str, tag: _Tag) -> bool:
    """Whether a tag is a word of a sentence ("I answer without <think> tags.") or quoted."""
    before = text[max(0, tag.start - _WINDOW) : tag.start].rpartition("\n")[2]
    after = text[tag.end : tag.end + _WINDOW].partition("\n")[0]
    if _FENCE_NEXT.match(after):
        return False
    if before and after and before[-1] in _QUOTE_MARKS and after[0] in _QUOTE_MARKS:
        return True
    if _NOUN.match(after):
        return True
    last = before.rstrip()[-1:]
    if not last or not before[-1].isspace():
        return False  # the line begins with it, or it is glued to the word before
    if _VERB.match(after):
        return True
    if not (last.isalnum() or last in ",;`)\"'”’-–—*•#|"):
        return False  # a sentence or a label ended
    if not after.strip():
        return tag.opens and not tag.closes
    if after[0].isspace():
        return after.lstrip()[0].islower() or after.lstrip()[0] == "|"
    return after[0] in ".,;:!?)\"'”’"


def _in_inline_code(line: str, start: int, tags: list[tuple[int, _Tag]]) -> set[int]:
    """Those of a line's tags that are inline code, as CommonMark delimits it."""
    marked = []
    position = 0
    for _, tag in tags:
        marked.append(line[position : tag.start - start])
        position = tag.end - start
    marked.append(line[position:])
    sign = "\ufffc"
    if sign in line:
        return set()
    inline = _markdown().parseInline(sign.join(marked))[0].children or []
    in_code: list[bool] = []
    for token in inline:
        in_code += [token.type == "code_inline"] * token.content.count(sign)
    return {number for (number, _), code in zip(tags, in_code, strict=False) if code}


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # few answers need it

    return MarkdownIt("zero").enable(["backticks", "escape"])

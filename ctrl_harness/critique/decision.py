"""Reads a judge's decision between two responses out of its answer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ctrl_harness.critique.critic import Decision
from ctrl_harness.critique.decision_mentions import (
    MARKUP,
    fenced_spans,
    is_code,
    is_no_decision,
    without_struck,
)
from ctrl_harness.critique.plain_text import plain_text
from ctrl_harness.verification.extraction import strip_reasoning

_BRACKETS = re.compile(rf"\[{MARKUP}{{0,8}}\[(?P<label>[^\[\]]{{1,80}})\]{MARKUP}{{0,8}}\]")
_SPELLINGS = str.maketrans(
    {"【": "[", "】": "]", "⟦": "[[", "⟧": "]]", "≫": ">>", "≪": "<<", "≻": ">", "≺": "<"}
)
_LATEX = re.compile(r"\\(?:(?P<more>gt|succ)|(?P<less>lt|prec)|(?P<much>gg)|(?P<little>ll))\b")
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_NOISE = re.compile(rf"{MARKUP}|[.,:;]+$")
_LABEL = re.compile(r"(?P<left>[AB])(?P<sign>>+|<+|=+)(?P<right>[AB])")
_LABEL_LIKE = re.compile(r"[AB<>=]*[<>=][AB<>=]*")
_BETWEEN_CHOICES = re.compile(
    rf"(?:{MARKUP}|[,;/|、()]|\b(?:or|nor|and|vs\.?|versus)\b|或|和){{1,24}}", re.IGNORECASE
)
_BETWEEN_ITEMS = re.compile(
    r"[^\n\[\]]{0,100}\n\s{0,20}(?:>[ \t]*)?(?:[-*+•]|\(?(?:\d{1,2}|[a-e])[.)])\s[^\n\[\]]{0,100}"
)


@dataclass(frozen=True)
class _Label:
    """A label in an answer."""

    decision: Decision
    start: int
    end: int


def parse_decision(answer: str) -> Decision:
    """The decision in a judge's answer: its label in double brackets, `missing` without one.

    `[[A>B]]`, `[[A>>B]]`, `[[B>A]]`, `[[B>>A]]`, `[[A=B]]` and `[[A==B]]`, as JudgeBench's judge on
    Arena-Hard's prompt (ScalerLab/JudgeBench, utils/judges.py): what stands outside of brackets is
    never a decision, and labels that disagree are none. More lenient in the spelling: blanks and
    markup in the brackets, escapes (`\\[\\[A>B\\]\\]`), entities, full-width signs, `[[A<B]]`
    for `[[B>A]]`; and `[[A>>B]]` agrees with `[[A>B]]`. Stricter where the brackets are struck out,
    belong to code, are one of several choices side by side, or where their sentence denies them,
    asks for them or supposes them (see decision_mentions.py).
    """
    text = plain_text(strip_reasoning(answer)).translate(_SPELLINGS)
    text = without_struck(text).replace("\\[", "[").replace("\\]", "]")
    labels = [
        label
        for choices in _choices(text, _labels(text), _BETWEEN_CHOICES)
        if not _differ(choices)
        for label in choices
        if not is_no_decision(text, label.start, label.end)
    ]
    found = {
        label.decision
        for items in _choices(text, labels, _BETWEEN_ITEMS)
        if not _differ(items)
        for label in items
    }
    return found.pop() if len(found) == 1 else "missing"


def _labels(text: str) -> Iterator[_Label]:
    """Those that are no code."""
    fences = fenced_spans(text)
    for brackets in _BRACKETS.finditer(text):
        decision = _decision(brackets["label"])
        if decision is None:
            continue
        start, end = brackets.span()
        number = bisect_right(fences, (start, len(text))) - 1
        fenced = number >= 0 and start < fences[number][1]
        if not is_code(text, start, end, fenced):
            yield _Label(decision, start, end)


def _choices(
    text: str, labels: Iterable[_Label], between: re.Pattern[str]
) -> Iterator[list[_Label]]:
    """The labels that stand side by side, as the prompt lists them, each group of them."""
    group: list[_Label] = []
    for label in labels:
        if group and not between.fullmatch(text, group[-1].end, label.start):
            yield group
            group = []
        group.append(label)
    if group:
        yield group


def _differ(labels: Iterable[_Label]) -> bool:
    return len({label.decision for label in labels}) > 1


def _decision(label: str) -> Decision | None:
    """None for what is no label at all, `missing` for one that decides nothing ("A>=B")."""
    bare = _LATEX_TEXT.sub(r"\1", label)
    bare = _LATEX.sub(_sign, bare)
    bare = _NOISE.sub("", bare)
    if not _LABEL_LIKE.fullmatch(bare):
        return None
    match = _LABEL.fullmatch(bare)
    if not match or match["left"] == match["right"]:
        return "missing"
    if match["sign"][0] == "=":
        return "A=B"
    return "A>B" if (match["sign"][0] == ">") == (match["left"] == "A") else "B>A"


def _sign(command: re.Match[str]) -> str:
    return {"more": ">", "less": "<", "much": ">>", "little": "<<"}[str(command.lastgroup)]

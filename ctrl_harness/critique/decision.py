"""Reads a judge's decision between two responses out of its answer."""

from __future__ import annotations

import re

from ctrl_harness.critique.critic import Decision
from ctrl_harness.critique.plain_text import plain_text
from ctrl_harness.verification.extraction import strip_reasoning

_MARKUP = r"[\s*_`\\$\"'“”]"
_BRACKETS = re.compile(rf"\[{_MARKUP}{{0,8}}\[(?P<label>[^\[\]]{{1,80}})\]{_MARKUP}{{0,8}}\]")
_SPELLINGS = str.maketrans(
    {"【": "[", "】": "]", "⟦": "[[", "⟧": "]]", "≫": ">>", "≪": "<<", "≻": ">", "≺": "<"}
)
_LATEX = re.compile(r"\\(?:(?P<more>gt|succ)|(?P<less>lt|prec)|(?P<much>gg)|(?P<little>ll))\b")
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_NOISE = re.compile(rf"{_MARKUP}|[.,:;]+$")
_LABEL = re.compile(r"(?P<left>[AB])(?P<sign>>+|<+|=+)(?P<right>[AB])")
_LABEL_LIKE = re.compile(r"[AB<>=]*[<>=][AB<>=]*")
_NO_DECISION_BEFORE = re.compile(
    r"(?:[A-Za-z0-9_)\]]|(?:^|[\s(;])(?:if|elif|while|until|!|&&|\|\|)\s+)$"
    r"|(?:\b(?:not|never|rather than|instead of|such as|e\.g\.|example)|n['’]t)"
    r"(?:\s+(?:say|choose|pick|give|answer|output|verdict|label|an?|the|be)\b){0,3}"
    rf"(?:{_MARKUP}|[:,(]){{0,8}}$",
    re.IGNORECASE,
)
"""What makes brackets an index, a shell's test, an example or the opposite of a decision."""
_NO_DECISION_AFTER = re.compile(r"\s*(?:;\s*(?:then|do)\b|&&|\|\|)")


def parse_decision(answer: str) -> Decision:
    """The decision in a judge's answer: its label in double brackets, `missing` without one.

    `[[A>B]]`, `[[A>>B]]`, `[[B>A]]`, `[[B>>A]]`, `[[A=B]]` and `[[A==B]]`, as JudgeBench's judge on
    Arena-Hard's prompt (ScalerLab/JudgeBench, utils/judges.py): what stands outside of brackets is
    never a decision, and labels that disagree are none. More lenient in the spelling: blanks and
    markup in the brackets, escapes (`\\[\\[A>B\\]\\]`), entities, full-width signs, `[[A<B]]`
    for `[[B>A]]`; and `[[A>>B]]` agrees with `[[A>B]]`. Stricter where the brackets belong to code
    or are denied ("not [[A>B]]").
    """
    text = plain_text(strip_reasoning(answer)).translate(_SPELLINGS)
    text = text.replace("\\[", "[").replace("\\]", "]")
    found: set[Decision] = set()
    for brackets in _BRACKETS.finditer(text):
        decision = _decision(brackets["label"])
        if decision is not None and not _is_mention(text, brackets):
            found.add(decision)
    return found.pop() if len(found) == 1 else "missing"


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


def _is_mention(text: str, brackets: re.Match[str]) -> bool:
    before = text[max(brackets.start() - 40, 0) : brackets.start()]
    return bool(
        _NO_DECISION_BEFORE.search(before) or _NO_DECISION_AFTER.match(text, brackets.end())
    )

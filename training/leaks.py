"""What a synthesised critique must not give away: the hint it was written with, and the solution.

A critic that is trained on "as the test run showed" learns to claim runs that nobody made. One that
is trained on finished programs learns to be a second generator. The second is judged by
critique/leakage.py, as in every evaluation; the first is found here, by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from ctrl_harness.critique.leakage import Leak, programs_in
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.fences import fences

LeakMode = Literal["report", "strip", "drop"]
"""What becomes of a critique that gives something away: it stays and is counted, it loses those
passages, or it is left out."""

_TESTS = r"(?:(?:hidden|given|provided|unit|all|sample|available|remaining|other)\s+)*"
_A_TEST = rf"{_TESTS}(?>test(?:[- ]?cases?)?s?)"
_OF_A_KIND = r"(?!\s+(?:where|with|when|in|of|that|which|like|such|involving|containing)\b)"
"""Tests "where n is 0" are inputs that the reviewer thinks of, not tests that somebody ran."""
_NUMBER = r"(?:\d+|none|all|zero|one|two|three|some|most|many|several|half|every|any)"
_NAMED = re.compile(
    rf"""
      (?<!type\s)(?<!type-)\bhints?\b
    | \b(?:test|sample|trial)[- ]runs?\b
    | \b(?:execution|run(?:time)?|test(?:ing)?)[- ](?:feedback|results?|outcomes?|reports?|logs?)\b
    | \bpass(?:es|ed|ing)?\s+(?:only\s+)?{_NUMBER}\s+
        (?:(?:out\s+)?of\s+)?(?:the\s+)?(?:\d+\s+)?{_A_TEST}\b{_OF_A_KIND}
    | \bpass(?:es|ed)\s+(?:the\s+){_A_TEST}\b{_OF_A_KIND}
    | \b\d+\s*(?:/|of|out\s+of)\s*(?:the\s+)?\d+\s+{_A_TEST}\b
    | \bfail(?:s|ed|ing)?\s+(?:on\s+)?(?:(?:the|a|an|one|{_NUMBER})\s+)*(?:of\s+)?(?:the\s+)?
        {_A_TEST}\b{_OF_A_KIND}
    | \b(?:the|this|that)\s+failing\s+{_A_TEST}\b
    | \b(?:when|once|after|as)\s+(?:it|the\s+(?:attempt|program|code|answer|solution))\s+
        (?:was|had\s+been|has\s+been)\s+(?:run|executed|tested)\b
    | \b(?:was|were|had\s+been)\s+(?:run|executed|tested)\s+(?:on|against|with)\b
    | \b(?:I|we)\s+(?:was|were|am|are|have\s+been)\s+(?:told|given|informed)\b
    | \b(?:the\s+)?(?:given|provided|reported|observed|shown)\s+
        (?:error|traceback|feedback|failure|exception|time-?out)\b
    | \bthe\s+(?:traceback|stack\s+trace)\b
    | \b(?:information|data|details?)\s+(?:given|provided|shown)\s+(?:above|to\s+me)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?](?!\s|\Z)[^\n.!?]*)*[.!?]*[ \t]*")
_JUDGEMENT = re.compile(r"judge?ment", re.IGNORECASE)


class Leaks(NamedTuple):
    """What a critique gave away. names_hint: it speaks of the run that only the hint knows of."""

    code: Leak = "none"
    names_hint: bool = False

    def __bool__(self) -> bool:
        return self.names_hint or self.code != "none"


def names_hint(critique: str, problem: Problem) -> bool:
    """Whether a critique speaks of a run, of tests passed or of having been told.

    Words that the problem's own statement uses are no giveaway ("for each test case, print …" is
    not either way), and neither are quotations of code.
    """
    allowed = _words(problem.statement)
    prose = (piece for piece, is_code in _pieces(critique) if not is_code)
    return any(match not in allowed for match in _words("".join(prose)))


def strip(critique: str, program: str | None, problem: Problem) -> str | None:
    """The critique without the sentences and code blocks that give something away.

    program: the draft's. None where the rest gives it away still, or where nothing is left.
    """
    allowed = _words(problem.statement)
    kept = (
        _without_program(piece, program, problem) if is_code else _without_sentences(piece, allowed)
        for piece, is_code in _pieces(critique)
    )
    text = re.sub(r"[ \t]++$", "", "".join(kept), flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    if not text or names_hint(text, problem) or programs_in(text, program, problem):
        return None
    return text


def _words(text: str) -> set[str]:
    return {" ".join(match[0].lower().split()) for match in _NAMED.finditer(text)}


def _without_program(block: str, program: str | None, problem: Problem) -> str:
    return "" if programs_in(block, program, problem) else block


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a code block; what stands between is not."""
    end = 0
    for block in fences(text):
        yield text[end : block.start], False
        end = block.end + text.startswith("\n", block.end)
        yield text[block.start : end], True
    yield text[end:], False


def _without_sentences(piece: str, allowed: set[str]) -> str:
    return _SENTENCE.sub(lambda sentence: _kept(sentence[0], allowed), piece)


def _kept(sentence: str, allowed: set[str]) -> str:
    if _words(sentence) <= allowed:
        return sentence
    # the verdict and the heads of its parts stay whatever stands beside them on their line
    head = re.match(r"[ \t]*[*#_]*[A-Z][\w ]{2,40}:[*_]*[ \t]*", sentence)
    if head is None:
        return ""
    if _JUDGEMENT.search(head[0]):
        word = re.match(r"[*_`]*(?:in)?correct\b[*_`]*[.!]?", sentence[head.end() :], re.IGNORECASE)
        return head[0] + (word[0] if word else "")
    return head[0]

"""What a TACO statement shows of its tests, and what it must be told besides."""

from __future__ import annotations

import re

from ctrl_harness.problems.problem import CallCase, StdioCase, TestCase
from ctrl_harness.training.taco_tests import TacoTests

_MAX_EXAMPLE_CHARS = 500
_EXAMPLES_TRIED = 20
_MAX_SHOWN_CHARS = 2_000
_OUTPUT_WITHIN_CHARS = 200
_SEVERAL = r"(?:answers|solutions|outputs|constructions|ways)"
_SPECIAL_JUDGE = re.compile(
    r"\b(?:print|output|return|find|report|give)\s+any\b(?!\s+number)"
    r"|\bany\s+(?:one\s+)?of\s+(?:them|these|those)\s+(?:will|is|are|would|may|can)\b"
    rf"|\b(?:multiple|several)\s+(?:\w+\s+){{0,2}}{_SEVERAL}\b"
    r"|\bthere\s+(?:are|exist|may\s+be|can\s+be)\s+(?:many|different)\s+(?:\w+\s+){0,2}"
    rf"{_SEVERAL}\b"
    r"|\bany\s+(?:valid|correct|possible|suitable|optimal)\s+(?:answer|solution|output)\b"
    r"|\b(?:print|output|return|list)\w*\b[^.]{0,80}\bin\s+any\s+order\b",
    re.IGNORECASE,
)


def has_several_answers(question: str) -> bool:
    """A guess by the words: the statement takes any of several outputs, so that a comparison with
    one of them may refuse a right program."""
    return _SPECIAL_JUDGE.search(question) is not None


def shown(question: str, cases: tuple[TestCase, ...]) -> tuple[TestCase, ...]:
    """The cases that the statement shows: the input's text, and the output's soon after it.

    TACO does not mark public tests. What stands in the statement is known to whoever reads it.
    """
    text = " ".join(question.split())
    return tuple(
        case
        for case in cases
        if isinstance(case, StdioCase)
        and len(case.stdin) + len(case.stdout) <= _MAX_SHOWN_CHARS
        and _shows(text, " ".join(case.stdin.split()), " ".join(case.stdout.split()))
    )


def _shows(text: str, given: str, expected: str) -> bool:
    # most tests are not shown, and these searches are much faster than the exact ones below
    if not given or not expected or given not in text or expected not in text:
        return False
    words = rf"(?<!\S){re.escape(given)}(?!\S)"
    for found in re.finditer(words, text):
        after = text[found.end() : found.end() + len(expected) + _OUTPUT_WITHIN_CHARS]
        if re.search(rf"(?<!\S){re.escape(expected)}(?!\S)", after):
            return True
    return False


def with_example(question: str, tests: TacoTests) -> tuple[str, tuple[TestCase, ...]]:
    """The question and one call, from which the function's name is known; and that case.

    As CTRL asks such rows (and MBPP+): with the first test, here the first that is short.
    """
    for case in tests.cases[:_EXAMPLES_TRIED]:
        assert isinstance(case, CallCase)
        try:
            arguments = ", ".join(map(repr, case.args))
            line = f"assert {case.function}({arguments}) == {case.expected!r}"
        except ValueError:  # an integer beyond Python's limit of decimal digits
            continue
        if len(line) <= _MAX_EXAMPLE_CHARS:
            example = f"The function is called `{case.function}`. For example:\n{line}"
            return f"{question}\n\n{example}", (case,)
    return f"{question}\n\nThe function is called `{tests.function}`.", ()


def made_starter_code(function: str, cases: tuple[TestCase, ...]) -> str:
    """`def name(arg1, arg2):`, for rows that bring no starter code of that name."""
    most = max(len(case.args) for case in cases if isinstance(case, CallCase))
    parameters = ", ".join(f"arg{number}" for number in range(1, most + 1))
    return f"def {function}({parameters}):"

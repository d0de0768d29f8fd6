"""What running a program on some cases shows, in a form that a prompt can tell.

The five kinds are those of CTRL's hints (arXiv 2502.03492, table 7); the words are in the prompt
set's `hint.txt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctrl_harness.integers import readable
from ctrl_harness.problems.problem import CallCase, Problem, ScriptCase, StdioCase
from ctrl_harness.verification.verdict import Verdict

FeedbackKind = Literal[
    "all_passed", "none_passed", "wrong_answer", "error", "time_limit", "memory_limit",
    "output_limit", "no_code",
]
_MAX_CHARS = 1_200


@dataclass(frozen=True, slots=True)
class Feedback:
    """The outcome of an execution, told by its first failing case.

    input, expected and error (the end of the traceback) are texts, cut in the middle beyond 1,200
    characters; of actual, only the beginning is known.
    """

    kind: FeedbackKind
    n_passed: int
    n_cases: int
    input: str = ""
    expected: str = ""
    actual: str = ""
    error: str = ""

    @property
    def passed(self) -> bool:
        return self.kind == "all_passed"


def describe(problem: Problem, verdict: Verdict) -> Feedback:
    """Feedback on a verdict over all of `problem.cases`.

    The first failing case says the kind, but for `none_passed`: none of several cases passed (the
    paper's 0 %), however the others failed, and the first gave a wrong answer, which is told as
    well. A first case that ended in an error or at a limit is told as that, whatever passed: the
    paper keeps these apart too, and they say more of what to mend.
    """
    n_passed, n_cases = verdict.n_passed, verdict.n_cases
    failure = verdict.first_failure
    if verdict.status == "no_code" or failure is None:
        kind: FeedbackKind = "no_code" if verdict.status == "no_code" else "all_passed"
        return Feedback(kind, n_passed, n_cases)
    given, expected = _texts(problem, failure.index)
    match failure.status:
        case "wrong_answer":
            kind = "none_passed" if n_passed == 0 and n_cases > 1 else "wrong_answer"
        case "time_limit":
            kind = "time_limit"
        case "memory_limit":
            kind = "memory_limit"
        case "output_limit":
            kind = "output_limit"
        case _:
            kind = "error"
    return Feedback(
        kind,
        n_passed,
        n_cases,
        input=_cut(given),
        expected=_cut(expected),
        actual=_beginning(failure.output),
        error=_cut(failure.error),
    )


def _texts(problem: Problem, index: int) -> tuple[str, str]:
    match problem.cases[index]:
        case StdioCase(stdin, stdout):
            return stdin, stdout
        case CallCase(function, args, expected, oracle):
            expected = expected[0] if oracle == "any_of" else expected
            return f"{function}({', '.join(map(readable, args))})", readable(expected)
        case ScriptCase(script):
            return script, ""


def _beginning(text: str) -> str:
    text = text.strip("\n")
    return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}\n[... cut off here ...]"


def _cut(text: str) -> str:
    text = text.strip("\n")
    if len(text) <= _MAX_CHARS:
        return text
    half = _MAX_CHARS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"

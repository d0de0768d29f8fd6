"""CruxEval and RepoBench: what is judged is not a program, but words about one.

Source: sandbox/datasets/cruxeval.py, repobench_c.py, repobench_p.py. CruxEval's row holds a
function that runs; an answer is accepted where it is a literal, as CruxEval asks for: SandboxFusion
also evaluates calls, so that `f(x)` answers itself. For RepoBench nothing runs.
"""

from __future__ import annotations

import ast

from ctrl_harness.errors import UserError
from ctrl_harness.problems.plain_values import NotPlain, plain_value
from ctrl_harness.problems.problem import CallCase, StdioCase
from ctrl_harness.problems.test_code import MAX_CHARS
from ctrl_harness.server.models import SubmitRequest
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.row_fields import Row, problem_of_row, text_of
from ctrl_harness.server.submission import Submission
from ctrl_harness.syntax import parse_program
from ctrl_harness.verification.extraction import Found
from ctrl_harness.verification.time_limit import TimeLimit

_FUNCTION = "f"
_ENDS = ("# done", "[/ANSWER]")
_RUN_S = 30.0
_DOCSTRING_MARKS = ('"""', "'''")
MODES = ("input", "output")


def crux_eval(request: SubmitRequest, row: Row) -> Submission:
    """`code` defines f; `extra.mode` says whether the completion holds an input or the output."""
    mode = request.config.extra.get("mode")
    if mode not in MODES:
        raise UserError(f"config.extra.mode is {mode!r:.80}; give input or output")
    code, call = text_of(row, "code"), f"{_FUNCTION}({text_of(row, 'input')})"
    own = _case(call, text_of(row, "output"))
    if own is None:
        raise UserError("fields 'input' and 'output' are not literals")
    left, right = _sides(_answer(request.completion))
    if mode == "input":
        said = left
        case = _case(said, text_of(row, "output"))
    else:
        said = right or left
        case = _case(call, said)
    problem = problem_of_row(str(request.id), row, [case or own], comparator="evalplus")
    return Submission(
        problem,
        Found(code if case else None, "heuristic"),
        TimeLimit(seconds=request.config.run_timeout or _RUN_S),
        extracted_code=said,
        full_code=f"{code}\nassert {said if mode == 'input' else call} == "
        f"{text_of(row, 'output') if mode == 'input' else said}",
    )


def _answer(completion: str) -> str:
    """What stands between [ANSWER] and its end, without `assert`."""
    for end in _ENDS:
        completion = completion.partition(end)[0]
    answer = completion.partition("[ANSWER]")[2] or completion
    _, asserted, rest = answer.partition(f"assert {_FUNCTION}")
    return f"{_FUNCTION}{rest}".strip() if asserted else answer.strip()


def _sides(answer: str) -> tuple[str, str]:
    """Both sides of `==`; all of it on the left where it is no comparison."""
    if len(answer) <= MAX_CHARS:
        try:
            match parse_program(answer).body:
                case [ast.Expr(value=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))]:
                    return ast.unparse(left), ast.unparse(right)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return answer, ""


def _case(call: str, value: str) -> CallCase | None:
    """None unless it is a call of f on literals and a literal."""
    if len(call) + len(value) > MAX_CHARS:
        return None
    try:
        match parse_program(f"({call}) == ({value})").body:
            case [
                ast.Expr(
                    value=ast.Compare(
                        left=ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]),
                        ops=[ast.Eq()],
                        comparators=[expected],
                    )
                )
            ] if name == _FUNCTION:
                values = tuple(plain_value(argument, {}) for argument in arguments)
                return CallCase(name, values, plain_value(expected, {}))
    except (SyntaxError, ValueError, RecursionError, MemoryError, NotPlain):
        pass
    return None


def repo_bench(request: SubmitRequest, row: Row) -> Submission:
    """`next_line`: the completion's first line of code must have the same words."""
    language = request.dataset.rpartition("_")[2]
    if language == "java":
        raise NotSupported("the row is of language 'java'; only python is judged here")
    expected = text_of(row, "next_line")
    line = _first_line_of_code(request.completion)
    problem = problem_of_row(str(request.id), row, [StdioCase("", expected)])
    return Submission(
        problem,
        Found(line, "heuristic"),
        decided="accepted" if line.split() == expected.split() else "wrong_answer",
    )


def _first_line_of_code(completion: str) -> str:
    """The first line that is not blank, a comment, or of a docstring; else the first of all."""
    lines = completion.lstrip("\n").split("\n")
    inside = False
    for line in lines:
        text = line.strip()
        if inside:
            inside = not text.endswith(_DOCSTRING_MARKS)
        elif text.startswith(_DOCSTRING_MARKS):
            inside = True
        elif text and not text.startswith("#"):
            return line
    return lines[0]

"""Our own routes: `/verify` judges on a problem, `/execute` only runs on inputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.run_wire import input_from_json, run_as_json
from ctrl_harness.problems.problem import Limits, Problem
from ctrl_harness.problems.problem_file import parse_problem
from ctrl_harness.problems.test_code import MAX_CHARS as MAX_SCRIPT_CHARS
from ctrl_harness.server.models import ExecuteRequest, VerifyRequest
from ctrl_harness.verification.extraction import get_extraction
from ctrl_harness.verification.output_size import size_of_value

_PROBLEM_FIELDS = ("cases", "statement", "limits", "comparator")
_ANSWER_CHARS = 32 << 20
_LIMITS = ("time_s", "memory_mb", "output_mb")


def problem_to_verify(request: VerifyRequest) -> Problem:
    """Raises UserError for whatever a problem file may not hold, and for code too long to parse."""
    code = (
        text for case in request.cases for name in ("script", "expected_repr")
        if isinstance(text := case.get(name), str)
    )  # fmt: skip
    if sum(map(len, code)) > MAX_SCRIPT_CHARS:
        raise UserError(f"scripts and literals have more than {MAX_SCRIPT_CHARS} characters")
    data = {name: getattr(request, name) for name in _PROBLEM_FIELDS}
    try:
        problem = parse_problem(data, request.id)
        problem.digest()  # here, so that values too deep for it are the client's doing
        return problem
    except RecursionError:
        raise UserError("a case holds values nested too deeply; flatten them") from None


def program_to_verify(request: VerifyRequest) -> tuple[str | None, str | None]:
    """(program, the extraction that found it). Raises UserError unless one of both is given."""
    if (request.program is None) == (request.completion is None):
        raise UserError("give exactly one of program and completion")
    if request.completion is None:
        return request.program, None
    return get_extraction(request.extraction)(request.completion), request.extraction


def inputs_to_execute(request: ExecuteRequest) -> list[Input]:
    """Raises UserError."""
    if not request.inputs:
        raise UserError("inputs is empty; there is nothing to run")
    return [input_from_json(f"inputs[{i}]", data) for i, data in enumerate(request.inputs)]


def limits_to_execute(request: ExecuteRequest) -> Limits:
    """Raises UserError."""
    for name in request.limits:
        if name not in _LIMITS:
            raise UserError(f"limits has an unknown field {name!r:.80}; known are {_LIMITS}")
    return Limits(**request.limits)


def program_to_execute(request: ExecuteRequest) -> Program:
    return Program(request.program, request.prelude)


def within(budget_s: float) -> Callable[[Run], bool]:
    """True once the budget is spent, counted from the first run, or the answer is a large one."""
    ends: list[float] = []
    chars = 0

    def spent(run: Run) -> bool:
        nonlocal chars
        if not ends:
            ends.append(time.monotonic() + budget_s)
        chars += len(run.stdout) + (0 if run.value is None else size_of_value(run.value))
        return time.monotonic() >= ends[0] or chars > _ANSWER_CHARS

    return spent


def execute_response(runs: list[Run]) -> dict[str, Any]:
    return {"runs": [run_as_json(run) for run in runs]}

"""A complete problem as JSON and back, tests and expected values included.

`read_problem_file` reads what a person writes by hand, and keeps to that. What training stores must
come back with the same digest: tuples, sets, bytes, infinities, a reference program. Values carry
the tags of the executor's wire format and come through its reader, which runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.execution.run_wire import value_as_json, value_from_json
from ctrl_harness.execution.wire import WireError
from ctrl_harness.problems.problem import (
    FROM_REFERENCE,
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)

_TEXTS = ("id", "dataset", "statement", "starter_code", "prelude", "comparator")
_OPTIONAL_TEXTS = ("reference", "time_reference")


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Plain JSON types. Raises UserError for a value without a plain form."""
    return {
        **{name: getattr(problem, name) for name in (*_TEXTS, *_OPTIONAL_TEXTS)},
        "cases": [_case_as_json(case) for case in problem.cases],
        "public_cases": [_case_as_json(case) for case in problem.public_cases],
        "limits": problem.limits.as_json(),
        "metadata": dict(problem.metadata),
    }


def problem_from_json(data: Any) -> Problem:
    """The problem that `problem_as_json` wrote. Raises UserError for anything else."""
    try:
        reference, time_reference = (
            None if data[name] is None else _text(data[name]) for name in _OPTIONAL_TEXTS
        )
        return Problem(
            **{name: _text(data[name]) for name in _TEXTS},
            reference=reference,
            time_reference=time_reference,
            cases=tuple(map(_case_from_json, data["cases"])),
            public_cases=tuple(map(_case_from_json, data["public_cases"])),
            limits=Limits(**data["limits"]),
            metadata=dict(data["metadata"]),
        )
    except (KeyError, TypeError, ValueError, WireError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"the JSON is none of a stored problem ({reason}); write it anew") from None


def _case_as_json(case: TestCase) -> dict[str, Any]:
    if not isinstance(case, CallCase):
        return case.as_json()
    expected = (
        {"from_reference": True}
        if case.expected is FROM_REFERENCE
        else {"expected": value_as_json(case.expected)}
    )
    return {
        "function": case.function,
        "args": value_as_json(list(case.args)),
        **expected,
        "oracle": case.oracle,
        "atol": case.atol,
        "rtol": case.rtol,
    }


def _case_from_json(data: Mapping[str, Any]) -> TestCase:
    if "script" in data:
        return ScriptCase(_text(data["script"]))
    if "stdin" in data:
        return StdioCase(_text(data["stdin"]), _text(data["stdout"]))
    of_reference = data.get("from_reference") is True
    return CallCase(
        function=_text(data["function"]),
        args=tuple(value_from_json(data["args"])),
        expected=FROM_REFERENCE if of_reference else value_from_json(data["expected"]),
        oracle=data["oracle"],
        atol=data["atol"],
        rtol=data.get("rtol", 0.0),  # files of version 0.1 have none
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.80} is not text")

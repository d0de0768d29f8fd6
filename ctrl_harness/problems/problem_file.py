"""The JSON file of `ctrl-harness verify --problem FILE.json`: one problem, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits, load_json
from ctrl_harness.problems.literals import parse_literal
from ctrl_harness.problems.problem import (
    CallCase,
    Limits,
    Problem,
    StdioCase,
    TestCase,
)
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.problems.test_code import read_test_code

DATASET = "file"
"""The data set's name that a problem from a file carries."""

_KEYS = ("statement", "cases", "limits", "comparator")
_LIMITS = ("time_s", "memory_mb", "output_mb")
_FORMS = (
    ("stdin", ("stdin", "stdout")),
    ("function", ("function", "args", "expected", "expected_repr")),
    ("script", ("script", "setup", "entry_point")),
)


def read_problem_file(path: str | PathLike[str]) -> Problem:
    """The problem in a file; its id is the file's name without the ending.

    Raises UserError, naming the case and the field, for whatever does not fit the format.
    """
    file = Path(path)
    try:
        data = load_json(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); give another file") from None
    except TooManyDigits as error:
        raise UserError(f"{path} holds {error}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a JSON file ({error}); correct it") from None
    try:
        problem = parse_problem(data, file.stem)
        problem.digest()  # here, so that values too deep for it are a sentence and no traceback
        return problem
    except RecursionError:
        raise UserError(f"{path} holds values nested too deeply; flatten them") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def parse_problem(data: Any, problem_id: str) -> Problem:
    """The problem that the parsed JSON describes. Raises UserError as `read_problem_file` does."""
    if not isinstance(data, Mapping):
        raise UserError(f"a problem is a JSON object, not {kind_of(data)}")
    _only_known("the problem", data, _KEYS)
    cases = data.get("cases")
    if not isinstance(cases, list) or not cases:
        raise UserError("cases must be a list of at least one case")
    comparator = data.get("comparator", "default")
    if not isinstance(comparator, str):
        raise UserError(f"comparator is {kind_of(comparator)}; give its name")
    read: list[TestCase] = []
    preludes: dict[str, None] = {}
    for index, case in enumerate(cases):
        found, prelude = _cases(f"cases[{index}]", case)
        read += found
        preludes[prelude] = None
    statement = data.get("statement", "")
    if not isinstance(statement, str):
        raise UserError(f"statement is {kind_of(statement)}; give text")
    return Problem(
        id=problem_id,
        dataset=DATASET,
        statement=statement,
        cases=tuple(read),
        limits=_limits(data.get("limits", {})),
        prelude="".join(preludes),
        comparator=comparator,
    )


def _limits(data: Any) -> Limits:
    if not isinstance(data, Mapping):
        raise UserError(f"limits is {kind_of(data)}; give an object of {', '.join(_LIMITS)}")
    _only_known("limits", data, _LIMITS)
    return Limits(**data)


def _cases(place: str, data: Any) -> tuple[Sequence[TestCase], str]:
    """The cases that an entry stands for, and what runs before the program."""
    if not isinstance(data, Mapping):
        raise UserError(f"{place} is {kind_of(data)}; give an object")
    forms = [(key, fields) for key, fields in _FORMS if key in data]
    if len(forms) != 1:
        raise UserError(f"{place} has {len(forms)} of stdin, function and script; give exactly one")
    form, fields = forms[0]
    _only_known(place, data, fields)
    if form == "stdin":
        return [StdioCase(_text(place, data, "stdin"), _text(place, data, "stdout"))], ""
    if form == "script":
        return _script(place, data)
    return [_call(place, data)], ""


def _call(place: str, data: Mapping[str, Any]) -> CallCase:
    function = _text(place, data, "function")
    if not function.isidentifier():
        raise UserError(f"{place}.function is {function!r}; give the name of a function")
    arguments = data.get("args")
    if not isinstance(arguments, list):
        raise UserError(f"{place}.args is {kind_of(arguments)}; give a list, [] for none")
    if ("expected" in data) == ("expected_repr" in data):
        raise UserError(f"{place} needs exactly one of expected and expected_repr")
    if "expected" in data:
        return CallCase(function, tuple(arguments), data["expected"])
    try:
        expected = parse_literal(_text(place, data, "expected_repr"))
    except UserError as error:
        raise UserError(f"{place}.expected_repr: {error}") from None
    return CallCase(function, tuple(arguments), expected)


def _script(place: str, data: Mapping[str, Any]) -> tuple[Sequence[TestCase], str]:
    setup = _text(place, data, "setup") if "setup" in data else ""
    entry_point = _text(place, data, "entry_point") if "entry_point" in data else None
    script = _text(place, data, "script").removeprefix("\ufeff")
    if not script.strip():
        raise UserError(f"{place}.script is empty; it would accept any program")
    try:
        tests = read_test_code(script, setup=setup, entry_point=entry_point)
    except UserError as error:
        raise UserError(f"{place}.script {error}") from None
    return tests.cases, tests.prelude


def _text(place: str, data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        missing = "is missing" if name not in data else f"is {kind_of(value)}"
        raise UserError(f"{place}.{name} {missing}; give text")
    return value


def _only_known(place: str, data: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in data:
        if key not in known:
            raise UserError(f"{place} has an unknown field {key!r}; known are {', '.join(known)}")

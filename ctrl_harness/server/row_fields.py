"""Fields of the rows that requests carry: SandboxFusion's hold values, or JSON text of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits, load_json
from ctrl_harness.problems.problem import Problem, TestCase
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.server.request_json import MOST_DIGITS, MOST_VALUES, has_too_many_values

Row = Mapping[str, Any]


def required(row: Row, name: str) -> Any:
    """The field's value, read as JSON where it is text. Raises UserError where it is missing."""
    value = row.get(name)
    if value is None:
        raise UserError(f"field {name!r} is missing in provided_data")
    return parse_json(name, value) if isinstance(value, str) else value


def parse_json(name: str, text: str) -> Any:
    """Raises UserError, naming the field. Bare control characters are taken, as there."""
    if len(text) > MOST_VALUES and has_too_many_values(text.encode("utf-8", "surrogatepass")):
        raise UserError(f"field {name!r} holds more than {MOST_VALUES} values of JSON")
    try:
        try:
            return load_json(text, most_digits=MOST_DIGITS)
        except json.JSONDecodeError:
            return json.loads(text, strict=False)
    except TooManyDigits as error:
        raise UserError(f"field {name!r} holds {error}") from None
    except (ValueError, RecursionError):
        raise UserError(f"field {name!r} is not JSON") from None


def labels_of(row: Row) -> dict[str, Any]:
    """`labels`, empty where the row has none."""
    labels = required(row, "labels") if row.get("labels") else {}
    if not isinstance(labels, Mapping):
        raise UserError(f"field 'labels' holds {kind_of(labels)}, not an object")
    return dict(labels)


def text_of(row: Row, *names: str) -> str:
    """The first of these fields that the row has. Raises UserError for none, or no text."""
    for name in names:
        value = row.get(name)
        if value is not None:
            if not isinstance(value, str):
                raise UserError(f"field {name!r} holds {kind_of(value)}, not text")
            return value
    raise UserError(f"field {names[0]!r} is missing in provided_data")


def problem_of_row(
    problem_id: str,
    row: Row,
    cases: Sequence[TestCase],
    *,
    comparator: str = "sandbox_fusion",
    prelude: str = "",
) -> Problem:
    """Raises UserError for a row without tests, which SandboxFusion would let anything pass."""
    if not cases:
        raise UserError("field 'test' holds no test; nothing would be judged")
    statement = row.get("content", "")
    return Problem(
        id=problem_id,
        dataset="sandbox_fusion",
        statement=statement if isinstance(statement, str) else "",
        cases=tuple(cases),
        prelude=prelude,
        comparator=comparator,
    )

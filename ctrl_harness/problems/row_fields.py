"""Typed access to a row's fields; what has the wrong shape is a sentence that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError

RowData = Mapping[str, Any]


def kind_of(value: Any) -> str:
    """A JSON value's type in words a reader of the data knows."""
    names = {
        type(None): "null", bool: "a boolean", int: "an integer", float: "a number",
        str: "text", list: "a list", dict: "an object",
    }  # fmt: skip
    return names.get(type(value), type(value).__name__)


def text(row: RowData, name: str) -> str:
    """The field as text, which may be empty."""
    value = row.get(name)
    if isinstance(value, str):
        return value
    raise UserError(_wrong(name, value, "text"))


def filled_text(row: RowData, name: str) -> str:
    """The field as text that holds more than blanks."""
    value = text(row, name)
    if not value.strip():
        raise UserError(f"field {name!r} is empty")
    return value


def optional_text(row: RowData, name: str) -> str:
    """The field as text, `""` where it is null or absent."""
    return "" if row.get(name) is None else text(row, name)


def optional_integer(row: RowData, name: str) -> int | None:
    """The field as an integer, None where it is null or absent.

    2.0 counts as 2: pandas writes a column of integers so where one of them is missing.
    """
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise UserError(_wrong(name, value, "an integer"))


def texts(row: RowData, name: str, *, within: str = "") -> list[str]:
    """The field as a list of texts; `within` names the object that holds it."""
    value = row.get(name)
    path = f"{within}.{name}" if within else name
    if not isinstance(value, list):
        raise UserError(_wrong(path, value, "a list of texts"))
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise UserError(f"field {path!r} holds {kind_of(item)} at index {index}, not text")
    return value


def optional_texts(row: RowData, name: str) -> list[str]:
    """The field as a list of texts, empty where it is null or absent."""
    return [] if row.get(name) is None else texts(row, name)


def optional_mapping(row: RowData, name: str) -> Mapping[str, Any] | None:
    """The field as an object, None where it is null or absent."""
    value = row.get(name)
    if value is None or isinstance(value, Mapping):
        return value
    raise UserError(_wrong(name, value, "an object"))


def _wrong(name: str, value: Any, wanted: str) -> str:
    if value is None:
        return f"field {name!r} is missing"
    return f"field {name!r} is {kind_of(value)}, not {wanted}"

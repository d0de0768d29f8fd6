"""What `-T name=value` may be: Inspect reads values as YAML, splits text at commas, and changes
into the task file's folder, so that a path does not arrive as it was typed."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.verification.output_limit import CHOICES as OUTPUT_CHOICES
from ctrl_harness.verification.output_limit import OutputLimit
from ctrl_harness.verification.time_limit import CHOICES, TimeLimit

# this module is imported through the entry point, before Inspect leaves the user's folder
_STARTED_IN = Path.cwd()

_VOTING = re.compile(r"(?:vote:\d+:)+")


def path_or_name(value: Any, names: Collection[str]) -> str:
    """One of the names, or a path, as it was typed; a name is never taken for a folder that
    happens to be called so (`./hub` is that folder).

    A list is text that was split at its commas; numbers and dates are what YAML made of a name.
    A relative path that is not found from the current folder (which may be the task file's) is
    looked for in the one in which the user started Inspect.
    """
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    path = Path(text).expanduser()
    if not text or text in names or path.is_absolute() or path.exists():
        return text
    started = _STARTED_IN / path
    return str(started) if started.exists() else text


def name(parameter: str, value: Any) -> str:
    """Text; UserError for what YAML made into something else."""
    if not isinstance(value, str):
        raise UserError(f"{parameter}={value!r} is not a name; give one name")
    return value


def critic(parameter: str, value: Any) -> str:
    """A critic's name; the file in `path/file.py:NAME` or `NAME:FILE`, where there is one, by its
    whole path, since logs outlive the folder that was current."""
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else name(parameter, value)
    voting = _VOTING.match(text)
    head, text = text[: voting.end()] if voting else "", text[voting.end() if voting else 0 :]
    path, in_file, target = text.partition(".py:")
    if in_file:
        return f"{head}{_found(path + '.py')}:{target}"
    base, colon, argument = text.partition(":")
    return head + base + colon + (_found(argument) if argument else "")


def _found(path: str) -> str:
    full = Path(path_or_name(path, ())).expanduser()
    return str(full.absolute()) if full.exists() else path


def flag(parameter: str, value: Any) -> bool:
    """true or false, and nothing that merely counts as such."""
    if not isinstance(value, bool):
        raise UserError(f"{parameter}={value!r} is neither true nor false; give one of them")
    return value


def whole_number(parameter: str, value: Any) -> int:
    """0, 1, 2, …"""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UserError(f"{parameter} is {value!r}; give 0 or a positive whole number")
    return value


def positive_number(parameter: str, value: Any) -> int:
    """1, 2, 3, …"""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{parameter} is {value!r}; give a whole number from 1")
    return value


def numbers(parameter: str, value: Any) -> tuple[int, ...]:
    """1,5,1: whole numbers from 1; Inspect splits text at its commas."""
    parts = value.split(",") if isinstance(value, str) else value
    parts = [parts] if isinstance(parts, int) else parts
    try:
        return tuple(positive_number(parameter, int(str(part))) for part in parts)
    except (TypeError, ValueError):
        raise UserError(
            f"{parameter} is {value!r:.80}; give whole numbers from 1, with commas between them"
        ) from None


def names(parameter: str, value: Any) -> list[str]:
    """pandas,sympy: names with commas between them; null is none."""
    parts = value.split(",") if isinstance(value, str) else value
    parts = [] if parts is None else parts
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise UserError(f"{parameter} is {value!r:.80}; give names, with commas between them")
    return [part.strip() for part in parts if part.strip()]


def positive_or_null(parameter: str, value: Any) -> int | None:
    """1, 2, 3, … or null."""
    return None if value is None else positive_number(parameter, value)


def number_within(lowest: float, highest: float, parameter: str, value: Any) -> float | None:
    """A number between the two, or null."""
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not lowest <= value <= highest:
        raise UserError(
            f"{parameter} is {value!r}; give a number from {lowest:g} to {highest:g}, or null"
        )
    return float(value)


def one_of(choices: Collection[str], parameter: str, value: Any) -> str:
    """One of the names."""
    if value not in choices:
        raise UserError(f"{parameter} is {value!r}; give {' or '.join(choices)}")
    return str(value)


def time_limit(parameter: str, value: Any) -> str:
    """row, row*K or seconds, in the one spelling that logs carry."""
    try:
        return str(TimeLimit.parse(value))
    except UserError:
        raise UserError(f"{parameter} is {value!r:.80}; give {CHOICES}") from None


def output_mb(parameter: str, value: Any) -> str:
    """row or MiB, in the one spelling that logs carry."""
    try:
        return str(OutputLimit.parse(value))
    except UserError:
        raise UserError(f"{parameter} is {value!r:.80}; give {OUTPUT_CHOICES}") from None

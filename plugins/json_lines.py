"""Files of somebody's, with a JSON value a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import load_json


def read_lines(path: Path, what: str) -> Iterator[tuple[str, Any]]:
    """Where a line stands (`line 3 of PATH`) and its value, of each line that is not blank.

    what: what the file holds. Raises UserError for a file that cannot be read and a line that is
    not JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the {what} {path} cannot be read: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {path}"
        try:
            value = load_json(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is not JSON ({error}); write one object a line") from error
        yield where, value

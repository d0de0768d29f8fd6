"""Files of somebody's, with a JSON value a line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import load_json

_GZIP = b"\x1f\x8b"
"""How such a file begins, whatever its name."""


def read_lines(path: Path, what: str) -> Iterator[tuple[str, Any]]:
    """Where a line stands (`line 3 of PATH`) and its value, of each line that is not blank.

    what: what the file holds, which may be compressed with gzip. Raises UserError for a file that
    cannot be read and a line that is not JSON.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data.startswith(_GZIP) else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
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

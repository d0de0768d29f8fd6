"""TACO's time and memory limits: free text such as `2.0 seconds`, `1 sec`, `512 megabytes`."""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = r"[0-9]+(?:[.,][0-9]+)?|\.[0-9]+"
_AMOUNT = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[a-z]*)", re.IGNORECASE)
_MAX_TIME_S, _MAX_MEMORY_MB = 600.0, 65_536.0
_SMALLEST_MEMORY_MB = 64.0  # below that an interpreter does not start


def time_limit_s(text: str) -> float | None:
    """Wall seconds; None where the text names no time above 0 and up to ten minutes.

    A number without a unit is seconds. Of several amounts (`1 - 2.5 seconds`, one a language) the
    largest counts, since Python is seldom the language that the smallest was meant for.
    """
    return _largest(text, _seconds, _MAX_TIME_S)


def memory_limit_mb(text: str) -> float | None:
    """MiB, at least 64; None where the text names no memory up to 64 GiB.

    A number without a unit is megabytes. `megabytes`, `MB` and `MiB` are all 2**20 bytes.
    """
    found = _largest(text, _megabytes, _MAX_MEMORY_MB)
    return None if found is None else max(found, _SMALLEST_MEMORY_MB)


def _largest(text: str, factor_of: Callable[[str], float], bound: float) -> float | None:
    """`1 - 2 MB`: an amount without a unit has that of the next one with a unit."""
    amounts: list[float] = []
    unit = ""
    for match in reversed(list(_AMOUNT.finditer(text))):
        unit = match["unit"].lower() or unit
        amounts.append(float(match["number"].replace(",", ".")) * factor_of(unit))
    known = [amount for amount in amounts if 0 < amount <= bound]
    return max(known, default=None)


def _seconds(unit: str) -> float:
    if unit.startswith(("ms", "milli")):
        return 1e-3
    return 60.0 if unit == "m" or unit.startswith("min") else 1.0


def _megabytes(unit: str) -> float:
    """By its first letter: kilobytes, KB and KiB are one unit."""
    return {"b": 2.0**-20, "k": 2.0**-10, "g": 1024.0, "t": 2.0**20}.get(unit[:1], 1.0)

"""How long a program may take: `row`, `row*k`, seconds, and the total a protocol may set."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, cast

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Limits

MAX_S = 3600.0
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?"
_SCALED = re.compile(rf"row(?:\s*[*×]\s*(?P<factor>{_NUMBER}))?\Z")
_FIXED = re.compile(rf"(?P<seconds>{_NUMBER})(?:/(?P<total>total|program))?\Z")
_TOTAL_MARGIN_S = 5.0
_MAX_TOTAL_S = 160.0
Total = Literal["", "total", "program"]
CHOICES = "row, row*K (K times the row's own) or seconds, above 0 and below 3600"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Wall seconds a test may take: the row's own times `factor`, or `seconds` where given.

    total: what all tests of a program have together, whichever of them takes the time. `total`:
    min((seconds + 1)·n + 5, 160) s, SandboxFusion's rule for LiveCodeBench (LiveCodeBenchDataset),
    which is min(31·n + 5, 160) s with CTRL's 30 s a test. `program`: the seconds themselves, as
    where all tests are one run; CTRL's on MBPP+ (critic-rl, ctrl/eval/sandbox_utils.py). Raises
    UserError for numbers out of range.
    """

    seconds: float | None = None
    factor: float = 1.0
    total: Total = ""

    def __post_init__(self) -> None:
        if not _in_range(self.factor) or not (self.seconds is None or _in_range(self.seconds)):
            raise UserError(f"{self!r} is out of range; give {CHOICES}")
        if self.seconds is None and self.total:
            raise UserError(f"a total needs seconds; give SECONDS/{self.total}")
        if self.seconds is not None and self.factor != 1.0:
            raise UserError("a time limit is seconds or a multiple of the row's; give one of them")

    @classmethod
    def parse(cls, value: object) -> TimeLimit:
        """`row`, `row*2`, `row×2`, `30`, `30/total`, `30/program`, a number. Raises UserError."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and _in_range(value):
            return cls(seconds=float(value))
        text = value.strip() if isinstance(value, str) else ""
        if (scaled := _SCALED.match(text)) and _in_range(factor := float(scaled["factor"] or 1)):
            return cls(factor=factor)
        if (fixed := _FIXED.match(text)) and _in_range(seconds := float(fixed["seconds"])):
            return cls(seconds=seconds, total=cast(Total, fixed["total"] or ""))
        raise UserError(f"time limit {value!r:.80} cannot be used; give {CHOICES}")

    def __str__(self) -> str:
        """What `parse` reads back."""
        if self.seconds is not None:
            return _short(self.seconds) + (f"/{self.total}" if self.total else "")
        return "row" if self.factor == 1.0 else f"row*{_short(self.factor)}"

    @property
    def is_of_row(self) -> bool:
        """Whether the row's own limit counts, and its reference program's time with it."""
        return self.seconds is None

    def of(self, limits: Limits) -> Limits:
        """The row's limits with the seconds that hold for one test."""
        if self.seconds is not None:
            return replace(limits, time_s=self.seconds)
        return limits if self.factor == 1.0 else replace(limits, time_s=limits.time_s * self.factor)

    def total_s(self, tests: int) -> float | None:
        """Seconds that this many tests have together; None for no such bound."""
        if not self.total or self.seconds is None:
            return None
        if self.total == "program":
            return self.seconds
        return min((self.seconds + 1) * tests + _TOTAL_MARGIN_S, _MAX_TOTAL_S)


def _in_range(number: float) -> bool:
    return 0 < number < MAX_S  # which nan is not


def _short(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


ROW = TimeLimit()
"""Each row's own."""

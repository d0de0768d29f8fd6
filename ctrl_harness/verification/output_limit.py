"""How much a test may print or return: `row`, or MiB."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ctrl_harness.errors import UserError
from ctrl_harness.integers import readable
from ctrl_harness.problems.problem import Limits

CHOICES = "row or MiB, above 0 and below 1e6"


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """MiB of a test's output in place of the row's own, where given. What they count: `Limits`.

    Raises UserError for a number out of range.
    """

    mb: float | None = None

    def __post_init__(self) -> None:
        if self.mb is not None and not 0 < self.mb < 1e6:  # which nan is not
            raise UserError(f"output_mb {self.mb:g} is out of range; give {CHOICES}")

    @classmethod
    def parse(cls, value: object) -> OutputLimit:
        """`row`, `64`, or a number. Raises UserError."""
        if value == "row":
            return cls()
        try:
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                return cls(float(value))
        except (ValueError, OverflowError):
            pass
        raise UserError(f"output_mb {readable(value)[:80]} cannot be used; give {CHOICES}")

    def __str__(self) -> str:
        """What `parse` reads back."""
        return "row" if self.mb is None else repr(float(self.mb)).removesuffix(".0")

    def of(self, limits: Limits) -> Limits:
        return limits if self.mb is None else replace(limits, output_mb=self.mb)


OWN_OUTPUT = OutputLimit()
"""Each row's own."""

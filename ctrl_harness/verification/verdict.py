"""What is known of a program after it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Status = Literal[
    "accepted",
    "wrong_answer",
    "runtime_error",
    "time_limit",
    "memory_limit",
    "output_limit",
    "compile_error",
    "no_code",
]
"""What a judged program is. `judge_error` is not among them: then nothing is known, and
:class:`~ctrl_harness.errors.JudgeError` is raised in place of a verdict."""

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case's outcome.

    index: position in the problem's cases. time_s: wall seconds. memory_mb: peak resident MiB,
    None where unknown. error and output: why it failed and what it printed or returned, cut short;
    for people and for feedback, not kept in caches and files.
    """

    index: int
    status: Status
    time_s: float
    memory_mb: float | None = None
    error: str = ""
    output: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "status": self.status,
            "time_s": round(self.time_s, 4),
            "memory_mb": self.memory_mb,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verify`'s answer.

    status: `accepted` when every case is, else the status of the first case that is not. cases:
    one entry a case in the problem's order, None where it was not run: after the first that is not
    accepted, unless all cases were asked for, which the digest tells apart. digest: sha256 of what
    was judged and how (digest.py).
    """

    status: Status
    cases: tuple[CaseResult | None, ...]
    digest: str

    @property
    def passed(self) -> bool:
        return self.status == "accepted"

    @property
    def n_cases(self) -> int:
        return len(self.cases)

    @property
    def n_passed(self) -> int:
        """Cases that were run and are accepted; of a program that fails, those before its first
        failing one unless all were run."""
        return sum(case is not None and case.status == "accepted" for case in self.cases)

    @property
    def fraction(self) -> float:
        """`n_passed` as a share of all cases, 0 to 1."""
        return self.n_passed / self.n_cases

    @property
    def first_failure(self) -> CaseResult | None:
        return next((c for c in self.cases if c is not None and c.status != "accepted"), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "passed": self.passed,
            "n_passed": self.n_passed,
            "n_cases": self.n_cases,
            "cases": [None if case is None else case.as_json() for case in self.cases],
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The verdict `as_json` was made of, without its error texts.

        Raises ValueError, TypeError or KeyError for what `as_json` would not have written.
        """
        statuses = [data["status"], *(case["status"] for case in data["cases"] if case is not None)]
        if not set(STATUSES).issuperset(statuses):
            raise ValueError(f"a status that no verdict has: {statuses!r:.200}")
        cases = (None if c is None else CaseResult(**c) for c in data["cases"])
        return cls(status=data["status"], cases=tuple(cases), digest=data["digest"])

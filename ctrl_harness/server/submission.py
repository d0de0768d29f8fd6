"""A `/submit` made ready: the problem to judge on, and the program found in the completion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.extraction import Found
from ctrl_harness.verification.time_limit import ROW, TimeLimit
from ctrl_harness.verification.verdict import Status

Answer = Literal["cases", "script", "livecodebench"]
"""What SandboxFusion's `tests` hold: an entry a case, or one entry for the one script that it runs,
or that of LiveCodeBench's, which prints why it failed. Clients average them."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What is judged, and what the answer tells besides the verdict.

    found: the program and where it stood; its program is None where there is none. extracted_code:
    what was taken of the completion, where that is not the program as it is. full_code, test_code:
    what SandboxFusion shows of what it runs. test_info: of the one entry of `tests`; cases on
    standard input have their own. decided: the verdict where nothing has to run for it.
    """

    problem: Problem
    found: Found
    time_limit: TimeLimit = ROW
    answer: Answer = "script"
    extracted_code: str | None = None
    full_code: str | None = None
    test_code: str | None = None
    test_info: dict[str, Any] | None = field(default=None, hash=False)
    decided: Status | None = None

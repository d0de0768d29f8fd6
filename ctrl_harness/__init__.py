"""A critic is as good as the revisions it causes; one judge decides that everywhere.

What stands here is imported when it is first asked for: a command that judges nothing need not wait
for what a judge is made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctrl_harness.errors import CtrlHarnessError, JudgeError, UnusableRow, UserError
    from ctrl_harness.problems.problem import (
        CallCase,
        Limits,
        Problem,
        ScriptCase,
        StdioCase,
        TestCase,
    )
    from ctrl_harness.verification.verdict import CaseResult, Verdict
    from ctrl_harness.verification.verify import verify, verify_completion

_MODULES = {
    "ctrl_harness.errors": ("CtrlHarnessError", "JudgeError", "UnusableRow", "UserError"),
    "ctrl_harness.problems.problem": (
        "CallCase", "Limits", "Problem", "ScriptCase", "StdioCase", "TestCase",
    ),
    "ctrl_harness.verification.verdict": ("CaseResult", "Verdict"),
    "ctrl_harness.verification.verify": ("verify", "verify_completion"),
}  # fmt: skip

__all__ = [
    "CallCase",
    "CaseResult",
    "CtrlHarnessError",
    "JudgeError",
    "Limits",
    "Problem",
    "ScriptCase",
    "StdioCase",
    "TestCase",
    "UnusableRow",
    "UserError",
    "Verdict",
    "verify",
    "verify_completion",
]


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

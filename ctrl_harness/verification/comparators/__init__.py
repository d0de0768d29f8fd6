"""Decides whether an output equals the expected one. Pure functions on plain values.

Programs never see these: outputs leave the sandbox first. Each comparator is named and answers
two questions, one for text on standard output and one for the value a call returned. Ours is
`default`; the others judge as their peers do on outputs and values, right or wrong. How a program
ended is no comparator's business: an exit code, a limit or a crash is judged alike under each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.default import tokens_equal, values_equal
from ctrl_harness.verification.comparators.evalplus import evalplus_equal
from ctrl_harness.verification.comparators.livecodebench import (
    livecodebench_lines_equal,
    livecodebench_values_equal,
)
from ctrl_harness.verification.comparators.sandbox_fusion import sandbox_fusion_lines_equal
from ctrl_harness.verification.comparators.sandbox_fusion_livecodebench import (
    sandbox_fusion_livecodebench_lines_equal,
    sandbox_fusion_livecodebench_values_equal,
)
from ctrl_harness.verification.comparators.taco import taco_lines_equal, taco_values_equal


@dataclass(frozen=True, slots=True)
class Comparator:
    """A named pair of equalities: (output text, expected text) and (returned value, case)."""

    name: str
    text_equal: Callable[[str, str], bool]
    value_equal: Callable[[Any, CallCase], bool]


COMPARATORS: dict[str, Comparator] = {
    rule.name: rule
    for rule in (
        Comparator("default", tokens_equal, values_equal),
        Comparator("evalplus", tokens_equal, evalplus_equal),
        Comparator("livecodebench", livecodebench_lines_equal, livecodebench_values_equal),
        Comparator("sandbox_fusion", sandbox_fusion_lines_equal, values_equal),
        Comparator(
            "sandbox_fusion_livecodebench",
            sandbox_fusion_livecodebench_lines_equal,
            sandbox_fusion_livecodebench_values_equal,
        ),
        Comparator("taco", taco_lines_equal, taco_values_equal),
    )
}


def get_comparator(name: str) -> Comparator:
    """Raises UserError, naming the choices, for an unknown name."""
    try:
        return COMPARATORS[name]
    except KeyError:
        raise UserError(
            f"unknown comparator {name!r}; choose one of {', '.join(COMPARATORS)}"
        ) from None

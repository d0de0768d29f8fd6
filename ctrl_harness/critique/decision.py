"""Reads a judge's decision between two responses out of its answer."""

from __future__ import annotations

import re

from ctrl_harness.critique.critic import Decision
from ctrl_harness.verification.extraction import strip_reasoning

_DECISION = re.compile(r"\[\[\s*([AB])\s*(>|=|<)\s*([AB])\s*\]\]|\b([AB])\s*(>|=|<)\s*([AB])\b")


def parse_decision(answer: str) -> Decision:
    """The last decision in a judge's answer, `missing` without one; brackets win over bare text."""
    matches = list(_DECISION.finditer(strip_reasoning(answer)))
    bracketed = [m for m in matches if m[1]]
    if not matches:
        return "missing"
    match = (bracketed or matches)[-1]
    left, sign, right = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
    if left == right:
        return "missing"
    if sign == "=":
        return "A=B"
    better = left if sign == ">" else right
    return "A>B" if better == "A" else "B>A"

"""Samples of a log that are in no number, and why."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

_SHOWN_CHARS = 200
_NAMED = re.compile(r"\w+\((?P<quote>['\"])(?P<text>.*)(?P=quote),?\)", re.DOTALL)
"""How Inspect writes an exception down: by its repr."""


def missing_samples(path: Path) -> Counter[str]:
    """How many samples failed, by the reason that stands in the log, its first line."""
    from inspect_ai.log import read_eval_log_sample_summaries

    return Counter(
        _told(summary.error)
        for summary in read_eval_log_sample_summaries(str(path))
        if summary.error
    )


def _told(error: str) -> str:
    named = _NAMED.fullmatch(error.strip())
    text = named["text"] if named else error.strip()
    return text.split("\n")[0][:_SHOWN_CHARS]


def missing_lines(reasons: Counter[str], total: int) -> list[str]:
    """For people; nothing where nothing is missing."""
    if not reasons:
        return []
    lines = [f"{reasons.total()} of {total} samples failed and are in no number:"]
    return lines + [f"  {count} × {reason}" for reason, count in reasons.most_common()]

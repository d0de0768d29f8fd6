"""Samples of a log that are in no number, and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

_SHOWN_CHARS = 160


def missing_samples(path: Path) -> Counter[str]:
    """How many samples failed, by the reason that stands in the log, its first line."""
    from inspect_ai.log import read_eval_log_sample_summaries

    return Counter(
        summary.error.strip().split("\n")[0][:_SHOWN_CHARS]
        for summary in read_eval_log_sample_summaries(str(path))
        if summary.error
    )


def missing_lines(reasons: Counter[str], total: int) -> list[str]:
    """For people; nothing where nothing is missing."""
    if not reasons:
        return []
    lines = [f"{reasons.total()} of {total} samples failed and are in no number:"]
    return lines + [f"  {count} × {reason}" for reason, count in reasons.most_common()]

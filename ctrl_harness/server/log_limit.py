"""A server's log that clients cannot fill: of lines that are alike, a few a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_LINES, _WINDOW_S = 10, 60.0
_MAX_KINDS = 256


class LogLimit(logging.Filter):
    """Lets through ten records a minute of each kind, and then says how many it kept back.

    Records are of one kind if they come from the same logger and format, whatever they fill in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.name, str(record.msg)[:200]
        now = self._clock()
        since, lines = self._seen.get(kind, (now, 0))
        kept_back = 0
        if now - since >= _WINDOW_S:
            kept_back = max(0, lines - _LINES)
            since, lines = now, 0
        if kind not in self._seen and len(self._seen) >= _MAX_KINDS:
            del self._seen[next(iter(self._seen))]
        self._seen[kind] = since, lines + 1
        if kept_back:
            record.msg = f"{record.getMessage()} (and {kept_back} more like it before)"
            record.args = None
        return lines < _LINES

"""Lines of log that are alike: a few, and then how many more there were."""

from __future__ import annotations

import logging

from ctrl_harness.server.log_limit import LogLimit


def test_of_lines_that_are_alike_ten_a_minute_are_written() -> None:
    now = [0.0]
    limit = LogLimit(lambda: now[0])
    written: list[str] = []

    def log(text: str, *filled_in: object) -> None:
        record = logging.LogRecord("server", logging.WARNING, "", 0, text, filled_in, None)
        if limit.filter(record):
            written.append(record.getMessage())

    for number in range(1000):
        log("request %d is bad", number)
    log("another one")
    assert len(written) == 11 and written[-2:] == ["request 9 is bad", "another one"]
    now[0] += 61
    log("request %d is bad", 1)
    assert written[-1] == "request 1 is bad (and 990 more like it before)"


def test_no_number_of_kinds_makes_it_grow() -> None:
    limit = LogLimit()
    for number in range(1000):
        limit.filter(logging.LogRecord("server", logging.WARNING, "", 0, str(number), (), None))
    assert len(limit._seen) <= 256

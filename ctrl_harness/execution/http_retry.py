"""What the HTTP clients of this project share: which URLs, and how they ask again."""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx

T = TypeVar("T")

COME_AGAIN = frozenset({429, 502, 503, 504})
"""Nobody looked at the request: a full queue, a gateway without a server."""
_LONGEST_PAUSE_S = 20.0

_tls_lock = threading.Lock()
_tls: list[ssl.SSLContext] = []


def parse_url(text: str) -> httpx.URL | None:
    """The http(s) URL, None for anything else."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        return None
    return url if url.scheme in ("http", "https") and url.host else None


class Again(Exception):
    """A failed attempt, worth another. after_s: how long the server wants to be left alone."""

    def __init__(self, trouble: str, after_s: float = 0.0) -> None:
        super().__init__(trouble)
        self.after_s = after_s


async def persist(
    attempt: Callable[[int], Awaitable[T]], attempts: int, first_pause_s: float
) -> T:
    """What an attempt brings; they are numbered from 0 and made until one does not raise Again.

    Between them it waits for a random time, so that clients part, which doubles up to 20 s. Raises
    the last attempt's Again.
    """
    for number in range(attempts - 1):
        try:
            return await attempt(number)
        except Again as error:
            longest = min(_LONGEST_PAUSE_S, first_pause_s * 2**number)
            await anyio.sleep(error.after_s + random.uniform(longest / 2, longest))
    return await attempt(attempts - 1)


def retry_after_s(headers: httpx.Headers) -> float:
    """How many seconds the server asks to be left alone; 20 at the most."""
    asked = headers.get("retry-after", "")
    return min(float(asked), _LONGEST_PAUSE_S) if asked.isdecimal() else 0.0


def tls_context() -> ssl.SSLContext:
    """One for all: reading the certificates takes longer than a request."""
    with _tls_lock:
        if not _tls:
            _tls.append(httpx.create_ssl_context())
        return _tls[0]

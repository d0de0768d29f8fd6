"""The connections of one event loop to one server, a few to each httpx client.

What httpx's pool costs grows with the square of its connections. With 256 of them in one client it
was four fifths of the processor time of a reward without its judging.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx

_LANE = 8
"""Connections of one client."""
_CONNECT_S = 10.0
_IDLE_S = 4.0
"""Connections idle for longer are closed here, before the server does (uvicorn: 5 s)."""


class Lanes:
    """At most `in_flight` requests, by `places`, and the clients that they go through."""

    def __init__(self, in_flight: int, timeout_s: float, tls: ssl.SSLContext | bool) -> None:
        self.places = anyio.CapacityLimiter(in_flight)
        self._timeout_s = timeout_s
        self._tls = tls
        self._clients: list[httpx.AsyncClient] = []
        self._busy: list[int] = []

    @contextmanager
    def shortest(self) -> Iterator[httpx.AsyncClient]:
        """The client with the fewest requests under way, which has room for another."""
        lane = min(range(len(self._busy)), key=self._busy.__getitem__, default=None)
        if lane is None or self._busy[lane] >= _LANE:
            lane = len(self._clients)
            self._clients.append(self._client())
            self._busy.append(0)
        self._busy[lane] += 1
        try:
            yield self._clients[lane]
        finally:
            self._busy[lane] -= 1

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=_LANE, keepalive_expiry=_IDLE_S)
        timeout = httpx.Timeout(self._timeout_s, connect=_CONNECT_S)
        return httpx.AsyncClient(timeout=timeout, limits=limits, verify=self._tls)

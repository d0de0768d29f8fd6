"""The connections of a server: how many there may be, and how long a client may be silent on one.

Where all are taken, a new one takes the place of the one that has been without a whole request for
the longest, as nginx does with idle connections (ngx_drain_connections, src/core/ngx_connection.c).
Where every connection has a request that is being served, the new one is surplus: it may ping, and
what else it asks is refused. No connection is closed before its client had time to ask something:
new ones wait for that in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTION = "ctrl_harness.connection"
"""The connection, in a scope's `state`."""
RESERVE = 8
"""Surplus connections there may be at once."""
MAX_HEAD_BYTES = 16 << 10
"""What the head of a request may take while it is incomplete (uvicorn: 64 KiB)."""
_LEFT_ALONE_S = 0.05
"""For as long a client has its connection for sure."""
_READ_BYTES = 64 << 10
_DRAIN_S = 10.0
_TOO_SLOW = b'{"detail": "the head of the request did not come in time"}'

Phase = Literal["head", "idle", "body", "inside"]
"""What a connection waits for: the head of a request, the next request, its body, or the server."""
_TO_BE_CLOSED: tuple[Phase, ...] = ("head", "idle", "body")
"""In this order: who has asked something before is trusted more than who has not."""


class Connections:
    """The open ones, by phase, with the time since which they are in it, the earliest first."""

    def __init__(self, most: int, head_s: float) -> None:
        """most: how many may have a request. head_s: seconds for the head of a request."""
        self.most = most
        self.head_s = head_s
        self._in: dict[Phase, dict[Connection, float]] = {
            phase: {} for phase in (*_TO_BE_CLOSED, "inside")
        }

    def __len__(self) -> int:
        return sum(map(len, self._in.values()))

    @property
    def full(self) -> bool:
        return len(self) >= self.most

    async def room(self) -> None:
        """Waits until one more may be added, for which another one is closed if it must be."""
        while self.full and not self.close_one():
            waiting = any(self._in[phase] for phase in _TO_BE_CLOSED)
            if not waiting and len(self) < self.most + RESERVE:
                return
            await asyncio.sleep(_LEFT_ALONE_S / 4)

    def close_one(self) -> bool:
        """Closes the one whose client has kept it waiting for the longest, if there is any."""
        for phase in _TO_BE_CLOSED:
            for connection, since in self._in[phase].items():
                if time.monotonic() - since < _LEFT_ALONE_S:
                    break
                self.remove(connection)
                connection.transport.abort()
                return True
        return False

    def add(self, connection: Connection) -> None:
        connection.surplus = self.full
        self._in["head"][connection] = time.monotonic()

    def move(self, connection: Connection, phase: Phase) -> None:
        if connection not in self._in[phase] and self.remove(connection):
            self._in[phase][connection] = time.monotonic()

    def remove(self, connection: Connection) -> bool:
        """Whether it was there."""
        found = [held for held in self._in.values() if connection in held]
        for held in found:
            del held[connection]
        return bool(found)


class Connection(H11Protocol):
    """uvicorn's, but that it does not wait for its client without end.

    surplus: it came when all places were taken. kept: the client waits for the server although its
    request has not come whole.
    """

    def __init__(self, table: Connections, **options: Any) -> None:
        super().__init__(**options)
        self.app_state = {**self.app_state, CONNECTION: self}
        self.surplus = False
        self._kept = False
        self._table = table
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for: Literal["head", "drain"] | None = None
        self._unsent = 0

    # -- what uvicorn and asyncio call

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]  # asyncio's own: 256 KiB
        self._table.add(self)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        """Closes what is idle; what the client does not read is thrown away."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and (not self._unsent or unsent < self._unsent):
            self._unsent = unsent
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif unsent:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    # -- what the gate says

    def keep(self, kept: bool) -> None:
        """While it is kept, it is the server that the request waits for."""
        self._kept = kept
        self._look()

    async def written(self, most_s: float) -> None:
        """Until the client has taken what was written; ends the connection after `most_s`."""
        deadline = self.loop.time() + most_s
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():
            if self.loop.time() > deadline:
                self.transport.abort()
                return
            await asyncio.sleep(0.02)

    # -- phases and timers

    def _look(self) -> None:
        if self.transport.is_closing():
            self._wait_for(None)
            return
        served = self.cycle is not None and not self.cycle.response_complete
        state = self.conn.their_state
        if state is h11.IDLE and not served:
            idle = self.timeout_keep_alive_task is not None and not self.conn.trailing_data[0]
            self._table.move(self, "idle" if idle else "head")
            self._wait_for(None if idle else "head")
        elif state is h11.SEND_BODY and not self._kept:
            self._table.move(self, "body")
            self._wait_for(None if served else "drain")
        else:
            self._table.move(self, "inside")
            self._wait_for(None)

    def _wait_for(self, what: Literal["head", "drain"] | None) -> None:
        """A timer goes on while the same is waited for, whatever comes in between."""
        if what == self._waits_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = what
        seconds = self._table.head_s if what == "head" else _DRAIN_S
        self._timer = None if what is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self._waits_for == "head" and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n" % len(_TOO_SLOW) + _TOO_SLOW
            )
        self.transport.close()

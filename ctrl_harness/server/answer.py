"""The answer to one request: its status, and the sign of life that a client who waits long gets.

Clients of SandboxFusion give up where no byte comes for some time (verl 0.9.1 after the two
timeouts that it asks for and 10 s, proxies after 60 s) and score what they gave up as wrong. So an
answer that takes longer begins early: status 200, and a blank every few seconds, which JSON allows
before its text. See docs/server.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)

_JSON = (b"content-type", b"application/json")
_STEP_S = 2.0


class Refusal(Exception):
    """A request that is not served: the status, a sentence and more headers."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


class Answer:
    """Passes messages on to the client, and can begin before there is anything to say.

    begun, complete: whether a status has been sent, and all of the answer. status: the one that was
    sent; 0 where the client went away before. body_read: whether the whole request has come, so
    that nothing of it is left to be drained.
    """

    def __init__(self, send: Send, late_error: Callable[[str], bytes] | None = None) -> None:
        """late_error: the body that tells of an error after status 200, if the route has one."""
        self._send = send
        self._late_error = late_error
        self._lock = anyio.Lock()
        self._early = False
        self._failed: bytearray | None = None
        self.complete = False
        self.begun = False
        self.body_read = False
        self.status = 0

    async def send(self, message: Message) -> None:
        """An ASGI application's message, as it would be sent to the client."""
        async with self._lock:
            if not self._early:
                if message["type"] == "http.response.start":
                    self.begun, self.status = True, message["status"]
                await self._pass_on(message)
            elif message["type"] == "http.response.start":
                self._failed = bytearray() if message["status"] != 200 else None
            elif self._failed is None:
                await self._pass_on(message)
            else:
                self._failed += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._fail_late(bytes(self._failed))

    async def refuse(self, refusal: Refusal) -> None:
        """Sends it, unless the route has begun to answer by itself."""
        if self.begun and not self._early:
            return
        body = json.dumps({"detail": str(refusal)}).encode("ascii")
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        headers |= refusal.headers
        if not self.body_read:  # what is still to come would be read for nothing
            headers["connection"] = "close"
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": body})

    async def show_life(self, after_s: Callable[[], float], every_s: float) -> None:
        """Until it is cancelled: begins the answer when it is late, then sends blanks.

        after_s: how long the client may be left without a byte; asked again as the request gets
        known.
        """
        waited_s = 0.0
        while waited_s < (allowed_s := after_s()):
            step_s = min(_STEP_S, allowed_s - waited_s)
            await anyio.sleep(step_s)
            waited_s += step_s
        while True:
            async with self._lock:
                if self.complete or (self.begun and not self._early):
                    return
                if not self._early:
                    self._early = self.begun = True
                    self.status = 200
                    start = {"type": "http.response.start", "status": 200, "headers": [_JSON]}
                    await self._send(start)
                blank = {"type": "http.response.body", "body": b" ", "more_body": True}
                await self._send(blank)
            await anyio.sleep(every_s)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True
        await self._send(message)

    async def _fail_late(self, body: bytes) -> None:
        """An error after status 200 was sent: in the route's own words, or not at all, so that the
        connection breaks off and no client takes it for an answer."""
        try:
            detail = str(json.loads(body)["detail"])
        except (ValueError, KeyError, TypeError):
            detail = "the server failed"
        if self._late_error is None:
            logger.warning("an answer that had begun was broken off: %s", detail)
            return
        self.complete = True
        await self._send({"type": "http.response.body", "body": self._late_error(detail)})

"""What every request passes before it is judged: token, size, queue, deadline.

Plain ASGI. A request's body is read here, whole and bounded, and only once the request has a place;
where there is none, it gets 429 at once. A client that goes away takes its request with it: what
runs is killed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

from ctrl_harness.server.metrics import Metrics
from ctrl_harness.server.settings import ServerSettings

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/v1/ping"})
"""What may be asked without a token."""
_MIB = 1024 * 1024
_DRAIN_MIB = 256
_DRAIN_S = 10.0
_MAX_RETRY_AFTER_S = 60


class _Refused(Exception):
    """A request that is not served: the status, a sentence and more headers."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


class Gate:
    """Wraps an ASGI application. `inside` counts the requests that are waiting or being judged."""

    def __init__(self, app: App, settings: ServerSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._token: bytes | None = None
        if settings.token is not None:  # any bytes: it came from a command line or the environment
            self._token = settings.token.encode("utf-8", "surrogateescape")
        self._pending_bytes = 0
        self._mean_s = 1.0
        self._scopes: set[anyio.CancelScope] = set()
        self._stopping = False
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = _Answer(send)
        try:
            self._authorise(scope)
            if scope["method"] == "POST":
                await self._admit(scope, receive, answer)
            else:
                await self._app(scope, receive, answer.send)
        except _Refused as refusal:
            if not answer.body_read:
                await _drain(receive)
            await answer.refuse(refusal)
        finally:
            self._metrics.request(scope["path"], answer.status, time.perf_counter() - started)

    def stop(self) -> None:
        """Ends what is inside with 503; whoever asked may ask another server."""
        self._stopping = True
        for scope in list(self._scopes):
            scope.cancel()

    # -- who may ask

    def _authorise(self, scope: Scope) -> None:
        if self._token is None or scope["path"] in OPEN_PATHS:
            return
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if not hmac.compare_digest(_token_of(given), self._token):
            raise _Refused(
                401,
                "this server asks for a token; send it as `Authorization: Bearer TOKEN`, or as the "
                "password in the URL (http://any:TOKEN@host:port)",
                {"www-authenticate": "Bearer"},
            )

    # -- a place in the queue

    async def _admit(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        places = self._settings.workers + self._settings.max_waiting
        if self.inside >= places:
            raise self._busy(f"all {places} places are taken")
        self.inside += 1
        self._metrics.inside(self.inside, self._settings.workers)
        taken = 0
        try:
            body = await self._read(scope, receive, answer)
            taken = len(body)
            started = time.perf_counter()
            await self._serve(scope, receive, answer, body)
            self._mean_s += 0.1 * (time.perf_counter() - started - self._mean_s)
        finally:
            self._pending_bytes -= taken
            self.inside -= 1
            self._metrics.inside(self.inside, self._settings.workers)

    def _busy(self, why: str) -> _Refused:
        seconds = self._mean_s * self.inside / self._settings.workers
        after = max(1, min(_MAX_RETRY_AFTER_S, math.ceil(seconds)))
        return _Refused(429, f"{why}; ask again in {after} s", {"retry-after": str(after)})

    async def _read(self, scope: Scope, receive: Receive, answer: _Answer) -> bytes:
        """The body, counted in `_pending_bytes`."""
        most = int(self._settings.max_body_mb * _MIB)
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if declared.isdigit() and int(declared[:18]) > most:
            raise self._too_large()
        body = bytearray()
        kept = False
        try:
            with anyio.fail_after(self._settings.body_s):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _Refused(400, "the request broke off")
                    answer.body_read = not message.get("more_body", False)
                    chunk = message.get("body", b"")
                    self._pending_bytes += len(chunk)
                    body += chunk
                    if len(body) > most:
                        raise self._too_large()
                    if self._pending_bytes > self._settings.max_pending_mb * _MIB:
                        raise self._busy("the requests that wait are too large together")
                    if answer.body_read:
                        kept = True
                        return bytes(body)
        except TimeoutError:
            raise _Refused(408, f"the body did not come in {self._settings.body_s:g} s") from None
        finally:
            if not kept:
                self._pending_bytes -= len(body)

    def _too_large(self) -> _Refused:
        return _Refused(
            413, f"a request may have at most {self._settings.max_body_mb:g} MiB; send less at once"
        )

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer, body: bytes) -> None:
        if self._stopping:
            raise self._gone()
        first = [body]

        async def replay() -> Message:
            if first:
                return {"type": "http.request", "body": first.pop(), "more_body": False}
            await anyio.sleep_forever()
            raise AssertionError("unreachable")

        async with anyio.create_task_group() as group:

            async def end_with_client() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(end_with_client)
            with anyio.move_on_after(self._settings.max_request_s) as deadline:
                self._scopes.add(deadline)
                try:
                    await self._app(scope, replay, answer.send)
                finally:
                    self._scopes.discard(deadline)
            if deadline.cancelled_caught and not answer.begun:
                await answer.refuse(self._gone() if self._stopping else self._overdue())
            group.cancel_scope.cancel()

    def _overdue(self) -> _Refused:
        allowed = self._settings.max_request_s
        return _Refused(503, f"judging took longer than {allowed:g} s; send fewer tests at once")

    def _gone(self) -> _Refused:
        return _Refused(503, "the server is stopping; ask another one", {"retry-after": "5"})


class _Answer:
    """Watches what is sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.body_read = False
        """Whether the whole request has come, so that nothing of it is left to be drained."""
        self.status = 0
        """0 where the client went away before there was an answer."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
        await self._send(message)

    async def refuse(self, refusal: _Refused) -> None:
        body = json.dumps({"detail": str(refusal)}).encode("ascii")
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        headers |= refusal.headers
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": body})


def _token_of(header: bytes) -> bytes:
    """The token in an Authorization header; empty where there is none."""
    scheme, _, value = header.partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


async def _drain(receive: Receive) -> None:
    """Takes in what is still coming: a client that is cut off while it sends never reads why."""
    left = _DRAIN_MIB * _MIB
    with anyio.move_on_after(_DRAIN_S):
        while left > 0:
            message = await receive()
            if message["type"] != "http.request" or not message.get("more_body", False):
                return
            left -= len(message.get("body", b""))

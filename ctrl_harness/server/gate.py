"""What every request passes before it is judged: token, size, room, queue.

Plain ASGI. On SandboxFusion's routes a request waits for as long as it takes, as it would there:
its clients take an error for a wrong program. Our own routes answer 429 where the queue is full:
our client waits and asks again. A body is read here, whole and bounded, once there is room for it.
A client that goes away takes its request with it: what runs is killed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

from ctrl_harness.server.answer import Answer, Message, Refusal, Send
from ctrl_harness.server.metrics import Metrics
from ctrl_harness.server.run_code import sandbox_error
from ctrl_harness.server.settings import ServerSettings
from ctrl_harness.server.waiting import Room, Throughput

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/v1/ping"})
"""What may be asked without a token."""
PATIENT_PATHS = frozenset({"/run_code", "/submit"})
"""SandboxFusion's routes that judge. What fails on them ends in 504, which all of its clients that
try again at all try again (docs/server.md)."""
PATIENCE = "ctrl_harness.patience_s"
"""In a scope: seconds that the client may be left without a byte; a route may lower it."""
_BLANK_EVERY_S = 5.0
_MIB = 1024 * 1024
_COPIES = 2
"""A body is held as it came and as it was parsed."""
_DRAIN_MIB = 256
_DRAIN_S = 10.0
_MAX_RETRY_AFTER_S = 60


def failure_status(path: str) -> int:
    """What a request on this route is answered of which nothing is known of the program."""
    return 504 if path in PATIENT_PATHS else 503


class Gate:
    """Wraps an ASGI application. `inside` counts the requests that are waiting or being judged."""

    def __init__(self, app: App, settings: ServerSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._token: bytes | None = None
        if settings.token is not None:  # any bytes: it came from a command line or the environment
            self._token = settings.token.encode("utf-8", "surrogateescape")
        self._room = Room(int(max(settings.max_pending_mb, settings.max_body_mb) * _MIB))
        self._throughput = Throughput(time.monotonic)
        self._scopes: set[anyio.CancelScope] = set()
        self._stopping = False
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = Answer(send, sandbox_error if scope["path"] == "/run_code" else None)
        try:
            self._authorise(scope)
            if scope["method"] == "POST":
                await self._admit(scope, receive, answer)
            else:
                await self._app(scope, receive, answer.send)
        except Refusal as refusal:
            if not answer.body_read:
                await _drain(receive)
            await answer.refuse(refusal)
        finally:
            self._metrics.request(scope["path"], answer.status, time.perf_counter() - started)

    def stop(self) -> None:
        """Ends what is inside with 503 or 504; whoever asked may ask another server."""
        self._stopping = True
        for scope in list(self._scopes):
            scope.cancel()

    # -- who may ask

    def _authorise(self, scope: Scope) -> None:
        if self._token is None or scope["path"] in OPEN_PATHS:
            return
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if not hmac.compare_digest(_token_of(given), self._token):
            raise Refusal(
                401,
                "this server asks for a token; send it as `Authorization: Bearer TOKEN`, or as the "
                "password in the URL (http://any:TOKEN@host:port)",
                {"www-authenticate": "Bearer"},
            )

    # -- a place in the queue

    async def _admit(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        places = self._settings.workers + self._settings.max_waiting
        if scope["path"] not in PATIENT_PATHS and self.inside >= places:
            raise self._busy(f"all {places} places are taken")
        if not self.inside:
            self._throughput.begin()
        self.inside += 1
        self._metrics.inside(self.inside, self._settings.workers)
        taken = 0
        stopped = anyio.CancelScope()
        self._scopes.add(stopped)
        try:
            with stopped:
                if self._stopping:
                    stopped.cancel()
                taken = await self._room.take(self._size(scope) * _COPIES)
                body = await self._read(scope, receive, answer)
                taken -= self._give_back(taken, len(body) * _COPIES)
                await self._serve(scope, receive, answer, body)
            if stopped.cancelled_caught:
                raise self._gone(scope)
            if answer.status == 200:
                self._throughput.end()
        finally:
            self._scopes.discard(stopped)
            self._room.give(taken)
            self.inside -= 1
            self._metrics.inside(self.inside, self._settings.workers)

    def _busy(self, why: str) -> Refusal:
        rate = self._throughput.per_second()
        seconds = 1.0 if rate is None else self.inside / rate
        after = max(1, min(_MAX_RETRY_AFTER_S, math.ceil(seconds)))
        return Refusal(429, f"{why}; ask again in {after} s", {"retry-after": str(after)})

    def _size(self, scope: Scope) -> int:
        """Bytes that the body may have: what the request declares, or else all that is allowed."""
        most = int(self._settings.max_body_mb * _MIB)
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        if not declared.isdigit():
            return most
        size = int(declared[:18])
        if size > most:
            raise self._too_large()
        return size

    def _give_back(self, taken: int, needed: int) -> int:
        surplus = max(0, taken - needed)
        self._room.give(surplus)
        return surplus

    async def _read(self, scope: Scope, receive: Receive, answer: Answer) -> bytes:
        most = int(self._settings.max_body_mb * _MIB)
        body = bytearray()
        try:
            with anyio.fail_after(self._settings.body_s):
                while not answer.body_read:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "the request broke off")
                    answer.body_read = not message.get("more_body", False)
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise self._too_large()
        except TimeoutError:
            status = 504 if scope["path"] in PATIENT_PATHS else 408
            detail = f"the body did not come in {self._settings.body_s:g} s"
            raise Refusal(status, detail) from None
        return bytes(body)

    def _too_large(self) -> Refusal:
        return Refusal(
            413, f"a request may have at most {self._settings.max_body_mb:g} MiB; send less at once"
        )

    async def _serve(self, scope: Scope, receive: Receive, answer: Answer, body: bytes) -> None:
        first = [body]

        async def replay() -> Message:
            if first:
                return {"type": "http.request", "body": first.pop(), "more_body": False}
            await anyio.sleep_forever()
            raise AssertionError("unreachable")

        scope[PATIENCE] = self._settings.first_byte_s
        async with anyio.create_task_group() as group:

            async def end_with_client() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(end_with_client)
            if scope["path"] in PATIENT_PATHS:
                group.start_soon(answer.show_life, lambda: scope[PATIENCE], _BLANK_EVERY_S)
            await self._app(scope, replay, answer.send)
            group.cancel_scope.cancel()

    def _gone(self, scope: Scope) -> Refusal:
        status = failure_status(scope["path"])
        return Refusal(status, "the server is stopping; ask another one", {"retry-after": "5"})


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

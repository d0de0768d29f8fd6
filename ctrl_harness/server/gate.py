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
from ctrl_harness.server.connections import CONNECTION, Connection
from ctrl_harness.server.metrics import Metrics
from ctrl_harness.server.run_code import sandbox_error
from ctrl_harness.server.settings import ServerSettings
from ctrl_harness.server.waiting import Room, Share, Throughput

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/v1/ping"})
"""What may be asked without a token."""
JUDGING = ("/run_code", "/submit", "/verify", "/execute")
PATIENT_PATHS = frozenset({"/run_code", "/submit"})
"""SandboxFusion's routes that judge. What fails on them ends in 504, which all of its clients that
try again at all try again (docs/server.md)."""
PATIENCE = "ctrl_harness.patience_s"
"""In a scope: seconds that the client may be left without a byte; a route may lower it."""
ANSWER_ROOM = "ctrl_harness.answer_room"
"""In a scope: the Share of the room for answers that this one may take."""
_BLANK_EVERY_S = 5.0
_MIB = 1024 * 1024
_COPIES = 2
"""A body is held as it came and as it was parsed."""
_ANSWERS_MIB = 512
_DRAIN_MIB = 256
_DRAIN_S = 10.0
_MAX_RETRY_AFTER_S = 60


def failure_status(path: str) -> int:
    """What a request on this route is answered of which nothing is known of the program."""
    return 504 if path in PATIENT_PATHS else 503


class Gate:
    """Wraps an ASGI application. `inside` counts the requests that are waiting or being judged."""

    def __init__(
        self, app: App, settings: ServerSettings, metrics: Metrics, posts: App | None = None
    ) -> None:
        """posts: what gets the requests that have bodies; the same application by default."""
        self._app = app
        self._posts = posts or app
        self._settings = settings
        self._metrics = metrics
        self._token: bytes | None = None
        if settings.token is not None:  # any bytes: it came from a command line or the environment
            self._token = settings.token.encode("utf-8", "surrogateescape")
        self._most = int(settings.max_body_mb * _MIB)
        self._room = Room(int(settings.max_pending_mb * _MIB))
        self._answer_room = Room(_ANSWERS_MIB * _MIB)
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
            self._check_form(scope)
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
        given = _token_of(_header(scope, b"authorization"))
        if not hmac.compare_digest(given, self._token):
            raise Refusal(
                401,
                "this server asks for a token; send it as `Authorization: Bearer TOKEN`, or as the "
                "password in the URL (http://any:TOKEN@host:port)",
                {"www-authenticate": "Bearer"},
            )

    def _check_form(self, scope: Scope) -> None:
        connection = _connection_of(scope)
        if connection is not None and connection.surplus and scope["path"] not in OPEN_PATHS:
            self._metrics.surplus()
            raise Refusal(
                failure_status(scope["path"]),
                "all connections of this server are taken; ask again, or another server",
                {"retry-after": "1", "connection": "close"},
            )
        coding = _header(scope, b"content-encoding").strip().lower()
        if coding not in (b"", b"identity"):
            raise Refusal(415, "bodies are read as they are; send no Content-Encoding")

    # -- a place in the queue

    async def _admit(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        places = self._settings.workers + self._settings.max_waiting
        if scope["path"] not in PATIENT_PATHS and self.inside >= places:
            raise self._busy(f"all {places} places are taken")
        if not self.inside:
            self._throughput.begin()
        self.inside += 1
        self._metrics.inside(self.inside, self._settings.workers)
        stopped = anyio.CancelScope()
        self._scopes.add(stopped)
        try:
            with stopped:
                if self._stopping:
                    stopped.cancel()
                with self._room.share() as share, self._answer_room.share() as answer_share:
                    scope[ANSWER_ROOM] = answer_share
                    body = await self._read(scope, receive, answer, share)
                    await self._serve(scope, receive, answer, body)
                    if (connection := _connection_of(scope)) is not None:
                        await connection.written(self._settings.taking_s)
            if stopped.cancelled_caught:
                raise self._gone(scope)
            if answer.status == 200:
                self._throughput.end()
        finally:
            self._scopes.discard(stopped)
            self.inside -= 1
            self._metrics.inside(self.inside, self._settings.workers)

    def _busy(self, why: str) -> Refusal:
        rate = self._throughput.per_second()
        seconds = 1.0 if rate is None else self.inside / rate
        after = max(1, min(_MAX_RETRY_AFTER_S, math.ceil(seconds)))
        return Refusal(429, f"{why}; ask again in {after} s", {"retry-after": str(after)})

    async def _read(
        self, scope: Scope, receive: Receive, answer: Answer, share: Share
    ) -> bytearray:
        declared = _header(scope, b"content-length")
        if declared.isdigit() and int(declared[:18]) > self._most:
            raise self._too_large()
        body = bytearray()
        start = anyio.current_time()
        try:
            while not answer.body_read:
                with anyio.fail_after(start + self._time_for(len(body)) - anyio.current_time()):
                    message = await receive()
                if message["type"] != "http.request":
                    raise Refusal(400, "the request broke off")
                answer.body_read = not message.get("more_body", False)
                body += message.get("body", b"")
                if len(body) > self._most:
                    raise self._too_large()
                start += await self._wait_for_room(scope, share, len(body) * _COPIES)
        except TimeoutError:
            status = 504 if scope["path"] in PATIENT_PATHS else 408
            detail = (
                f"the body did not come in {self._settings.body_s:g} s, or slower than "
                f"{self._settings.slow_kb_s:g} KiB/s"
            )
            raise Refusal(status, detail) from None
        share.is_whole()
        return body

    async def _wait_for_room(self, scope: Scope, share: Share, size: int) -> float:
        """Until the share is of that size; the seconds it took, which are not the client's."""
        start = anyio.current_time()
        connection = _connection_of(scope)
        if connection is not None:
            connection.keep(True)
        await share.take(size - share.taken)
        if connection is not None:
            connection.keep(False)
        return anyio.current_time() - start

    def _time_for(self, received: int) -> float:
        """Seconds after which more than this must have come."""
        slowest_s = received / (self._settings.slow_kb_s * 1024)
        return min(self._settings.body_s, self._settings.slow_s + slowest_s)

    def _too_large(self) -> Refusal:
        return Refusal(
            413, f"a request may have at most {self._settings.max_body_mb:g} MiB; send less at once"
        )

    async def _serve(self, scope: Scope, receive: Receive, answer: Answer, body: bytearray) -> None:
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
            await self._posts(scope, replay, answer.send)
            group.cancel_scope.cancel()

    def _gone(self, scope: Scope) -> Refusal:
        status = failure_status(scope["path"])
        return Refusal(status, "the server is stopping; ask another one", {"retry-after": "5"})


def _header(scope: Scope, name: bytes) -> bytes:
    """The first of this name; empty where there is none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def _connection_of(scope: Scope) -> Connection | None:
    """None where no server stands in front of the application."""
    connection: Connection | None = scope.get("state", {}).get(CONNECTION)
    return connection


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

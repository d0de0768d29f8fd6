"""A process that handles requests, one at a time: it reads them, judges, and words the answer.

All that is done with the interpreter's lock held happens here and not in the server, which answers
others meanwhile and can end this process at any time. Programs run in the server's cells.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.execution.outcomes import keep_run
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.gate import PATIENCE, App
from ctrl_harness.server.handler_wire import (
    Answered,
    Asked,
    Counted,
    Done,
    Enough,
    Execute,
    Hello,
    Message,
    Ran,
    packed,
    read_message,
    read_size,
)
from ctrl_harness.server.settings import ServerSettings

_MIB = 1024 * 1024
_OWN_MB, _TIMES_BODY = 1024, 8
_LASTING_BODY_BYTES = _MIB
"""After a larger one the process ends, and gives its memory back."""
_STREAM_BYTES = _MIB
_PAGE = resource.getpagesize()
_TOO_MUCH_MEMORY = {"detail": "the request takes too much memory to be read; send less at once"}


class Counts(Protocol):
    """What the routes count (metrics.py)."""

    def verdict(self, status: str) -> None: ...

    def judge_error(self) -> None: ...


class Line:
    """The way to the server: the executor and the counters that the routes of this process use."""

    def __init__(self, name: str, isolated: bool, packages: tuple[str, ...] | None) -> None:
        """As the executor of the server."""
        self.name, self.isolated, self.packages = name, isolated, packages
        self._writer: asyncio.StreamWriter | None = None
        self._executions: dict[int, asyncio.Queue[Ran | Done]] = {}
        self._number = 0
        self.scope: dict[str, Any] = {}

    def connect(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, message: Message) -> None:
        assert self._writer is not None
        self._writer.writelines(packed(message))
        await self._writer.drain()

    def take(self, message: Ran | Done) -> None:
        """What the server says of an execution; of one that is not wanted any more, nothing."""
        if message.number in self._executions:
            self._executions[message.number].put_nowait(message)

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        self._number += 1
        number, runs = self._number, list[Run]()
        answers = self._executions[number] = asyncio.Queue()
        unread = replace(program, keeps_outputs=False)  # every one comes here, and is read here
        try:
            patience_s = self.scope[PATIENCE]
            await self.send(Execute(number, unread, list(inputs), limits, patience_s))
            while isinstance(message := await answers.get(), Ran):
                if any(keep_run(run, runs, program, until) for run in message.runs):
                    await self.send(Enough(number))
                    return runs
            if message.error is not None:
                raise message.error
            return runs
        finally:
            del self._executions[number]

    async def aclose(self) -> None:
        """The cells are the server's."""

    def verdict(self, status: str) -> None:
        self._count(status)

    def judge_error(self) -> None:
        self._count(None)

    def _count(self, status: str | None) -> None:
        assert self._writer is not None
        self._writer.writelines(packed(Counted(status)))


def handle(stream: socket.socket, app: App, line: Line, settings: ServerSettings) -> None:
    """Handles what comes on the stream until it ends, or the process has grown."""
    asyncio.run(_handle(stream, app, line, settings))


async def _handle(stream: socket.socket, app: App, line: Line, settings: ServerSettings) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=stream, limit=_STREAM_BYTES)
    line.connect(writer)
    await line.send(Hello(os.getpid()))
    requests: asyncio.Queue[tuple[Asked, list[bytes]]] = asyncio.Queue()

    async def read() -> None:
        try:
            while True:
                message = await read_message(reader, await read_size(reader))
                if isinstance(message, Asked):
                    requests.put_nowait((message, [await reader.readexactly(message.body_bytes)]))
                elif isinstance(message, Ran | Done):
                    line.take(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            os._exit(0)  # nobody waits for what is under way

    reading = asyncio.create_task(read())
    lasts = True
    while lasts:
        asked, body = await requests.get()
        lasts = asked.body_bytes <= _LASTING_BODY_BYTES
        _limit_resources(asked.body_bytes, settings.handling_s)
        try:
            line.scope = asked.scope
            answer = await _answer(app, line.scope, body, lasts)
        except MemoryError:
            text = json.dumps(_TOO_MUCH_MEMORY).encode("ascii")
            answer = Answered(413, [(b"content-type", b"application/json")], text, lasts=False)
        await line.send(answer)
    reading.cancel()


async def _answer(app: App, scope: dict[str, Any], first: list[bytes], lasts: bool) -> Answered:
    """first: the body, which is taken from there, so that its memory can be given back."""
    status, headers, body = 0, list[tuple[bytes, bytes]](), list[bytes]()

    async def receive() -> dict[str, Any]:
        if not first:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": first.pop(), "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message["headers"])
        else:
            body.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answered(status, headers, b"".join(body), lasts)


def _limit_resources(body_bytes: int, seconds: float) -> None:
    """What this request may take from here on, beside what the process has and has used."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * _PAGE + _OWN_MB * _MIB + _TIMES_BODY * body_bytes
    _lower(resource.RLIMIT_AS, most)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1)


def _lower(kind: int, most: int) -> None:
    _, allowed = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if allowed < 0 else min(most, allowed), allowed))

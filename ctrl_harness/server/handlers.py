"""The server's end of the processes that handle requests (handler.py): who gets one, and its end.

An ASGI application for requests whose bodies are here. The event loop does no more for them than
pass bytes on: a request that takes long to read, or to compare, holds up nobody but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import AsyncIterator

import anyio
from anyio.abc import TaskGroup

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.executor import Executor, Run
from ctrl_harness.execution.wire import Payload
from ctrl_harness.server.answer import Send
from ctrl_harness.server.fork_server import ForkServer
from ctrl_harness.server.gate import (
    ANSWER_ROOM,
    JUDGING,
    PATIENCE,
    Receive,
    Scope,
    failure_status,
)
from ctrl_harness.server.handler_wire import (
    Answered,
    Asked,
    Counted,
    Done,
    Enough,
    Execute,
    Frame,
    Hello,
    Message,
    Ran,
    packed,
    read_message,
    read_size,
)
from ctrl_harness.server.metrics import Metrics
from ctrl_harness.server.waiting import Share

logger = logging.getLogger(__name__)

HANDLERS_A_WORKER = 2
"""More than one, so that the executor sees that others wait."""
_OTHERS = 1
"""Handlers of the routes that run nothing, which need not wait for programs."""
_SCOPE = (
    "type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string",
    "root_path", "headers", "client", "server", PATIENCE,
)  # fmt: skip
_LARGE_BODY_BYTES = 1 << 20
_LOST = "reading the request and comparing its results took too much memory or time"
_STREAM_BYTES = 1 << 20
_MAX_UNSENT_BYTES = 32 << 20
_LOOK_AGAIN_S = 0.005
_LONGEST_WAIT_S = 0.02
_PIECE_BYTES = 256 << 10


class Handlers:
    """Handler processes, made as they are needed and kept."""

    def __init__(
        self, fork_server: ForkServer, judge: Executor, metrics: Metrics, workers: int
    ) -> None:
        """judge: where programs run, for all of them."""
        self._fork_server = fork_server
        self._judge = judge
        self._metrics = metrics
        self._idle: list[_Process] = []
        self._places = anyio.CapacityLimiter(HANDLERS_A_WORKER * workers)
        self._other_places = anyio.CapacityLimiter(_OTHERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        places = self._places if scope["path"] in JUDGING else self._other_places
        async with places:
            try:
                async with self._process() as process:
                    answer = await self._handle(process, scope, (await receive())["body"])
            except JudgeError as error:
                self._metrics.judge_error()
                answer = _refusal(failure_status(scope["path"]), str(error))
        start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _handle(self, process: _Process, scope: Scope, body: bytearray) -> Answered:
        large = len(body) > _LARGE_BODY_BYTES
        plain = {name: scope[name] for name in _SCOPE if name in scope}
        await process.send(Asked(plain, len(body)))
        await process.send_body(body)
        del body
        answer = await _Request(process, scope, self._judge, self._metrics).answer()
        if answer is not None:
            process.lasts = answer.lasts
            return answer
        logger.warning("a process that handled a request was lost")
        if large:  # it is what it had to read that did it
            return _refusal(413, f"{_LOST}; send less at once")
        raise JudgeError(_LOST)

    def close(self) -> None:
        """Ends those that wait; the fork server ends the rest."""
        while self._idle:
            self._idle.pop().close()

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncIterator[_Process]:
        process = self._idle.pop() if self._idle else await self._new()
        process.lasts = False
        try:
            yield process
        finally:
            if process.lasts:
                self._idle.append(process)
            else:
                self._fork_server.kill(process.pid)
                process.close()

    async def _new(self) -> _Process:
        try:
            stream = self._fork_server.fork()
        except OSError as error:
            raise JudgeError(f"no process could be had for the request: {error}") from error
        reader, writer = await asyncio.open_unix_connection(sock=stream, limit=_STREAM_BYTES)
        process = _Process(reader, writer)
        hello = await process.receive()
        if not isinstance(hello, Hello):
            process.close()
            raise JudgeError("no process could be had for the request")
        process.pid = hello.pid
        return process


class _Process:
    """The stream to a handler. lasts: whether it takes another request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.pid = 0
        self.lasts = False

    async def send(self, message: Message) -> None:
        """Of what is lost nothing is heard here: whoever receives gets to know it."""
        self.write(packed(message))
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def send_body(self, body: bytearray) -> None:
        """A piece at a time: to copy it all takes as long as others should wait for an answer."""
        with memoryview(body) as whole, contextlib.suppress(ConnectionError):
            for start in range(0, len(body), _PIECE_BYTES):
                if not self._writer.is_closing():
                    self._writer.write(bytes(whole[start : start + _PIECE_BYTES]))
                await self._writer.drain()

    def write(self, frame: Frame) -> None:
        if not self._writer.is_closing():
            self._writer.writelines(frame)

    @property
    def unsent_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    async def receive(self, room: Share | None = None) -> Message | None:
        """None where the process has ended. room: where a large message waits for its room."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            size = await read_size(self._reader)
            if room is not None and size > room.taken:
                await room.take(size - room.taken)
            return await read_message(self._reader, size)
        return None

    def close(self) -> None:
        self._writer.transport.abort()


class _Request:
    """A request that a process handles: what it wants executed, and its answer."""

    def __init__(self, process: _Process, scope: Scope, judge: Executor, metrics: Metrics) -> None:
        self._process = process
        self._scope = scope
        self._judge = judge
        self._metrics = metrics
        self._executions: dict[int, anyio.CancelScope] = {}
        self._over = threading.Event()

    async def answer(self) -> Answered | None:
        """None where the process was lost."""
        async with anyio.create_task_group() as group:
            try:
                while True:
                    message = await self._process.receive(self._scope.get(ANSWER_ROOM))
                    if message is None or isinstance(message, Answered):
                        return message
                    self._take(message, group)
            finally:
                self._over.set()
                group.cancel_scope.cancel()
        raise AssertionError("a cancellation of our own went on")

    def _take(self, message: Message, group: TaskGroup) -> None:
        match message:
            case Execute() as wanted:
                self._begin(wanted, group)
            case Enough(number) if number in self._executions:
                self._executions[number].cancel()
            case Counted(None):
                self._metrics.judge_error()
            case Counted(str(status)):
                self._metrics.verdict(status)

    def _begin(self, wanted: Execute, group: TaskGroup) -> None:
        self._scope[PATIENCE] = min(self._scope[PATIENCE], wanted.patience_s)
        self._executions[wanted.number] = anyio.CancelScope()
        group.start_soon(self._execute, wanted)

    async def _execute(self, wanted: Execute) -> None:
        told = _Told(self._process, wanted.number, self._over)
        execution = self._executions[wanted.number]

        def tell(run: Run) -> bool:
            told.add(run)
            return execution.cancel_called

        done = Done(wanted.number)
        with execution:
            try:
                runs = await self._judge.execute(wanted.program, wanted.inputs, wanted.limits, tell)
                for run in runs[told.count :]:
                    told.add(run)
            except JudgeError as error:
                done = Done(wanted.number, error)
        del self._executions[wanted.number]
        told.send()
        await self._process.send(done)


class _Told:
    """The runs of an execution on their way to the process that wants them, some at a time.

    A message takes as long as a short run does. So a run waits for others: as long as they have
    been coming, since the process may have wanted no more of them, and not longer than
    _LONGEST_WAIT_S.
    """

    def __init__(self, process: _Process, number: int, over: threading.Event) -> None:
        """over: nobody wants them any more."""
        self._process = process
        self._number = number
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._runs: list[Run] = []
        self._bytes = 0
        self._frames: list[Frame] = []
        self._began_s = 0.0
        self.count = 0

    def add(self, run: Run) -> None:
        """From whatever thread the run is known in. Waits for a process that is slow to read."""
        now_s = time.monotonic()
        with self._lock:
            self.count += 1
            self._began_s = self._began_s or now_s
            self._runs.append(run)
            self._bytes += _bytes_in(run)
            is_first = len(self._runs) == 1
            is_much = self._bytes >= _PIECE_BYTES
            if is_much:  # this thread has more time than the event loop's
                self._pack()
        if threading.get_ident() == self._loop_thread:
            self.send()
        elif is_much:
            while self._process.unsent_bytes > _MAX_UNSENT_BYTES and not self._over.is_set():
                time.sleep(_LOOK_AGAIN_S)
            self._loop.call_soon_threadsafe(self.send)
        elif is_first:
            wait_s = min(now_s - self._began_s, _LONGEST_WAIT_S)
            self._loop.call_soon_threadsafe(self._loop.call_later, wait_s, self.send)

    def send(self) -> None:
        """All that was added so far. In the event loop's thread."""
        with self._lock:
            self._pack()
            frames, self._frames = self._frames, []
        for frame in frames:
            self._process.write(frame)

    def _pack(self) -> None:
        if self._runs:
            self._frames.append(packed(Ran(self._number, self._runs)))
            self._runs, self._bytes = [], 0


def _bytes_in(run: Run) -> int:
    """About, of what a program decides."""
    result = len(run.value.data) if isinstance(run.value, Payload) else 0
    files = sum(len(content) for _, content in run.files)
    return len(run.stdout) + len(run.stderr) + len(run.error) + result + files


def _refusal(status: int, detail: str) -> Answered:
    body: dict[str, str] = {"detail": detail}
    if status >= 500:
        body["status"] = "judge_error"
    headers = [(b"content-type", b"application/json")]
    return Answered(status, headers, json.dumps(body).encode("ascii"), lasts=False)

"""A generator behind a real HTTP port, in a thread: says what a function says, and fails on demand.

Loaded by its path, since tests are no package.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Raw(NamedTuple):
    """An answer that is no completion: a status and a body; close ends the connection early."""

    status: int
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    after_s: float = 0.0


Say = Callable[[list[dict[str, str]]], "str | Raw | dict[str, Any]"]


@dataclass
class Generator:
    """url: to be asked. requests: the bodies of all that was asked. failures: how many attempts
    were refused, one after the other, by `fail`: a share of attempts, with a seed of its own."""

    say: Say
    models: tuple[str, ...] = ("frozen",)
    fail: float = 0.0
    seed: int = 0
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    failures: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def answer(self, path: str, body: bytes) -> Raw:
        if path.endswith("/models"):
            listed = {"data": [{"id": name} for name in self.models]}
            return Raw(200, json.dumps(listed).encode())
        request = json.loads(body)
        self.requests.append(request)
        if self._random.random() < self.fail:
            self.failures += 1
            kinds = (Raw(503), Raw(429), Raw(200, b"<html>"), Raw(500, close=True))
            return kinds[self.failures % len(kinds)]
        said = self.say(request["messages"])
        if isinstance(said, Raw):
            return said
        if isinstance(said, str):
            message = {"role": "assistant", "content": said}
            usage = {"prompt_tokens": 10, "completion_tokens": len(said.split())}
            said = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        return Raw(200, json.dumps(said).encode())


@contextmanager
def served(generator: Generator) -> Iterator[Generator]:
    """The generator's `url` answers within."""
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        server = await asyncio.start_server(_handler(generator), "127.0.0.1", 0)
        generator.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        started.set()
        async with server:
            await server.serve_forever()

    def run() -> None:
        asyncio.set_event_loop(loop)
        task.append(loop.create_task(main()))
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task[0])
        rest = asyncio.all_tasks(loop)
        for one in rest:
            one.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.close()

    task: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield generator
    finally:
        loop.call_soon_threadsafe(task[0].cancel)
        thread.join(10)


def _handler(generator: Generator) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                generator.headers.append(head)
                length = next(
                    (int(line.split(":")[1]) for line in head.split("\r\n")
                     if line.lower().startswith("content-length")), 0,
                )  # fmt: skip
                body = await reader.readexactly(length)
                raw = generator.answer(head.split()[1], body)
                if raw.after_s:
                    await asyncio.sleep(raw.after_s)
                if raw.close:
                    break
                extra = "".join(f"{name}: {value}\r\n" for name, value in raw.headers)
                writer.write(
                    f"HTTP/1.1 {raw.status} X\r\ncontent-type: application/json\r\n{extra}"
                    f"content-length: {len(raw.body)}\r\n\r\n".encode() + raw.body
                )
                await writer.drain()
        writer.close()

    return handle

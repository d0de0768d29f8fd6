"""A generator that answers at once, in a process of its own (see reward.py).

    python benchmarks/instant_generator.py ANSWERS.json

Says its URL on a line. Each request gets the answer whose number stands in its last message, after
`number `; every answer is rendered beforehand, so that a request costs a few tens of microseconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

_NUMBER = re.compile(rb"number (\d+)\.")


class Answering(asyncio.Protocol):
    """HTTP/1.1, keep-alive, as much of it as httpx speaks."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(rest) < length:
                return
            body, self._data = rest[:length], rest[length:]
            number = int(_NUMBER.findall(body)[-1])
            self._transport.write(self._answers[number])


def rendered(text: str) -> bytes:
    """A whole response with this completion."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice]}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


async def main(path: str) -> None:
    answers = [rendered(text) for text in json.loads(Path(path).read_text(encoding="utf-8"))]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(answers), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

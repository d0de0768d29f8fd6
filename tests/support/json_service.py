"""Services of tests on real ports, which are sent JSON and answer with JSON."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JsonService(BaseHTTPRequestHandler, ABC):
    """One request to a service."""

    @abstractmethod
    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the answer to this body."""

    def do_POST(self) -> None:
        status, data = self.reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def serving(service: type[JsonService]) -> Iterator[str]:
    """The URL of a server that answers as this service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def chat_completion(text: str) -> dict[str, Any]:
    """An answer of OpenAI's chat API."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "1", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
    }  # fmt: skip

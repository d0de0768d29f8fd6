"""A model that knows the sample problems by heart, behind an OpenAI-compatible port.

It stands in for a large model in the demonstration, so that every stage has something to do and no
weights have to be fetched. As a generator it sometimes writes a wrong program, and on being told
that its program is incorrect it writes another one. As a critic it knows which programs are right.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from ctrl_harness.critique.judgement import parse_judgement

GENERATOR, CRITIC = "generator", "critic"
RIGHT = "Analysis: it holds.\n\nOverall judgment: Correct"
WRONG = "Analysis: it fails.\n\nOverall judgment: Incorrect"


class Known(NamedTuple):
    """A problem's statement, and programs that are known to be right and wrong."""

    statement: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


class ScriptedModel:
    """Answers chats about the problems it knows."""

    def __init__(self, problems: Sequence[Known]) -> None:
        self._problems = problems

    def answer(self, model: str, messages: Sequence[Mapping[str, str]], seed: int) -> str:
        """The next message of a chat. seed: decides whether a draft is right."""
        known = self._problem_of(messages)
        if known is None:
            return "I do not know this problem."
        if model == CRITIC:
            question = messages[-1]["content"]
            return RIGHT if _holds(question, known.right) else WRONG
        drafts = [message["content"] for message in messages if message["role"] == "assistant"]
        if not drafts:
            wanted = known.right if random.Random(seed).random() < 0.5 else known.wrong
            return _fenced(wanted[seed % len(wanted)])
        is_right = _holds(drafts[-1], known.right)
        if parse_judgement(messages[-1]["content"]) == "incorrect":
            return _fenced(known.wrong[0] if is_right else known.right[0])
        return drafts[-1]

    def _problem_of(self, messages: Sequence[Mapping[str, str]]) -> Known | None:
        said = "\n".join(message["content"] for message in messages)
        return next((known for known in self._problems if known.statement in said), None)


@contextmanager
def served(model: ScriptedModel) -> Iterator[str]:
    """The model behind a port of this machine; the URL to ask."""

    class Handler(_Handler):
        scripted = model

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ScriptedModel

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": GENERATOR}, {"id": CRITIC}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        seed = int(body.get("seed") or 0)
        text = self.scripted.answer(body["model"], body["messages"], seed)
        asked = sum(len(message["content"].split()) for message in body["messages"])
        answered = len(text.split())
        message = {"role": "assistant", "content": text}
        self._send(
            {
                "id": "scripted",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": asked,
                    "completion_tokens": answered,
                    "total_tokens": asked + answered,
                },
            }
        )

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the demonstration's own lines are enough."""

    def _send(self, data: Mapping[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _holds(text: str, programs: Sequence[str]) -> bool:
    """Whether one of the programs stands in the text."""
    return any(program.strip() in text for program in programs)


def _fenced(program: str) -> str:
    return f"```python\n{program.strip()}\n```"

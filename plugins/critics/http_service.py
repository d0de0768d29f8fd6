"""What stands behind `http:URL`: one POST of JSON a critique, and the checks of its answer."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, get_args

import httpx

from ctrl_harness.critique.critic import (
    Comparison,
    Critique,
    Decision,
    Draft,
    Pair,
)
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.messages import Usage
from ctrl_harness.errors import CriticError, UserError
from ctrl_harness.execution.http_retry import (
    COME_AGAIN,
    Again,
    parse_url,
    persist,
    retry_after_s,
    tls_context,
)
from ctrl_harness.problems.problem import Problem

TOKEN = "CTRL_HARNESS_CRITIC_TOKEN"
"""The environment variable with the service's token."""
VERSION = 1
"""Of the schema; it goes along with every request."""
MAX_BYTES = 1_000_000
"""Of an answer."""
ATTEMPTS = 5
_FIRST_PAUSE_S = 0.5
_CONNECT_S = 10.0
_SHOWN_CHARS = 200


class HttpCritic:
    """Asks a service; the limit on its time is the guard's (critique/guard.py)."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        answer = await self._service.ask(
            {
                "version": VERSION,
                "kind": "critique",
                "problem": {
                    "id": problem.id,
                    "dataset": problem.dataset,
                    "statement": problem.statement,
                    "starter_code": problem.starter_code,
                    "public_cases": [case.as_json() for case in problem.public_cases],
                },
                "draft": {
                    "completion": draft.completion,
                    "program": draft.program,
                    "turn": draft.turn,
                },
            }
        )
        fields = _Fields(answer, self._service.name)
        return Critique(
            fields.text("text"),
            fields.one_of("judgement", get_args(Judgement)),
            cut_off=fields.flag("cut_off"),
            usage=fields.usage(),
        )

    async def compare(self, pair: Pair) -> Comparison:
        answer = await self._service.ask(
            {
                "version": VERSION,
                "kind": "comparison",
                "pair": {
                    "id": pair.id,
                    "question": pair.question,
                    "response_a": pair.response_a,
                    "response_b": pair.response_b,
                },
            }
        )
        fields = _Fields(answer, self._service.name)
        decision = fields.one_of("decision", get_args(Decision))
        return Comparison(decision, fields.text("text", ""), fields.usage())


class Service:
    """Where requests go. Usable from any event loop; keeps no connection."""

    def __init__(self, url: str) -> None:
        """Raises UserError for what is no http(s) URL, and for one that holds a password."""
        parsed = parse_url(url)
        if parsed is None:
            raise UserError(f"http:{url} names no service; write http:http://localhost:8000/critic")
        if parsed.userinfo:
            raise UserError(
                f"the critic's URL holds a password, which logs would keep; put {TOKEN} into the "
                "environment instead"
            )
        self._url = parsed
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if token := os.environ.get(TOKEN):
            self._headers["authorization"] = f"Bearer {token}"
        self.name = str(self._url)

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer's object. Raises CriticError."""
        # in ASCII: a lone surrogate in a program has no place in UTF-8
        body = json.dumps(request).encode("ascii")

        async def attempt(_: int) -> dict[str, Any]:
            try:
                answer = await self._once(body)
            except httpx.TransportError as error:
                raise Again(f"{type(error).__name__} {error}".strip()) from error
            except httpx.HTTPError as error:  # what it calls gzip is none, say
                raise self._error(f"{type(error).__name__} {error}") from error
            if answer.status in COME_AGAIN:
                raise Again(f"HTTP {answer.status}", answer.retry_after)
            return self._read(answer)

        try:
            return await persist(attempt, ATTEMPTS, _FIRST_PAUSE_S)
        except Again as error:
            raise self._error(f"not to be asked, {ATTEMPTS} times: {error}") from None

    async def _once(self, body: bytes) -> _Answer:
        timeout = httpx.Timeout(None, connect=_CONNECT_S)
        content = bytearray()
        async with (
            httpx.AsyncClient(timeout=timeout, verify=tls_context()) as client,
            client.stream("POST", self._url, content=body, headers=self._headers) as response,
        ):
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise self._error(f"its answer is longer than {MAX_BYTES:,} bytes")
        return _Answer(response, bytes(content))

    def _read(self, answer: _Answer) -> dict[str, Any]:
        if answer.status != 200:
            raise self._error(f"HTTP {answer.status}: {answer.beginning}")
        if answer.media_type not in ("application/json", ""):
            raise self._error(
                f"its answer is {answer.media_type}, not application/json: {answer.beginning}"
            )
        try:
            found = json.loads(answer.content.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise self._error(f"its answer is not UTF-8 (byte {error.start})") from error
        except (ValueError, RecursionError) as error:
            raise self._error(f"its answer is not JSON ({error}): {answer.beginning}") from error
        if not isinstance(found, dict):
            raise self._error(f"its answer is no JSON object: {answer.beginning}")
        return found

    def _error(self, what: str) -> CriticError:
        return CriticError(f"critic http:{self.name}: {' '.join(what.split())}")


class _Answer:
    """What came back."""

    def __init__(self, response: httpx.Response, content: bytes) -> None:
        self.status = response.status_code
        self.media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.retry_after = retry_after_s(response.headers)
        self.content = content

    @property
    def beginning(self) -> str:
        """For people."""
        return " ".join(self.content[:_SHOWN_CHARS].decode("utf-8", "replace").split())


class _Fields:
    """An answer's fields, by what they must be."""

    def __init__(self, answer: dict[str, Any], service: str) -> None:
        self._answer = answer
        self._service = service

    def text(self, name: str, default: str | None = None) -> str:
        value = self._answer.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def one_of(self, name: str, choices: tuple[Any, ...]) -> Any:
        """null stands for `missing`; to leave the field out says nothing."""
        value = self._answer.get(name, self)
        if value is None:
            return "missing"
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, f"one of {', '.join(choices)}, or null")
        return value

    def flag(self, name: str) -> bool:
        value = self._answer.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def usage(self) -> Usage:
        usage = self._answer.get("usage", {})
        if not isinstance(usage, dict):
            raise self._wrong("usage", "an object with input_tokens and output_tokens")
        counts = [usage.get(name, 0) for name in ("input_tokens", "output_tokens")]
        if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in counts):
            raise self._wrong("usage", "an object with input_tokens and output_tokens, from 0")
        return Usage(*counts)

    def _wrong(self, name: str, wanted: str) -> CriticError:
        given = f"is {self._answer[name]!r:.80}" if name in self._answer else "is not in its answer"
        return CriticError(f"critic http:{self._service}: the field {name!r} {given}, not {wanted}")

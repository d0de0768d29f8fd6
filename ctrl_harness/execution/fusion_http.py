"""HTTP to a SandboxFusion, or to a `ctrl-harness serve`: retries, and errors as JudgeError."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import anyio
import httpx

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.http_retry import (
    COME_AGAIN,
    Again,
    parse_url,
    persist,
    retry_after_s,
    tls_context,
)

_ATTEMPTS = 6
_FIRST_PAUSE_S = 0.5
_CONNECT_S = 10.0
_FINE = frozenset({200})
_FULL = 429
"""No fault: others are served, and this request will be."""
_SHOWN_CHARS = 300


class Endpoint:
    """Where requests go. Usable from any event loop; keeps no connection.

    url: of the server, or of its /run_code; a user and password in it become HTTP Basic
    authentication. token: sent as a Bearer token. Raises UserError for what is no http(s) URL.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        parsed = parse_url(url)
        if parsed is None:
            raise UserError("the endpoint is no URL; give one like http://host:8080")
        path = parsed.path.rstrip("/").removesuffix("/run_code")
        self._base = parsed.copy_with(path=path + "/", query=None, fragment=None)
        self._headers = {"content-type": "application/json"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"
        self.name = str(self._base.copy_with(username=None, password=None)).rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        timeout_s: float,
        fine: frozenset[int] = _FINE,
    ) -> httpx.Response:
        """The answer, of a status in `fine`. Transport faults are tried again, after random pauses.

        timeout_s: how long an answer may take, and for how long a server that is full is asked
        again. Raises JudgeError.
        """
        patient_until = time.monotonic() + timeout_s

        async def attempt(_: int) -> httpx.Response:
            try:
                response = await self._once(method, path, content, timeout_s)
                while response.status_code == _FULL and time.monotonic() < patient_until:
                    pause_s = max(_FIRST_PAUSE_S, retry_after_s(response.headers))
                    await anyio.sleep(pause_s * random.uniform(1.0, 1.5))
                    response = await self._once(method, path, content, timeout_s)
            except httpx.TransportError as error:
                raise Again(f"{type(error).__name__} {error}".strip()) from error
            if response.status_code in fine:
                return response
            trouble = f"HTTP {response.status_code}: {_detail(response)}"
            if response.status_code not in COME_AGAIN or _is_judge_error(response):
                raise JudgeError(f"{self.name}/{path} answered {trouble}")
            raise Again(trouble, retry_after_s(response.headers))

        try:
            return await persist(attempt, _ATTEMPTS, _FIRST_PAUSE_S)
        except Again as error:
            raise JudgeError(
                f"{self.name}/{path} could not be asked {_ATTEMPTS} times: {error}"
            ) from None

    async def _once(
        self, method: str, path: str, content: Any, timeout_s: float
    ) -> httpx.Response:
        timeout = httpx.Timeout(timeout_s, connect=_CONNECT_S)
        async with httpx.AsyncClient(timeout=timeout, verify=tls_context()) as client:
            url = self._base.join(path)
            # in ASCII: a lone surrogate in a program has no place in UTF-8
            body = None if content is None else json.dumps(content).encode("ascii")
            return await client.request(method, url, content=body, headers=self._headers)


def _is_judge_error(response: httpx.Response) -> bool:
    """Our server's word that it tried and failed; it has itself tried twice."""
    return '"judge_error"' in response.text[-100:]


def _detail(response: httpx.Response) -> str:
    return " ".join(response.text[:_SHOWN_CHARS].split()) or response.reason_phrase

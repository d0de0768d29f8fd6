"""The bodies of requests, with integers that are longer than Python reads by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from ctrl_harness.integers import TooManyDigits, load_json

MOST_DIGITS = 1_000_000
"""That a request's long integers may have together: some tenths of a second to read."""
MOST_VALUES = 5_000_000
"""That a request's JSON may have: as many empty lists take 400 MB."""
_TEXT = re.compile(rb'"[^"]*+"?')
_BEFORE_VALUES = (b",", b"[", b"{")


def has_too_many_values(body: bytes) -> bool:
    """Whether a JSON text has more than MOST_VALUES. Keys count, what stands in texts does not."""
    if sum(map(body.count, _BEFORE_VALUES)) < MOST_VALUES:
        return False
    body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if body.count(b'"') > 2 * MOST_VALUES:  # two a text; a text is a value or a key
        return True
    body = _TEXT.sub(b"", body)
    return sum(map(body.count, _BEFORE_VALUES)) >= MOST_VALUES


class _LongIntegers(Request):
    """Raises HTTPException with status 400 for more of them than are read."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            if has_too_many_values(body):
                raise HTTPException(400, f"the body holds more than {MOST_VALUES} values of JSON")
            try:
                self._json = load_json(body, most_digits=MOST_DIGITS)
            except TooManyDigits as error:
                raise HTTPException(400, f"the body holds {error}") from None
            except UnicodeDecodeError as error:  # which FastAPI would have no words for
                raise json.JSONDecodeError("the body is not UTF-8", "", error.start) from None
        return self._json


class LongIntegersRoute(APIRoute):
    """A route whose handler gets such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_request(request: Request) -> Response:
            return await handle(_LongIntegers(request.scope, request.receive))

        return handle_request

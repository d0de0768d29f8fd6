"""The bodies of requests, with integers that are longer than Python reads by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from ctrl_harness.integers import TooManyDigits, load_json

MOST_DIGITS = 1_000_000
"""That a request's long integers may have together: some tenths of a second to read."""


class _LongIntegers(Request):
    """Raises HTTPException with status 400 for more of them than are read."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = load_json(await self.body(), most_digits=MOST_DIGITS)
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

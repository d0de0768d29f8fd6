"""lm-eval's models behind an API, taught that a request which is too long is an answer of its kind.

lm-eval repeats such a request and then ends the whole run, so that one critique of a model's could
end it. Here the refused request alone gets `Overflow`, at once, and the others their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from lm_eval.models.api_models import TemplateAPI

from ctrl_harness.critique.context_length import REFUSALS, is_context_overflow
from ctrl_harness.errors import ContextOverflow


class Overflow(str):
    """What stands for the answer to a request that the model's context has no room for: an empty
    text. reason: the server's words. Survives lm-eval's cache of answers, which pickles."""

    reason: str

    def __new__(cls, reason: str) -> Overflow:
        text = super().__new__(cls, "")
        text.reason = reason
        return text

    def __reduce__(self) -> tuple[type[Overflow], tuple[str]]:
        return (Overflow, (self.reason,))


def name_overflows(model: Any) -> None:
    """Makes a model of lm-eval's answer `Overflow` where its server refuses a request's length.

    Models without a server cut such requests themselves and are left alone.
    """
    if isinstance(model, TemplateAPI):
        calls = _Calls(model)
        model.model_call = calls.one_by_one
        model.amodel_call = calls.side_by_side
        model.parse_generations = calls.parse


class _Calls:
    """The requests of one model, in the two ways in which lm-eval sends them."""

    def __init__(self, model: Any) -> None:
        self._model_call = model.model_call
        self._amodel_call = model.amodel_call
        self._parse = model.parse_generations

    def one_by_one(self, messages: Sequence[Any], **how: Any) -> Any:
        """Each message's answer, in a list where one of them is an Overflow."""
        try:
            return self._model_call(messages, **how)
        except requests.HTTPError as error:
            response = error.response
            if response is None or not how.get("generate", True):
                raise
            if not is_context_overflow(response.text, response.status_code):
                raise
            if len(messages) > 1:
                return [self.one_by_one([message], **how) for message in messages]
            return Overflow(_shown(response.text))

    def parse(self, outputs: Any, **how: Any) -> list[str | None]:
        if isinstance(outputs, list):
            return [text for output in outputs for text in self.parse(output, **how)]
        if isinstance(outputs, Overflow):
            return [outputs]
        parsed: list[str | None] = self._parse(outputs=outputs, **how)
        return parsed

    async def side_by_side(
        self, session: Any, sem: Any, messages: Sequence[Any], **how: Any
    ) -> list[Any]:
        try:
            answers: list[Any] = await self._amodel_call(
                _Watched(session), sem, messages, **how
            )
            return answers
        except ContextOverflow as overflow:
            if not how.get("generate", True):
                raise
            if len(messages) == 1:
                return [Overflow(str(overflow))]
        alone = []
        for n, message in enumerate(messages):
            given = {**how, "cache_keys": (how.get("cache_keys") or [])[n : n + 1]}
            alone += await self.side_by_side(session, sem, [message], **given)
        return alone


class _Watched:
    """An aiohttp session whose refusals are read: its own error has the status alone."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def post(self, *args: Any, **kwargs: Any) -> _Response:
        return _Response(self._session.post(*args, **kwargs))


class _Response:
    def __init__(self, request: Any) -> None:
        self._request = request

    async def __aenter__(self) -> Any:
        response = await self._request.__aenter__()
        if response.status in REFUSALS:
            said = await response.text()
            if is_context_overflow(said, response.status):
                await self._request.__aexit__(None, None, None)
                raise ContextOverflow(_shown(said))
        return response

    async def __aexit__(self, *error: Any) -> Any:
        return await self._request.__aexit__(*error)


def _shown(text: str) -> str:
    return " ".join(text.split())[:300]

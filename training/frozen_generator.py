"""The frozen generator of training: an OpenAI-compatible server that writes revisions.

Its weights never change in a run, so it is served apart from the critic: by vLLM or any server with
`/v1/chat/completions`, or by verl's own reward router. A server that is down, slow, busy or answers
something else is asked again, after growing, random pauses; what is left of it is a
`GeneratorError`, never an answer.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import anyio
import anyio.lowlevel
import httpx

from ctrl_harness.critique.context_length import is_context_overflow
from ctrl_harness.critique.messages import Completion, Message, Usage
from ctrl_harness.errors import ContextOverflow, JudgeError, UserError
from ctrl_harness.execution.http_retry import (
    COME_AGAIN,
    Again,
    parse_url,
    persist,
    retry_after_s,
    tls_context,
)
from ctrl_harness.training.http_lanes import Lanes

T = TypeVar("T")

TOKEN_VARIABLE = "CTRL_HARNESS_GENERATOR_TOKEN"
"""Where the Bearer token stands; never in a configuration, which is logged."""
MAX_TOKENS = 1024
"""New tokens of a revision (arXiv 2502.03492, appendix C.4)."""
ATTEMPTS = 12
"""Of a request: a server that fails 30 % of them loses one in two million."""
_MAX_ANSWER_BYTES = 8 << 20
_SHOWN_CHARS = 300
_VERSIONED = re.compile(r"/v\d+\w*\Z")
_COME_AGAIN = COME_AGAIN | {408, 409, 425, 500}


class GeneratorError(JudgeError):
    """The generator could not be asked, so nothing is known of the critique. Never a score.

    retries: how often it was asked again.
    """

    def __init__(self, message: str, retries: int = 0) -> None:
        super().__init__(message)
        self.retries = retries

    def __reduce__(self) -> tuple[type[GeneratorError], tuple[str, int]]:
        return (type(self), (str(self), self.retries))


class Answer(NamedTuple):
    """completion: what the generator wrote. retries: how often it was asked again."""

    completion: Completion
    retries: int


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """How revisions are asked for.

    url: of the server, its /v1 or its /v1/chat/completions. model: as the server calls it; None
    asks the server, which must serve one alone. temperature: 0 is greedy, CTRL's. timeout_s: wall
    seconds an attempt may take from the first byte to the last. in_flight: requests of this process
    at once. body: further fields of the request (`chat_template_kwargs`, `top_k`).
    Raises UserError for values out of range.
    """

    url: str
    model: str | None = None
    temperature: float = 0.0
    max_tokens: int = MAX_TOKENS
    timeout_s: float = 300.0
    attempts: int = ATTEMPTS
    first_pause_s: float = 0.5
    in_flight: int = 64
    body: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds = {
            "temperature": (0, 10), "max_tokens": (1, 1e6), "timeout_s": (0.001, 86_400),
            "attempts": (1, 1000), "first_pause_s": (0, 60), "in_flight": (1, 100_000),
        }  # fmt: skip
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not least <= value <= most:
                raise UserError(
                    f"generator_{name} is {value!r}; give a number from {least} to {most:g}"
                )

    @property
    def base_url(self) -> str:
        """Up to and with /v1. Raises UserError for what is no http(s) URL."""
        if parse_url(self.url) is None:
            raise UserError(
                f"generator_url is {self.url!r}; give one like http://host:8000/v1, the address of "
                "an OpenAI-compatible server"
            )
        base = self.url.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
        return base if _VERSIONED.search(base) else f"{base}/v1"


class FrozenGenerator:
    """Asks for revisions. Usable from any event loop and any thread; each loop has connections of
    its own, which end with it."""

    def __init__(self, settings: GeneratorSettings, token: str | None = None) -> None:
        self.settings = settings
        self._base = settings.base_url
        token = token or os.environ.get(TOKEN_VARIABLE)
        self._headers = {"content-type": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._model = settings.model
        self._tls = self._base.startswith("https") and tls_context()
        self._lanes: anyio.lowlevel.RunVar[Lanes] = anyio.lowlevel.RunVar("lanes")

    @property
    def name(self) -> str:
        """Where requests go, without a user or password in it."""
        return str(httpx.URL(self._base).copy_with(username=None, password=None))

    async def ask(self, messages: Sequence[Message], *, seed: int | None = None) -> Answer:
        """The generator's answer to a chat.

        seed: for answers that are sampled. Raises GeneratorError after the last attempt, or at once
        where the server says that asking again is of no use; ContextOverflow where it says that the
        chat is too long for its model; UserError where it is not known which model to ask for.
        """
        body: dict[str, Any] = {
            "messages": [message._asdict() for message in messages],
            "temperature": self.settings.temperature,
            "max_tokens": self.settings.max_tokens,
            **self.settings.body,
        }
        if seed is not None:
            body["seed"] = seed
        async with self._own_lanes().places:
            body["model"] = self._model or await self._only_model()
            # in ASCII: a lone surrogate in a critique has no place in UTF-8
            text = json.dumps(body).encode("ascii")
            return Answer(*await self._persist("POST", "/chat/completions", text, _completion_of))

    async def aclose(self) -> None:
        """Closes this event loop's connections. A later call opens new ones."""
        lanes = self._lanes.get(None)
        if lanes is not None:
            self._lanes.set(Lanes(self.settings.in_flight, self.settings.timeout_s, self._tls))
            await lanes.aclose()

    async def _only_model(self) -> str:
        served, _ = await self._persist("GET", "/models", None, _models_of)
        if len(served) != 1:
            raise UserError(
                f"{self.name} serves {', '.join(served) or 'no model'}; name the one to ask with "
                "generator_model"
            )
        self._model = served[0]
        return served[0]

    async def _persist(
        self, method: str, path: str, body: bytes | None, read: Callable[[Any], T]
    ) -> tuple[T, int]:
        """What `read` makes of the answer, and how often it was asked again."""

        async def attempt(number: int) -> tuple[T, int]:
            return read(await self._once(method, path, body, number)), number

        attempts = self.settings.attempts
        try:
            return await persist(attempt, attempts, self.settings.first_pause_s)
        except Again as error:
            tries = f"{attempts} times" if attempts > 1 else "once"
            raise GeneratorError(
                f"the generator at {self.name} was asked {tries} in vain; the last time: {error}",
                attempts - 1,
            ) from None

    async def _once(self, method: str, path: str, body: bytes | None, attempt: int) -> Any:
        """The JSON of one attempt's answer. Raises Again, or GeneratorError."""
        timeout_s = self.settings.timeout_s
        try:
            # httpx bounds each wait for a byte, and a server may drip for ever
            with anyio.fail_after(timeout_s):
                status, headers, content = await self._exchange(method, path, body)
        except TimeoutError:
            raise Again(f"no answer within {timeout_s:g} s") from None
        except httpx.TransportError as error:
            raise Again(f"{type(error).__name__} {error}".strip()) from None
        except httpx.DecodingError as error:
            raise Again(f"an answer that cannot be unpacked ({error})") from None
        said = content.decode("utf-8", "replace")
        shown = " ".join(said[:_SHOWN_CHARS].split())
        # before the statuses that are asked again: some servers call it a fault of theirs
        if status != 200 and is_context_overflow(said, status):
            raise ContextOverflow(
                f"the generator at {self.name} has no room for the chat (HTTP {status}: {shown})"
            )
        if status in _COME_AGAIN:
            raise Again(f"HTTP {status}: {shown}", retry_after_s(headers))
        if status != 200:
            raise GeneratorError(
                f"the generator at {self.name} refused with HTTP {status}: {shown}", attempt
            )
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Again(f"an answer that is no JSON: {shown}") from None

    async def _exchange(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        url = self._base + path
        content = bytearray()
        with self._own_lanes().shortest() as client:
            async with client.stream(method, url, content=body, headers=self._headers) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _MAX_ANSWER_BYTES:
                        raise Again(f"an answer of more than {_MAX_ANSWER_BYTES >> 20} MiB")
                return response.status_code, response.headers, bytes(content)

    def _own_lanes(self) -> Lanes:
        lanes = self._lanes.get(None)
        if lanes is None:
            lanes = Lanes(self.settings.in_flight, self.settings.timeout_s, self._tls)
            self._lanes.set(lanes)
        return lanes


def _completion_of(data: Any) -> Completion:
    """Raises Again for what is no chat completion."""
    try:
        (choice, *_) = data["choices"]
        text = choice["message"]["content"]
        usage = data.get("usage") or {}
        tokens = Usage(
            int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        )
        reason = choice.get("finish_reason")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        shown = json.dumps(data)[:_SHOWN_CHARS]
        raise Again(f"JSON that is no chat completion: {shown}") from None
    # null where all of it was reasoning
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise Again(f"a message whose content is no text: {json.dumps(text)[:_SHOWN_CHARS]}")
    return Completion(text, cut_off=reason == "length", usage=tokens)


def _models_of(data: Any) -> list[str]:
    try:
        return [str(model["id"]) for model in data["data"]]
    except (KeyError, TypeError):
        raise Again("JSON that is no list of models") from None

"""The frozen generator's client, against a real port: what is asked again, and what is given up."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ctrl_harness.critique.messages import Message
from ctrl_harness.errors import UserError
from ctrl_harness.training.frozen_generator import (
    TOKEN_VARIABLE,
    Answer,
    FrozenGenerator,
    GeneratorError,
    GeneratorSettings,
)

CHAT = (Message("user", "Add."), Message("assistant", "1"), Message("user", "Wrong.\ud800"))


def ask(url: str, times: int = 1, **settings: Any) -> list[Answer]:
    """As many answers, all at once, on an event loop of their own."""

    async def main() -> list[Answer]:
        generator = FrozenGenerator(
            GeneratorSettings(url, **{"first_pause_s": 0.001, "timeout_s": 5, **settings})
        )
        try:
            return await asyncio.gather(*(generator.ask(CHAT) for _ in range(times)))
        finally:
            await generator.aclose()

    return asyncio.run(main())


def test_greedy_with_1024_new_tokens_unless_told_otherwise(
    serve_generator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "a secret")
    server = serve_generator(lambda messages: "fine")
    (answer,) = ask(server.url)
    assert answer.completion.text == "fine"
    assert answer.completion.usage.input_tokens == 10
    assert server.requests == [
        {
            "messages": [message._asdict() for message in CHAT],
            "temperature": 0.0,
            "max_tokens": 1024,
            "model": "frozen",
        }
    ]
    assert "authorization: Bearer a secret" in server.headers[-1]
    ask(server.url, model="other", temperature=0.7, body={"top_k": 20})
    assert server.requests[1]["model"] == "other"
    assert server.requests[1]["temperature"] == 0.7
    assert server.requests[1]["top_k"] == 20


@pytest.mark.parametrize("end", ["", "/v1", "/v1/", "/v1/chat/completions"])
def test_any_usual_form_of_the_url_will_do(
    end: str, serve_generator: Callable[..., Any]
) -> None:
    server = serve_generator(lambda messages: "fine")
    ask(server.url.removesuffix("/v1") + end)
    assert " /v1/chat/completions " in server.headers[-1]


def test_of_several_models_one_has_to_be_named(serve_generator: Callable[..., Any]) -> None:
    server = serve_generator(lambda messages: "fine", models=("a", "b"))
    with pytest.raises(UserError, match="serves a, b; name the one"):
        ask(server.url)
    assert ask(server.url, model="b")[0].completion.text == "fine"


def test_a_server_that_fails_three_in_ten_attempts_loses_no_answer(
    serve_generator: Callable[..., Any],
) -> None:
    server = serve_generator(lambda messages: "fine", fail=0.3, seed=5)
    answers = ask(server.url, times=200)
    assert {answer.completion.text for answer in answers} == {"fine"}
    assert sum(answer.retries for answer in answers) == server.failures
    assert 50 < server.failures < 130
    assert len(server.requests) == 200 + server.failures


def refusals(generators: ModuleType) -> dict[str, tuple[Any, str]]:
    raw = generators.Raw
    return {
        "busy": (raw(429), "HTTP 429"),
        "down": (raw(503, b"starting"), "HTTP 503: starting"),
        "html": (raw(200, b"<html>hello</html>"), "no JSON: <html>hello</html>"),
        "another JSON": (raw(200, b'{"error": "x"}'), "no chat completion"),
        "a list": (raw(200, b"[]"), "no chat completion"),
        "no choices": (raw(200, b'{"choices": []}'), "no chat completion"),
        "a number": (raw(200, b'{"choices": [{"message": {"content": 3}}]}'), "is no text"),
        "hung up": (raw(200, close=True), "RemoteProtocolError"),
        "9 MB": (raw(200, b'"' + b"x" * 9_000_000 + b'"'), "more than 8 MiB"),
        "slow": (raw(200, b"{}", after_s=2), "no answer within 0.2 s"),
    }


@pytest.mark.parametrize(
    "kind",
    ["busy", "down", "html", "another JSON", "a list", "no choices", "a number", "hung up", "9 MB",
     "slow"],
)  # fmt: skip
def test_what_is_no_answer_is_asked_again_and_is_an_error_in_the_end(
    kind: str, generators: ModuleType, serve_generator: Callable[..., Any]
) -> None:
    answer, message = refusals(generators)[kind]
    server = serve_generator(lambda messages: answer)
    timeout_s = 0.2 if kind == "slow" else 5.0
    with pytest.raises(GeneratorError, match="asked 3 times in vain") as caught:
        ask(server.url, attempts=3, timeout_s=timeout_s)
    assert message in str(caught.value)
    assert caught.value.retries == 2
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_will_not_be_better_the_next_time_is_not_asked_again(
    status: int, generators: ModuleType, serve_generator: Callable[..., Any]
) -> None:
    server = serve_generator(lambda messages: generators.Raw(status, b"no such thing"))
    with pytest.raises(GeneratorError, match=f"HTTP {status}: no such thing"):
        ask(server.url)
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(GeneratorError, match="ConnectError"):
        ask("http://127.0.0.1:9", attempts=2, model="m")


def test_the_servers_wish_to_be_left_alone_is_heeded(
    generators: ModuleType, serve_generator: Callable[..., Any]
) -> None:
    answers = iter([generators.Raw(429, headers=(("Retry-After", "1"),)), "fine"])
    server = serve_generator(lambda messages: next(answers))
    began = time.monotonic()
    assert ask(server.url)[0].retries == 1
    assert time.monotonic() - began >= 1


def test_an_answer_that_is_all_reasoning_or_cut_off_is_an_answer(
    serve_generator: Callable[..., Any],
) -> None:
    choice = {"message": {"content": None}, "finish_reason": "length"}
    server = serve_generator(lambda messages: {"choices": [choice], "usage": None})
    (answer,) = ask(server.url)
    assert answer.completion.text == ""
    assert answer.completion.cut_off


def test_one_client_serves_the_loops_of_several_threads(
    serve_generator: Callable[..., Any],
) -> None:
    server = serve_generator(lambda messages: "fine")
    generator = FrozenGenerator(GeneratorSettings(server.url, model="m", in_flight=3))
    texts: list[str] = []

    async def main() -> None:
        for answer in await asyncio.gather(*(generator.ask(CHAT) for _ in range(20))):
            texts.append(answer.completion.text)
        await generator.aclose()

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["fine"] * 80


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "vllm:8000"}, "generator_url is 'vllm:8000'; give one like"),
        ({"url": ""}, "generator_url"),
        ({"url": "http://h", "attempts": 0}, "generator_attempts is 0; give a number from 1"),
        ({"url": "http://h", "temperature": -1}, "generator_temperature"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        FrozenGenerator(GeneratorSettings(**settings))


def test_an_error_crosses_process_borders() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(GeneratorError("down", 4)))
    assert (str(error), error.retries) == ("down", 4)
    assert json.dumps(str(error)) == '"down"'

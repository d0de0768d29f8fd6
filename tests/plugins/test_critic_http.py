"""A service as critic: what it is asked, and each way in which it can fail."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from ctrl_harness.critique.contract import played
from ctrl_harness.critique.critic import Comparing, Comparison, Critic, CriticContext, Draft, Pair
from ctrl_harness.critique.guard import TIMEOUT, guarded
from ctrl_harness.critique.messages import Usage
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import CriticError, UserError
from ctrl_harness.plugins.critics import http_service
from ctrl_harness.plugins.critics.http import http
from ctrl_harness.plugins.critics.http_service import ATTEMPTS, MAX_BYTES, TOKEN
from ctrl_harness.problems.problem import Problem, StdioCase

PROBLEM = Problem(
    "p", "codecontests", "Add.", (), (StdioCase("1 2\n", "3\n"),), starter_code="def f(): ..."
)
DRAFT = Draft("```python\nprint('\udcff')\n```", "print('\udcff')", turn=1)
FINE = {"text": "Fine.", "judgement": "correct", "usage": {"input_tokens": 5, "output_tokens": 2}}


class Asked(NamedTuple):
    headers: dict[str, str]
    body: Any


class Service:
    """Answers with these raw responses in turn, the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                service.asked.append(Asked({k.lower(): v for k, v in self.headers.items()}, body))
                number = min(len(service.asked), len(service.answers)) - 1
                service.answers[number](self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/critic"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setattr(http_service, "_FIRST_PAUSE_S", 0.01)
    made = Service()
    yield made
    made.close()


def answer(
    body: bytes | Any = FINE, status: int = 200, kind: str = "application/json", **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    """A whole response; headers may lie."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        told = {"content-type": kind, "content-length": str(len(content)), **given}
        for name, value in told.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return send


def critic_of(url: str) -> Critic:
    """As an eval has it: behind the guard."""

    async def nothing(program: str | None) -> Any:
        return None

    prompts = PromptSet("default", "codecontests")
    context = CriticContext(played(None), nothing, prompts, nothing)
    return guarded(http.make(url), f"http:{url}")(context)


def criticise(url: str) -> Any:
    return anyio.run(critic_of(url), PROBLEM, DRAFT)


def reason(url: str) -> str:
    with pytest.raises(CriticError) as caught:
        criticise(url)
    text = str(caught.value)
    assert text.startswith(f"critic http:{url}") and "\n" not in text and len(text) < 600
    return text


# -- the schema


def test_what_a_service_is_asked_and_what_it_may_say(service: Service) -> None:
    service.answers = [answer({**FINE, "cut_off": True, "model": "ours-7b"})]
    critique = criticise(service.url)
    assert (critique.text, critique.judgement, critique.cut_off) == ("Fine.", "correct", True)
    assert critique.usage == Usage(5, 2)
    (asked,) = service.asked
    assert asked.body == {
        "version": 1,
        "kind": "critique",
        "problem": {
            "id": "p",
            "dataset": "codecontests",
            "statement": "Add.",
            "starter_code": "def f(): ...",
            "public_cases": [{"stdin": "1 2\n", "stdout": "3\n"}],
        },
        "draft": {"completion": DRAFT.completion, "program": DRAFT.program, "turn": 1},
    }
    assert asked.headers["content-type"] == "application/json"
    assert "authorization" not in asked.headers


def test_two_responses_are_compared(service: Service) -> None:
    said = {"decision": "B>A", "text": "B is right."}
    service.answers = [answer(said), answer({"decision": None})]
    critic = critic_of(service.url)
    assert isinstance(critic, Comparing)
    pair = Pair("pair-1", "1 + 1?", "3", "2")
    assert anyio.run(critic.compare, pair) == Comparison("B>A", "B is right.")
    assert anyio.run(critic.compare, pair) == Comparison("missing")
    assert service.asked[0].body == {
        "version": 1,
        "kind": "comparison",
        "pair": {"id": "pair-1", "question": "1 + 1?", "response_a": "3", "response_b": "2"},
    }


def test_no_judgement_is_said_as_null(service: Service) -> None:
    service.answers = [answer({"text": "Who knows.", "judgement": None})]
    assert criticise(service.url).judgement == "missing"


def test_the_token_of_the_environment_goes_along(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "s3cret")
    service.answers = [answer()]
    criticise(service.url)
    assert service.asked[0].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("localhost:8000", "names no service"),
        ("ftp://host/critic", "names no service"),
        ("http://", "names no service"),
        ("http://user:word@host/critic", f"put {TOKEN} into the environment"),
    ],
)
def test_what_is_no_service_is_a_sentence_before_anything_is_asked(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        http.make(url)
    assert "word" not in str(caught.value).replace("password", "")


# -- what is asked again


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_service_that_is_busy_is_asked_again(service: Service, status: int) -> None:
    service.answers = [answer(b"later", status), answer(b"later", status), answer()]
    assert criticise(service.url).text == "Fine."
    assert len(service.asked) == 3


def test_it_is_not_asked_before_the_time_it_names(service: Service) -> None:
    service.answers = [answer(b"", 503, retry_after="1"), answer()]
    start = time.monotonic()
    criticise(service.url)
    assert time.monotonic() - start >= 1


def test_a_service_that_stays_busy_is_given_up(service: Service) -> None:
    service.answers = [answer(b"", 503)]
    assert f"not to be asked, {ATTEMPTS} times: HTTP 503" in reason(service.url)
    assert len(service.asked) == ATTEMPTS


def test_a_service_that_hangs_up_is_asked_again(service: Service) -> None:
    service.answers = [lambda handler: handler.connection.close(), answer()]
    assert criticise(service.url).text == "Fine."


def test_a_service_that_is_down_is_a_sentence(service: Service) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert "not to be asked" in reason(url)


# -- what is not


def raw(payload: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: handler.wfile.write(payload) and None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("send", "says"),
    [
        (answer(b"<html><h1>Login</h1></html>", kind="text/html; charset=utf-8"),
         "its answer is text/html, not application/json: <html><h1>Login"),
        (answer(b"<html>", kind="application/json"), "its answer is not JSON"),
        (answer('{"text": "schön", "judgement": null}'.encode("latin-1")),
         "its answer is not UTF-8 (byte 13)"),
        (answer('{"text": "a"}'.encode("utf-16")), "its answer is not UTF-8"),
        (answer(b"x" * 5_000_000), f"its answer is longer than {MAX_BYTES:,} bytes"),
        (answer(gzip.compress(b"x" * 50_000_000), content_encoding="gzip"), "is longer than"),
        (answer(b"no gzip at all", content_encoding="gzip"), "DecodingError"),
        (answer([1, 2]), "its answer is no JSON object"),
        (answer(b"[" * 100_000), "its answer is not JSON"),
        (answer(b""), "its answer is not JSON"),
        (answer({"text": "Fine."}), "'judgement' is not in its answer"),
        (answer({"judgement": "correct"}), "'text' is not in its answer, not a text"),
        (answer({"text": 5, "judgement": "correct"}), "'text' is 5, not a text"),
        (answer({"text": "Fine.", "judgement": "yes"}), "'judgement' is 'yes', not one of correct"),
        (answer({"text": "Fine.", "judgement": ["correct"]}), "'judgement' is ['correct']"),
        (answer({**FINE, "usage": 7}), "'usage' is 7, not an object with"),
        (answer({**FINE, "usage": {"input_tokens": -1}}), "with input_tokens and output_tokens"),
        (answer({**FINE, "cut_off": "no"}), "'cut_off' is 'no', not true or false"),
        (answer({**FINE, "text": "half \ud800"}), "half of one"),
        (answer({"error": "no such model"}, 404), 'HTTP 404: {"error": "no such model"}'),
        (answer(b"Traceback: out of memory", 500, "text/plain"), "HTTP 500: Traceback: out of"),
        (answer(b"", 302, location="http://elsewhere/"), "HTTP 302"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_said_and_not_asked_for_again(
    service: Service, send: Callable[[BaseHTTPRequestHandler], None], says: str
) -> None:
    service.answers = [send]
    assert says in reason(service.url)
    assert len(service.asked) == 1


@pytest.mark.parametrize("length", ["100000", "3"])
def test_a_service_that_lies_about_its_length(service: Service, length: str) -> None:
    service.answers = [answer(FINE, content_length=length)]
    said = reason(service.url)
    assert "peer closed connection" in said or "its answer is not JSON" in said


@pytest.mark.parametrize("drips", [False, True])
def test_a_service_that_is_slow_is_given_up_in_time(
    service: Service, monkeypatch: pytest.MonkeyPatch, drips: bool
) -> None:
    monkeypatch.setenv(TIMEOUT, "0.5")
    done = threading.Event()

    def crawl(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.end_headers()
        try:
            while not done.wait(0.05):
                if drips:
                    handler.wfile.write(b" ")
        except OSError:
            pass

    service.answers = [crawl]
    start = time.monotonic()
    try:
        assert "gave no answer within 0.5 s" in reason(service.url)
        assert time.monotonic() - start < 3
    finally:
        done.set()
    assert len(service.asked) == 1


# -- the example


def test_the_example_server_keeps_the_contract(root: Path, harness_cli: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = root / "examples" / "http_critic" / "server.py"
    assert len([line for line in script.read_text().splitlines() if line.strip()]) <= 25
    server = subprocess.Popen([sys.executable, script, str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        done = harness_cli("critics", "check", f"http:http://127.0.0.1:{port}")
        assert done.code == 0, done.text
        assert "holds    pairs" in done.stdout
    finally:
        server.terminate()
        server.wait()

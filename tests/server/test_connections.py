"""Connections that clients open and do not use, half or whole: the server stays reachable."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.server.attacks import HEAD, connect, log_bytes, memory_mb, pings

TOKEN = "correct horse"
PRINT = {"code": "print(1)", "language": "python"}
Serve = Callable[..., Any]

HALF_REQUESTS = {
    "nothing at all": b"",
    "half a head": HEAD,
    "a head and no body": HEAD + b"content-length: 100\r\n\r\n",
    "half a body": HEAD + b"content-length: 60000000\r\n\r\n{",
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\nffffff\r\n{",
    "an unread body of a ping": b"GET /v1/ping HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n",
}


@pytest.mark.parametrize("arguments", [(), ("--token", TOKEN)], ids=["open", "token"])
def test_with_64_descriptors_half_requests_keep_nobody_out(
    serve: Serve, arguments: tuple[str, ...]
) -> None:
    server = serve("--workers", "1", *arguments, descriptors=64)
    # one that the client keeps may be closed for others while its next request is on the way
    anew = httpx.Limits(max_keepalive_connections=0)
    with server.client(auth=("any", TOKEN), limits=anew) as client:
        assert client.post("/run_code", json=PRINT).status_code == 200
        before_mb = memory_mb(server)
        with contextlib.ExitStack() as stack:
            stack.enter_context(pings(server))
            for half in HALF_REQUESTS.values():
                for _ in range(80):
                    with contextlib.suppress(ConnectionError):
                        stack.enter_context(connect(server, half))
                assert client.post("/run_code", json=PRINT).status_code == 200
        assert client.post("/run_code", json=PRINT).status_code == 200
    assert memory_mb(server) < before_mb + 30
    assert log_bytes(server) < 20_000, server.log[:20]


def test_a_server_with_too_few_descriptors_says_so(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="`ulimit -n` allows 30"):
        serve("--workers", "2", descriptors=30)


def test_busy_connections_leave_a_place_for_a_ping_and_refuse_the_rest(serve: Serve) -> None:
    server = serve("--workers", "1", "--max-connections", "8")
    body = b'{"code": "import time; time.sleep(4)", "language": "python"}'
    head = b"POST /run_code HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            request = head + b"content-length: %d\r\n\r\n" % len(body) + body
            stack.enter_context(connect(server, request))
        time.sleep(0.5)
        with server.client() as client:
            assert client.get("/v1/ping").status_code == 200
            refused = client.post("/run_code", json=PRINT)
            assert refused.status_code == 504 and "connections" in refused.json()["detail"]
        with server.client() as client:
            assert client.post("/verify", json={}).status_code == 503
    with server.client() as client:  # the eight have gone
        assert client.post("/run_code", json=PRINT).status_code == 200


def read_all(connection: socket.socket) -> bytes:
    said = b""
    while chunk := connection.recv(1 << 16):
        said += chunk
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    "first", [b"", HEAD, b"\r\n"], ids=["nothing", "half a head", "a blank line"]
)
def test_a_head_that_does_not_come_is_not_waited_for(server: Any, first: bytes) -> None:
    with connect(server, first) as connection:
        connection.settimeout(40)
        assert read_all(connection).startswith(b"HTTP/1.1 4")


@pytest.mark.slow
def test_half_a_second_request_is_not_waited_for(server: Any) -> None:
    ping = b"GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n"
    with connect(server, ping + b"GET /v1/ping HT") as connection:
        connection.settimeout(40)
        said = read_all(connection)
    assert said.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in said


@pytest.mark.slow
def test_a_body_that_trickles_is_not_waited_for(server: Any) -> None:
    with connect(server, HEAD + b"content-length: 60000000\r\n\r\n") as connection:
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - start < 60:
                connection.sendall(b" " * 100)
                time.sleep(0.2)
                connection.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    said = connection.recv(1000)
                    break
        assert said.startswith(b"HTTP/1.1 504 ") and time.monotonic() - start < 40


def test_pipelined_requests_are_answered_in_order(server: Any) -> None:
    body = b'{"code": "print(7)", "language": "python"}'
    ping = b"GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n"
    head = b"POST /run_code HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    run = head + b"content-length: %d\r\n\r\n" % len(body) + body
    last = b"GET /v1/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with connect(server, ping + run + ping * 50 + last) as connection:
        said = read_all(connection)
    answers = said.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * 53
    assert b'"stdout":"7\\n"' in answers[1]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/ping HTTP/1.1\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
        b"GET /v1/ping HTTP/1.1\r\nhost: x\r\na: " + b"b" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00" * 1000,
        b"GET /v1/ping HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /run_code HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /run_code HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["many headers", "a long header", "a long path", "HTTP/2", "TLS", "two lengths",
         "a negative length", "no chunk"],
)  # fmt: skip
def test_what_is_no_request_is_refused_at_once(server: Any, head: bytes) -> None:
    with connect(server) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head)
        said = b""
        with contextlib.suppress(ConnectionError):
            said = read_all(connection)
    assert not said or said.startswith(b"HTTP/1.1 4"), said[:200]


def test_bad_requests_do_not_fill_the_log(serve: Serve) -> None:
    server = serve("--workers", "1")
    for _ in range(500):
        with connect(server, b"nonsense\r\n\r\n") as connection:
            assert read_all(connection).startswith(b"HTTP/1.1 400 ")
    assert 0 < len(server.log) <= 20 and log_bytes(server) < 2_000


def test_a_coded_body_is_refused_in_a_sentence(server: Any) -> None:
    with server.client() as client:
        for path in ("/run_code", "/verify"):
            answer = client.post(path, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
            assert answer.status_code == 415 and "Content-Encoding" in answer.json()["detail"]


def test_an_idle_connection_is_closed_only_where_its_place_is_needed(serve: Serve) -> None:
    server = serve("--workers", "1", "--max-connections", "8")
    idle = [http.client.HTTPConnection(*server.address, timeout=20) for _ in range(8)]
    with contextlib.ExitStack() as stack:
        for connection in idle:
            stack.enter_context(contextlib.closing(connection))
            connection.request("GET", "/v1/ping")
            assert connection.getresponse().read() == b'"pong"'
        sockets = [connection.sock for connection in idle]
        stack.enter_context(connect(server, HEAD))
        for connection, first in list(zip(idle, sockets, strict=True))[1:]:
            connection.request("GET", "/v1/ping")
            assert connection.getresponse().read() == b'"pong"' and connection.sock is first
        assert sockets[0].recv(1) == b""

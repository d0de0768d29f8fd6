"""Room for bodies, the rate behind Retry-After, and answers that begin before they are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

pytest.importorskip("fastapi", reason="the server needs the extra `server`")

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.app import create_app
from ctrl_harness.server.settings import ServerSettings
from ctrl_harness.server.waiting import Room, Throughput

RUN = {"code": "print(1)", "language": "python"}
SUBMIT = {
    "dataset": "", "id": 1, "completion": "```python\nprint(1)\n```",
    "config": {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": {
        "test": [{"input": {"stdin": ""}, "output": {"stdout": "1"}}]}},
}  # fmt: skip


class Slow:
    """An executor that needs some time, and may then fail."""

    name = "slow"
    isolated = True
    packages = None

    def __init__(self, seconds: float, error: Exception | None = None) -> None:
        self._seconds, self._error = seconds, error
        self.programs = 0

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        self.programs += 1
        await anyio.sleep(self._seconds)
        if self._error is not None:
            raise self._error
        return [Run("ok", stdout="1\n", exit_status=0) for _ in inputs]

    async def aclose(self) -> None:
        pass


class Client:
    """One request, message by message."""

    def __init__(self, path: str, body: dict[str, Any], message_bytes: int | None = None) -> None:
        """message_bytes: how many of the body come at a time; all at once by default."""
        data = json.dumps(body).encode()
        self.scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "server": ("judge", 80), "client": ("test", 1), "asgi": {"version": "3.0"},
            "headers": [(b"content-type", b"application/json"),
                        (b"content-length", str(len(data)).encode())],
        }  # fmt: skip
        self.sent: list[Any] = []
        self.read = False
        self._data = data
        self._message_bytes = message_bytes or len(data)

    async def receive(self) -> dict[str, Any]:
        if self.read:
            await anyio.sleep_forever()
        some, self._data = self._data[: self._message_bytes], self._data[self._message_bytes :]
        self.read = not self._data
        return {"type": "http.request", "body": some, "more_body": not self.read}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def text(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def complete(self) -> bool:
        return len(self.sent) > 1 and not self.sent[-1].get("more_body", False)


def ask(executor: Slow, client: Client, **settings: Any) -> Client:
    async def serve() -> None:
        await create_app(executor, ServerSettings(**settings))(
            client.scope, client.receive, client.send
        )

    anyio.run(serve)
    return client


@pytest.mark.parametrize(("path", "body"), [("/run_code", RUN), ("/submit", SUBMIT)])
def test_an_answer_that_is_late_begins_with_a_blank(path: str, body: dict[str, Any]) -> None:
    client = ask(Slow(0.3), Client(path, body), first_byte_s=0.1)
    assert client.status == 200 and client.complete
    assert client.text.startswith(b" {")
    answer = json.loads(client.text)
    assert answer["status"] == "Success" if path == "/run_code" else answer["accepted"]


def test_an_answer_in_time_says_nothing_before() -> None:
    client = ask(Slow(0), Client("/run_code", RUN), first_byte_s=0.5)
    assert client.text.startswith(b"{") and len(client.sent) == 2


def test_our_own_routes_do_not_begin_early() -> None:
    body = {"program": "print(1)", "cases": [{"stdin": "", "stdout": "1"}]}
    client = ask(Slow(0.3), Client("/verify", body), first_byte_s=0.1)
    assert client.text.startswith(b"{")


def test_a_request_that_cannot_be_used_is_refused_at_once_while_others_wait() -> None:
    client = ask(Slow(60), Client("/run_code", {"language": "python"}), first_byte_s=0.1)
    assert client.status == 422


def test_a_late_failure_is_an_error_of_the_sandbox() -> None:
    failing = Slow(0.3, JudgeError("a cell was lost"))
    client = ask(failing, Client("/run_code", RUN), first_byte_s=0.1)
    assert client.status == 200 and client.complete
    answer = json.loads(client.text)
    assert (answer["status"], answer["message"]) == ("SandboxError", "a cell was lost")


def test_a_late_failure_of_a_route_without_a_word_for_it_breaks_off() -> None:
    failing = Slow(0.3, JudgeError("a cell was lost"))
    client = ask(failing, Client("/submit", SUBMIT), first_byte_s=0.1)
    assert client.status == 200 and not client.complete
    assert client.text.strip() == b""


def test_judging_has_a_deadline_and_waiting_has_none() -> None:
    executor = Slow(0.25)
    gate = create_app(executor, ServerSettings(workers=1, max_judging_s=0.6))
    clients = [Client("/run_code", RUN) for _ in range(8)]  # 1 s for the last of them

    async def serve() -> None:
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(gate, client.scope, client.receive, client.send)

    anyio.run(serve)
    assert [client.status for client in clients] == [200] * 8
    late = ask(Slow(5), Client("/run_code", RUN), max_judging_s=0.1)
    assert late.status == 504 and b"longer than 0.1 s" in late.text


def test_a_body_for_which_there_is_no_room_is_read_later() -> None:
    executor = Slow(0.2)
    gate = create_app(executor, ServerSettings(workers=4, max_body_mb=1, max_pending_mb=1))
    body = {**RUN, "stdin": "x" * 300_000}
    clients = [Client("/run_code", body, message_bytes=50_000) for _ in range(3)]
    read: list[bool] = []

    async def serve() -> None:
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(gate, client.scope, client.receive, client.send)
            await anyio.sleep(0.1)
            read.extend(client.read for client in clients)

    anyio.run(serve)
    assert read == [True, False, False], "two of them would be 1.2 MB, each counted twice"
    assert [client.status for client in clients] == [200] * 3


def test_where_there_is_no_room_the_first_grows_on_and_the_others_when_it_is_gone() -> None:
    async def use() -> list[str]:
        room, order = Room(10), list[str]()

        async def grow(name: str, patience_s: float = 9) -> None:
            with anyio.move_on_after(patience_s), room.share() as share:
                for _ in range(3):
                    await share.take(4)
                    order.append(name)
                    await anyio.sleep(0.02)
                share.is_whole()
                await anyio.sleep(0.05)

        async with anyio.create_task_group() as group:
            group.start_soon(grow, "first")
            group.start_soon(grow, "gone", 0.03)
            group.start_soon(grow, "last")
        async with anyio.create_task_group() as group:  # all was given back
            group.start_soon(grow, "again")
            group.start_soon(grow, "and again")
        return order

    order = anyio.run(use)
    assert order[:4] == ["first", "gone", "first", "first"]
    assert order[4:7] == ["last"] * 3 and sorted(order[7:]) == ["again"] * 3 + ["and again"] * 3


def test_the_rate_is_that_of_the_last_requests_and_forgets_pauses() -> None:
    now = [0.0]
    throughput = Throughput(lambda: now[0])
    assert throughput.per_second() is None
    throughput.begin()
    for _ in range(1000):
        now[0] += 0.01
        throughput.end()
    assert throughput.per_second() == pytest.approx(100)
    now[0] += 3600
    throughput.begin()
    assert throughput.per_second() is not None, "what was known before the pause"
    for _ in range(50):
        now[0] += 0.1
        throughput.end()
    assert throughput.per_second() == pytest.approx(10)

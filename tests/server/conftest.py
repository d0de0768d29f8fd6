"""A server in a process of its own, on a port of the loopback interface."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

TOKEN = "a token of 29 letters, or so"
_START_S = 60.0


@dataclass
class Server:
    """A live `ctrl-harness serve`. log: what it wrote to its stderr since it listens."""

    process: subprocess.Popen[str]
    url: str
    log: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)  # type: ignore[arg-type]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def start_server(*arguments: str, descriptors: int | None = None) -> Server:
    """descriptors: the `ulimit -n` that it starts under."""
    if sys.platform != "linux":
        pytest.skip("cells need Linux")
    pytest.importorskip("fastapi", reason="the server needs the extra `server`")
    command = "from ctrl_harness.cli.main import run; run()"
    environment = {k: v for k, v in os.environ.items() if k != "CTRL_HARNESS_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=None if descriptors is None else lambda: _limit_descriptors(descriptors),
    )
    assert process.stderr is not None
    killer = threading.Timer(_START_S, process.kill)
    killer.start()
    said = ""
    for line in process.stderr:
        said += line
        if found := re.search(r"judging on (http://\S+)", line):
            killer.cancel()
            server = Server(process, found[1])
            threading.Thread(target=_keep_log, args=(server,), daemon=True).start()
            return server
    killer.cancel()
    process.wait()
    raise AssertionError(f"the server did not start: {said}")


def _limit_descriptors(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _keep_log(server: Server) -> None:
    assert server.process.stderr is not None
    for line in server.process.stderr:
        server.log.append(line)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers, with arguments of the command; they end with the test."""
    started: list[Server] = []

    def start(*arguments: str, descriptors: int | None = None) -> Server:
        started.append(start_server(*arguments, descriptors=descriptors))
        return started[-1]

    yield start
    _end(started)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for every test that leaves it as it was."""
    one = start_server("--workers", "2")
    yield one
    _end([one])


def _end(servers: list[Server]) -> None:
    for one in servers:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def rows_folder() -> Path:
    """The folder of real rows as SandboxFusion gets them."""
    folder = os.environ.get("CTRL_HARNESS_REAL_DATA")
    if not folder or not (Path(folder) / "sandboxfusion").is_dir():
        pytest.skip("CTRL_HARNESS_REAL_DATA names no folder with rows of SandboxFusion")
    return Path(folder) / "sandboxfusion"

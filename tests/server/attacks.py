"""What tests that attack a server share: half a request, pings meanwhile, the server's memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

HEAD = b"POST /submit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def connect(server: Any, first: bytes = b"") -> socket.socket:
    """A connection on which these bytes were sent."""
    connection = socket.create_connection(server.address, timeout=30)
    connection.sendall(first)
    return connection


@contextmanager
def pings(server: Any, slowest_s: float = 1.0) -> Iterator[list[float]]:
    """Pings twice and more a second, each on a connection of its own; the seconds that they took.

    At the end all must have been answered within slowest_s.
    """
    took: list[float] = []
    failures: list[str] = []
    over = threading.Event()

    def ping() -> None:
        while not over.is_set():
            start = time.monotonic()
            try:
                answer = httpx.get(f"{server.url}/v1/ping", timeout=30, trust_env=False)
                if answer.status_code != 200:
                    failures.append(f"{answer.status_code} {answer.text}")
            except httpx.TransportError as error:
                failures.append(repr(error))
            took.append(time.monotonic() - start)
            over.wait(0.1)

    thread = threading.Thread(target=ping)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()
    assert not failures, failures[:3]
    assert took and max(took) < slowest_s, sorted(took)[-5:]


def memory_mb(server: Any) -> float:
    """Resident MiB of the server's own process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def log_bytes(server: Any) -> int:
    return sum(map(len, server.log))

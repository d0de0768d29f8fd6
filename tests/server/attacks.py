"""What tests that attack a server share: half a request, pings meanwhile, the server's memory."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SLOWEST_S = 3.0
"""Of a ping on a machine that others use too; alone on two cores it takes a tenth of a second."""
HEAD = b"POST /submit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def connect(server: Any, first: bytes = b"") -> socket.socket:
    """A connection on which these bytes were sent."""
    connection = socket.create_connection(server.address, timeout=30)
    connection.sendall(first)
    return connection


_PING = """
import http.client, sys, time
while True:
    start = time.monotonic()
    try:
        connection = http.client.HTTPConnection(sys.argv[1], timeout=30)
        connection.request("GET", "/v1/ping")
        answer = connection.getresponse()
        said = f"{answer.status} {answer.read().decode()}"
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        said = repr(error)
    print(f"{time.monotonic() - start:.3f} {said}", flush=True)
    time.sleep(0.1)
"""


@contextmanager
def pings(server: Any, slowest_s: float = SLOWEST_S) -> Iterator[list[float]]:
    """Pings several times a second, each on a connection of its own and from a process of its own.

    At the end all must have been answered within slowest_s; the seconds are in what it yields.
    """
    took: list[float] = []
    address = "{}:{}".format(*server.address)
    pinging = subprocess.Popen(
        [sys.executable, "-c", _PING, address], stdout=subprocess.PIPE, text=True
    )
    assert pinging.stdout is not None
    first = pinging.stdout.readline()
    try:
        yield took
    finally:
        time.sleep(0.2)
        pinging.terminate()
        lines = [first, *pinging.stdout]
        pinging.wait()
    answers = [line.rstrip().partition(" ")[::2] for line in lines if line.endswith("\n")]
    took.extend(float(seconds) for seconds, _ in answers)
    assert {said for _, said in answers} == {'200 "pong"'}
    assert max(took) < slowest_s, sorted(took)[-5:]


def memory_mb(server: Any) -> float:
    """Resident MiB of the server's own process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def log_bytes(server: Any) -> int:
    return sum(map(len, server.log))

"""Runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import resource
import signal
import socket
import sys
from types import FrameType

import uvicorn

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import Executor, Program, StdinInput
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.app import create_app
from ctrl_harness.server.gate import Gate
from ctrl_harness.server.settings import ServerSettings

_BACKLOG = 2048
_AFTER_GRACE_S = 5
_KEEP_ALIVE_S = 75
"""An idle connection is the client's to close: whoever closes first may meet the other's next
request with a reset. httpx gives one up after 5 s (uvicorn's own default too, so that they race),
aiohttp after 15, nginx after 60."""


class _Server(uvicorn.Server):
    """uvicorn's, but that what is still inside after the grace period gets an answer."""

    def __init__(self, config: uvicorn.Config, gate: Gate, grace_s: float) -> None:
        super().__init__(config)
        self._gate = gate
        self._grace_s = grace_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # without the base class's note of the signal, which it would raise again at the end
        del frame
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        elif not self.should_exit:
            self.should_exit = True
            self._loop.call_soon_threadsafe(self._loop.call_later, self._grace_s, self._gate.stop)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)


def run_server(executor: Executor, settings: ServerSettings, host: str, port: int) -> None:
    """Listens and serves; returns when SIGTERM or SIGINT has been obeyed.

    Raises UserError where the address cannot be had or programs cannot be isolated here: a server
    that can judge nothing does not start.
    """
    listening = _listen(host, port)
    _allow_connections()
    try:
        asyncio.run(_serve(executor, settings, listening))
    finally:
        listening.close()


def _allow_connections() -> None:
    """As many as this user may have: clients wait on theirs instead of being refused."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(executor: Executor, settings: ServerSettings, listening: socket.socket) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(executor.aclose)
        await _try_out(executor)
        gate = create_app(executor, settings)
        config = uvicorn.Config(
            gate,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.grace_s) + _AFTER_GRACE_S,
        )
        host, port = listening.getsockname()[:2]
        if settings.token is None and not ipaddress.ip_address(host).is_loopback:
            print(f"warning: who reaches {host} may run programs; give --token", file=sys.stderr)
        shown = f"[{host}]" if ":" in host else host
        print(f"ctrl-harness: judging on http://{shown}:{port}", file=sys.stderr, flush=True)
        await _Server(config, gate, settings.grace_s).serve([listening])


async def _try_out(executor: Executor) -> None:
    (run,) = await executor.execute(Program("print(1)"), [StdinInput("")], Limits(time_s=30))
    if run.stdout != "1\n":
        raise JudgeError(f"a first program did not run: {run.status} {run.error}")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserError(f"{host} is no address to listen on: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise UserError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    return listening

"""Runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import resource
import signal
import socket
import sys
from types import FrameType

import uvicorn

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import Executor, Program, StdinInput
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.app import create_app, fork_handlers
from ctrl_harness.server.connections import MAX_HEAD_BYTES, RESERVE, Connection, Connections
from ctrl_harness.server.fork_server import ForkServer
from ctrl_harness.server.gate import Gate
from ctrl_harness.server.settings import ServerSettings

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_RETRY_S = 0.05
_OWN_DESCRIPTORS, _DESCRIPTORS_A_WORKER = 16 + RESERVE, 8
_FEWEST_CONNECTIONS = 4
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_AFTER_GRACE_S = 5
_KEEP_ALIVE_S = 75
"""An idle connection is the client's to close: whoever closes first may meet the other's next
request with a reset. httpx gives one up after 5 s (uvicorn's own default too, so that they race),
aiohttp after 15, nginx after 60."""


class _Server(uvicorn.Server):
    """uvicorn's, but that what is still inside after the grace period gets an answer, and that
    connections are taken one by one, as there is room for them."""

    def __init__(
        self, config: uvicorn.Config, gate: Gate, grace_s: float, connections: Connections
    ) -> None:
        super().__init__(config)
        self._gate = gate
        self._grace_s = grace_s
        self._connections = connections

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Instead of asyncio's own server, which takes connections for as long as there are any and
        has no more than a line of log to say where descriptors run out."""
        assert sockets is not None
        await self.lifespan.startup()
        self.servers = []
        self._accepting = [self._loop.create_task(self._accept(one)) for one in sockets]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for accepting in self._accepting:
            accepting.cancel()
        await super().shutdown(sockets)

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(listening)
            except OSError as error:
                logger.warning("no connection can be taken: %s", error.strerror)
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self._connections.close_one()
                await asyncio.sleep(_RETRY_S)
                continue
            await self._connections.room()
            await self._loop.connect_accepted_socket(self._new_connection, connection)

    def _new_connection(self) -> Connection:
        return Connection(
            self._connections,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=self._loop,
        )


def run_server(executor: Executor, settings: ServerSettings, host: str, port: int) -> None:
    """Listens and serves; returns when SIGTERM or SIGINT has been obeyed.

    Raises UserError where the address cannot be had or programs cannot be isolated here: a server
    that can judge nothing does not start.
    """
    connections = Connections(_allow_connections(settings), settings.head_s)
    with (
        contextlib.closing(fork_handlers(executor, settings)) as fork_server,
        contextlib.closing(_listen(host, port)) as listening,
    ):
        asyncio.run(_serve(executor, settings, listening, connections, fork_server))


def _allow_connections(settings: ServerSettings) -> int:
    """How many there may be, with as many descriptors as this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return settings.max_connections
    needed = _OWN_DESCRIPTORS + _DESCRIPTORS_A_WORKER * settings.workers
    if most < needed + _FEWEST_CONNECTIONS:
        raise UserError(
            f"{settings.workers} workers need {needed + _FEWEST_CONNECTIONS} descriptors, but "
            f"`ulimit -n` allows {most}; raise it, or give fewer --workers"
        )
    return min(settings.max_connections, most - needed)


async def _serve(
    executor: Executor,
    settings: ServerSettings,
    listening: socket.socket,
    connections: Connections,
    fork_server: ForkServer,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(executor.aclose)
        await _try_out(executor)
        gate = create_app(executor, settings, fork_server)
        config = uvicorn.Config(
            gate,
            http="h11",
            ws="none",
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            log_config=None,
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
        await _Server(config, gate, settings.grace_s, connections).serve([listening])


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
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise UserError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    return listening

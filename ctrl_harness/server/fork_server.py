"""Processes that are forked from one that has loaded everything and has no threads.

To fork the server itself would copy locks that its threads hold; to start an interpreter anew takes
a second. So the server forks once, early, and what it forked does the rest. As CPython's
multiprocessing.forkserver, but that it is a copy of the server and need not load anything.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable

_REAP_S = 1.0
_FORK, _KILL = b"F", b"K"


class ForkServer:
    """The server's end. Start it before there are threads, event loops and listening sockets."""

    def __init__(self, work: Callable[[socket.socket], None]) -> None:
        """work: what each forked process does with its end of a stream; it ends with it."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._control.close()
                _serve(theirs, work)
            finally:
                os._exit(1)
        theirs.close()

    def fork(self) -> socket.socket:
        """A new process's stream, whose end ends it once it reads. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            socket.send_fds(self._control, [_FORK], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def kill(self, pid: int) -> None:
        """Ends one of the forked processes at once, if it still runs."""
        with contextlib.suppress(OSError):  # the fork server is gone, and its processes with it
            self._control.send(_KILL + str(pid).encode("ascii"))

    def close(self) -> None:
        """Ends all of them."""
        self._control.close()
        os.waitpid(self._pid, 0)


def _serve(control: socket.socket, work: Callable[[socket.socket], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # of the server's group: it tells us its end
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    children: set[int] = set()
    while True:
        select.select([control], [], [], _REAP_S if children else None)
        _reap(children)
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 64, 1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if message == _FORK:
            stream = socket.socket(fileno=descriptors[0])
            child = os.fork()
            if child == 0:
                try:
                    control.close()
                    work(stream)
                except BaseException:  # noqa: BLE001 - the process ends here, and says of what
                    traceback.print_exc()
                finally:
                    os._exit(0)
            stream.close()
            children.add(child)
        elif message[:1] == _KILL and int(message[1:]) in children:
            os.kill(int(message[1:]), signal.SIGKILL)
        elif not message:
            for child in children:
                os.kill(child, signal.SIGKILL)
            os._exit(0)


def _reap(children: set[int]) -> None:
    """Until then a child keeps its number, so that no other process can be killed for it."""
    while children:
        ended, _ = os.waitpid(-1, os.WNOHANG)
        if not ended:
            return
        children.discard(ended)

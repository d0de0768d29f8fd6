"""What the requests that wait share: room for their bodies, and how fast they are served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

_WINDOW = 256


class Room:
    """Bytes that bodies may take together, as they come in.

    Where they are all taken, and by none that is whole and will give its part back, the one that
    came first goes on growing beyond the size: so one always gets whole and is served.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._growing: dict[Share, None] = {}
        self._whole = 0
        self._changed = anyio.Event()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """One body's part of it, given back in the end."""
        share = Share(self)
        self._growing[share] = None
        try:
            yield share
        finally:
            if share in self._growing:
                del self._growing[share]
            else:
                self._whole -= 1
            self._free += share.taken
            self._notify()

    async def take(self, share: Share, size: int) -> None:
        """Waits until there is room for so much more of a body."""
        size = min(size, self._size)
        while size > self._free and (self._whole or share is not next(iter(self._growing))):
            await self._changed.wait()
        self._free -= size
        share.taken += size

    def end_growth(self, share: Share) -> None:
        """A body takes no more."""
        del self._growing[share]
        self._whole += 1
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Share:
    """What one body has taken of the room, in bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    async def take(self, size: int) -> None:
        """Waits until there is room for so much more."""
        await self._room.take(self, size)

    def is_whole(self) -> None:
        """It takes no more."""
        self._room.end_growth(self)


class Throughput:
    """Requests served a second, over the last 256 of a time without a pause."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_WINDOW)
        self._last: float | None = None

    def begin(self) -> None:
        """The first request after a pause has come."""
        self._last = self.per_second()
        self._times.clear()
        self._times.append(self._clock())

    def end(self) -> None:
        """A request has been served."""
        self._times.append(self._clock())

    def per_second(self) -> float | None:
        """None where nothing has been served yet."""
        served = len(self._times) - 1
        if served < 1:
            return self._last
        return served / max(self._clock() - self._times[0], 1e-6)

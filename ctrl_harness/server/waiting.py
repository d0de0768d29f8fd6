"""What the requests that wait share: room for their bodies, and how fast they are served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio

_WINDOW = 256


class Room:
    """Bytes that bodies may take together; who finds none waits, first come, first served."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    async def take(self, size: int) -> int:
        """Waits until there is room, and takes it; returns how much, for `give`."""
        size = min(size, self._size)
        if not self._waiting and size <= self._free:
            self._free -= size
            return size
        place = (size, anyio.Event())
        self._waiting.append(place)
        try:
            await place[1].wait()
        except BaseException:
            if place[1].is_set():
                self.give(size)
            else:
                self._waiting.remove(place)
                self.give(0)
            raise
        return size

    def give(self, size: int) -> None:
        """Gives room back, and hands it to those who wait."""
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, event = self._waiting.popleft()
            self._free -= wanted
            event.set()


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

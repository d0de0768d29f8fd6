"""The inputs of one program, run on several cells where some are idle.

Inputs that get a process of their own do not know of each other, so any cell may run any of them.
The first cell begins with all of them; one that is idle takes over the second half of what is left
of the longest share. Outcomes are looked at in the order of the inputs, whatever order they come
in: what `until` sees, and what comes back, is what one cell alone would have brought.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import CallInput, Input, Run

_LOOK_AROUND_S = 0.02
"""How long one cell works on a program before idle ones may help, and how often it is looked for
those: short programs are not worth it."""
_MAX_WAITING = 16 << 20
"""Characters."""


@dataclass
class Share:
    """What one cell runs: inputs from `position` up to `end`, which others may lower."""

    position: int
    end: int


class SharedRuns:
    """What has come of a program's inputs so far. Thread-safe.

    keeps_outputs: of the program. Where it keeps none, outputs wait for those of earlier inputs
    alone, and only _MAX_WAITING of them: what is more is dropped and its input run again later.
    """

    def __init__(
        self, count: int, until: Callable[[Run], bool] | None, *, keeps_outputs: bool = True
    ) -> None:
        self._until = until
        self._keeps = keeps_outputs
        self._outputs_waiting = 0
        self._lock = threading.Lock()
        self._runs: dict[int, Run] = {}
        self._errors: dict[int, JudgeError | UserError] = {}
        self._count = count
        self._seen = 0
        self._waiting = [Share(0, count)]
        self._active: list[Share] = []
        self.ended = False
        """No further outcome is wanted."""

    def claim(self) -> Share | None:
        """What a cell should run next; None where nothing is left to be handed over."""
        with self._lock:
            if self.ended:
                return None
            if self._waiting and (self._has_room or self._waiting[0].position == self._seen):
                share = self._waiting.pop(0)
            elif not self._has_room:
                return None
            else:
                longest = max(self._active, key=lambda one: one.end - one.position, default=None)
                # the first of what is left is being run
                left = 0 if longest is None else longest.end - longest.position - 1
                if longest is None or left < 1:
                    return None
                middle = longest.end - (left + 1) // 2
                share = Share(middle, longest.end)
                longest.end = middle
            self._active.append(share)
            return share

    def add(self, share: Share, run: Run) -> bool:
        """Keeps the outcome of the share's next input; true where the share is at its end."""
        with self._lock:
            if share.position != self._seen:  # it waits for earlier ones
                if not self._has_room:
                    return True
                self._outputs_waiting += len(run.stdout)
            self._runs[share.position] = run
            share.position += 1
            waited = 0
            while not self.ended and self._seen in self._runs:
                seen = self._runs[self._seen]
                self.ended = seen.status == "compile_error" or (
                    self._until is not None and self._until(seen)
                )
                if not self._keeps:
                    self._runs[self._seen] = seen.without_outputs()
                self._seen += 1
                self._outputs_waiting -= waited * len(seen.stdout)
                waited = 1  # all but the first, which is this run
            return self.ended or share.position >= share.end

    @property
    def _has_room(self) -> bool:
        failed = bool(self._errors)  # what is before the others never comes
        return self._keeps or failed or self._outputs_waiting <= _MAX_WAITING

    def leave(self, share: Share, error: JudgeError | UserError | None = None) -> None:
        """A cell is done with its share; what is left of it waits for another.

        error: why the next input of it could not be run by any.
        """
        with self._lock:
            self._active.remove(share)
            if error is not None:
                self._errors[share.position] = error
            elif share.position < share.end:
                self._waiting.append(share)
                self._waiting.sort(key=lambda one: one.position)

    @property
    def complete(self) -> bool:
        """All that is wanted is here, or cannot be had."""
        with self._lock:
            return self.ended or not (self._waiting or self._active)

    def result(self) -> list[Run]:
        """The outcomes, in order. Raises the error of the first input that has none."""
        if self._seen < self._count and not self.ended:
            raise self._errors[min(self._errors)]
        return [self._runs[index] for index in range(self._seen)]


def can_be_shared(inputs: Sequence[Input]) -> bool:
    """Whether each input gets a process of its own; calls have one together."""
    return len(inputs) > 1 and not any(isinstance(given, CallInput) for given in inputs)


async def share_out(
    shared: SharedRuns,
    run: Callable[[Share, bool], Awaitable[None]],
    idle_place: Callable[[], Callable[[], None] | None],
    others_wait: Callable[[], bool],
) -> list[Run]:
    """Runs all of it in a place that the caller has, and in those that are idle meanwhile.

    run: a share; true for one that is run in an idle place, and ends early where others wait.
    idle_place: takes one, if there is one, and returns what gives it back.
    """

    async def work(helps: bool) -> None:
        while not (helps and others_wait()) and (share := shared.claim()) is not None:
            error = None
            try:
                await run(share, helps)
            except (JudgeError, UserError) as failed:
                error = failed
            finally:
                shared.leave(share, error)

    async def lead(done: anyio.Event) -> None:
        await work(False)
        done.set()

    async def help_out(give_back: Callable[[], None]) -> None:
        try:
            await work(True)
        finally:
            give_back()

    while not shared.complete:  # again where a helper left what nobody else was there for
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(lead, done := anyio.Event())
                while not (done.is_set() or shared.ended):
                    with anyio.move_on_after(_LOOK_AROUND_S):
                        await done.wait()
                    if not done.is_set() and (give_back := idle_place()) is not None:
                        group.start_soon(help_out, give_back)
                if shared.ended:
                    group.cancel_scope.cancel()
        except BaseExceptionGroup as failed:
            raise _first(failed) from None
    return shared.result()


def _first(failed: BaseExceptionGroup) -> BaseException:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error

"""What becomes of a run whose generator or judge fails: lost samples, and in the end a stop.

A reward that could not be had is an exception, and the trainer leaves that sample out. Where too
many are lost, training goes on with what a broken machine happens to let through, so the reward
ends the run: it leaves word in the trace, and from then on every worker refuses every sample. verl
0.9.1 ends by itself when a whole batch is refused, unless it replaces failed groups
(`sync_refill_failed_groups`), which it would do for ever; `ended_by_faults` around the launch of
the trainer ends it then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.training.trace import read_stop

_POLL_S = 1.0


class RunStopped(JudgeError):
    """Too many rewards were lost; nothing is rewarded any more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class FaultShare:
    """Counts the lost among a worker's last rewards. Thread-safe.

    most: the share, 0 to 1, above which the run is to stop; 1 never stops it. window: how many
    rewards back are looked at. least: rewards before which nothing is said.
    """

    def __init__(self, most: float, window: int, least: int) -> None:
        if not 0 <= most <= 1:
            raise UserError(f"max_fault_share is {most!r}; give a share from 0 to 1 (1: no stop)")
        if not 1 <= least <= window:
            raise UserError(
                f"fault_window is {window!r}; give a whole number of at least {max(least, 1)}"
            )
        self._most = most
        self._least = least
        self._last: deque[bool] = deque(maxlen=window)
        self._lock = threading.Lock()

    def count(self, lost: bool) -> str | None:
        """Counts one more; what is wrong, once too many are lost."""
        with self._lock:
            self._last.append(lost)
            lost_now, of = sum(self._last), len(self._last)
        if not lost or of < self._least or lost_now <= self._most * of:
            return None
        return (
            f"{lost_now} of the last {of} critiques could not be rewarded, more than the share of "
            f"{self._most:g} that max_fault_share allows"
        )


@contextmanager
def ended_by_faults(trace: str | os.PathLike[str]) -> Iterator[None]:
    """Ends what runs within once a reward worker asks for it, with RunStopped.

    trace: the folder that the reward's `trace` names, which this machine must see. To be entered in
    the main thread, around the call that launches the trainer.
    """
    folder = Path(trace).expanduser()
    began = time.time()
    done = threading.Event()
    found: list[str] = []
    main = threading.get_ident()

    def watch() -> None:
        while not done.wait(_POLL_S):
            message = read_stop(folder, since=began)
            if message is not None:
                found.append(message)
                print(f"ctrl-harness: {message}", file=sys.stderr, flush=True)
                # a real signal: a main thread that waits in C would sleep through an imagined one
                signal.pthread_kill(main, signal.SIGINT)
                return

    watcher = threading.Thread(target=watch, name="ctrl-harness-faults", daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if found:
            raise RunStopped(found[0]) from None
        raise
    finally:
        done.set()
        watcher.join()

"""A whole synthesis: the work that is still to do, then the files, then what there is to tell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio

from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.engine import Engine, LocalEngine, WorkSpec
from ctrl_harness.training.store import Store
from ctrl_harness.training.stored_work import StoredWork, WorkCounts
from ctrl_harness.training.synthesis_files import (
    REPORT,
    STORE,
    Wanted,
    report,
    write_files,
    write_report,
)
from ctrl_harness.training.synthesize import LeftOut, Outcome, Recipe, first_of, make_all

EngineName = Literal["local", "ray"]
_PROGRESS_S = 5.0


@dataclass(frozen=True, slots=True)
class SynthesisJob:
    """What is made of which problems, and where it goes.

    problems: gives them anew each time it is called, in one order. total: how many they are. out:
    the folder of the store and the files. at_once: problems under way at a time. facts: what the
    report says of the settings. workers: of the Ray engine; None for one a core of the cluster.
    """

    problems: Callable[[], Iterable[Problem]]
    total: int
    out: Path
    spec: WorkSpec
    recipe: Recipe
    wanted: Wanted
    at_once: int = 8
    engine: EngineName = "local"
    ray_address: str | None = None
    workers: int | None = None
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. left_out: what the next run will try again."""

    report: Mapping[str, Any]
    counts: WorkCounts
    left_out: tuple[LeftOut, ...]

    def describe(self) -> str:
        """One line for people."""
        data, counts = self.report, self.counts
        parts = [
            f"{data['problems']} problems",
            f"{counts.asked} calls and {counts.judged} programs judged in this run, {counts.found}"
            " taken from the store",
            f"{data['sft']['rows']} SFT rows, {data['rl']['rows']} RL rows",
        ]
        for name, count in (("models", data["left_out"]["by_model"]),
                            ("the judge", data["left_out"]["by_judge"])):  # fmt: skip
            if count:
                parts.append(f"{count} samples left out since {name} failed; run again for them")
        return "; ".join(parts)


async def run_synthesis(job: SynthesisJob) -> Ended:
    """Does what is not in the store yet, and writes the files.

    Raises UserError where going on makes no sense; what was made until then is in the store.
    """
    left_out: list[LeftOut] = []
    with Store(job.out / STORE) as store:
        if store.damaged:
            _tell(f"{store.damaged} lines of {store.path} are damaged; their work is done again")
        engine = open_engine(job)
        work = StoredWork(job.spec, store, engine)
        progress = _Progress(job.total, work.counts)

        def done(outcome: Outcome) -> None:
            for missing in outcome.left_out:
                _tell(f"left out: {describe(missing)}")
            left_out.extend(outcome.left_out)
            progress.finished()

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(progress.tell)
                await make_all(job.problems(), job.recipe, work, job.at_once, done)
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            raise first_of(failures) from failures
        finally:
            await engine.aclose()
        ready = StoredWork(job.spec, store, None)
        tally, dropped = await write_files(job.problems(), job.recipe, ready, job.out, job.wanted)
    data = report(tally, dropped, left_out, job.facts or {})
    write_report(job.out / REPORT, data)
    return Ended(data, work.counts, tuple(left_out))


def open_engine(job: SynthesisJob) -> Engine:
    """Raises UserError where the engine's packages are not installed."""
    if job.engine == "local":
        return LocalEngine(job.spec)
    from ctrl_harness.training.ray_engine import RayEngine

    return RayEngine(job.spec, job.ray_address, job.workers)


def describe(missing: LeftOut) -> str:
    """One line for people."""
    return (
        f"draft {missing.number} of {missing.problem_id}: the {missing.culprit} failed at the"
        f" {missing.stage} ({missing.reason})"
    )


class _Progress:
    """A line on stderr every five seconds. The time left is reckoned from the problems of this run
    that were not all in the store."""

    def __init__(self, total: int, counts: WorkCounts) -> None:
        self._total = total
        self._counts = counts
        self._done = self._with_work = self._worked = 0
        self._start = time.monotonic()

    def finished(self) -> None:
        """Another problem has ended."""
        self._done += 1
        worked = self._counts.asked + self._counts.judged
        if worked > self._worked:
            self._with_work, self._worked = self._with_work + 1, worked

    async def tell(self) -> None:
        """Until it is cancelled."""
        while True:
            await anyio.sleep(_PROGRESS_S)
            _tell(self._line(time.monotonic() - self._start))

    def _line(self, seconds: float) -> str:
        counts = self._counts
        failed = counts.models_failed + counts.judge_failed
        left = "unknown"
        if self._with_work:
            left = _clock((self._total - self._done) * seconds / self._with_work)
        return (
            f"{self._done} of {self._total} problems, {counts.asked} calls"
            f" ({counts.asked / seconds:.1f} a second), {counts.judged} judged"
            f" ({counts.judged / seconds:.1f} a second), {counts.found} from the store,"
            f" {failed} failed, time left {left}"
        )


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes else "under a minute"


def _tell(text: str) -> None:
    print(text, file=sys.stderr)

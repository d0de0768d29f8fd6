"""The judge of one reward worker: the evaluation's own, with limits, retries and a short memory."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.execution.executor import Executor
from ctrl_harness.execution.fusion import FusionExecutor
from ctrl_harness.execution.threads import usable_cores
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.normalised_program import cache_key
from ctrl_harness.training.reward_settings import RewardSettings
from ctrl_harness.training.rl_rows import EpisodeSettings
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.output_limit import OutputLimit
from ctrl_harness.verification.time_limit import TimeLimit
from ctrl_harness.verification.verdict import Verdict

VERL_WORKERS = 8
"""verl's default of `reward.num_workers`, each of which has cells of its own."""
_JOBS_AT_SERVER = 16
_KEPT_VERDICTS = 1024
_PAUSE_S = 2.0


class RewardJudge:
    """Judges programs on problems, as each row's settings say. Usable from any event loop.

    Raises UserError for an executor or a server that cannot be used.
    """

    def __init__(self, settings: RewardSettings) -> None:
        self._settings = settings
        if settings.judge_url is not None:
            self._jobs = settings.judge_jobs or _JOBS_AT_SERVER
            self.executor: Executor = FusionExecutor(self._jobs, endpoint=settings.judge_url)
        else:
            self._jobs = settings.judge_jobs or max(1, usable_cores() // VERL_WORKERS)
            self.executor = get_executor(
                jobs=self._jobs,
                unsafe_no_isolation=settings.unsafe_no_isolation,
                packages=settings.packages,
            )
        self._memory = VerdictMemory(settings.verdict_cache)
        self._places: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("places")

    def of(self, row: EpisodeSettings) -> Judge:
        """The judge that the row's draft was judged by. Raises UserError for its settings."""
        return Judge(
            self.executor,
            comparator=row.comparator,
            time_limit=TimeLimit.parse(row.time_limit),
            extraction=row.extraction,
            all_cases=self._settings.judges_all_cases,
            output_limit=OutputLimit.parse(row.output_mb),
        )

    async def verify(
        self, judge: Judge, problem: Problem, program: str | None, *, bare: bool = False
    ) -> Verdict:
        """`Judge.verify`, from memory where the program was judged before.

        A verdict that says `time_limit` is not remembered: the machine may have been busy. Raises
        JudgeError after the last attempt.
        """
        if program is None:
            return await judge.verify(problem, None, bare=bare)
        key = judge.digest(problem, cache_key(program, problem), bare=bare)
        if self._settings.packages:  # which a digest leaves out, as it does the executor
            key = "+".join((key, *sorted(set(self._settings.packages))))
        known = self._memory.get(key)
        if known is None:
            known = await self._persist(judge, problem, program, bare)
            self._memory.put(key, known)
        # another's verdict, perhaps, of a program with other names: this is this program's
        return replace(known, digest=judge.digest(problem, program, bare=bare))

    async def _persist(
        self, judge: Judge, problem: Problem, program: str, bare: bool
    ) -> Verdict:
        attempts = self._settings.judge_attempts
        # here and not in the executor, so that no one's time runs out while he waits his turn
        async with self._own_places():
            for attempt in range(1, attempts + 1):
                try:
                    with anyio.fail_after(self._settings.judge_timeout_s):
                        return await judge.verify(problem, program, bare=bare)
                except TimeoutError:
                    if attempt == attempts:
                        raise JudgeError(
                            f"judging on {problem.id} took longer than judge_timeout_s="
                            f"{self._settings.judge_timeout_s:g}, {attempts} times"
                        ) from None
                except JudgeError:
                    if attempt == attempts:
                        raise
                await anyio.sleep(random.uniform(0.5, 1) * _PAUSE_S)
        raise AssertionError("unreachable")

    def _own_places(self) -> anyio.CapacityLimiter:
        places = self._places.get(None)
        if places is None:
            places = anyio.CapacityLimiter(self._jobs)
            self._places.set(places)
        return places


class VerdictMemory:
    """The verdicts of the last programs, and all that a file has; thread-safe.

    path: an SQLite file that the workers of one machine may share; None keeps the last 1,024 only.
    Error texts are not kept. Raises UserError where the file cannot be used.
    """

    def __init__(self, path: str | None = None) -> None:
        self._last: OrderedDict[str, Verdict] = OrderedDict()
        self._lock = threading.Lock()
        self._file = None if path is None else VerdictCache(Path(path).expanduser())

    def get(self, key: str) -> Verdict | None:
        with self._lock:
            if key in self._last:
                self._last.move_to_end(key)
                return self._last[key]
        return None if self._file is None else self._file.get(key)

    def put(self, key: str, verdict: Verdict) -> None:
        if any(case is not None and case.status == "time_limit" for case in verdict.cases):
            return
        kept = replace(
            verdict,
            digest=key,
            cases=tuple(c and replace(c, error="", output="") for c in verdict.cases),
        )
        with self._lock:
            self._last[key] = kept
            while len(self._last) > _KEPT_VERDICTS:
                self._last.popitem(last=False)
        if self._file is not None:
            self._file.put(kept)

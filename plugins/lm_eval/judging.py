"""Judges what lm-eval's models answered: all answers of a task side by side, each once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from tqdm import tqdm

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.threads import usable_cores
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.sync import SyncJudge
from ctrl_harness.verification.verdict import Verdict

Verdicts = Mapping[str, Verdict]
"""By the name of what a program was judged on: "all", and for MBPP+ "base" too."""

CasesOf = Callable[[Problem], Mapping[str, Problem]]
"""The same problem with the cases that each verdict is on."""


class Answer(NamedTuple):
    """A completion on a problem."""

    problem: str
    completion: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of the answers; `failed` holds why nothing is known of one."""

    verdicts: Mapping[Answer, Verdicts]
    failed: Mapping[Answer, str]


def judge_answers(
    judge: SyncJudge,
    answers: Iterable[Answer],
    read: Callable[[str], Problem],
    cases_of: CasesOf,
    *,
    show: bool = True,
) -> Judged:
    """Judges every answer once, as many at a time as there are cores.

    read: the problem of an id, called in several threads; few problems are in memory at a time,
    since each may hold megabytes of tests. Raises UserError where nothing can be judged at all.
    """
    of_problem: dict[str, dict[str, None]] = {}
    for answer in answers:
        of_problem.setdefault(answer.problem, {})[answer.completion] = None

    def work(name: str) -> dict[Answer, Verdicts | JudgeError]:
        found: dict[Answer, Verdicts | JudgeError] = {}
        variants = cases_of(read(name))
        for completion in of_problem[name]:
            answer = Answer(name, completion)
            try:
                found[answer] = {
                    variant: judge.verify_completion(problem, completion)
                    for variant, problem in variants.items()
                }
            except JudgeError as error:
                found[answer] = error
        return found

    verdicts: dict[Answer, Verdicts] = {}
    failed: dict[Answer, str] = {}
    with ThreadPoolExecutor(usable_cores()) as threads:
        try:
            results = threads.map(work, of_problem)
            for found in tqdm(results, "Judging", len(of_problem), disable=not show):
                for answer, result in found.items():
                    if isinstance(result, JudgeError):
                        failed[answer] = str(result)
                    else:
                        verdicts[answer] = result
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return Judged(verdicts, failed)


# -- judges of this process

_lock = threading.Lock()
_open: dict[Judge, SyncJudge] = {}


def open_sync(judge: Judge) -> SyncJudge:
    """A judge for code without an event loop, tried at once: a sandbox that cannot be had is an
    error before any model is asked. Raises UserError and JudgeError."""
    with _lock:
        if judge in _open:
            return _open[judge]
        opened = _open[judge] = SyncJudge(judge)
    echo = Problem("echo", "", "", (StdioCase("1\n", "1\n"),), limits=Limits(time_s=10))
    verdict = opened.verify(echo, "print(input())")
    if not verdict.passed:
        raise JudgeError(f"a program that repeats its input was judged {verdict.status}")
    return opened


def close_judges() -> None:
    """Ends every judge that this process opened, and the programs they run."""
    with _lock:
        closing = list(_open.values())
        _open.clear()
    for judge in closing:
        judge.close()

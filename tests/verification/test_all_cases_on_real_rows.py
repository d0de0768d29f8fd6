"""Judging that ends at the first failing case, and judging of all cases, agree on real rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")


async def both(piece: Any, executor: EmbeddedExecutor) -> tuple[Verdict, Verdict]:
    judge, program = Judge(executor), piece.program
    stopped = await judge.verify(piece.problem, program, bare=True)
    whole = await replace(judge, all_cases=True).verify(piece.problem, program, bare=True)
    return stopped, whole


def agree(stopped: Verdict, whole: Verdict) -> bool:
    """The same word, and the same results up to the case that decides it."""
    ran = [case and case.status for case in stopped.cases if case is not None]
    same = ran == [case and case.status for case in whole.cases][: len(ran)]
    return same and (stopped.status, stopped.passed) == (whole.status, whole.passed)


async def cases_spared(pieces: list[Any]) -> int:
    """How many were not run. Fails where the two do not agree."""
    executor, spared = EmbeddedExecutor(jobs=1), 0
    try:
        for piece in pieces:
            stopped, whole = await both(piece, executor)
            if not agree(stopped, whole):  # close to its time limit, on a busy machine
                stopped, whole = await both(piece, executor)
            assert agree(stopped, whole), (piece.name, stopped.status, whole.status)
            assert stopped.digest != whole.digest
            assert stopped.passed == (stopped.n_passed == stopped.n_cases)
            spared += sum(case is None for case in stopped.cases)
    finally:
        await executor.aclose()
    return spared


SETS = ("CodeContests", "MBPP+ canonical", "MBPP+ completions", "APPS", "LiveCodeBench")
A_FEW = ("CodeContests", "APPS")


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *((name, 50) for name in A_FEW),
        *(pytest.param(name, 1, marks=pytest.mark.slow) for name in SETS),
    ],
)
def test_a_program_has_the_same_status_whether_all_cases_are_run_or_not(
    name: str, step: int, labelled_programs: Any, real_data: Path
) -> None:
    pieces = labelled_programs.load(name, real_data)[::step]
    assert len(pieces) >= 2
    spared = anyio.run(cases_spared, pieces)
    assert spared or step > 1 or name in ("MBPP+ canonical", "LiveCodeBench")  # right, or one case

"""What the cache of verdicts keeps, for how long, and what it refuses."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.verdict import CaseResult, Status, Verdict
from ctrl_harness.verification.verify import verify

WRONG = Verdict(
    "wrong_answer",
    (CaseResult(0, "accepted", 0.5, 9.5), CaseResult(1, "wrong_answer", 0.25, None), None),
    "d1",
)


class Counting:
    """Answers every input with one text and counts how often it is asked."""

    name, isolated = "counting", False

    def __init__(self, run: Run) -> None:
        self.run, self.asked = run, 0

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        self.asked += 1
        return [self.run for _ in inputs]

    async def aclose(self) -> None:
        pass


def verdict(status: Status, digest: str = "d") -> Verdict:
    return Verdict(status, (CaseResult(0, status, 1.0),), digest)


def test_a_verdict_comes_back_whole() -> None:
    with VerdictCache() as cache:
        cache.put(WRONG)
        assert cache.get("d1") == WRONG
        assert cache.get("d2") is None


def test_error_texts_are_not_kept() -> None:
    with VerdictCache() as cache:
        told = CaseResult(0, "runtime_error", 0.1, error="ZeroDivisionError", output="5")
        cache.put(Verdict("runtime_error", (told,), "d"))
        kept = cache.get("d")
    assert kept is not None and kept.cases == (CaseResult(0, "runtime_error", 0.1),)


def test_a_verdict_with_a_time_limit_in_it_is_not_kept() -> None:
    with VerdictCache() as cache:
        cache.put(verdict("time_limit"))
        slow_too = (CaseResult(0, "wrong_answer", 0.1), CaseResult(1, "time_limit", 4.0))
        cache.put(Verdict("wrong_answer", slow_too, "e"))
        assert cache.get("d") is None and cache.get("e") is None


def test_a_file_lasts(tmp_path: Path) -> None:
    with VerdictCache(tmp_path / "verdicts.db") as cache:
        cache.put(WRONG)
    with VerdictCache(tmp_path / "verdicts.db") as cache:
        assert cache.get("d1") == WRONG


def test_many_threads_and_two_openings_share_a_file(tmp_path: Path) -> None:
    def fill(cache: VerdictCache, first: int) -> None:
        for number in range(first, first + 20):
            cache.put(verdict("accepted", f"d{number}"))

    with VerdictCache(tmp_path / "v.db") as one, VerdictCache(tmp_path / "v.db") as other:
        threads = [
            threading.Thread(target=fill, args=(cache, 20 * index))
            for index, cache in enumerate([one, other, one, other])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(one.get(f"d{number}") == other.get(f"d{number}") for number in range(80))
        assert one.get("d79") is not None


@pytest.mark.parametrize("place", ["no/such/folder/v.db", "", "text"])
def test_a_place_that_cannot_be_used_is_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "text").write_text("this is no database, but long enough to be read as one" * 20)
    with pytest.raises(UserError, match=r"verdict cache .* cannot be used"):
        VerdictCache(tmp_path / place)


def test_verify_judges_once_what_the_cache_knows() -> None:
    problem = Problem("p", "d", "s", (StdioCase("", "5"),))

    async def judged_twice(run: Run) -> tuple[Verdict, Verdict, int]:
        executor = Counting(run)
        with VerdictCache() as cache:
            first = await verify(problem, "x", executor=executor, cache=cache)
            second = await verify(problem, "x", executor=executor, cache=cache)
            await verify(problem, "y", executor=executor, cache=cache)
        return first, second, executor.asked

    first, second, asked = anyio.run(judged_twice, Run("ok", stdout="5"))
    assert (first.status, second.as_json(), asked) == ("accepted", first.as_json(), 2)
    *_, asked = anyio.run(judged_twice, Run("time_limit"))
    assert asked == 3


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from ctrl_harness.errors import JudgeError
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.verdict import CaseResult, Verdict

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with VerdictCache(Path(sys.argv[1])) as cache:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        for number in range(3000):
            cache.put(Verdict("accepted", (CaseResult(0, "accepted", 0.1),) * 20, str(number)))
    except JudgeError as error:
        print(number, error)
"""


def test_a_file_that_takes_no_more_is_the_judges_trouble(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.db"
    command = [sys.executable, "-c", _FULL_DISK, str(file)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "cannot be used" in found.stdout, found.stderr
    with VerdictCache(file) as cache:
        assert cache.get("0") is not None, "what it had taken is kept"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"status": "accepted"}',
        '{"status": "accepted", "cases": [], "digest": "another"}',
        '{"status": "right", "cases": [], "digest": "d1"}',
        '{"status": "accepted", "cases": [{"index": 0}], "digest": "d1"}',
        '{"status": "accepted", "cases": [{"index": 0, "status": "right"}], "digest": "d1"}',
        '{"status": ["accepted"], "cases": [], "digest": "d1"}',
        "[" * 100_000,
    ],
)
def test_a_corrupt_row_is_dropped_and_judged_again(tmp_path: Path, text: str) -> None:
    path = tmp_path / "verdicts.sqlite"
    with VerdictCache(path) as cache:
        cache.put(WRONG)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE verdicts SET verdict = ?", (text,))
    with VerdictCache(path) as cache:
        assert cache.get("d1") is None
        cache.put(WRONG)
        assert cache.get("d1") == WRONG

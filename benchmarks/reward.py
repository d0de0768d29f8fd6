"""What the reward costs beside the judge: compute_score against `verify`, in one run.

    python benchmarks/reward.py [--rounds N] [--quick]

The same revisions on the same problems: 30 programs × 20 stdio tests (workload.py), each time with
another comment in them and another constant, so that no verdict is remembered. `verify` judges
them alone. `compute_score` does all that a reward is: reads the row, looks for programs in the
critique, asks a generator at a real port, which answers at once from a process of its own, judges
the same revision, writes the trace. Both with 256 calls in flight and the same cells. Rounds of the
two take turns; the figure that decides is the median over rounds of the ratio of their calls a
second, and it has to be at least 0.8.

Then: two worker processes beside one (memory and calls a second), and the memory of a worker over
the rounds. Exits with 1 where the ratio is below 0.8 or the memory of a worker that is warm grows
by more than 5 % and 10 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import process_tree
import workload
from judges import our_problem
from peer_judges import Task

from ctrl_harness.critique.critic import Draft
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.reward import close_rewards, compute_score
from ctrl_harness.training.rl_rows import DraftVerdict, Episode
from ctrl_harness.verification.judge import Judge

IN_FLIGHT = 256
LIMIT = 0.8
JOBS = 2
PASSES = 17
"""Of 30 programs: 510 calls a round, so that 256 are in flight most of the time."""
_GROWTH, _GROWTH_MB = 1.05, 10.0
_WARM_ROUNDS = 3
CRITIQUE = """Analysis: the program reads its numbers as the task asks. This is number {}.

The loop over all pairs is right, but the first element is never looked at when n is 1, and the
last line prints a list where one number was asked for.

Improvement suggestions: start the loop at 0, and print the number alone.

Overall judgment: Incorrect
"""


class Call(NamedTuple):
    """One revision to be judged, and the row and critique that lead to it."""

    number: int
    problem: Problem
    program: str
    row: dict[str, Any]


def calls(rounds: int, passes: int, pieces: list[workload.Piece]) -> list[list[Call]]:
    """A list a round. No two programs are the same to the judge's memory."""
    made: list[list[Call]] = []
    rows = []
    for index, piece in enumerate(pieces):
        problem = our_problem(Task(piece.kind, piece.inputs, piece.outputs))
        verdict = DraftVerdict("wrong_answer", 0, len(problem.cases), "0" * 64)
        draft = Draft("```python\nprint(0)\n```", "print(0)\n")
        rows.append((problem, Episode(problem, draft, verdict, index=index).to_row()))
    number = 0
    for _ in range(rounds):
        made.append([])
        for _ in range(passes):
            for piece, (problem, row) in zip(pieces, rows, strict=True):
                program = f"{piece.program}\n# {number}\nunused = {number}\n"
                made[-1].append(Call(number, problem, program, row))
                number += 1
    return made


# -- the two sides


async def verify_all(judge: Judge, todo: list[Call]) -> None:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one(call: Call) -> None:
        async with places:
            assert (await judge.verify(call.problem, call.program)).passed

    await asyncio.gather(*map(one, todo))


async def reward_all(url: str, trace: Path, todo: list[Call]) -> None:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one(call: Call) -> None:
        async with places:
            found = await compute_score(
                data_source="benchmark",
                solution_str=CRITIQUE.format(call.number),
                ground_truth="",
                # verl's workers get a copy of their own with every call
                extra_info=dict(call.row["extra_info"]),
                generator_url=url,
                generator_model="instant",
                generator_in_flight=IN_FLIGHT,
                judge_jobs=JOBS,
                trace=str(trace),
            )
            assert found["score"] == 1.0

    await asyncio.gather(*map(one, todo))


class Measured(NamedTuple):
    """Of one worker: calls a second by round and side, and MiB resident after each round."""

    verify: list[float]
    reward: list[float]
    resident_mb: list[float]


async def measure(rounds: list[list[Call]], url: str, trace: Path) -> Measured:
    judge = Judge(get_executor(jobs=JOBS))
    measured = Measured([], [], [])

    async def timed(side: str, todo: list[Call]) -> float:
        began = time.perf_counter()
        await (verify_all(judge, todo) if side == "verify" else reward_all(url, trace, todo))
        return len(todo) / (time.perf_counter() - began)

    try:
        for side in ("verify", "reward"):  # cells, connections, imports
            await timed(side, rounds[0][:60])
        for number, todo in enumerate(rounds):
            order = ("verify", "reward") if number % 2 == 0 else ("reward", "verify")
            for side in order:
                getattr(measured, side).append(await timed(side, todo))
            measured.resident_mb.append(process_tree.resident_mb([os.getpid()]))
    finally:
        await close_rewards()
        await judge.executor.aclose()
    return measured


# -- a worker in a process of its own, as verl has several


async def work(rounds: int, passes: int, url: str, trace: Path) -> None:
    """The rewards alone; says calls a second, and MiB of itself and of its cells."""
    pieces = workload.stdio_pieces()
    todo = calls(rounds + 1, passes, pieces)
    await reward_all(url, trace, todo[0])
    print("warm", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    for one in todo[1:]:
        await reward_all(url, trace, one)
    speed = sum(map(len, todo[1:])) / (time.perf_counter() - began)
    own = process_tree.resident_mb([os.getpid()])
    cells = process_tree.resident_mb(process_tree.descendants(os.getpid()))
    print(json.dumps({"speed": speed, "own_mb": own, "cells_mb": cells}), flush=True)
    await close_rewards()


def measure_workers(count: int, rounds: int, passes: int, url: str, folder: Path) -> dict[str, Any]:
    """That many workers at once: calls a second together, MiB of the largest."""
    command = [sys.executable, __file__, "--worker", str(rounds), str(passes), url, str(folder)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline().strip() == "warm"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [json.loads(worker.communicate()[0]) for worker in workers]
    return {
        "speed": sum(one["speed"] for one in told),
        "own_mb": max(one["own_mb"] for one in told),
        "cells_mb": max(one["cells_mb"] for one in told),
    }


def report(measured: Measured) -> tuple[float, bool]:
    """Prints the figures of one worker; the ratio, and whether its memory stayed flat."""
    ratios = [r / v for r, v in zip(measured.reward, measured.verify, strict=True)]
    ratio = statistics.median(ratios)
    print(f"verify alone:  {statistics.median(measured.verify):7.1f} calls/s")
    print(f"compute_score: {statistics.median(measured.reward):7.1f} calls/s")
    print(f"ratio, median of {len(ratios)} rounds: {ratio:.3f} (at least {LIMIT})")
    warm = measured.resident_mb[min(_WARM_ROUNDS, len(measured.resident_mb)) - 1]
    last = measured.resident_mb[-1]
    print(f"memory after round {_WARM_ROUNDS}: {warm:.1f} MB; after the last: {last:.1f} MB")
    return ratio, last <= warm * _GROWTH or last <= warm + _GROWTH_MB


def main() -> int:
    parser = argparse.ArgumentParser(description="What the reward costs beside the judge.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="Small, and judges no target.")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        rounds, passes, url, folder = chosen.worker
        asyncio.run(work(int(rounds), int(passes), url, Path(folder)))
        return 0
    count, passes = (3, 2) if chosen.quick else (chosen.rounds, PASSES)
    load = os.getloadavg()[0]
    pieces = workload.stdio_pieces()
    rounds = calls(count, passes, pieces)
    answers = [f"```python\n{call.program}```" for todo in rounds for call in todo]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "answers.json"
        path.write_text(json.dumps(answers), encoding="utf-8")
        script = Path(__file__).with_name("instant_generator.py")
        generator = subprocess.Popen(
            [sys.executable, str(script), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert generator.stdout is not None
        try:
            url = generator.stdout.readline().strip()
            print(f"{passes * len(pieces)} calls a round, {IN_FLIGHT} in flight; load: {load:.1f}")
            ratio, flat = report(asyncio.run(measure(rounds, url, Path(name) / "trace")))
            few = 1 if chosen.quick else 3
            one, two = (
                measure_workers(n, min(few, count - 1), passes, url, Path(name) / f"of_{n}")
                for n in (1, 2)
            )
        finally:
            generator.terminate()
            generator.wait()
    print(
        f"one worker process: {one['speed']:.1f} calls/s, {one['own_mb']:.0f} MB and "
        f"{one['cells_mb']:.0f} MB of {JOBS} cells; two: {two['speed']:.1f} calls/s together"
    )
    if chosen.quick:
        return 0
    if ratio < LIMIT:
        print("NOT MET: the ratio")
    if not flat:
        print("NOT MET: the memory grows")
    return 0 if ratio >= LIMIT and flat else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Our judge on a set of real rows, in a process that can be measured; see real_work.py.

    python benchmarks/real_side.py SET CORES

Says `ready` once the rows are read, begins when it is told to, and prints an answer a program:
status and number of cases that were run. Ends when its standard input does.
"""

from __future__ import annotations

import json
import sys

import anyio
from real_rows import Piece, data_folder, load

from ctrl_harness.errors import JudgeError
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.verification.judge import Judge


async def judge_all(pieces: list[Piece], cores: int) -> list[tuple[str, int]]:
    """The judge has its default settings."""
    judge = Judge(get_executor(jobs=cores))
    answers = [("", 0)] * len(pieces)
    waiting = iter(range(len(pieces)))

    async def work() -> None:
        for number in waiting:
            piece = pieces[number]
            try:
                verdict = await judge.verify(piece.problem, piece.program, bare=True)
            except JudgeError as error:
                print(f"{piece.name}: {error}", file=sys.stderr)
                answers[number] = "judge_error", 0
                continue
            answers[number] = verdict.status, sum(case is not None for case in verdict.cases)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(cores):
                group.start_soon(work)
    finally:
        await judge.executor.aclose()
    return answers


def main() -> None:
    name, cores = sys.argv[1], int(sys.argv[2])
    data = data_folder()
    assert data is not None
    pieces = load(name, data)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(anyio.run(judge_all, pieces, cores)), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()

"""A peer's judge on a set of real rows, in a process that can be measured; see real_work.py.

    PEERS_PYTHON benchmarks/peer_side.py JUDGE WORK.pickle CORES

WORK: a list of (program, task). The peers' own runners judge several programs at once in a pool of
processes (evalplus.evaluate, LiveCodeBench's evaluate_generations, PRIME's parallel_compute_score),
and so does this. Answers as real_side.py does: accepted or not.
"""

from __future__ import annotations

import json
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from peer_judges import JUDGES, JudgeOne, Task, _muted

_judge: list[JudgeOne] = []


def _passes(piece: tuple[str, tuple[Any, ...]]) -> bool:
    program, task = piece
    with _muted():
        return _judge[0](program, Task(*task)).passed


def main() -> None:
    _, name, path, cores = sys.argv
    with open(path, "rb") as file:
        work = pickle.load(file)
    _judge.append(JUDGES[name]())  # the workers are forks of this process, and have it
    with ProcessPoolExecutor(int(cores)) as pool:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(list(pool.map(_passes, work))), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()

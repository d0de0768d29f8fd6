"""The labelled programs of real rows, as problems and programs; see real_work.py."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.problems import code_contests, mbppplus
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase, TestCase
from ctrl_harness.training.taco_tests import tests_of

DATA = "CTRL_HARNESS_REAL_DATA"
_TYPES = "from typing import *\n"
"""What the starter code of APPS and LiveCodeBench takes for granted."""
_APPS_S, _LIVE_CODE_BENCH_S = 4.0, 6.0
"""Seconds a test, as their own runners have them."""


class Piece(NamedTuple):
    """A program and what it is judged on. right: what the data say of it, None where nothing."""

    name: str
    problem: Problem
    program: str
    right: bool | None


def _code_contests(data: Path) -> Iterator[Piece]:
    folder = data / "code_contests"
    problems = code_contests.load(str(folder / "code_contests_test165_reassembled.jsonl"))
    for row in _rows(folder / "model_solutions_gpt-4o-mini_labelled.jsonl"):
        right = row["status"] == "passed"
        yield Piece(row["name"], problems[row["name"]], row["solution"], right)


def _canonical(data: Path) -> Iterator[Piece]:
    rows = data / "mbppplus" / "MbppPlus-OriginFmt.jsonl.gz"
    problems = mbppplus.load(str(rows))
    for row in _rows(rows):
        name = f"Mbpp/{row['task_id']}"
        yield Piece(name, problems[name], row["code"], True)


def _completions(data: Path) -> Iterator[Piece]:
    folder = data / "mbppplus"
    problems = mbppplus.load(str(folder / "MbppPlus-OriginFmt.jsonl.gz"))
    for row in _rows(folder / "completions_qwen2.5coder_1.5b_evalplus_labelled.jsonl.gz"):
        right = row["base_status"] == row["plus_status"] == "pass"
        yield Piece(row["task_id"], problems[row["task_id"]], row["solution"], right)


def _apps(data: Path) -> Iterator[Piece]:
    for row in _rows(data / "apps" / "coderl_apps_train_5.jsonl"):
        source = next(site for site in ("codewars", "leetcode", "") if site in row["url"])
        cases = tests_of(row, source, row["starter_code"]).cases
        problem = _problem(f"APPS {row['problem_id']}", cases, _APPS_S)
        for number, answer in enumerate([*row["gen_solutions"], *row["baseline_solutions"]]):
            right = answer["result"] is True
            yield Piece(f"{problem.id} answer {number}", problem, answer["code"], right)


def _live_code_bench(data: Path) -> Iterator[Piece]:
    for row in _rows(data / "livecodebench" / "o1_mini_failing.jsonl.gz"):
        case: TestCase
        if row["function"]:
            expected = row["expected"]
            value = json.loads(expected) if isinstance(expected, str) else expected
            case = CallCase(row["function"], tuple(json.loads(row["inputs"])), value)
        else:
            case = StdioCase(row["inputs"], row["expected"])
        problem = _problem(row["id"], (case,), _LIVE_CODE_BENCH_S)
        yield Piece(row["id"], problem, row["code"], None)


def _problem(name: str, cases: tuple[TestCase, ...], seconds: float) -> Problem:
    prelude = _TYPES if isinstance(cases[0], CallCase) else ""
    return Problem(name, "benchmarks", "", cases, limits=Limits(time_s=seconds), prelude=prelude)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


SETS: Mapping[str, Callable[[Path], Iterator[Piece]]] = {
    "CodeContests": _code_contests,
    "MBPP+ canonical": _canonical,
    "MBPP+ completions": _completions,
    "APPS": _apps,
    "LiveCodeBench": _live_code_bench,
}


def data_folder() -> Path | None:
    """None where the environment names none."""
    folder = os.environ.get(DATA)
    return Path(folder) if folder else None


def load(name: str, data: Path) -> list[Piece]:
    """Every program of a set; problems that are the same row's are one object."""
    known: dict[str, Problem] = {}
    return [
        piece._replace(problem=known.setdefault(piece.problem.id, piece.problem))
        for piece in SETS[name](data)
    ]

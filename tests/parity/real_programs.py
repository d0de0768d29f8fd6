"""The labelled programs of the real rows, with the inputs that their problems have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.execution.executor import CallInput, StdinInput
from ctrl_harness.problems import code_contests, mbppplus
from ctrl_harness.problems.problem import CallCase, StdioCase

_TYPES = "from typing import *\n"
"""What the starter code of these data sets takes for granted."""


class Real(NamedTuple):
    """A program and inputs of one kind."""

    name: str
    source: str
    inputs: list[StdinInput] | list[CallInput]
    prelude: str = ""


def load(data: Path) -> Iterator[Real]:
    yield from _code_contests(data / "code_contests")
    yield from _mbppplus(data / "mbppplus")
    yield from _apps(data / "apps" / "coderl_apps_train_5.jsonl")
    yield from _livecodebench(data / "livecodebench" / "o1_mini_failing.jsonl.gz")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _code_contests(folder: Path) -> Iterator[Real]:
    problems = code_contests.load(str(folder / "code_contests_test165_reassembled.jsonl"))
    for row in _rows(folder / "model_solutions_gpt-4o-mini_labelled.jsonl"):
        cases = problems[row["name"]].cases
        inputs = [StdinInput(case.stdin) for case in cases if isinstance(case, StdioCase)]
        yield Real(f"CodeContests {row['name']}", row["solution"], inputs)


def _mbppplus(folder: Path) -> Iterator[Real]:
    rows = folder / "MbppPlus-OriginFmt.jsonl.gz"
    problems = mbppplus.load(str(rows))
    programs = [(f"Mbpp/{row['task_id']}", "canonical", row["code"]) for row in _rows(rows)]
    for row in _rows(folder / "completions_qwen2.5coder_1.5b_evalplus_labelled.jsonl.gz"):
        programs.append((row["task_id"], "completion", row["solution"]))
    for name, kind, program in programs:
        problem = problems[name]
        calls = [
            CallInput(case.function, case.args)
            for case in problem.cases
            if isinstance(case, CallCase)
        ]
        if calls:
            yield Real(f"{name} {kind}", program, calls, problem.prelude)


def _apps(path: Path) -> Iterator[Real]:
    for row in _rows(path):
        tests = json.loads(row["input_output"])
        function = tests.get("fn_name")
        answers = [*row["gen_solutions"], *row["baseline_solutions"]]
        for number, answer in enumerate(answers):
            name = f"APPS {row['problem_id']} answer {number}"
            if function:
                calls = [CallInput(function, tuple(given)) for given in tests["inputs"]]
                yield Real(name, answer["code"], calls, _TYPES)
            else:
                yield Real(name, answer["code"], [StdinInput(t) for t in tests["inputs"]])


def _livecodebench(path: Path) -> Iterator[Real]:
    for row in _rows(path):
        name = f"LiveCodeBench {row['id']}"
        if row["function"]:
            call = CallInput(row["function"], tuple(json.loads(row["inputs"])))
            yield Real(name, row["code"], [call], _TYPES)
        else:
            yield Real(name, row["code"], [StdinInput(row["inputs"])])

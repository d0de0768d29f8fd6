"""Other projects' judges behind one signature; run by the Python that has them installed.

    PEERS_PYTHON benchmarks/peer_judges.py JUDGE REQUESTS.json ANSWERS.json

Imports nothing of ours, and each peer only where it is asked for. A peer is called as its own
project calls it, unmodified. verl's packages are entered without their `__init__`, which would load
torch and Ray; its judge needs neither, and forks cheaper without them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

SECONDS = 5


class Task(NamedTuple):
    """What a program is judged on.

    kind: `stdio` (inputs and outputs are texts) or `call` (inputs are lists of positional
    arguments of `function`, outputs the values it returns). seconds: whole ones that a test may
    take. atol: how far a number may be off, for evalplus.
    """

    kind: str
    inputs: list[Any]
    outputs: list[Any]
    function: str = "solution"
    seconds: int = SECONDS
    atol: float = 0

    def as_livecodebench(self) -> dict[str, Any]:
        """The form that LiveCodeBench and PRIME share: a JSON value a line where it is a call."""
        if self.kind == "stdio":
            return {"inputs": self.inputs, "outputs": self.outputs}
        return {
            "inputs": ["\n".join(map(json.dumps, given)) for given in self.inputs],
            "outputs": [json.dumps(value) for value in self.outputs],
            "fn_name": self.function,
        }

    def as_asserts(self) -> list[str]:
        """MBPP's form."""
        return [
            f"assert {self.function}({', '.join(map(repr, given))}) == {value!r}"
            for given, value in zip(self.inputs, self.outputs, strict=True)
        ]


class Answer(NamedTuple):
    """passed: whether the judge accepts the program. how: its own word for why not."""

    passed: bool
    how: str


JudgeOne = Callable[[str, Task], Answer]


def evalplus() -> JudgeOne:
    from evalplus.eval import untrusted_check

    def judge(program: str, task: Task) -> Answer:
        status, _ = untrusted_check(
            dataset="mbpp",
            code=program,
            inputs=task.inputs,
            entry_point=task.function,
            expected=task.outputs,
            atol=task.atol,
            ref_time=[0.0] * len(task.inputs),
            fast_check=True,
        )
        return Answer(status == "pass", status)

    return judge


def livecodebench() -> JudgeOne:
    import numpy
    from livecodebench.evaluation.compute_code_generation_metrics import (
        evaluate_generations_by_problem,
    )

    def judge(program: str, task: Task) -> Answer:
        sample = {"input_output": json.dumps(task.as_livecodebench())}
        results, notes = evaluate_generations_by_problem(([program], sample, False, task.seconds))
        # how compute_metrics_from_results counts a generation
        passed = bool(numpy.all(numpy.array(results[0]) > 0))
        how = notes[0].get("error_message") or notes[0].get("error") or "not all right"
        return Answer(passed, str(how))

    return judge


def prime() -> JudgeOne:
    _enter_without_init("verl", "verl.utils", "verl.utils.reward_score")
    from verl.utils.reward_score.prime_code import compute_score

    def judge(program: str, task: Task) -> Answer:
        with _muted():  # it prints the traceback of a program that ended its process
            score, notes = compute_score(program, json.dumps(task.as_livecodebench()), True)
        note = notes[0] if isinstance(notes, list) and notes else {}
        how = "not all right"
        if isinstance(note, dict):
            how = str(note.get("error_message") or note.get("error") or how)
        return Answer(float(score) == 1.0, how)

    return judge


def _enter_without_init(*packages: str) -> None:
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"{name} is not installed in this environment", name=name)
        package = types.ModuleType(name)
        package.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[name] = package


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def _inspect_evals(name: str) -> Callable[[list[str], Task], list[Answer]]:
    """A scorer of inspect_evals in an eval of its own, in Inspect's local sandbox."""
    import importlib

    from inspect_ai import Task as Evaluation
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import Generate, TaskState, solver

    verify = importlib.import_module(f"inspect_evals.{name}.{name}").verify
    folder = os.path.dirname(sys.executable)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"  # its sandbox calls `python`

    @solver
    def answer_with_the_program() -> Any:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            text = f"```python\n{state.metadata['program']}\n```\n"
            state.output = ModelOutput.from_content("mockllm/model", text)
            return state

        return solve

    def judge(programs: list[str], task: Task) -> list[Answer]:
        samples = [
            Sample("", target=task.as_asserts(), id=number, metadata={"program": program})
            for number, program in enumerate(programs)
        ]
        (log,) = evaluate(
            Evaluation(samples, solver=answer_with_the_program(), scorer=verify(), sandbox="local"),
            model="mockllm/model",
            display="none",
            log_dir=os.environ["PEERS_LOGS"],
        )
        if log.status != "success" or log.samples is None:
            raise RuntimeError(f"the eval of {name} failed: {log.error}")
        answers = {}
        for sample in log.samples:
            assert sample.scores is not None
            (score,) = sample.scores.values()
            lines = [line for line in (score.explanation or "").splitlines() if "Error" in line]
            how = lines[-1].partition(":")[0] if lines else "exit status not 0"
            answers[sample.id] = Answer(score.value == "C", how)
        return [answers[number] for number in range(len(programs))]

    return judge


JUDGES: dict[str, Callable[[], JudgeOne]] = {
    "evalplus": evalplus,
    "livecodebench": livecodebench,
    "prime": prime,
}
SCORERS = ("mbpp", "apps")
KINDS = {
    "evalplus": ("call",),
    "livecodebench": ("stdio", "call"),
    "prime": ("stdio", "call"),
    "mbpp": ("call",),
    "apps": ("call",),
}
"""What each judges. The scorers know only asserts."""


def answer_all(judge: str, requests: list[dict[str, Any]]) -> list[Answer]:
    """requests: `program` and `task`, as JSON."""
    pairs = [(request["program"], Task(*request["task"])) for request in requests]
    if judge in SCORERS:
        return _answer_by_eval(judge, pairs)
    judge_one = JUDGES[judge]()
    return [judge_one(program, task) for program, task in pairs]


def _answer_by_eval(judge: str, pairs: list[tuple[str, Task]]) -> list[Answer]:
    """An eval a task, for all of its programs."""
    evaluate = _inspect_evals(judge)
    numbers: dict[str, list[int]] = {}
    for number, (_, task) in enumerate(pairs):
        numbers.setdefault(json.dumps(task), []).append(number)
    answers: dict[int, Answer] = {}
    for same_task in numbers.values():
        programs = [pairs[number][0] for number in same_task]
        found = evaluate(programs, pairs[same_task[0]][1])
        answers.update(zip(same_task, found, strict=True))
    return [answers[number] for number in range(len(pairs))]


def main() -> None:
    _, judge, requests_path, answers_path = sys.argv
    with open(requests_path, encoding="utf-8") as file:
        requests = json.load(file)
    answers = answer_all(judge, requests)
    # opened only now: the programs run as forks of this process and write wherever they can
    with open(answers_path, "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()

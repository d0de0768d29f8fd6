"""One revision, one verdict: in an evaluation's log, in the reward's trace, and from the server.

200 tuples of problem, draft, critique and revision, of every kind of program; the same status,
the same status of each case, and the same digest everywhere.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from inspect_ai.log import read_eval_log

from ctrl_harness.critique.critic import Draft
from ctrl_harness.problems import code_contests
from ctrl_harness.problems.problem import Problem, StdioCase
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.training.reward import close_rewards, compute_score
from ctrl_harness.training.rl_rows import DraftVerdict, Episode
from ctrl_harness.training.trace import TraceReader
from tests.server.conftest import start_server
from tests.training.generator_server import Generator, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

PROBLEMS, EPOCHS = 25, 8
SEED = 2502
CRITIQUE = "Analysis: read as number {}.\n\nImprovement suggestions: -\n\nOverall judgment: {}"


class Tuple(NamedTuple):
    """One turn; draft and revision are the generator's whole answers."""

    number: int
    problem: Problem
    epoch: int
    draft: str
    critique: str
    revision: str


class Told(NamedTuple):
    """What has to be the same everywhere of one program."""

    status: str
    n_passed: int
    digest: str


def answers(programs: Any) -> dict[str, str]:
    """An answer of each kind, in the forms in which answers come."""
    right, wrong = programs.right[0], programs.wrong[0]
    return {
        "right": f"Here:\n```python\n{right}\n```\nDone.",
        "another right": f"```py\n{programs.right[-1]}\n```",
        "wrong": f"Sure.\n\n```python\n{wrong}\n```",
        "crash": f"```python\n1 // 0\n{right}\n```",
        "exit": f"```python\nexit(0)\n{right}\n```",
        "not Python": f"```python\nif True print(1)\n{right}\n```",
        "not closed": f"```python\n{right}",
        "no program": "I have no better idea.",
    }


@pytest.fixture(scope="module")
def tuples(sample_programs: Callable[[str], list[Any]]) -> list[Tuple]:
    problems = code_contests.load("samples")
    chance = random.Random(SEED)
    made: list[Tuple] = []
    for programs in sample_programs("codecontests")[:PROBLEMS]:
        said = answers(programs)
        for epoch in range(1, EPOCHS + 1):
            draft, revision = chance.choice([*said.values()]), chance.choice([*said.values()])
            number = len(made) + 1
            critique = CRITIQUE.format(number, chance.choice(("Correct", "Incorrect")))
            problem = problems[programs.id]
            made.append(Tuple(number, problem, epoch, draft, critique, revision))
    assert len(made) == 200
    return made


# -- the three surfaces


def by_the_scorer(
    tuples: list[Tuple], new_script: Callable[..., Any], run_eval: Callable[..., Any]
) -> dict[int, tuple[Told, Told]]:
    """Draft and revision of each tuple, as the log has them."""
    script = new_script()
    number_of = {}
    for one in tuples:
        name = one.problem.id
        number_of[name, one.epoch] = one.number
        script.line(name, "generator", 0, one.draft, one.epoch)
        script.line(name, "critic", 1, one.critique, one.epoch)
        script.line(name, "generator", 1, one.revision, one.epoch)
    names = list(dict.fromkeys(one.problem.id for one in tuples))
    log = run_eval(
        codecontests(source="samples", executor="embedded"),
        script.save(),
        sample_id=names,
        epochs=max(one.epoch for one in tuples),
    )
    assert log.status == "success", log.error
    found = {}
    for sample in read_eval_log(log.location).samples or []:
        draft, revision = (
            Told(told["status"], told["n_passed"], told["digest"])
            for told in sample.scores["chain_verdicts"].metadata["verdicts"]
        )
        found[number_of[str(sample.id), sample.epoch]] = (draft, revision)
    return found


def by_compute_score(
    tuples: list[Tuple],
    log: dict[int, tuple[Told, Told]],
    url: str,
    folder: Path,
) -> dict[int, tuple[Told, Told]]:
    """The rows hold what the log says of the drafts; the trace holds both."""

    async def one(given: Tuple) -> None:
        verdict = log[given.number][0]
        judged = DraftVerdict(
            verdict.status,  # type: ignore[arg-type]
            verdict.n_passed,
            len(given.problem.cases),
            verdict.digest,
        )
        program = re.search(r"```\w*\n(.*?)(?:```|\Z)", given.draft, re.DOTALL)
        draft = Draft(given.draft, program and program[1])
        row = Episode(given.problem, draft, judged, index=given.number).to_row()
        found = await compute_score(
            data_source=row["data_source"],
            solution_str=given.critique,
            ground_truth=row["reward_model"]["ground_truth"],
            extra_info=row["extra_info"],
            generator_url=url,
            judge_jobs=2,
            trace=str(folder),
        )
        assert found["malformed"] == 0.0
        assert found["score"] == found["revised_passed"]

    async def main() -> None:
        places = asyncio.Semaphore(32)

        async def in_place(given: Tuple) -> None:
            async with places:
                await one(given)

        try:
            await asyncio.gather(*map(in_place, tuples))
        finally:
            await close_rewards()

    asyncio.run(main())
    traced = {}
    for record in TraceReader(folder):
        draft, (revision,) = record["draft"], record["revisions"]
        traced[record["index"]] = tuple(
            Told(part["status"], part["n_passed"], part["digest"]) for part in (draft, revision)
        )
    return traced  # type: ignore[return-value]


def by_the_server(tuples: list[Tuple], url: str) -> dict[int, Told]:
    """The revisions, judged at `/verify`."""
    found = {}
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        for one in tuples:
            cases = [case.as_json() for case in one.problem.cases if isinstance(case, StdioCase)]
            assert len(cases) == len(one.problem.cases)
            request = {
                "completion": one.revision,
                "extraction": "first_fence",
                "cases": cases,
                "limits": one.problem.limits.as_json(),
                "comparator": one.problem.comparator,
            }
            data = client.post("/verify", json=request).raise_for_status().json()
            found[one.number] = Told(data["status"], data["n_passed"], data["digest"])
    return found


# -- what runs beside


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """A `ctrl-harness serve`."""
    server = start_server("--workers", "2")
    yield server.url
    assert server.stop() == 0
    server.process.stderr.close()


@pytest.fixture
def generator_url(tuples: list[Tuple]) -> Iterator[str]:
    """A generator that revises as the tuple says whose critique it reads."""
    def say(messages: list[dict[str, str]]) -> str:
        number = re.search(r"read as number (\d+)\.", messages[-1]["content"])
        assert number is not None
        return tuples[int(number[1]) - 1].revision

    with served(Generator(say)) as generator:
        yield generator.url


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(slice(0, 12), id="a few"),
        pytest.param(slice(None), id="200", marks=pytest.mark.slow),
    ],
)
def test_log_trace_and_server_tell_the_same_of_every_revision(
    share: slice,
    tuples: list[Tuple],
    new_script: Callable[..., Any],
    run_eval: Callable[..., Any],
    server_url: str,
    generator_url: str,
    tmp_path: Path,
) -> None:
    names = {one.problem.id for one in tuples[share]}
    chosen = [one for one in tuples if one.problem.id in names]
    log = by_the_scorer(chosen, new_script, run_eval)
    trace = by_compute_score(chosen, log, generator_url, tmp_path / "trace")
    answered = by_the_server(chosen, server_url)
    assert set(log) == set(trace) == set(answered) == {one.number for one in chosen}
    different = [
        (one.number, one.problem.id, log[one.number], trace[one.number], answered[one.number])
        for one in chosen
        if log[one.number] != trace[one.number] or answered[one.number] != log[one.number][1]
    ]
    assert not different
    statuses = {revision.status for _, revision in log.values()}
    assert statuses >= {"accepted", "wrong_answer", "no_code"}
    if len(chosen) == len(tuples):
        assert statuses >= {"runtime_error", "compile_error"}

"""Hostile programs through every surface: the command line, the server, the scorer, the reward.

Each gets a status of a program, and a right program is accepted after it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from inspect_ai.log import read_eval_log

from ctrl_harness.critique.critic import Draft
from ctrl_harness.problems import code_contests
from ctrl_harness.problems.problem import StdioCase
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.training.reward import close_rewards, compute_score
from ctrl_harness.training.rl_rows import DraftVerdict, Episode
from ctrl_harness.training.trace import TraceReader
from tests.battery import battery
from tests.server.conftest import start_server
from tests.training.generator_server import Generator, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

ADD = StdioCase("1 2\n", "3\n")
CONTROL = "a, b = map(int, input().split())\nprint(a + b)"
LONGEST = 20_000
FEW = ("mem_every_road", "proc_fork_bomb", "forge_huge_frame")


ENTRIES = {
    entry.name: entry
    for entry in battery.load()
    if entry.case == ADD and "accepted" not in entry.expect and "```" not in entry.source
    if entry.needs is None and len(entry.source) < LONGEST
}
SHARES = [
    pytest.param(FEW, id="a few"),
    pytest.param(tuple(ENTRIES), id="all", marks=pytest.mark.slow),
]
share = pytest.mark.parametrize("names", SHARES)


def fenced(program: str) -> str:
    return f"```python\n{program}\n```"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A row of CodeContests for each program, with its limits."""
    path = tmp_path / "problems.jsonl"
    with path.open("w") as file:
        for name, entry in ENTRIES.items():
            row = {
                "name": name,
                "description": "Add two numbers.",
                "public_tests": {"input": [ADD.stdin], "output": [ADD.stdout]},
                "time_limit": {"seconds": int(entry.limits.time_s), "nanos": 0},
                "memory_limit_bytes": int(entry.limits.memory_mb) << 20,
            }
            file.write(json.dumps(row) + "\n")
    return path


@pytest.fixture
def problems(rows: Path) -> ProblemSet:
    return code_contests.load(str(rows))


def check(statuses: dict[str, str]) -> None:
    wrong = {name: s for name, s in statuses.items() if s not in ENTRIES[name].expect}
    assert not wrong


@share
def test_from_the_command_line(
    names: tuple[str, ...], rows: Path, tmp_path: Path, harness_cli: Callable[..., Any]
) -> None:
    samples, out = tmp_path / "samples.jsonl", tmp_path / "out.jsonl"
    lines = [{"id": name, "program": p} for name in names for p in (ENTRIES[name].source, CONTROL)]
    samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = harness_cli(
        *("verify", "codecontests", "--source", rows, "--samples", samples, "--out", out),
        *("--jobs", 2),
    )
    assert done.code == 0, done.text
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert Counter(one["id"] for one in told if one["passed"]) == Counter(names), "the controls"
    hostile = {one["id"]: one["status"] for one in told if not one["passed"]}
    assert len(hostile) == len(names)
    check(hostile)


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    server = start_server("--workers", "2")
    yield server.url
    assert server.stop() == 0
    server.process.stderr.close()


@share
def test_by_the_server(names: tuple[str, ...], problems: ProblemSet, server_url: str) -> None:
    statuses = {}
    with httpx.Client(base_url=server_url, timeout=120, trust_env=False) as client:
        for name in names:
            request = {"cases": [ADD.as_json()], "limits": problems[name].limits.as_json()}
            for program in (ENTRIES[name].source, CONTROL):
                response = client.post("/verify", json={**request, "program": program})
                assert response.status_code == 200, (name, response.text)
                statuses.setdefault(name, response.json()["status"])
            assert response.json()["status"] == "accepted", name
    check(statuses)


@share
def test_by_the_scorer_and_the_reward(
    names: tuple[str, ...],
    rows: Path,
    problems: ProblemSet,
    new_script: Callable[..., Any],
    run_eval: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The scorer: as a draft, and in a critique, where the leak check runs it. The reward: as a
    revision."""
    script = new_script()
    for name, other in zip(names, (*names[1:], names[0]), strict=True):
        script.line(name, "generator", 0, fenced(ENTRIES[name].source))
        said = f"Analysis: try this.\n\n{fenced(ENTRIES[other].source)}\n\n"
        script.line(name, "critic", 1, f"{said}Overall judgment: Incorrect")
        script.line(name, "generator", 1, fenced(CONTROL))
    task = codecontests(source=str(rows), executor="embedded")
    log = run_eval(task, script.save(), sample_id=list(names))
    assert log.status == "success", log.error
    drafts = {}
    for sample in read_eval_log(log.location).samples or []:
        score = sample.scores["chain_verdicts"]
        draft, revision = score.metadata["verdicts"]
        drafts[str(sample.id)] = draft
        assert revision["status"] == "accepted", sample.id
        assert score.metadata["leaks"][0] in ("none", "program"), sample.id
    assert set(drafts) == set(names)
    check({name: draft["status"] for name, draft in drafts.items()})
    rewarded = asyncio.run(reward_all(names, drafts, problems, tmp_path / "trace"))
    check({name: status for name, (status, _) in rewarded.items()})
    assert {control for _, control in rewarded.values()} == {"accepted"}


async def reward_all(
    names: tuple[str, ...], drafts: dict[str, Any], problems: ProblemSet, trace: Path
) -> dict[str, tuple[str, str]]:
    """Statuses of the revisions: the hostile program, and a right one after it."""
    programs = [program for name in names for program in (ENTRIES[name].source, CONTROL)]

    def say(messages: list[dict[str, str]]) -> str:
        number = re.search(r"read as number (\d+)\.", messages[-1]["content"])
        assert number is not None
        return fenced(programs[int(number[1])])

    with served(Generator(say)) as generator:
        try:
            for number in range(len(programs)):
                name = names[number // 2]
                told, problem = drafts[name], problems[name]
                verdict = DraftVerdict(told["status"], told["n_passed"], 1, told["digest"])
                draft = Draft(fenced(ENTRIES[name].source), ENTRIES[name].source)
                row = Episode(problem, draft, verdict, index=number).to_row()
                found = await compute_score(
                    data_source=row["data_source"],
                    solution_str=f"Analysis: read as number {number}.\n\n"
                    "Improvement suggestions: -\n\nOverall judgment: Incorrect",
                    ground_truth=row["reward_model"]["ground_truth"],
                    extra_info=row["extra_info"],
                    generator_url=generator.url,
                    judge_jobs=1,
                    trace=str(trace),
                )
                assert found["score"] == number % 2, name
        finally:
            await close_rewards()
    statuses = {}
    for record in TraceReader(trace):
        (revision,) = record["revisions"]
        statuses[record["index"]] = revision["status"]
    return {name: (statuses[2 * n], statuses[2 * n + 1]) for n, name in enumerate(names)}

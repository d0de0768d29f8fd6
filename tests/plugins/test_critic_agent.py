"""The agent that may run the public tests before it writes."""

from __future__ import annotations

from typing import Any

import pytest
from inspect_ai.log import EvalLog
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.tool import ToolChoice, ToolInfo

from ctrl_harness.plugins.critics.running_agent import RUNS
from ctrl_harness.tasks.codecontests import codecontests


class Played:
    """A critic that runs a program so often, and then says what the last run showed."""

    def __init__(self, program: str, runs: int) -> None:
        self.program = program
        self.runs = runs
        self.seen: list[str] = []

    def __call__(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        shown = [message.text for message in input if message.role == "tool"]
        self.seen = shown
        if len(shown) < self.runs:
            output = ModelOutput.for_tool_call("mockllm", "run_tests", {"program": self.program})
        else:
            output = ModelOutput.from_content("mockllm", "Mend it.\n\nOverall judgment: Incorrect")
        output.usage = ModelUsage(input_tokens=7, output_tokens=3, total_tokens=10)
        return output


@pytest.fixture
def judged_by(run_eval: Any, new_script: Any, sample_programs: Any, executor: Any) -> Any:
    def run(played: Played, wrong: bool = True, **settings: Any) -> EvalLog:
        first = sample_programs("codecontests")[0]
        script = new_script()
        script.chain(first.id, [(first.wrong if wrong else first.right)[0], first.right[0]])
        critic = get_model("mockllm/critic", custom_outputs=played, memoize=False)
        task = codecontests(source="samples", critic="agent", executor=executor, **settings)
        log: EvalLog = run_eval(
            task, script.save(), model_roles={"critic": critic}, sample_id=first.id
        )
        return log

    return run


def critique(log: EvalLog) -> dict[str, Any]:
    assert log.status == "success", log.samples and log.samples[0].error
    assert log.samples
    (said,) = log.samples[0].metadata["ctrl_harness:chain"]["critiques"]
    found: dict[str, Any] = said
    return found


def test_it_runs_programs_in_the_sandbox_before_it_writes(
    judged_by: Any, sample_programs: Any
) -> None:
    played = Played(sample_programs("codecontests")[0].wrong[0], runs=1)
    said = critique(judged_by(played))
    assert said["judgement"] == "incorrect"
    assert said["text"].startswith("Mend it.")
    (shown,) = played.seen
    assert "passed" in shown or "none of" in shown  # what our own judge's run showed

    right = Played(sample_programs("codecontests")[0].right[0], runs=1)
    judged_by(right)
    assert "passed all" in right.seen[0]


def test_it_may_write_without_a_run(judged_by: Any) -> None:
    assert critique(judged_by(Played("", runs=0)))["judgement"] == "incorrect"


def test_after_so_many_runs_it_is_told_to_write(judged_by: Any) -> None:
    played = Played("print(1)", runs=RUNS + 2)
    critique(judged_by(played))
    assert len(played.seen) == RUNS + 2
    assert all("no runs left" not in shown for shown in played.seen[:RUNS])
    assert all("no runs left" in shown for shown in played.seen[RUNS:])


def test_what_it_runs_is_isolated_like_every_program(judged_by: Any) -> None:
    played = Played("import os\nprint(os.environ.get('HOME'), os.getppid())\nos._exit(0)", runs=1)
    critique(judged_by(played))
    assert "passed all" not in played.seen[0]


def test_votes_are_asked_one_by_one(judged_by: Any) -> None:
    said = critique(judged_by(Played("print(1)", runs=1), votes=3))
    assert said["votes"] == ["incorrect"] * 3

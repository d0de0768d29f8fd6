"""A sample that runs into a limit of its own keeps what it wrote and stays in the denominators."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelAPI, ModelOutput, modelapi

from ctrl_harness.evaluation.calls import current_call
from ctrl_harness.tasks.mbppplus import mbppplus

LONG = "word " * 4_000


@pytest.fixture
def first_two(sample_programs) -> Any:
    return sample_programs("mbppplus")[:2]


def value_of(log: EvalLog, sample_id: str) -> Any:
    (sample,) = [sample for sample in log.samples if sample.id == sample_id]
    return sample.scores["chain_verdicts"].value


def metrics_of(log: EvalLog) -> dict[str, float]:
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def test_a_draft_that_spent_the_tokens_with_its_critique_is_scored_for_every_turn(
    new_script, run_eval, executor, first_two
):
    short, long = first_two
    script = new_script()
    script.chain(short.id, [short.wrong[0], short.right[0]], ["incorrect"])
    script.chain(long.id, [long.right[0], long.right[0]])
    script.line(long.id, "critic", 1, LONG + "\n\nOverall judgment: Correct")
    log = run_eval(
        mbppplus(source="samples", executor=executor),
        script.save(),
        sample_id=[short.id, long.id],
        token_limit=3_000,
    )
    assert log.status == "success"
    assert value_of(log, short.id)["cut_short"] == 0
    cut = value_of(log, long.id)
    assert (cut["turn_0"], cut["turn_1"], cut["cut_short"]) == (1, 1, 1)
    assert metrics_of(log)["outcomes"] == 2
    assert metrics_of(log)["cut_short"] == 1
    assert metrics_of(log)["pass_at_1_turn_0"] == 0.5
    (sample,) = [sample for sample in log.samples if sample.id == long.id]
    assert sample.metadata["ctrl_harness:chain"]["ended"] == "token"
    assert "cut short by the sample's token limit" in sample.scores["chain_verdicts"].explanation


def test_a_limit_before_the_draft_is_a_sample_without_a_program(
    new_script, run_eval, executor, first_two
):
    script = new_script()
    script.line(first_two[0].id, "generator", 0, LONG)
    script.chain(first_two[1].id, [first_two[1].right[0]] * 2, ["correct"])
    log = run_eval(
        mbppplus(source="samples", executor=executor),
        script.save(),
        sample_id=[problem.id for problem in first_two],
        token_limit=3_000,
    )
    cut = value_of(log, first_two[0].id)
    assert (cut["turn_0"], cut["turn_1"], cut["cut_short"]) == (0, 0, 1)
    assert (cut["says_correct_1"], cut["says_incorrect_1"]) == (0, 0)
    assert metrics_of(log)["outcomes"] == 2


class SleepyCritic(ModelAPI):
    """Drafts at once, and is never done with a critique."""

    async def generate(self, *_: Any, **__: Any) -> ModelOutput:
        call = current_call.get()
        assert call is not None
        if call.role == "critic":
            await anyio.sleep(60)
        return ModelOutput.from_content("sleepy", "```python\nprint(1)\n```")


@modelapi(name="sleepy_critic")
def sleepy_critic() -> type[ModelAPI]:
    return SleepyCritic


def test_a_draft_survives_the_time_limit(run_eval, executor, first_two):
    log = run_eval(
        mbppplus(source="samples", executor=executor),
        "sleepy_critic/model",
        sample_id=first_two[0].id,
        time_limit=2,
    )
    (sample,) = log.samples
    assert sample.metadata["ctrl_harness:chain"]["ended"] == "time"
    assert len(sample.metadata["ctrl_harness:chain"]["completions"]) == 1
    assert value_of(log, first_two[0].id)["cut_short"] == 1

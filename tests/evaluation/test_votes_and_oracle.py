"""Voting critics and oracle feedback in a task: what is asked, what the log says of it."""

from __future__ import annotations

import pytest
from inspect_ai.log import resolve_sample_attachments

from ctrl_harness.tasks.codecontests import codecontests


@pytest.fixture
def cartons(sample_programs):
    """Right and wrong programs of the first CodeContests sample; the wrong one passes the public
    tests."""
    return sample_programs("codecontests")[0]


def told(log):
    """What the generator read last."""
    (sample,) = log.samples
    events = resolve_sample_attachments(sample, "full").events
    return [event for event in events if event.event == "model"][-1].input[-1].text


def test_the_majority_s_first_critique_is_read_and_all_votes_are_kept(
    new_script, run_eval, executor, cartons
):
    script = new_script()
    script.chain(cartons.id, [cartons.wrong[0], cartons.right[0]])
    for vote, word in enumerate(("Correct", "Incorrect", "Incorrect")):
        text = f"Analysis: critique number {vote}.\n\nOverall judgment: {word}"
        script.line(cartons.id, "critic", 1, text, vote=vote)
    task = codecontests(source="samples", votes=3, executor=executor)
    log = run_eval(task, script.save(), sample_id=cartons.id, seed=1)
    assert "critique number 1." in told(log)
    assert "critique number 0." not in told(log) and "critique number 2." not in told(log)
    (sample,) = log.samples
    (critique,) = sample.metadata["ctrl_harness:chain"]["critiques"]
    assert critique["judgement"] == "incorrect"
    assert critique["votes"] == ["correct", "incorrect", "incorrect"]
    assert sample.scores["chain_verdicts"].value["says_incorrect_1"] == 1
    assert log.eval.metadata["votes"] == 3
    events = [event for event in sample.events if event.event == "model"]
    assert len({event.config.seed for event in events}) == 5


@pytest.mark.parametrize(("tests", "judgement"), [("public", "correct"), ("judged", "incorrect")])
def test_an_oracle_is_called_so_in_header_and_table(
    tests, judgement, new_script, run_eval, harness_cli, executor, cartons
):
    script = new_script()
    script.chain(cartons.id, [cartons.wrong[0], cartons.right[0]])
    task = codecontests(
        source="samples", critic="execution", feedback_tests=tests, executor=executor
    )
    log = run_eval(task, script.save(), sample_id=cartons.id)
    (sample,) = log.samples
    (critique,) = sample.metadata["ctrl_harness:chain"]["critiques"]
    assert critique["judgement"] == judgement
    oracle = tests == "judged"
    assert (log.eval.metadata["feedback_tests"], log.eval.metadata["oracle"]) == (tests, oracle)
    assert ("ORACLE" in harness_cli("table", log.location).stdout) == oracle

"""Leaked solutions in a log: what the scorer records and the numbers that follow, by hand."""

from __future__ import annotations

import inspect_ai
import pytest

from ctrl_harness.analysis.logs import outcome_of_value
from ctrl_harness.errors import JudgeError
from ctrl_harness.evaluation.scorer import chain_verdicts
from ctrl_harness.tasks.mbppplus import mbppplus
from ctrl_harness.verification.judge import Judge


def metrics(log):
    assert log.status == "success", log.error
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


@pytest.fixture
def leaking_log(new_script, run_eval, executor, sample_programs):
    """Four problems, one turn, all drafts wrong: told the solution and mended; told a wrong program
    and mended; told in words and mended; told the solution and not mended."""
    script = new_script()
    samples = sample_programs("mbppplus")[:4]
    told = [samples[0].right[0], samples[1].wrong[0], None, samples[3].right[-1]]
    for programs, leaked, mended in zip(samples, told, (True, True, True, False), strict=True):
        draft = programs.wrong[1]
        script.chain(programs.id, [draft, programs.right[0] if mended else draft])
        shown = "" if leaked is None else f"Take this:\n\n```python\n{leaked}\n```\n\n"
        text = f"Analysis: no.\n\n{shown}Your draft was:\n\n```python\n{draft}\n```\n"
        script.line(programs.id, "critic", 1, f"{text}\nOverall judgment: Incorrect")
    task = mbppplus(source="samples", executor=executor)
    return run_eval(task, script.save(), sample_id=[programs.id for programs in samples])


def test_leaks_by_hand(leaking_log):
    expected = {
        "delta_up_turn_1": 3 / 4,
        "critiques_with_program_turn_1": 3 / 4,
        "critiques_with_solution_turn_1": 2 / 4,
        "delta_up_without_leaks_turn_1": 2 / 2,
        "delta_up_without_leaks_turn_1_n": 2,
        "delta_up_not_leaked_turn_1": 2 / 4,
    }
    found = metrics(leaking_log)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    scores = [sample.scores["chain_verdicts"] for sample in leaking_log.samples]
    assert [score.metadata["leaks"] for score in scores] == [
        ["passing"], ["program"], ["none"], ["passing"],
    ]  # fmt: skip
    outcomes = [outcome_of_value("p", score.value) for score in scores]
    assert [outcome.leaks for outcome in outcomes] == [
        ("passing",), ("program",), ("none",), ("passing",),
    ]  # fmt: skip


def test_leaks_need_not_be_looked_for(leaking_log):
    options = {**leaking_log.eval.scorers[0].options, "leakage": False}
    again = inspect_ai.score(
        leaking_log, chain_verdicts(**options), action="overwrite", display="plain"
    )
    assert not [name for name in metrics(again) if "critiques_with" in name or "leak" in name]
    assert metrics(again)["delta_up_turn_1"] == 3 / 4


def test_a_leak_check_that_fails_loses_no_sample_is_counted_and_is_in_no_number(
    leaking_log, monkeypatch, caplog
):
    verify = Judge.verify

    async def failing(self, problem, program, **how):
        if how.get("bare"):  # as a program that stands in a critique is
            raise JudgeError("the cell died")
        return await verify(self, problem, program, **how)

    monkeypatch.setattr(Judge, "verify", failing)
    again = inspect_ai.score(
        leaking_log,
        chain_verdicts(**leaking_log.eval.scorers[0].options),
        action="overwrite",
        display="plain",
    )
    assert metrics(again)["delta_up_turn_1"] == 3 / 4, "every sample is scored as before"
    leaks = [sample.scores["chain_verdicts"].metadata["leaks"] for sample in again.samples]
    # the first was copied into the revision, which is judged in any case
    assert leaks == [["passing"], ["unjudged"], ["none"], ["unjudged"]]
    found = metrics(again)
    assert found["leak_checks_failed"] == 2
    assert found["critiques_with_program_turn_1"] == 3 / 4
    assert found["critiques_with_solution_turn_1"] == 1 / 2
    assert found["delta_up_without_leaks_turn_1_n"] == 1
    assert "holds a program on which the judge failed" in caplog.text
    assert "the cell died" in caplog.text

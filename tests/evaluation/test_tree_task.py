"""`-T widths=…`: trees in the tasks, their scores, and what the tables make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import inspect_ai
import pytest
from inspect_ai._util.error import PrerequisiteError

from ctrl_harness.analysis.logs import read_chains
from ctrl_harness.analysis.paired import pair_arms
from ctrl_harness.analysis.pass_at_k import pass_at_k
from ctrl_harness.analysis.stopping import tokens_of
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.tree_chains import forest_of, outcomes_of_forest
from ctrl_harness.evaluation.scorer import chain_verdicts
from ctrl_harness.tasks.mbppplus import mbppplus

PROBLEMS = 3


def metrics(log: Any) -> dict[str, str]:
    assert log.status == "success", log.error
    (score,) = log.results.scores
    return {name: repr(float(metric.value)) for name, metric in score.metrics.items()}


def place(outcome: Outcome) -> tuple[str, int, int]:
    return (str(outcome.problem), outcome.epoch, outcome.branch)


def model_calls(log: Any) -> list[Any]:
    return [event for s in log.samples for event in s.events if event.event == "model"]


@pytest.fixture
def samples(sample_programs):
    return sample_programs("mbppplus")[:PROBLEMS]


@pytest.fixture
def ids(samples):
    return [programs.id for programs in samples]


@pytest.fixture
def script(new_script, samples):
    """Drafts and revisions right or wrong by epoch and branch, in no pattern that would cancel."""
    script = new_script()

    def answer(right: bool, programs: Any) -> str:
        return f"```python\n{(programs.right if right else programs.wrong)[0]}\n```"

    for row, programs in enumerate(samples):
        for epoch in range(1, 6):
            draft = answer((row + epoch) % 3 == 0, programs)
            script.line(programs.id, "generator", 0, draft, epoch)
            for turn in (1, 2):
                said = "Correct" if (epoch * turn + row) % 4 == 0 else "Incorrect"
                script.line(programs.id, "critic", turn, f"Overall judgment: {said}", epoch)
                right = (row + epoch * turn) % 2 == 0
                script.line(programs.id, "generator", turn, answer(right, programs), epoch)
            for branch in ([1], [0, 1], [1, 0], [1, 1]):
                text = answer(sum(branch) + row != 1, programs)
                script.line(programs.id, "generator", len(branch), text, epoch, branch=branch)
    return script.save()


def test_five_at_the_first_level_are_five_epochs_of_chains(script, run_eval, executor, ids):
    def run(**settings: Any) -> Any:
        task = mbppplus(source="samples", executor=executor, **settings)
        return run_eval(task, script, sample_id=ids, seed=11)

    tree, chains = run(widths=[1, 5, 1, 1]), run(epochs=5, turns=2)
    assert metrics(tree) == metrics(chains)
    assert metrics(tree)["outcomes"] == repr(5.0 * PROBLEMS)

    def asked(log: Any) -> list[Any]:
        return sorted((e.config.seed, e.output.completion) for e in model_calls(log))

    assert asked(tree) == asked(chains)


def test_each_chain_of_a_tree_weighs_the_same(script, run_eval, executor, ids, tmp_path):
    task = mbppplus(source="samples", executor=executor, widths="1,2,2,2")
    log = run_eval(task, script, sample_id=ids)
    assert list(log.eval.metadata["branches"]) == [2, 2]
    assert log.eval.config.epochs == 2
    chains = list(read_chains(Path(log.location)))
    outcomes = [chain.outcome for chain in chains]
    assert len(outcomes) == PROBLEMS * 2 * 4
    # by hand, problem 0, epoch 1: the draft is wrong (1 % 3), branch [0] wrong (1 % 2), [1] right
    # only if 1 + 0 != 1: wrong; [0, 0] right (2 % 2), [0, 1] wrong, [1, 0] wrong, [1, 1] right
    first = [o.passed for o in outcomes if o.problem == ids[0] and o.epoch == 1]
    assert first == [
        (False, False, True), (False, False, False), (False, False, False), (False, False, True),
    ]  # fmt: skip
    found = metrics(log)
    for turn in range(3):
        share = sum(o.passed[turn] for o in outcomes) / len(outcomes)
        assert float(found[f"pass_at_1_turn_{turn}"]) == pytest.approx(share)
    up = sum(not o.passed[0] and o.passed[2] for o in outcomes) / len(outcomes)
    assert float(found["delta_up_turn_2"]) == pytest.approx(up)
    assert found["problems"] == repr(float(PROBLEMS))
    # pass@2 at the draft: of two drafts a problem, not of eight chains
    assert "pass_at_5_turn_0" not in found
    assert float(found["pass_at_2_turn_0"]) == pass_at_k(outcomes, 0, 2).estimate.value
    # arms of trees pair leaf by leaf
    assert pair_arms({"a": outcomes, "b": outcomes[1:]}).left_out == {"a": 1, "b": 0}
    # critic-rl's form holds the same chains: drafts, then two and four programs of each
    forest = forest_of(chains)
    assert sorted(outcomes_of_forest(forest).outcomes, key=place) == sorted(outcomes, key=place)
    assert len(forest.nodes) == PROBLEMS * (1 + 2 * (1 + 2 + 4))
    # what chains share is counted once, so that tokens add up
    spent = sum(e.output.usage.total_tokens for e in model_calls(log))
    assert sum(tokens_of(chain.calls) for chain in chains) == spent
    assert {c.role for chain in chains for c in chain.calls} == {"generator", "critic"}
    assert sum(c.role == "critic" for chain in chains for c in chain.calls) == PROBLEMS * 2 * 6


def test_a_tree_is_scored_again_from_its_log(script, run_eval, executor, ids):
    task = mbppplus(source="samples", executor=executor, widths="1,1,2,2")
    log = run_eval(task, script, sample_id=ids)
    again = inspect_ai.score(
        log, chain_verdicts(**log.eval.scorers[0].options), action="overwrite", display="plain"
    )
    assert metrics(again) == metrics(log)
    assert [s.scores["chain_verdicts"].value for s in again.samples] == [
        s.scores["chain_verdicts"].value for s in log.samples
    ]


def test_a_branch_that_stopped_stands_for_all_its_leaves(new_script, run_eval, executor, samples):
    programs = samples[0]
    script = new_script()
    script.chain(programs.id, [programs.wrong[0], programs.right[0], programs.right[0]])
    script.line(programs.id, "critic", 1, "Overall judgment: Correct", branch=[0])
    script.line(programs.id, "critic", 1, "Overall judgment: Incorrect", branch=[1])
    script.line(programs.id, "critic", 2, "Overall judgment: Incorrect")
    task = mbppplus(
        source="samples", executor=executor, widths="1,1,2,2", stop_at_correct=True
    )
    log = run_eval(task, script.save(), sample_id=programs.id)
    chains = list(read_chains(Path(log.location)))
    assert [chain.outcome.passed for chain in chains] == [
        (False, False, False), (False, False, False), (False, True, True), (False, True, True),
    ]  # fmt: skip
    assert [len(chain.calls) for chain in chains] == [2, 0, 4, 2]
    assert not any(chain.outcome.cut_short for chain in chains)


def test_a_limit_leaves_the_part_that_grew(script, run_eval, executor, ids):
    task = mbppplus(source="samples", executor=executor, widths="1,1,2,2")
    whole = run_eval(task, script, sample_id=ids[0])
    spent = [e.output.usage.total_tokens for e in model_calls(whole)]
    cut = run_eval(task, script, sample_id=ids[0], token_limit=sum(spent[:4]) + 1)
    outcomes = [chain.outcome for chain in read_chains(Path(cut.location))]
    assert len(outcomes) == 4
    assert all(outcome.cut_short for outcome in outcomes)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"widths": "5,1"}, r"widths=5,1 is not a tree; give 1, the number of drafts"),
        ({"widths": 1}, r"widths=1 is not a tree"),
        ({"widths": [1, 5, 0]}, "widths is"),
        ({"widths": "1,x"}, "give whole numbers from 1"),
        ({"widths": "1,5,1", "turns": 2}, "widths says turns too"),
        ({"branches": "2,2"}, "is for 2 turns, and turns is 1"),
        ({"branches": [2.5]}, "give whole numbers from 1"),
    ],
)
def test_widths_that_make_no_tree_are_a_sentence(settings, says, executor):
    with pytest.raises(PrerequisiteError, match=says):
        mbppplus(source="samples", executor=executor, **settings)


def test_branches_of_one_are_no_tree(executor):
    task = mbppplus(source="samples", executor=executor, widths="1,3,1,1")
    facts = task.metadata
    assert (facts["branches"], facts["turns"], task.epochs) == (None, 2, 3)
    assert facts["changed"] == {"epochs": 3, "turns": 2}

"""The compute-matched control: what it draws for an arm's tokens, and what comes of it."""

from __future__ import annotations

import inspect_ai
import pytest
from inspect_ai._util.error import PrerequisiteError

from ctrl_harness.evaluation.control_scorer import control_verdicts
from ctrl_harness.tasks.mbppplus import mbppplus

PROBLEMS = 4


def metrics(log):
    assert log.status == "success", log.error
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


def words(log, role=None):
    """Tokens of all calls; a scripted model counts words."""
    return sum(
        event.output.usage.total_tokens
        for sample in log.samples
        for event in sample.events
        if event.event == "model" and role in (None, event.role)
    )


def fenced(program):
    return f"```python\n{program}\n```\n"


@pytest.fixture
def samples(sample_programs):
    return sample_programs("mbppplus")[:PROBLEMS]


@pytest.fixture
def arm(new_script, run_eval, executor, samples):
    """A critic arm of five turns on four problems, two epochs."""
    script = new_script("arm.jsonl")
    for programs in samples:
        script.chain(programs.id, [programs.wrong[0]] * 6, ["incorrect"] * 5)
    task = mbppplus(source="samples", executor=executor, turns=5)
    ids = [programs.id for programs in samples]
    return run_eval(task, script.save(), sample_id=ids, epochs=2)


def control_of(arm, script, run_eval, executor, samples, **settings):
    task = mbppplus(source="samples", executor=executor, critic="none", arm=arm.location)
    ids = [programs.id for programs in samples]
    return run_eval(task, script.save(), sample_id=ids, epochs=2, **settings)


@pytest.fixture
def control(new_script, run_eval, executor, samples, arm):
    """Of each problem's drafts the third passes, the critic sees that, and answers vary in length.
    """
    script = new_script("control.jsonl")
    for row, programs in enumerate(samples):
        for vote in range(100):
            program = programs.right[0] if vote == 2 else programs.wrong[0]
            said = "word " * (7 * ((vote + row) % 5))
            script.line(programs.id, "generator", 0, f"{said}\n{fenced(program)}", vote=vote)
            verdict = "Correct" if vote == 2 else "Incorrect"
            script.line(programs.id, "critic", 1, f"Overall judgment: {verdict}", vote=vote)
    return control_of(arm, script, run_eval, executor, samples)


def test_the_tokens_match_the_arm_s_within_five_per_cent(arm, control, capsys):
    found = metrics(control)
    with capsys.disabled():
        print(f"\ntokens / arm's: {found['tokens_of_arm']:.4f} for mean and bound, "
              f"{found['tokens_of_arm_best_of_n']:.4f} for best of n")
    assert found["tokens_of_arm"] == pytest.approx(1, abs=0.05)
    assert found["tokens_of_arm_best_of_n"] == pytest.approx(1, abs=0.05)
    assert found["exhausted"] == 0
    budgets = [s.scores["control_verdicts"].metadata["budget"] for s in control.samples]
    assert sum(budgets) == words(arm)


def test_mean_choice_and_bound(control):
    found = metrics(control)
    assert found["oracle_bound"] == 1  # one of the drafts passes
    assert found["best_of_n"] == 1  # the critic knows which
    drawn = [s.scores["control_verdicts"].value["drawn"] for s in control.samples]
    assert all(s.scores["control_verdicts"].value["passed"] == 1 for s in control.samples)
    # each chain's mean is one of n, and n of those drawn some two are not used
    assert 1 / max(drawn) < found["pass_at_1"] < 1 / (min(drawn) - 3)
    assert control.results.headline.metric == "pass_at_1"


def test_it_says_what_it_is_the_control_of_and_scores_again(arm, control):
    assert control.eval.metadata["control"] == {
        "arm": arm.location, "critic": "model", "votes": 1, "feedback_tests": "public",
        "temperature": 0.7,
    }  # fmt: skip
    events = [e for sample in control.samples for e in sample.events if e.event == "model"]
    drafts = [e for e in events if "Overall judgment" not in e.output.completion]
    assert {event.config.temperature for event in drafts} == {0.7}
    settings = control.eval.scorers[0].options
    again = inspect_ai.score(
        control, control_verdicts(**settings), action="overwrite", display="plain"
    )
    assert metrics(again) == metrics(control)


def test_problems_that_the_arm_did_not_have_are_refused(
    arm, new_script, run_eval, executor, sample_programs
):
    other = sample_programs("mbppplus")[PROBLEMS : PROBLEMS + 1]
    script = new_script("other.jsonl")
    script.chain(other[0].id, [other[0].right[0]])
    log = control_of(arm, script, run_eval, executor, other)
    assert log.status == "error"
    assert "run the control on the arm's problems" in log.error.message


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"critic": "none"}, "give its log: -T arm=LOG"),
        ({"critic": "none", "arm": "no/such.eval"}, "is not an Inspect log"),
        ({"arm": "some.eval"}, "is for critic=none"),
    ],
)
def test_what_cannot_be_matched_is_a_sentence(settings, says, executor):
    with pytest.raises(PrerequisiteError, match=says):
        mbppplus(source="samples", executor=executor, **settings)


def test_an_arm_of_another_protocol_is_refused(arm, executor):
    with pytest.raises(PrerequisiteError, match="was made with the protocol default"):
        mbppplus(
            source="samples", executor=executor, critic="none", arm=arm.location, max_tokens=50
        )

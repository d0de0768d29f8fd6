"""JudgeBench with each response judged alone: what is asked, who wins, what fewer votes would give.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import inspect_ai
import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, read_eval_log, resolve_sample_attachments

from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.evaluation.pointwise import pair_votes
from ctrl_harness.tasks.judgebench import judgebench

SAYS = {"c": "Overall judgment: Correct", "i": "Overall judgment: Incorrect", "-": "Hard to say."}

# For each of the eight pairs, what three critiques say of the better response and of the other.
VOTES = (
    ("ccc", "iii"),  # knowledge: right
    ("cci", "cii"),  # knowledge: right
    ("cii", "cci"),  # reasoning: wrong
    ("c--", "iii"),  # reasoning: right, since no verdict is not Correct
    ("iii", "---"),  # math: tied, nobody says Correct
    ("ccc", "ccc"),  # math: tied
    ("ic-", "-ic"),  # coding: tied
    ("---", "i-c"),  # coding: wrong
)


@pytest.fixture
def pairs(sample_rows) -> list[dict[str, Any]]:
    """The eight sample pairs of the split `gpt`."""
    return [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]


def vote(script: Any, row: dict[str, Any], better: str, other: str) -> None:
    said = (better, other) if row["label"] == "A>B" else (other, better)
    for turn, votes in enumerate(said, start=1):
        for number, letter in enumerate(votes):
            script.line(row["pair_id"], "critic", turn, SAYS[letter], vote=number)


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.status == "success", log.error
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


def test_votes_by_hand(pairs, new_script, run_eval, inspect_cli):
    script = new_script()
    for row, (better, other) in zip(pairs, VOTES, strict=True):
        vote(script, row, better, other)
    log = run_eval(judgebench(source="samples", mode="pointwise", votes=3), script.save())
    found = metrics(log)
    expected = {
        "accuracy": 3 / 8,
        "accuracy_knowledge": 1,
        "accuracy_reasoning": 1 / 2,
        "accuracy_math": 0,
        "accuracy_coding": 0,
        "accuracy_ties_half": 3 / 8 + 3 / 8 / 2,
        "tied": 3 / 8,
        "missing_verdicts": (2 + 3 + 1 + 1 + 3 + 1) / 48,
        # one vote each: P(better says Correct) * P(other does not), over the pairs
        "accuracy_1_votes": (1 + 2 / 3 * 2 / 3 + 1 / 3 * 1 / 3 + 1 / 3 + 1 / 3 * 2 / 3) / 8,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert log.results.headline.metric == "accuracy"

    again = inspect_ai.score(log, pair_votes(), action="overwrite", display="plain")
    assert metrics(again) == found
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text
    assert metrics(read_eval_log(log.location)) == found


def test_each_response_is_shown_alone_and_verbatim(pairs, new_script, run_eval):
    script = new_script()
    for row in pairs:
        vote(script, row, "ccc", "iii")
    log = run_eval(judgebench(source="samples", mode="pointwise", votes=3), script.save())
    of_row = {row["pair_id"]: row for row in pairs}
    for sample in log.samples:
        row = of_row[sample.id]
        resolved = resolve_sample_attachments(sample, "full")
        asked = [
            "\n".join(message.text for message in event.input)
            for event in resolved.events
            if event.event == "model"
        ]
        about_a, about_b = asked[:3], asked[3:]
        for requests, shown, hidden in (
            (about_a, "response_A", "response_B"),
            (about_b, "response_B", "response_A"),
        ):
            assert len(requests) == 3 and len(set(requests)) == 1
            assert row["question"] in requests[0] and row[shown] in requests[0]
            assert row[hidden] not in requests[0]
        # but for the response, the two requests are one: nothing tells which of them it is
        assert about_a[0].replace(row["response_A"], row["response_B"]) == about_b[0]


def test_the_position_of_the_better_response_changes_nothing(pairs, new_script, run_eval):
    script = new_script()
    for row in pairs:
        vote(script, row, "c", "i")
    log = run_eval(judgebench(source="samples", mode="pointwise", votes=1), script.save())
    assert Counter(row["label"] for row in pairs) == {"A>B": 4, "B>A": 4}
    assert metrics(log)["accuracy"] == 1


@pytest.mark.slow
def test_the_protocol_of_ctrl_is_pointwise_with_its_sampling(
    pairs, new_script, inspect_cli, tmp_path
):
    script = new_script()
    for row in pairs:
        vote(script, row, "cccci", "iiiii")
    done = inspect_cli(
        "eval", "tasks/judgebench.py", "--model", script.save(), "-T", "source=samples",
        "-T", "protocol=ctrl", "--temperature", "0.3",
    )  # fmt: skip
    assert done.code == 0, done.text
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    facts = {key: log.eval.metadata[key] for key in ("protocol", "changed", "mode", "votes")}
    assert facts == {"protocol": "ctrl", "changed": {}, "mode": "pointwise", "votes": 5}
    templates = PromptSet("default", "judgebench", required=("pointwise",))
    of_row = {row["pair_id"]: row for row in pairs}
    for sample in log.samples:
        row = of_row[sample.id]
        wanted = [
            [(m.role, m.content) for m in
             templates.ask("pointwise", question=row["question"], response=row[key])]
            for key in ("response_A", "response_B")
            for _ in range(5)
        ]  # fmt: skip
        calls = [e for e in resolve_sample_attachments(sample, "full").events if e.event == "model"]
        assert [[(m.role, m.text) for m in call.input] for call in calls] == wanted
        for call in calls:
            config = call.config
            assert (config.temperature, config.top_p, config.max_tokens) == (0.7, 0.8, 1024)
            assert config.extra_body == {"repetition_penalty": 1.05}
    assert metrics(log)["accuracy"] == 1


def test_the_header_says_what_was_changed(pairs, new_script, run_eval):
    script = new_script()
    for row in pairs:
        vote(script, row, "ccccc", "iiiii")
    log = run_eval(judgebench(source="samples", mode="pointwise"), script.save())
    facts = log.eval.metadata
    assert (facts["protocol"], facts["votes"]) == ("default", 5)
    assert facts["changed"] == {"mode": "pointwise", "votes": 5}
    assert len(facts["prompts_digest"]) == 64


def test_votes_have_seeds_of_their_own_and_the_same_ones_again(pairs, new_script, run_eval):
    script = new_script()
    for row in pairs:
        vote(script, row, "ccc", "iii")
    model = script.save()

    def seeds() -> list[int]:
        task = judgebench(source="samples", mode="pointwise", votes=3)
        log = run_eval(task, model, seed=7)
        events = [event for sample in log.samples for event in sample.events]
        return [event.config.seed for event in events if event.event == "model"]

    first = seeds()
    assert len(set(first)) == len(first) == 8 * 2 * 3
    assert seeds() == first


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mode": "listwise"}, "give pairwise or pointwise"),
        ({"mode": "pointwise", "votes": 4}, "give an odd number"),
        ({"mode": "pointwise", "votes": 0}, "votes is 0"),
        ({"mode": "pointwise", "votes": True}, "votes is True"),
        ({"mode": "pairwise", "votes": 3}, "is for mode=pointwise"),
        ({"votes": 3}, "is for mode=pointwise"),
        ({"protocol": "paper"}, "choose one of default, ctrl"),
        ({"turns": 3}, "there is no setting 'turns'"),
        ({"temperature": 3}, "from 0 to 2"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(settings, says):
    with pytest.raises(PrerequisiteError, match=says):
        judgebench(source="samples", **settings)

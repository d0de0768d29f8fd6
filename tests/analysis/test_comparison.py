"""Critics on the same drafts: which pairs count, what is tested, and how it is told."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pytest

from ctrl_harness.analysis.comparison import compare_arms, paired_outcomes
from ctrl_harness.analysis.comparison_control import beside_control
from ctrl_harness.analysis.comparison_judges import compare_judged, of_decisions, of_votes
from ctrl_harness.analysis.comparison_report import Report, Spent, as_csv, as_json, as_text
from ctrl_harness.analysis.control import Drawn, Resample
from ctrl_harness.analysis.judgebench import PairOutcome
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.votes import VotedPair
from ctrl_harness.errors import UserError

DRAWS = 200


def outcome(problem: int, epoch: int, draft: bool, end: bool, said: str, **more: Any) -> Outcome:
    return Outcome(problem, (draft, end), (said,), (False, False), epoch, **more)  # type: ignore[arg-type]


def arm(fixes: set[int], breaks: set[int], problems: int = 12, **more: Any) -> list[Outcome]:
    """Odd problems have right drafts; the critic calls right what it leaves alone."""
    found = []
    for problem in range(problems):
        draft = problem % 2 == 1
        end = problem in fixes if not draft else problem not in breaks
        found.append(outcome(problem, 1, draft, end, "correct" if draft == end else "incorrect",
                             **more))  # fmt: skip
    return found


def test_only_what_all_critics_judged_is_counted():
    a, b = arm({0, 2}, {1}), arm({0}, set())[:-3]
    compared = compare_arms(paired_outcomes({"a": a, "b": b}), DRAWS)
    assert (compared.pairs, compared.problems) == (9, 9)
    assert compared.left_out == {"a": 3, "b": 0}
    numbers = {name: {k: n.estimate.value for k, n in compared.numbers[name].items()}
               for name in "ab"}  # fmt: skip
    # of problems 0 to 8 the drafts 1, 3, 5, 7 are right
    assert numbers["a"]["pass_at_1_turn_0"] == numbers["b"]["pass_at_1_turn_0"] == 4 / 9
    assert (numbers["a"]["delta_up"], numbers["a"]["delta_down"]) == (2 / 9, 1 / 9)
    assert (numbers["a"]["cs"], numbers["a"]["cl"]) == (2 / 5, 3 / 4)
    assert numbers["b"]["pass_at_1_turn_1"] == 5 / 9


def test_every_two_critics_are_tested_and_adjusted_together():
    arms = {"a": arm({0, 2, 4, 6, 8, 10}, set()), "b": arm(set(), set()), "c": arm({0}, set())}
    compared = compare_arms(paired_outcomes(arms), DRAWS)
    up = {(d.first, d.second): d for d in compared.differences if d.figure == "delta_up"}
    assert list(up) == [("a", "b"), ("a", "c"), ("b", "c")]
    # McNemar's exact test by hand: 6 of 6, 5 of 5 and 1 of 1 in one direction
    assert [d.p_value for d in up.values()] == [2 / 2**6, 2 / 2**5, 1.0]
    assert [d.adjusted for d in up.values()] == [3 * 2 / 2**6, 2 * 2 / 2**5, 1.0]
    assert up["a", "b"].estimate.value == 0.5
    assert up["a", "b"].bootstrap.low > 0


def test_one_critic_alone_is_told_without_tests():
    compared = compare_arms(paired_outcomes({"only": arm({0}, {1})}), DRAWS)
    assert (compared.pairs, compared.differences) == (12, ())


def test_leaks_are_counted_over_all_critiques():
    half = arm({0, 2}, set(), leaks=("passing",))[:6] + arm({0, 2}, set(), leaks=("none",))[6:]
    compared = compare_arms(paired_outcomes({"a": half, "b": half}), DRAWS)
    found = {key: number.estimate for key, number in compared.numbers["a"].items()}
    assert (found["with_program"].value, found["with_solution"].value) == (0.5, 0.5)
    # both repairs are among the six that were handed the solution
    assert (found["delta_up"].value, found["delta_up_without_leaks"].value) == (2 / 12, 0)
    assert found["delta_up_without_leaks"].n == 6


def test_arms_of_different_length_cannot_be_compared():
    short = [Outcome(0, (True,), (), (False,))]
    with pytest.raises(UserError, match=r"different numbers of turns: \[1, 2\]"):
        paired_outcomes({"a": arm(set(), set()), "b": short})


# -- the control


def drawn(problem: int, passes: str, tokens: int = 10, budget: int = 40) -> Drawn:
    samples = tuple(
        Resample(flag == "1", tokens, "correct" if flag == "1" else "incorrect", tokens)
        for flag in passes
    )
    return Drawn(problem, 1, budget, samples)


def test_a_matched_control_stands_beside_its_critic():
    outcomes = arm({0, 2}, set(), problems=4)
    found = beside_control("a", outcomes, [drawn(n, "010000") for n in range(5)], DRAWS)
    assert found.pairs == 4 and found.matched
    mean, best, bound = found.readings
    assert (mean.value.value, best.value.value, bound.value.value) == (1 / 4, 1.0, 1.0)
    assert mean.less.value == 1 - 1 / 4
    assert mean.tokens == best.tokens == 1


def test_a_control_that_spent_otherwise_is_not_matched():
    found = beside_control("a", arm({0}, set(), problems=3), [drawn(0, "01", 11, 100)], DRAWS)
    assert not found.matched
    assert found.exhausted


# -- what is told


@pytest.fixture
def report() -> Report:
    arms = {"a": arm({0, 2}, {1}), "b": arm(set(), set())}
    control = beside_control("a", arms["a"], [drawn(n, "01", 11, 100) for n in range(12)], DRAWS)
    return Report(
        "mbppplus · scripted",
        {"a": {"critic": "model"}, "b": {"critic": "execution"}},
        compare_arms(paired_outcomes(arms), DRAWS),
        {"a": Spent(100, 50, None), "b": Spent(90, 0, 0.01)},
        {"a": {"critic a returned None, not a Critique": 3}, "b": {}},
        {"none": control},
        ["A note."],
    )


def test_the_text_has_all_tables(report: Report):
    text = as_text(report)
    assert "12 drafts of 12 problems, read by every critic" in text
    starts = "Pass@1, draft", "Δ↑ ", "critic's tokens a chain", "a − b", "none: mean"
    for start in (f"| {start}" for start in starts):
        assert any(line.startswith(start) for line in text.splitlines()), start
    assert "a: 3 samples are in no number: critic a returned None, not a Critique" in text
    assert text.endswith("A note.\n")
    # a control whose tokens differ is shown, and nothing is concluded from it
    (mean,) = (line for line in text.splitlines() if line.startswith("| none: mean"))
    assert [cell.strip() for cell in mean.split("|")[4:7]] == ["–", "–", "0.220"]


def test_the_json_is_json_and_the_csv_holds_the_same_numbers(report: Report):
    told = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert told["numbers"]["a"]["delta_up"]["value"] == pytest.approx(2 / 12)
    assert told["controls"]["none"]["readings"][0]["difference"] is None
    rows = list(csv.DictReader(io.StringIO(as_csv(report))))
    values = {(row["critic"], row["figure"]): row["value"] for row in rows}
    assert float(values["a", "delta_up"]) == told["numbers"]["a"]["delta_up"]["value"]
    assert float(values["b", "cost"]) == 0.01
    assert ("a", "cost") not in values
    assert len(rows) == 2 * len(told["figures"]) + 5 + 3


# -- judges of pairs


def test_judges_are_compared_on_the_pairs_that_all_decided():
    def decided(flags: str) -> list[Any]:
        return [
            of_decisions(n, PairOutcome("coding" if n % 2 else "math", "A>B",
                                        ("A>B", "B>A") if flag == "1" else ("A>B", "A>B")))
            for n, flag in enumerate(flags)
        ]  # fmt: skip

    compared = compare_judged({"a": decided("111100"), "b": decided("10000")}, DRAWS)
    assert (compared.pairs, compared.left_out) == (5, {"a": 1, "b": 0})
    a, b = ({k: n.estimate.value for k, n in compared.numbers[x].items()} for x in "ab")
    assert (a["accuracy"], b["accuracy"]) == (4 / 5, 1 / 5)
    assert (a["accuracy_math"], a["accuracy_coding"]) == (2 / 3, 1.0)
    assert (a["tied"], a["accuracy_ties_half"], b["position_bias"]) == (1 / 5, 0.9, 0.8)
    (difference,) = compared.differences
    assert difference.p_value == 2 / 2**3


def test_pairs_may_be_judged_by_votes():
    voted = VotedPair("math", "B>A", ("correct", "missing"), ("correct", "correct"))
    judged = of_votes("p", voted)
    assert (judged.net, judged.missing, judged.position) == (1, 0.25, None)
    compared = compare_judged({"a": [judged], "b": [judged]}, DRAWS)
    assert "position_bias" not in compared.labels
    assert math.isnan(compared.numbers["a"]["accuracy"].estimate.stderr)

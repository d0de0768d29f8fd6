"""The four tasks on the shipped samples: known chains give numbers that were worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import inspect_ai
import pytest
from inspect_ai.log import EvalLog, read_eval_log, resolve_sample_attachments
from inspect_ai.model import GenerateConfig, get_model

from ctrl_harness.evaluation.pairwise import pair_decisions
from ctrl_harness.evaluation.scorer import chain_verdicts
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.judgebench import judgebench
from ctrl_harness.tasks.livecodebench import livecodebench
from ctrl_harness.tasks.mbppplus import mbppplus

# One row an epoch of problems A to D: which program the draft and the three revisions are (Right,
# Wrong, Slow on one test, None at all), and whether each critique says Correct, Incorrect or
# nothing (-).
CHAINS = (
    ("WRRR icc", "WWRR iic", "RRRR ccc"),
    ("WWWW iii", "WRWR cii", "RWWR iii"),
    ("RRRR ccc", "RRWW -ci", "WWWW ccc"),
    ("WSWR iii", "RRRR icc", "NRRR -cc"),
)
JUDGEMENTS = {"c": "correct", "i": "incorrect", "-": "missing"}

# 12 chains. Right per turn: 5 (A3 B3 C1 C2 D2), 7 (A1 A3 B2 C1 C2 D2 D3), 6 (A1 A2 A3 C1 D2 D3),
# 9 (A1 A2 A3 B2 B3 C1 D1 D2 D3). Drafts: of 5 right ones the critic calls A3 and C1 correct, B3
# and D2 incorrect; of 7 wrong ones B2 and C3 correct, A1 A2 B1 D1 incorrect; C2 and D3 get neither.
EXPECTED = {
    "pass_at_1": 9 / 12,
    "pass_at_1_turn_0": 5 / 12,
    "pass_at_1_turn_1": 7 / 12,
    "pass_at_1_turn_2": 6 / 12,
    "pass_at_1_turn_3": 9 / 12,
    # right drafts per problem 1, 1, 2, 1, less 5/4: squares add up to 3/4, times 4/3, root, by 12
    "pass_at_1_turn_0_stderr": 1 / 12,
    # 2, 1, 2, 2 less 7/4: squares 3/4
    "pass_at_1_turn_1_stderr": 1 / 12,
    # 3, 0, 1, 2 less 6/4: squares 5
    "pass_at_1_turn_2_stderr": math.sqrt(5 * 4 / 3) / 12,
    # 3, 2, 1, 3 less 9/4: squares 11/4
    "pass_at_1_turn_3_stderr": math.sqrt(11 / 3) / 12,
    # up A1 B2 D3, down B3
    "delta_up_turn_1": 3 / 12,
    "delta_down_turn_1": 1 / 12,
    # 1, 0, 0, 1 less 1/2: squares 1
    "delta_turn_1_stderr": math.sqrt(4 / 3) / 12,
    "cl_turn_1": 4 / 5,
    "cs_turn_1": 3 / 7,
    # up A1 A2 D3, down B3 C2
    "delta_up_turn_2": 3 / 12,
    "delta_down_turn_2": 2 / 12,
    # 2, -1, -1, 1 less 1/4: squares 27/4
    "delta_turn_2_stderr": 3 / 12,
    "cl_turn_2": 3 / 5,
    "cs_turn_2": 3 / 7,
    # up A1 A2 B2 D1 D3, down C2
    "delta_up_turn_3": 5 / 12,
    "delta_down_turn_3": 1 / 12,
    # 2, 1, -1, 2 less 1: squares 6
    "delta_turn_3_stderr": math.sqrt(8) / 12,
    "cl_turn_3": 4 / 5,
    "cs_turn_3": 5 / 7,
    # up A2, down B2 C2
    "delta_up_turn_1_to_2": 1 / 12,
    "delta_down_turn_1_to_2": 2 / 12,
    # 1, -1, -1, 0 less -1/4: squares 11/4
    "delta_turn_1_to_2_stderr": math.sqrt(11 / 3) / 12,
    "cl_turn_1_to_2": 5 / 7,
    "cs_turn_1_to_2": 1 / 5,
    # up B2 B3 D1, down none
    "delta_up_turn_2_to_3": 3 / 12,
    "delta_down_turn_2_to_3": 0,
    # 0, 2, 0, 1 less 3/4: squares 11/4
    "delta_turn_2_to_3_stderr": math.sqrt(11 / 3) / 12,
    "cl_turn_2_to_3": 1,
    "cs_turn_2_to_3": 3 / 6,
    "f1_passed": 2 * 2 / (5 + 2 + 2),
    "f1_failed": 2 * 4 / (7 + 4 + 2),
    "f1_macro": (4 / 9 + 8 / 13) / 2,
    "missing_verdicts": 2 / 12,
    "time_limit_turn_0": 0,
    "time_limit_turn_1": 1 / 12,
    "time_limit_turn_2": 0,
    "time_limit_turn_3": 0,
    # with c of 3 right: c = 1 gives 2/3 for two tries, c >= 2 gives 1
    "pass_at_2_turn_0": (2 / 3 + 2 / 3 + 1 + 2 / 3) / 4,
    "pass_at_2_turn_1": (1 + 2 / 3 + 1 + 1) / 4,
    "pass_at_2_turn_2": (1 + 0 + 2 / 3 + 1) / 4,
    "pass_at_2_turn_3": (1 + 1 + 2 / 3 + 1) / 4,
    "pass_at_3_turn_0": 1,
    "pass_at_3_turn_1": 1,
    "pass_at_3_turn_2": 3 / 4,
    "pass_at_3_turn_3": 1,
}

SLOW_ON_STDIN = """
import io, sys, time
given = sys.stdin.read()
if given == {given!r}:
    time.sleep(60)
sys.stdin = io.StringIO(given)
"""
SLOW_ON_CALL = """
import time
at_once = {function}
def {function}(*arguments):
    if arguments == {given!r}:
        time.sleep(60)
    return at_once(*arguments)
"""

# Four problems of each data set, the slow program's input, and how the task is called.
SETS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "codecontests": (
        codecontests,
        ("sample_egg_cartons", "sample_bookend_words", "sample_cold_valley", "sample_regatta_year"),
    ),
    "livecodebench": (
        livecodebench,
        ("sample_summits", "sample_lucky_streak", "sample_night_train", "sample_painted_fence"),
    ),
    "mbppplus": (mbppplus, ("Mbpp/9001", "Mbpp/9002", "Mbpp/9006", "Mbpp/9005")),
}


def slow_program(dataset: str, right: str) -> str:
    """Problem D's right program, too slow on one of its tests."""
    if dataset == "mbppplus":
        return right + SLOW_ON_CALL.format(function="highest_so_far", given=([3, 1, 4],))
    given = "2021\n" if dataset == "codecontests" else "5 2\n1 3\n2 4\n"
    return SLOW_ON_STDIN.format(given=given) + right


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.status == "success", log.error
    assert log.results is not None
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


def scores(log: EvalLog) -> dict[tuple[Any, int], Any]:
    """All that was said of each sample."""
    return {
        (sample.id, sample.epoch): {
            name: score.model_dump(exclude={"history"})
            for name, score in (sample.scores or {}).items()
        }
        for sample in log.samples or []
    }


@pytest.mark.parametrize("dataset", SETS)
def test_known_chains_give_the_numbers_worked_out_by_hand(
    dataset, new_script, sample_programs, run_eval, inspect_cli, executor
):
    make_task, ids = SETS[dataset]
    known = {programs.id: programs for programs in sample_programs(dataset)}
    script = new_script()
    for sample, epochs in zip(ids, CHAINS, strict=True):
        right, wrong = known[sample].right[0], known[sample].wrong[0]
        choice = {"R": right, "W": wrong, "S": slow_program(dataset, right), "N": None}
        for epoch, row in enumerate(epochs, start=1):
            programs, judgements = row.split()
            script.chain(
                sample, [choice[p] for p in programs], [JUDGEMENTS[j] for j in judgements], epoch
            )
    task = make_task(source="samples", turns=3, executor=executor, time_limit=1.5)
    log = run_eval(task, script.save(), sample_id=list(ids), epochs=3)

    found = metrics(log)
    assert {name: found[name] for name in EXPECTED} == pytest.approx(EXPECTED, rel=1e-9)
    assert log.results.headline.metric == "pass_at_1"
    assert next(iter(metrics(log))) == "pass_at_1"

    settings = log.eval.scorers[0].options
    again = inspect_ai.score(log, chain_verdicts(**settings), action="overwrite", display="plain")
    assert (scores(again), metrics(again)) == (scores(log), metrics(log))

    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text
    from_disk = read_eval_log(log.location)
    assert (scores(from_disk), metrics(from_disk)) == (scores(log), metrics(log))


def chain_of(log: EvalLog, sample: str) -> dict[str, Any]:
    """The value of a sample's score."""
    (value,) = [s.scores["chain_verdicts"].value for s in log.samples or [] if s.id == sample]
    return value


@pytest.fixture
def cartons(sample_programs) -> Any:
    """Right and wrong programs of the first CodeContests sample."""
    return sample_programs("codecontests")[0]


def test_without_turns_only_drafts_are_judged(new_script, run_eval, executor, cartons):
    script = new_script()
    script.chain(cartons.id, [cartons.right[0]])
    task = codecontests(source="samples", turns=0, executor=executor)
    log = run_eval(task, script.save(), sample_id=cartons.id)
    assert chain_of(log, cartons.id) == {"turn_0": 1, "time_limit_0": 0, "cut_short": 0}
    assert set(metrics(log)) == {
        "pass_at_1", "pass_at_1_turn_0", "pass_at_1_turn_0_stderr", "time_limit_turn_0",
        "problems", "outcomes", "cut_short", "malformed_critiques",
    }  # fmt: skip


def test_all_cases_change_what_is_counted_and_no_metric(new_script, run_eval, executor, cartons):
    script = new_script()
    script.chain(cartons.id, ["print(1 / 0)"])
    logs = {
        asked: run_eval(
            codecontests(source="samples", turns=0, executor=executor, all_cases=asked),
            script.save(), sample_id=cartons.id,
        )
        for asked in (False, True)
    }  # fmt: skip
    told = {
        asked: log.samples[0].scores["chain_verdicts"].explanation for asked, log in logs.items()
    }
    assert told[False].startswith("turn 0: runtime_error at case 1 of ")
    assert told[True].startswith("turn 0: runtime_error (0 of ")
    assert chain_of(logs[False], cartons.id) == chain_of(logs[True], cartons.id)
    assert metrics(logs[False]) == metrics(logs[True])


def test_a_chain_that_stops_at_correct_keeps_its_last_values(
    new_script, run_eval, executor, sample_programs
):
    first, second, third = sample_programs("mbppplus")[:3]
    script = new_script()
    # stops after one critique, which is wrong; after two; never
    script.chain(first.id, [first.wrong[0]], ["correct"])
    script.chain(second.id, [second.wrong[0], second.right[0]], ["incorrect", "correct"])
    script.chain(third.id, [third.wrong[0], third.wrong[1], third.right[0]], ["missing"] * 2)
    task = mbppplus(source="samples", turns=2, stop_at_correct=True, executor=executor)
    log = run_eval(task, script.save(), sample_id=[first.id, second.id, third.id])

    def value(turns: str, correct: str, incorrect: str) -> dict[str, int]:
        return {
            **{f"turn_{t}": int(flag) for t, flag in enumerate(turns)},
            **{f"time_limit_{t}": 0 for t in range(3)},
            **{f"says_correct_{t}": int(flag) for t, flag in enumerate(correct, start=1)},
            **{f"says_incorrect_{t}": int(flag) for t, flag in enumerate(incorrect, start=1)},
            **{
                f"leaks_{what}_{t}": 0
                for what in ("program", "solution", "unjudged")
                for t in (1, 2)
            },
            "cut_short": 0,
        }

    assert chain_of(log, first.id) == value("000", "11", "00")
    assert chain_of(log, second.id) == value("011", "01", "10")
    assert chain_of(log, third.id) == value("001", "00", "00")
    chains = {sample.id: sample.metadata["ctrl_harness:chain"] for sample in log.samples}
    stored = {name: len(chain["completions"]) for name, chain in chains.items()}
    assert stored == {first.id: 1, second.id: 2, third.id: 3}


def requests(log: EvalLog, role: str) -> list[str]:
    """The last message of each request to a role, in order."""
    return [
        event.input[-1].text
        for sample in log.samples or []
        for event in resolve_sample_attachments(sample, "full").events
        if event.event == "model" and (event.role or "generator") == role
    ]


def test_the_execution_critic_asks_no_model_and_tells_what_the_public_tests_show(
    new_script, run_eval, executor, cartons
):
    crashes = "print(1 / 0)"
    script = new_script()  # no line of a critic
    script.chain(cartons.id, [crashes, cartons.wrong[0], cartons.right[0]])
    task = codecontests(source="samples", turns=2, critic="execution", executor=executor)
    log = run_eval(task, script.save(), sample_id=cartons.id)
    # the wrong program passes the public tests, so this critic calls it correct
    assert chain_of(log, cartons.id) == {
        "turn_0": 0, "turn_1": 0, "turn_2": 1,
        "time_limit_0": 0, "time_limit_1": 0, "time_limit_2": 0, "cut_short": 0,
        "says_correct_1": 0, "says_correct_2": 1,
        "says_incorrect_1": 1, "says_incorrect_2": 0,
        "leaks_program_1": 0, "leaks_program_2": 0,
        "leaks_solution_1": 0, "leaks_solution_2": 0,
        "leaks_unjudged_1": 0, "leaks_unjudged_2": 0,
    }  # fmt: skip
    assert requests(log, "critic") == []
    _, first_revision, second_revision = requests(log, "generator")
    assert "ZeroDivisionError" in first_revision
    assert "10 4" in first_revision
    assert "ZeroDivisionError" not in second_revision


def test_the_hinted_critic_is_told_what_the_public_tests_show(
    new_script, run_eval, executor, cartons
):
    script = new_script()
    script.chain(cartons.id, ["print(5)", cartons.right[0]], ["incorrect"])
    task = codecontests(source="samples", critic="model+execution", executor=executor)
    log = run_eval(task, script.save(), sample_id=cartons.id)
    (asked,) = requests(log, "critic")
    assert "10 4" in asked  # the input of the public test that fails
    assert "print(5)" in asked
    value = chain_of(log, cartons.id)
    assert (value["turn_0"], value["turn_1"], value["says_incorrect_1"]) == (0, 1, 1)


def test_a_critic_without_hints_sees_no_test(new_script, run_eval, executor, sample_rows, cartons):
    script = new_script()
    script.chain(cartons.id, ["print(5)", cartons.right[0]], ["incorrect"])
    task = codecontests(source="samples", executor=executor)
    log = run_eval(task, script.save(), sample_id=cartons.id)
    row = next(row for row in sample_rows("codecontests") if row["name"] == cartons.id)
    hidden = [*row["private_tests"]["input"], *row["generated_tests"]["input"]]
    told = "\n".join([*requests(log, "critic"), *requests(log, "generator")])
    long_enough_to_tell = [text.strip() for text in hidden if len(text) > 8]
    assert long_enough_to_tell
    assert not [text for text in long_enough_to_tell if text in told]


def test_generator_and_critic_may_be_two_models(new_script, inspect_cli, executor, cartons):
    generator, critic = new_script("generator.jsonl"), new_script("critic.jsonl")
    generator.chain(cartons.id, [cartons.wrong[0], cartons.right[0]], ["correct"])
    critic.chain(cartons.id, [], ["incorrect"])
    model, critic_model = generator.save(), critic.save()
    done = inspect_cli(
        "eval", "tasks/codecontests.py", "--model", model, "--model-role", f"critic={critic_model}",
        "-T", "source=samples", "-T", f"executor={executor}", "--sample-id", cartons.id,
    )  # fmt: skip
    assert done.code == 0, done.text
    (path,) = (generator.path.parent / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert log.eval.model_roles["critic"].model == critic_model
    value = chain_of(log, cartons.id)
    assert (value["turn_0"], value["turn_1"], value["says_incorrect_1"]) == (0, 1, 1)
    usage = log.stats.model_usage
    assert set(usage) == {model, critic_model}
    assert usage[critic_model].output_tokens == 6  # words of the critique


def test_settings_of_the_command_hold_for_both_roles_and_a_roles_own_win(
    new_script, run_eval, executor, cartons
):
    script = new_script()
    script.chain(cartons.id, [cartons.right[0]] * 2, ["correct"])
    critic = get_model(script.save(), config=GenerateConfig(temperature=0.0))
    log = run_eval(
        codecontests(source="samples", executor=executor),
        script.save(),
        sample_id=cartons.id,
        model_roles={"critic": critic},
        temperature=0.7,
        max_tokens=77,
    )
    (sample,) = log.samples
    configs = [event.config for event in sample.events if event.event == "model"]
    assert [config.max_tokens for config in configs] == [77, 77, 77]
    assert [config.temperature for config in configs] == [0.7, 0.0, 0.7]


def judge_lines(
    script: Any, sample: str, first: str, second: str, epoch: int | None = None
) -> None:
    for turn, decision in enumerate((first, second), start=1):
        script.line(sample, "critic", turn, f"Compared them.\n\n[[{decision}]]", epoch)


def test_judgebench_by_hand(new_script, run_eval, inspect_cli, sample_rows):
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    assert [row["label"] for row in rows] == [
        "A>B", "B>A", "B>A", "A>B", "A>B", "B>A", "B>A", "A>B",
    ]  # fmt: skip
    # the second answer is about swapped responses, so B>A there speaks for response A
    decisions = (
        [("A>B", "B>A")] * 3,  # knowledge, +2: right
        [("A>B", "B>A")] * 3,  # knowledge, -2
        [("B>A", "B>A")] * 3,  # reasoning, +1 -1
        [("A>B", "A=B")] * 3,  # reasoning, +1 0: right
        [("A=B", "A=B"), ("A>B", "B>A"), ("A=B", "B>A")],  # math: 0, +2 right, +1 right
        [("B>A", "A>B")] * 3,  # math, +2: right
        [("A=B", "B>A")] * 3,  # coding, 0 -1
        [("A>B", "none")] * 3,  # coding, +1 0: right
    )
    script = new_script()
    for row, epochs in zip(rows, decisions, strict=True):
        for epoch, (first, second) in enumerate(epochs, start=1):
            judge_lines(script, row["pair_id"], first, second, epoch)
    log = run_eval(judgebench(source="samples"), script.save(), epochs=3)
    right = 3 + 3 + 2 + 3 + 3
    expected = {
        "accuracy": right / 24,
        "accuracy_knowledge": 3 / 6,
        "accuracy_reasoning": 3 / 6,
        "accuracy_math": 5 / 6,
        "accuracy_coding": 3 / 6,
        # inconsistent: pairs 3, 4, 7, 8 always, pair 5 once; tied: pair 3, pair 5 once
        "inconsistent": 13 / 24,
        "tied": 4 / 24,
        "missing_decisions": 3 / 48,
    }
    found = metrics(log)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert log.results.headline.metric == "accuracy"

    again = inspect_ai.score(log, pair_decisions(), action="overwrite", display="plain")
    assert (scores(again), metrics(again)) == (scores(log), metrics(log))
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text
    from_disk = read_eval_log(log.location)
    assert (scores(from_disk), metrics(from_disk)) == (scores(log), metrics(log))


def test_the_claude_split_is_another_set_of_pairs(new_script, run_eval, sample_rows):
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-claude"]
    script = new_script()
    for row in rows:
        better = row["label"]
        judge_lines(script, row["pair_id"], better, "B>A" if better == "A>B" else "A>B")
    log = run_eval(judgebench(source="samples", split="claude"), script.save())
    assert metrics(log)["accuracy"] == 1
    assert len(log.samples) == len(rows) == 8

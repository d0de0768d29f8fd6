"""Stored decisions about pairs: the formats, the official accuracies, and what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai.log import EvalLog, read_eval_log

from ctrl_harness.critique.critic import Comparing, Draft, Pair
from ctrl_harness.errors import UserError
from ctrl_harness.plugins.critics.recorded import recorded
from ctrl_harness.problems.problem import Problem
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.judgebench import judgebench

PAIR = Pair("p1", "?", "a", "b")
SWAPPED = Pair("p1", "?", "b", "a", swapped=True)


def write(path: Path, *rows: Any) -> str:
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return str(path)


def decisions(path: str) -> list[str]:
    judge = recorded.make(path)(None)  # type: ignore[arg-type]
    assert isinstance(judge, Comparing)
    return [anyio.run(judge.compare, pair).decision for pair in (PAIR, SWAPPED)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"decisions": ["A>B", "B>A"]}, ["A>B", "B>A"]),
        ({"decisions": ["A=B", None], "label": "A>B", "judge_name": "x"}, ["A=B", "missing"]),
        ({"judgments": [{"decision": "B>A", "judgment": {}}, {"decision": "A>B"}]},
         ["B>A", "A>B"]),
        ({"judgments": [{"decision": None}, {}]}, ["missing", "missing"]),
        ({"decisions": ["A<B", "B<A"]}, ["B>A", "A>B"]),
    ],
)  # fmt: skip
def test_a_line_holds_both_decisions(tmp_path: Path, row: Any, said: list[str]) -> None:
    assert decisions(write(tmp_path / "d.jsonl", "", {"pair_id": "p1", **row})) == said


def test_a_file_may_be_compressed_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    plain = Path(write(tmp_path / "d.jsonl", {"pair_id": "p1", "decisions": ["A>B", "B>A"]}))
    packed = tmp_path / "d.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    assert decisions(str(packed)) == decisions(str(plain)) == ["A>B", "B>A"]


def test_a_compressed_file_that_breaks_off_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"pair_id": "p1"}\n' * 1000)[:-20])
    with pytest.raises(UserError, match="cannot be read"):
        recorded.make(str(path))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "holds no decision"),
        (["{"], "line 1 of {path} is not JSON"),
        (['{"pair_id": "p1", "decisions": ["A>B", "B'], "is not JSON"),
        ([{"decisions": ["A>B", "B>A"]}], "no text in the field pair_id"),
        ([[1]], "no text in the field pair_id"),
        ([{"pair_id": "p1"}], "has not two decisions"),
        ([{"pair_id": "p1", "decisions": ["A>B"]}], "has not two decisions"),
        ([{"pair_id": "p1", "decisions": ["A>B", "A"]}], "decides 'A'; give A>B, B>A, A=B or null"),
        ([{"pair_id": "p1", "decisions": ["A>B", ["B>A"]]}], "decides ['B>A']"),
        ([{"pair_id": "p1", "decisions": ["A>B", "B>A"]},
          {"pair_id": "p1", "decisions": ["A>B", "A>B"]}], "line 2 of {path} decides p1 again"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_a_sentence(tmp_path: Path, lines: list[Any], says: str) -> None:
    path = write(tmp_path / "d.jsonl", *lines)
    with pytest.raises(UserError) as caught:
        recorded.make(path)
    assert says.format(path=path) in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    for name in ("nowhere.jsonl", "b.jsonl"):
        with pytest.raises(UserError, match="cannot be read"):
            recorded.make(str(tmp_path / name))


def test_it_says_nothing_of_drafts(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {"pair_id": "p1", "decisions": ["A>B", "B>A"]})
    critic = recorded.make(path)(None)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="use it with tasks"):
        anyio.run(critic, Problem("p", "d", "s", ()), Draft("", None))


# -- in an eval


def numbers(log: EvalLog) -> dict[str, float]:
    assert log.results is not None, log.error
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


def test_recorded_decisions_are_judged_as_a_critic_s_are(
    tmp_path: Path, sample_rows: Any, run_eval: Any, inspect_cli: Any, harness_cli: Any
) -> None:
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    other = {"A>B": "B>A", "B>A": "A>B"}
    said = [
        *([row["label"], other[row["label"]]] for row in rows[:3]),  # right in both orders
        [other[rows[3]["label"]], rows[3]["label"]],  # wrong in both
        ["A>B", "A>B"],  # always the first
        ["B>A", "B>A"],
        ["A=B", "A=B"],
        [None, rows[7]["label"].translate({65: 66, 66: 65})],  # once, and right
    ]
    path = write(
        tmp_path / "d.jsonl",
        *(
            {"pair_id": row["pair_id"], "decisions": pair}
            for row, pair in zip(rows, said, strict=True)
        ),
    )
    # neither a model nor a word of YAML is needed
    done = inspect_cli(
        "eval", "tasks/judgebench.py", "-T", "source=samples", "-T", f"critic=recorded:{path}"
    )
    assert done.code == 0, done.text
    (log,) = (tmp_path / "logs").glob("*.eval")
    found = numbers(read_eval_log(str(log)))
    assert found["accuracy"] == pytest.approx(4 / 8)
    assert found["tied"] == pytest.approx(3 / 8)
    assert found["accuracy_ties_half"] == pytest.approx(5.5 / 8)
    assert found["inconsistent"] == pytest.approx(3 / 8)
    assert found["always_first"] == found["always_second"] == pytest.approx(1 / 8)
    assert found["missing_decisions"] == pytest.approx(1 / 16)
    shown = harness_cli("table", log)
    assert shown.code == 0
    for name in ("accuracy", "position_bias", "tied"):
        assert f"\n{name}: " in shown.stdout


def test_a_pair_without_a_decision_marks_its_sample(
    tmp_path: Path, sample_rows: Any, run_eval: Any
) -> None:
    first, *others = sample_rows("judgebench")
    rows = [{"pair_id": row["pair_id"], "decisions": ["A>B", "B>A"]} for row in others]
    path = write(tmp_path / "d.jsonl", *rows)
    split = "gpt" if first["response_model"] == "sample-gpt" else "claude"
    log = run_eval(judgebench(source="samples", split=split, critic=f"recorded:{path}"), "none")
    errors = {s.id: s.error.message for s in log.samples if s.error}
    assert list(errors) == [first["pair_id"]]
    assert "has no decision about the pair" in errors[first["pair_id"]]
    assert log.status == "error" and log.results is not None


def test_it_criticises_no_program(tmp_path: Path, run_eval: Any, new_script: Any, executor: Any,
                                  sample_programs: Any) -> None:  # fmt: skip
    path = write(tmp_path / "d.jsonl", {"pair_id": "p1", "decisions": ["A>B", "B>A"]})
    script = new_script()
    first = sample_programs("codecontests")[0]
    script.chain(first.id, [first.right[0], first.right[0]])
    task = codecontests(source="samples", critic=f"recorded:{path}", executor=executor)
    log = run_eval(task, script.save(), sample_id=first.id)
    assert "holds decisions about pairs of responses" in log.samples[0].error.message


# JudgeBench's own leaderboard, overall; and how many of the 350 pairs stand in the file as decided
# for the second response both times
PUBLISHED = {
    "Skywork_Skywork-Reward-Gemma-2-27B": (64.29, 3),
    "Skywork_Skywork-Reward-Llama-3.1-8B": (62.29, 1),
    "internlm_internlm2-20b-reward": (63.43, 0),
    "Ray2333_GRM-Gemma-2B-rewardmodel-ft": (59.43, 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_accuracies_come_out(
    tmp_path: Path, real_data: Path, inspect_cli: Any, name: str
) -> None:
    folder = real_data / "judgebench"
    (rows,) = folder.glob("*.jsonl.gz")
    stored = folder / "published_judge_decisions" / f"{name}.jsonl"
    done = inspect_cli(
        "eval", "tasks/judgebench.py", "-T", f"source={rows}", "-T", f"critic=recorded:{stored}"
    )
    assert done.code == 0, done.text
    (log,) = (tmp_path / "logs").glob("*.eval")
    found = numbers(read_eval_log(str(log), header_only=True))
    accuracy, second_twice = PUBLISHED[name]
    assert round(100 * found["accuracy"], 2) == accuracy
    assert found["tied"] == found["always_second"] == pytest.approx(second_twice / 350)
    assert found["position_bias"] == pytest.approx(-second_twice / 350)
    assert found["always_first"] == found["missing_decisions"] == 0

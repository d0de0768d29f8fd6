"""What a log holds: where problems came from and how they were judged, but none of the tests."""

from __future__ import annotations

import base64
import json
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.registry import registry_params
from inspect_ai.log import read_eval_log

from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.judgebench import judgebench
from ctrl_harness.tasks.livecodebench import livecodebench
from ctrl_harness.tasks.mbppplus import mbppplus
from ctrl_harness.verification.comparators import COMPARATORS

CANARY = "zanzibar4711"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def codecontests_row(row: dict[str, Any]) -> dict[str, Any]:
    for group in ("private_tests", "generated_tests"):
        row[group] = {"input": [f"{CANARY} 1\n"] * 3, "output": [f"{CANARY}\n"] * 3}
    return row


def livecodebench_row(row: dict[str, Any]) -> dict[str, Any]:
    tests = [{"input": f"{CANARY}\n", "output": f"{CANARY}\n", "testtype": "stdin"}] * 3
    packed = zlib.compress(pickle.dumps(json.dumps(tests)))
    return {**row, "private_test_cases": base64.b64encode(packed).decode()}


def mbppplus_row(row: dict[str, Any]) -> dict[str, Any]:
    before = "['00:00', -1]"
    assert before in row["test"]
    return {**row, "test": row["test"].replace(before, f"['{CANARY}', -1]")}


@pytest.mark.parametrize(
    ("make_task", "name", "position", "hide", "echo"),
    [
        (codecontests, "codecontests", 0, codecontests_row, "print(input())"),
        (livecodebench, "livecodebench", 1, livecodebench_row, "print(input())"),
        (mbppplus, "mbppplus", 0, mbppplus_row, "def shift_clock(a, b): return a"),
    ],
)
def test_hidden_tests_occur_nowhere_in_a_log(
    make_task, name, position, hide, echo, tmp_path, sample_rows, new_script, inspect_cli, executor
):  # fmt: skip
    path = write(tmp_path / "rows.jsonl", [hide(sample_rows(name)[position])])
    assert CANARY in path.read_text() or name == "livecodebench"
    (problem,) = make_task(source=str(path), executor=executor).dataset
    script = new_script()
    # the program repeats what it is given, and fails on some of it with a message
    script.chain(problem.id, [echo, f"import sys\n{echo}\nsys.exit(1)"], ["incorrect"])
    done = inspect_cli(
        "eval", f"tasks/{name}.py", "--model", script.save(), "-T", f"source={path}",
        "-T", f"executor={executor}", "-T", "critic=model+execution",
    )  # fmt: skip
    assert done.code == 0, done.text
    assert CANARY not in done.text
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(log_file), resolve_attachments="full")
    assert log.status == "success", log.error
    (sample,) = log.samples
    assert sample.scores["chain_verdicts"].value["turn_0"] == 0
    assert CANARY not in log.model_dump_json()
    with zipfile.ZipFile(log_file) as archive:
        for member in archive.namelist():
            assert CANARY.encode() not in archive.read(member), member
    assert sample.metadata["digest"]


def test_the_header_says_what_was_asked_and_how_it_was_judged(
    tmp_path, sample_rows, new_script, run_eval, executor, sample_programs
):
    rows = sample_rows("livecodebench")[:2]
    path = write(tmp_path / "rows.jsonl", rows)
    script = new_script()
    for programs in sample_programs("livecodebench")[:2]:
        script.chain(programs.id, [programs.wrong[0]] * 3, ["incorrect"] * 2)
    task = livecodebench(
        source=str(path), tests="public", start="2024-01-01", turns=2, critic="model+execution",
        stop_at_correct=True, extraction="last_fence", comparator="evalplus", executor=executor,
        time_limit=3, output_mb=64,
    )  # fmt: skip
    log = run_eval(task, script.save())
    assert log.eval.metadata == {
        "problem_set": {
            "dataset": "livecodebench",
            "source": str(path),
            "revision": None,
            "options": {
                "release": None, "start": "2024-01-01", "end": None, "tests": "public",
            },
        },
        "problems": 2,
        "unusable": 0,
        "protocol": "default",
        "changed": {
            "start": "2024-01-01", "tests": "public", "turns": 2, "critic": "model+execution",
            "stop_at_correct": True, "extraction": "last_fence", "comparator": "evalplus",
            "time_limit": "3", "output_mb": "64",
        },
        "critic": "model+execution",
        "votes": 1,
        "feedback_tests": "public",
        "turns": 2,
        "branches": None,
        "stop_at_correct": True,
        "prompts": "default",
        "prompts_digest": PromptSet("default", "livecodebench").digest,
        "history": "latest",
        "replay": "raw",
        "temperature": None,
        "revision_temperature": None,
        "top_p": None,
        "max_tokens": None,
        "repetition_penalty": None,
        "extraction": "last_fence",
        "comparator": "evalplus",
        "executor": executor,
        "unsafe_no_isolation": False,
        "packages": [],
        "time_limit": "3",
        "output_mb": "64",
        "leakage": True,
        "all_cases": False,
        "oracle": False,
    }  # fmt: skip
    assert log.eval.config.epochs == 1
    told = f"livecodebench from {path} (start=2024-01-01, tests=public)"
    assert log.eval.dataset.location == told


@pytest.mark.parametrize("comparator", COMPARATORS)
@pytest.mark.parametrize("make_task", [codecontests, livecodebench, mbppplus])
def test_every_comparator_and_limit_can_be_asked_for(make_task, comparator, executor):
    task = make_task(
        source="samples", executor=executor, comparator=comparator, time_limit="row×2", output_mb=1
    )
    names = ("comparator", "time_limit", "output_mb")
    assert [task.metadata[name] for name in names] == [comparator, "row*2", "1"]
    for part in (task.solver, task.scorer[0]):  # what the log repeats, and a new scoring reads
        asked = registry_params(part)
        assert [asked[name] for name in names] == [comparator, "row*2", "1"]


def test_rows_that_cannot_be_used_are_counted_and_named(
    tmp_path, sample_rows, new_script, inspect_cli, executor, sample_programs
):
    good, bad, worse = sample_rows("codecontests")[:3]
    bad = {**bad, "public_tests": {"input": ["1"], "output": []}}
    del worse["description"]
    path = write(tmp_path / "rows.jsonl", [good, bad, worse])
    with path.open("a") as file:
        file.write("{\n")
    first = sample_programs("codecontests")[0]
    script = new_script()
    script.chain(first.id, [first.right[0]])
    done = inspect_cli(
        "eval", "tasks/codecontests.py", "--model", script.save(), "-T", f"source={path}",
        "-T", "turns=0", "-T", f"executor={executor}",
    )  # fmt: skip
    assert done.code == 0, done.text
    assert "3 rows cannot be used and are left out" in done.text
    assert "field 'public_tests' has 1 inputs but 0 outputs" in done.text
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    facts = read_eval_log(str(log_file), header_only=True).eval.metadata
    assert (facts["problems"], facts["unusable"]) == (1, 3)
    reasons = {row["id"]: row["reason"] for row in facts["unusable_rows"]}
    assert set(reasons) == {bad["name"], worse["name"], "rows.jsonl line 4"}
    assert reasons[worse["name"]] == "field 'description' is missing"


@pytest.mark.parametrize("name", ["codecontests", "livecodebench", "mbppplus", "judgebench"])
def test_where_no_row_can_be_used_the_task_ends_with_count_and_reason(
    name, tmp_path, new_script, inspect_cli, executor, sample_rows
):
    field = {
        "codecontests": "description", "livecodebench": "question_content", "mbppplus": "prompt",
        "judgebench": "question",
    }[name]  # fmt: skip
    rows = [{key: value for key, value in row.items() if key != field} for row in sample_rows(name)]
    path = write(tmp_path / "rows.jsonl", rows[:7])
    script = new_script()
    script.chain("any", ["print(1)"])
    settings = [] if name == "judgebench" else ["-T", f"executor={executor}"]
    done = inspect_cli(
        "eval", f"tasks/{name}.py", "--model", script.save(), "-T", f"source={path}", *settings
    )
    assert done.code != 0
    assert "Traceback" not in done.text
    (line,) = [line for line in done.text.splitlines() if "ERROR" in line]
    assert f"none of the 7 rows of {name} from {path}" in line
    assert f"(7 × field '{field}' is missing)" in line
    assert "choose another source" in line
    assert not (tmp_path / "logs").exists()


def test_pairs_come_with_their_origin(tmp_path, sample_rows, new_script, run_eval):
    rows = sample_rows("judgebench")[:2]
    path = write(tmp_path / "rows.jsonl", [*rows, {**rows[0], "pair_id": "odd", "label": "A=B"}])
    script = new_script()
    for row in rows:
        for turn in (1, 2):
            script.line(row["pair_id"], "critic", turn, "[[A>B]]")
    log = run_eval(judgebench(source=str(path)), script.save())
    facts = log.eval.metadata
    assert facts["problem_set"]["source"] == str(path)
    assert facts["problem_set"]["options"] == {"split": "gpt"}
    assert (facts["problems"], facts["unusable"]) == (2, 1)
    assert facts["unusable_rows"][0]["id"] == "odd"
    assert "neither 'A>B' nor 'B>A'" in facts["unusable_rows"][0]["reason"]

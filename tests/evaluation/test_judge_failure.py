"""Where the judge cannot tell, there is an error and never a score; nor is a log scored against
other tests than its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from ctrl_harness.tasks.mbppplus import mbppplus

BATTERY = Path(__file__).parents[1] / "battery/programs"
BROKEN, SOUND = "Mbpp/9005", "Mbpp/9001"


@pytest.fixture
def rows(sample_rows) -> list[dict[str, Any]]:
    return [row for row in sample_rows("mbppplus") if row["task_id"] in (9001, 9005)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def unjudgeable(tmp_path, rows) -> Path:
    """A file in which one row's expected values come from a reference program that crashes."""
    row = next(row for row in rows if row["task_id"] == 9005)
    head, mark, tail = row["test"].partition("def ref_func(levels):\n")
    assert mark
    row["test"] = f"{head}{mark}    raise RuntimeError('no answer')\n{tail}"
    return write(tmp_path / "rows.jsonl", rows)


@pytest.fixture
def model(new_script, sample_programs) -> str:
    script = new_script()
    for programs in sample_programs("mbppplus"):
        if programs.id in (BROKEN, SOUND):
            script.chain(programs.id, [programs.wrong[0], programs.right[0]], ["incorrect"])
    name: str = script.save()
    return name


def test_a_failing_judge_makes_the_sample_an_error(unjudgeable, model, run_eval, executor):
    task = mbppplus(source=str(unjudgeable), executor=executor)
    log = run_eval(task, model, fail_on_error=False)
    assert log.status == "success"
    by_id = {sample.id: sample for sample in log.samples}
    assert by_id[BROKEN].error is not None
    assert f"the reference program of {BROKEN} failed" in by_id[BROKEN].error.message
    assert "no answer" in by_id[BROKEN].error.message
    assert not by_id[BROKEN].scores
    assert by_id[SOUND].error is None
    assert by_id[SOUND].scores["chain_verdicts"].value["turn_1"] == 1

    (score,) = log.results.scores
    assert (log.results.completed_samples, score.scored_samples) == (1, 1)
    assert score.metrics["pass_at_1_turn_1"].value == 1


@pytest.mark.parametrize("name", ["mem_socket_buffers", "mem_every_road", "big_import_comment"])
def test_a_program_that_uses_up_its_cell_is_a_failed_draft_and_no_error(
    name, rows, tmp_path, new_script, sample_programs, run_eval, executor
):
    hostile = (BATTERY / f"{name}.py").read_text() + "\n# import" + " x" * 100_000
    (sound,) = (each for each in sample_programs("mbppplus") if each.id == SOUND)
    script = new_script()
    script.chain(SOUND, [hostile, sound.right[0]])
    said = f"Try this:\n```python\n{hostile}\n```\n\nOverall judgment: Incorrect"
    script.line(SOUND, "critic", 1, said)
    source = write(tmp_path / "rows.jsonl", [row for row in rows if row["task_id"] == 9001])
    log = run_eval(mbppplus(source=str(source), executor=executor), script.save())
    assert log.status == "success"
    (sample,) = log.samples
    value = sample.scores["chain_verdicts"].value
    assert (value["turn_0"], value["turn_1"]) == (0, 1)


def test_by_default_such_an_eval_has_no_results(unjudgeable, model, run_eval, executor):
    log = run_eval(mbppplus(source=str(unjudgeable), executor=executor), model, sample_id=BROKEN)
    assert (log.status, log.results) == ("error", None)
    assert "the reference program" in log.error.message


def change_a_test(path: Path, rows: list[dict[str, Any]]) -> None:
    assert "'00:15', '23:50'" in rows[0]["test"]
    rows[0]["test"] = rows[0]["test"].replace("'00:15', '23:50'", "'00:15', '23:51'")
    write(path, rows)


def drop_a_row(path: Path, rows: list[dict[str, Any]]) -> None:
    write(path, rows[1:])


def remove_the_file(path: Path, _rows: list[dict[str, Any]]) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (change_a_test, "not the problem this log was made with: mbppplus from {path}"),
        (drop_a_row, "is no longer in mbppplus from {path}"),
        (remove_the_file, "no file or folder '{path}'"),
    ],
)
def test_a_log_is_not_scored_on_changed_rows(
    tmp_path, rows, model, run_eval, inspect_cli, executor, change, says
):
    path = write(tmp_path / "rows.jsonl", rows)
    log = run_eval(mbppplus(source=str(path), executor=executor), model)
    assert log.status == "success"
    change(path, rows)

    before = Path(log.location).read_bytes()
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code != 0
    assert "Traceback" not in done.text
    lines = [line for line in done.text.splitlines() if "ERROR" in line]
    assert len(lines) == 1, done.text
    assert says.format(path=path) in lines[0]
    assert Path(log.location).read_bytes() == before
    assert read_eval_log(log.location).results.scores[0].metrics["pass_at_1_turn_1"].value == 1


def test_a_row_that_changed_only_where_nothing_is_asked_or_judged_is_the_same_problem(
    tmp_path, rows, model, run_eval, inspect_cli, executor
):
    path = write(tmp_path / "rows.jsonl", rows)
    log = run_eval(mbppplus(source=str(path), executor=executor), model)
    write(path, [{**row, "source_file": "elsewhere"} for row in reversed(rows)])
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text

"""The trace: many writers, a full disk, what it says step by step, and how it is drawn."""

from __future__ import annotations

import errno
import json
import math
import multiprocessing
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.training.faults import RunStopped, ended_by_faults
from ctrl_harness.training.trace import STOP_FILE, TraceError, TraceReader, TraceWriter, read_stop
from ctrl_harness.training.trace_plot import PANELS, plot_html
from ctrl_harness.training.trace_summary import summarise, summary_table

# -- writing


def write_many(folder: str, worker: int, lines: int) -> None:
    trace = TraceWriter(folder)
    for line in range(lines):
        trace.write({"of": worker, "line": line, "text": "x" * (line % 5000)})
    trace.close()


def test_many_processes_write_every_line_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=write_many, args=(str(tmp_path), worker, 300)) for worker in range(6)
    ]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
    reader = TraceReader(tmp_path)
    found = {(record["of"], record["line"]) for record in reader}
    assert found == {(worker, line) for worker in range(6) for line in range(300)}
    assert reader.broken == 0
    assert len(list(tmp_path.glob("*.jsonl"))) == 6


def test_a_fork_writes_a_file_of_its_own(tmp_path: Path) -> None:
    trace = TraceWriter(tmp_path)
    trace.write({"line": 1})
    child = os.fork()
    if child == 0:
        trace.write({"line": 2})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    trace.write({"line": 3})
    lines = {record["worker"]: record["line"] for record in TraceReader(tmp_path)}
    assert sorted(lines.values()) == [2, 3]
    assert len(lines) == 2


def test_text_that_is_not_unicode_comes_back(tmp_path: Path) -> None:
    TraceWriter(tmp_path).write({"text": "\ud800 \x00 ü\n"})
    assert [record["text"] for record in TraceReader(tmp_path)] == ["\ud800 \x00 ü\n"]


def test_a_full_disk_is_loud_and_spoils_no_other_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = TraceWriter(tmp_path)
    trace.write({"line": 1})
    real = os.write
    room = [25]

    def write(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(TraceError, match="No space left on device"):
        trace.write({"line": 2})
    # a run that lacks room can still be stopped: room for that was taken at first
    trace.stop("the disk is full")
    monkeypatch.undo()
    trace.write({"line": 3})
    reader = TraceReader(tmp_path)
    assert [record["line"] for record in reader] == [1, 3]
    assert reader.broken == 1
    assert read_stop(tmp_path) == "the disk is full"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_that_is_full_is_loud(tmp_path: Path) -> None:
    trace = TraceWriter(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, trace._descriptor)  # type: ignore[arg-type]
    os.close(full)
    with pytest.raises(TraceError, match="No space left"):
        trace.write({"line": 1})


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TraceError, match="name another folder"):
        TraceWriter(tmp_path / "file" / "trace")


# -- stopping


def test_the_launcher_ends_once_a_worker_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import time

    (tmp_path / STOP_FILE).write_text("an old run's")
    os.utime(tmp_path / STOP_FILE, (1, 1))
    context = multiprocessing.get_context("fork")

    def worker() -> None:
        time.sleep(0.5)
        TraceWriter(tmp_path).stop("20 of the last 20 critiques could not be rewarded")

    process = context.Process(target=worker)
    began = time.monotonic()
    with pytest.raises(RunStopped, match="20 of the last 20"), ended_by_faults(tmp_path):
        process.start()
        time.sleep(60)
    assert time.monotonic() - began < 30
    process.join()
    assert "20 of the last 20" in capsys.readouterr().err
    assert issubclass(RunStopped, JudgeError)


def test_a_run_that_ends_by_itself_is_left_alone(tmp_path: Path) -> None:
    with ended_by_faults(tmp_path):
        pass
    with pytest.raises(ValueError, match="its own"), ended_by_faults(tmp_path):
        raise ValueError("its own")


# -- what it says


def record(step: int | None, index: int, **facts: Any) -> dict[str, Any]:
    return {
        "format": 1, "step": step, "split": "train", "task_id": f"p{index}", "index": index,
        "draft_number": 0, "reward": "refine", "score": 0.0, "judgement": "incorrect",
        "malformed": None, "leak": "none", "retries": 0, "fault": None,
        "draft": {"passed": False}, "revisions": [{"passed": False}], **facts,
    }  # fmt: skip


PASSED = {"score": 1.0, "revisions": [{"passed": True}]}
OF_STEP_1 = [
    record(1, 0, **PASSED),
    record(1, 0, judgement="correct"),
    record(1, 0, judgement="missing", malformed="cut_off", revisions=[]),
    record(1, 0, retries=3, fault={"kind": "generator", "message": "down"}, score=None),
    record(1, 1, draft={"passed": True}, judgement="correct", **PASSED),
    record(1, 1, draft={"passed": True}, judgement="correct", leak="passing", **PASSED),
    record(1, 2, draft={"passed": True}, judgement="incorrect", leak="program", retries=1),
    record(1, 3, **PASSED),
]


def test_a_steps_numbers_are_those_worked_out_by_hand() -> None:
    (step,) = summarise(OF_STEP_1)
    assert (step.critiques, step.rewarded, step.faults, step.retries) == (8, 7, 1, 4)
    assert step.reward == pytest.approx(4 / 7)
    assert (step.up, step.down) == (pytest.approx(2 / 7), pytest.approx(1 / 7))
    # drafts that pass: 3, called correct: 2 of them and 1 other; that fail: 4, called incorrect 2+1
    assert step.f1_passed == pytest.approx(2 * 2 / (3 + 3))
    assert step.f1_failed == pytest.approx(2 * 2 / (4 + 3))
    assert step.f1 == pytest.approx((step.f1_passed + step.f1_failed) / 2)
    assert step.missing == step.malformed == step.cut_off == pytest.approx(1 / 7)
    assert (step.leaks, step.leaked_solutions) == (pytest.approx(2 / 7), pytest.approx(1 / 7))
    # two groups of more than one; in that of row 1 all rewards are the same
    assert (step.groups, step.flat_groups, step.flat_share) == (2, 1, 0.5)


def test_steps_and_splits_are_told_apart_and_in_order() -> None:
    records = [record(2, 0), record(None, 0), record(10, 0), record(1, 0, split="val")]
    assert [(s.split, s.step) for s in summarise(records)] == [
        ("train", None), ("train", 2), ("train", 10), ("val", 1)
    ]  # fmt: skip


def test_discrimination_says_nothing_of_revisions() -> None:
    (step,) = summarise([record(1, 0, reward="discrimination", score=1.0, revisions=[])])
    assert math.isnan(step.up) and math.isnan(step.down)
    assert step.f1_failed == 1.0
    assert step.as_json()["up"] is None
    json.dumps(step.as_json(), allow_nan=False)


def test_a_step_with_nothing_but_faults_has_a_row() -> None:
    fault = {"kind": "input", "message": "another schema"}
    (step,) = summarise([{"format": 1, "step": 4, "fault": fault, "retries": 0}])
    assert (step.faults, step.fault_share, step.rewarded) == (1, 1.0, 0)
    assert "–" in summary_table([step])


def test_a_trace_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no trace"):
        TraceReader(tmp_path)
    with pytest.raises(UserError, match="lacks 'retries'"):
        summarise([{"format": 1, "step": 1}])
    (tmp_path / "a.jsonl").write_text('{"format": 9}\n')
    with pytest.raises(UserError, match="has format 9, this version reads 1"):
        list(TraceReader(tmp_path))


# -- as a page


def test_the_page_holds_a_line_a_number_and_needs_nothing_else() -> None:
    steps = summarise([*OF_STEP_1, record(2, 0), record(3, 0, **PASSED), record(1, 0, split="val")])
    page = plot_html(steps, "Rewards of <run>")
    assert "Rewards of &lt;run&gt;" in page
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "")
    drawings = [part.partition("</svg>")[0] + "</svg>" for part in page.split("<figure>")[1:]]
    assert len(drawings) == 2 * len(PANELS)
    for panel, drawing in zip([*PANELS, *PANELS], drawings, strict=True):
        tree = ET.fromstring(drawing)
        space = "{http://www.w3.org/2000/svg}"
        assert tree.findtext(f"{space}title") == panel.title
        assert len(tree.findall(f"{space}path")) == len(panel.lines)
        assert "nan" not in drawing


def test_a_page_of_a_trace_without_steps_says_so() -> None:
    assert "No step is known" in plot_html(summarise([record(None, 0)]), "x")


# -- the command


def test_summarize_prints_a_row_a_step_and_writes_the_page(
    tmp_path: Path, harness_trace: Callable[..., Any]
) -> None:
    folder = tmp_path / "trace"
    trace = TraceWriter(folder)
    for one in OF_STEP_1:
        trace.write(one)
    with (folder / "crashed.jsonl").open("w") as file:
        file.write(json.dumps(record(2, 0)) + "\n" + '{"format": 1, "st')
    done = harness_trace("summarize", folder, "--plot", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    assert "## train" in done.stdout
    first = next(line for line in done.stdout.splitlines() if line.startswith("| 1 "))
    assert [cell.strip() for cell in first.split("|")[1:6]] == ["1", "8", "0.571", "28.6", "14.3"]
    assert "1 lines are cut short" in done.stderr
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    told = harness_trace("summarize", folder, "--json")
    assert [json.loads(line)["step"] for line in told.stdout.splitlines()] == [1, 2]


def test_summarize_refuses_what_is_no_trace(
    tmp_path: Path, harness_trace: Callable[..., Any]
) -> None:
    done = harness_trace("summarize", tmp_path / "nowhere")
    assert isinstance(done.exception, UserError)
    empty = tmp_path / "empty"
    TraceWriter(empty)
    assert "no reward yet" in str(harness_trace("summarize", empty).exception)


@pytest.fixture
def harness_trace() -> Callable[..., Any]:
    """`ctrl-harness trace ARGUMENTS`."""
    from click.testing import CliRunner

    from ctrl_harness.training.cli.trace import trace

    def run(*arguments: Any) -> Any:
        return CliRunner().invoke(trace, [*map(str, arguments)])

    return run

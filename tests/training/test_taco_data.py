"""`ctrl-harness data taco`: every row is accounted for, and data is written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ctrl_harness.errors import UserError
from ctrl_harness.training.cli.data import data
from ctrl_harness.training.problem_parquet import read_problems, read_provenance
from ctrl_harness.training.splits import Shares
from ctrl_harness.training.taco import SAMPLES, TacoProblem, open_taco

FILES = {"report.json", "sft.parquet", "rl.parquet", "val.parquet"}
WITHOUT_LENGTH = "pictures,markup,duplicates"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command, on the samples unless told; gives its report back."""

    def run(out: str = "data", **options: Any) -> dict[str, Any]:
        given = {"source": "samples", "against": "samples", "filters": WITHOUT_LENGTH} | options
        arguments = ["taco", "--out", str(tmp_path / out)]
        for name, value in given.items():
            flag = f"--{name}"
            arguments += [flag] if value is True else [flag, str(value)]
        result = CliRunner().invoke(data, arguments)
        if result.exception is not None:
            raise result.exception
        report = json.loads((tmp_path / out / "report.json").read_text(encoding="utf-8"))
        assert isinstance(report, dict)
        return report

    return run


def ids(folder: Path, name: str) -> list[str]:
    return [problem.id for problem in read_problems(folder / f"{name}.parquet")]


def test_every_row_is_kept_dropped_or_unusable(run: Run, tmp_path: Path) -> None:
    counts = run()["counts"]
    assert counts["rows"] == len(SAMPLES.read_text(encoding="utf-8").splitlines())
    assert counts["rows"] == (
        counts["kept"] + sum(counts["dropped"].values()) + sum(counts["unusable"].values())
    )
    assert counts["kept"] == sum(counts["splits"].values()) >= 24
    assert counts["dropped"] == {
        "pictures: the statement shows a picture": 1,
        "markup: the statement has broken markup": 1,
        "duplicates: an earlier row has the same statement": 1,
        "decontamination: overlap match with codecontests": 1,
    }
    assert {path.name for path in (tmp_path / "data").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_each_dropped_row_is_listed_and_a_copy_with_what_it_copies(run: Run) -> None:
    report = run()
    assert len(report["dropped"]) == sum(report["counts"]["dropped"].values())
    (copy,) = [row for row in report["dropped"] if "match" in row]
    assert copy["match"] == {
        "dataset": "codecontests", "id": "sample_egg_cartons", "score": 1.0, "kind": "overlap",
    }  # fmt: skip
    assert [row["reason"] for row in report["unusable"]] == [*report["counts"]["unusable"]]


def test_the_files_hold_the_problems_whole(run: Run, tmp_path: Path) -> None:
    run()
    digests = {
        item.problem.id: item.problem.digest()
        for item in open_taco("samples").rows
        if isinstance(item, TacoProblem)
    }
    read = [
        problem
        for name in ("sft", "rl", "val")
        for problem in read_problems(tmp_path / "data" / f"{name}.parquet")
    ]
    assert len({problem.id for problem in read}) == len(read) >= 24
    assert all(problem.digest() == digests[problem.id] for problem in read)


def test_where_everything_came_from_stands_in_the_report_and_in_each_file(
    run: Run, tmp_path: Path
) -> None:
    report = run(seed=3)
    assert report["taco"] == open_taco("samples").reference.as_json()
    assert [found["dataset"] for found in report["evaluation"]] == [
        "codecontests", "livecodebench", "mbppplus", "judgebench",
    ]  # fmt: skip
    facts = read_provenance(tmp_path / "data" / "val.parquet")
    assert (facts["split"], facts["taco"], facts["settings"]["seed"]) == ("val", report["taco"], 3)
    assert facts["evaluation"][0]["revision"] is None


def test_a_run_repeated_gives_the_same(run: Run, tmp_path: Path) -> None:
    assert run("one") == run("two")
    for name in ("sft", "rl", "val"):
        assert ids(tmp_path / "one", name) == ids(tmp_path / "two", name)


def test_the_split_does_not_depend_on_what_else_is_kept(run: Run, tmp_path: Path) -> None:
    run("some")
    run("strict", filters=f"{WITHOUT_LENGTH},two-tests,no-special-judge")
    for name in ("sft", "rl", "val"):
        assert set(ids(tmp_path / "strict", name)) <= set(ids(tmp_path / "some", name))


def test_sft_and_rl_may_share_their_problems(run: Run, tmp_path: Path) -> None:
    run(overlap=True, shares="sft=0.4,rl=0.4,val=0.2")
    folder = tmp_path / "data"
    assert ids(folder, "sft") == ids(folder, "rl")
    assert not set(ids(folder, "sft")) & set(ids(folder, "val"))
    assert ids(folder, "val")


def test_without_evaluation_sets_copies_stay_and_the_report_says_so(run: Run) -> None:
    report = run(against="none", filters="none")
    assert report["evaluation"] == []
    assert report["dropped"] == []
    assert report["counts"]["kept"] == report["counts"]["rows"] - 1


def test_one_evaluation_set_may_come_from_elsewhere(run: Run, tmp_path: Path) -> None:
    question = json.loads(SAMPLES.read_text(encoding="utf-8").splitlines()[1])["question"]
    path = tmp_path / "lcb.jsonl"
    path.write_text(json.dumps({"question_id": "x/1", "question_content": question.upper()}))
    report = run(against=f"livecodebench={path}")
    matches = [row["match"] for row in report["dropped"] if "match" in row]
    assert matches == [{"dataset": "livecodebench", "id": "x/1", "score": 1.0, "kind": "exact"}]
    assert report["evaluation"][0]["source"] == str(path)


def test_a_limit_ends_after_so_many_rows(run: Run) -> None:
    assert run(limit=5)["counts"]["rows"] == 5


# -- what is there already


def test_what_is_there_is_replaced_only_when_asked(run: Run, tmp_path: Path) -> None:
    first = run()
    with pytest.raises(UserError, match="holds data already; give --overwrite"):
        run(seed=1)
    assert json.loads((tmp_path / "data" / "report.json").read_text()) == first
    assert run(seed=1, overwrite=True)["settings"]["seed"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_of_two_runs_at_once_the_first_to_end_wins(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def splits_of(self: Shares, problem_id: str, seed: int) -> tuple[str, ...]:
        monkeypatch.undo()
        run(seed=1)  # while the other run writes its first problem
        return self.of(problem_id, seed)

    monkeypatch.setattr(Shares, "of", splits_of)
    with pytest.raises(UserError, match="holds data already"):
        run(seed=0)
    report = json.loads((tmp_path / "data" / "report.json").read_text(encoding="utf-8"))
    assert report["settings"]["seed"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_with_other_files_is_never_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.tex").write_text("years of work")
    for options in ({}, {"overwrite": True}):
        with pytest.raises(UserError, match=r"holds other files too \(thesis.tex\)"):
            run(**options)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is no folder"):
        run("file", overwrite=True)


def test_an_empty_folder_is_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    run()
    assert {path.name for path in (tmp_path / "data").iterdir()} == FILES


def test_nothing_is_written_where_nothing_is_kept(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = json.loads(SAMPLES.read_text(encoding="utf-8").splitlines()[0])
    path.write_text(json.dumps(row | {"question": "A picture: <image>"}) + "\n")
    with pytest.raises(UserError, match=r"nothing is left to train on.*shows a picture"):
        run(source=path)
    path.write_text(json.dumps(row | {"question": None}) + "\n{\n")
    with pytest.raises(UserError, match="none of the 2 rows"):
        run(source=path)
    path.write_text("")
    with pytest.raises(UserError, match="no row was found"):
        run(source=path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_file_that_breaks_off_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    run(source=SAMPLES)
    path = tmp_path / "broken.jsonl.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00" + b"\x00" * 20)
    with pytest.raises(UserError, match="cannot be read after line 0"):
        run("other", source=path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["broken.jsonl.gz", "data"]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_data(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run()

    def full(self: Path, *arguments: Any, **options: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match=r"No space left.*make room or give another --out"):
        run(overwrite=True, seed=1)
    monkeypatch.undo()
    assert json.loads((tmp_path / "data" / "report.json").read_text()) == first
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# -- size

_MEASURED = """
import resource, sys
from ctrl_harness.training.cli.data import data
data(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Three times as many rows of 1 MB take no more, once the writers' buffers are full."""
    row = json.loads(SAMPLES.read_text(encoding="utf-8").splitlines()[0])
    tests = json.dumps({"inputs": ["1 " * 250_000] * 2, "outputs": ["1"] * 2})
    peaks = []
    for count in (30, 90):
        source = tmp_path / f"{count}.jsonl"
        with source.open("w") as lines:
            for _ in range(count):
                lines.write(json.dumps(row | {"input_output": tests}) + "\n")
        arguments = ["taco", "--source", str(source), "--against", "none", "--filters", "none",
                     "--out", str(tmp_path / f"out{count}")]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, *arguments], capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 30, peaks

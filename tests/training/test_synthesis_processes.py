"""Synthesis as users run it: the command, killed at any moment, on a full disk, on a Ray cluster.

The slow ones start real processes by the dozen.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from ctrl_harness.problems import CallCase, Problem
from ctrl_harness.training.problem_parquet import ProblemWriter
from ctrl_harness.training.rl_rows import Episode
from ctrl_harness.training.store import Store, read_store

PROBLEMS = 20
KILLS = 20
QUIET = {"RAY_SCHEDULER_EVENTS": "0"}
CLI = (sys.executable, "-c", "from ctrl_harness.cli.main import run; run()", "synthesize")


@pytest.fixture
def model(new_script: Callable[..., Any], sample_programs: Callable[..., Any]) -> str:
    """Answers each draft, critique and revision of the samples, right and wrong in turn."""
    lines = new_script()
    for place, programs in enumerate(sample_programs("codecontests")):
        wrong = programs.wrong or programs.right
        for number in range(4):
            is_right = (place + number) % 2
            program = programs.right[0] if is_right else wrong[number % len(wrong)]
            verdict = "Correct" if is_right else "Incorrect"
            critique = f"Draft {number}.\n\nOverall judgment: {verdict}"
            revised = f"```python\n{programs.right[-1]}\n# revised {number}\n```"
            drafted = f"```python\n{program}\n# {number}\n```"
            lines.line(programs.id, "generator", 0, drafted, number + 1)
            lines.line(programs.id, "critic", 1, critique, number + 1)
            lines.line(programs.id, "generator", 1, revised, number + 1)
    return str(lines.save())


def arguments(model: str, out: Path) -> list[str]:
    return [
        "codecontests", "--source", "samples", "--limit", str(PROBLEMS), "--out", str(out),
        "--model", model, "--critiques", "2", "--at-once", "2", "--jobs", "2",
    ]  # fmt: skip


def start(given: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CLI, *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def run(given: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    process = start(given, **options)
    stdout, stderr = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def content(out: Path) -> dict[str, Any]:
    """What counts of a store: payloads by key."""
    return {key: record.payload for key, record in read_store(out / "store.jsonl").items()}


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def rl_rows(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(out / "rl.parquet").to_pylist()
    return rows


# -- the command


def test_the_command_makes_all_files(
    tmp_path: Path, model: str, harness_cli: Callable[..., Any]
) -> None:
    out = tmp_path / "synth"
    done = harness_cli(
        "synthesize", "codecontests", "--source", "samples", "--limit", 2, "--out", out,
        "--model", model,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "2 problems; 12 calls" in done.stderr
    assert {file.name for file in out.iterdir()} == {
        "store.jsonl", "sft.jsonl", "rl.parquet", "report.json",
    }  # fmt: skip
    assert json.loads((out / "report.json").read_text())["settings"]["drafts"] == 4


@pytest.mark.slow
def test_the_parquet_of_the_data_command_is_read(
    tmp_path: Path, new_script: Callable[..., Any], harness_cli: Callable[..., Any]
) -> None:
    problem = Problem("add", "taco", "Add two numbers.", (CallCase("add", (1, 2), 3),))
    with ProblemWriter(tmp_path / "val.parquet") as file:
        file.write(problem)
    lines = new_script()
    lines.line("add", "generator", 0, "```python\ndef add(a, b):\n    return a + b\n```")
    done = harness_cli(
        "synthesize", tmp_path / "val.parquet", "--make", "rl", "--split", "val",
        "--drafts", 2, "--out", tmp_path, "--model", lines.save(),
    )  # fmt: skip
    assert done.code == 0, done.stderr
    made = [Episode.from_extra_info(row["extra_info"]) for row in rl_rows(tmp_path)]
    assert [episode.problem for episode in made] == [problem, problem]
    assert [(e.split, e.verdict.status) for e in made] == [("val", "accepted")] * 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["missing.parquet"], "no file 'missing.parquet'"),
        (["taco"], "no file 'taco'"),
        (["x.parquet", "--source", "samples"], "--source and --load are for a data set"),
        (["codecontests", "--source", "samples", "--load", "split"], "not KEY=VALUE"),
        (["codecontests", "--source", "samples", "--load", "colour=red"], "no option 'colour'"),
        (["codecontests", "--source", "samples", "--critic-arg", "a=1"], "need --critic"),
        (["codecontests", "--source", "samples", "--make", "sft", "--critiques", "0"], "nothing"),
        (["codecontests", "--source", "samples", "--prompts", "nowhere"], "unknown prompt set"),
        (["codecontests", "--source", "samples", "--time-limit", "soon"], "time limit 'soon'"),
        (["codecontests", "--source", "samples", "--model", "nobody/knows"], "nobody"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, harness_cli: Callable[..., Any], model: str, given: list[str], sentence: str
) -> None:
    asked = [] if "--model" in given else ["--model", model]
    done = harness_cli("synthesize", *given, "--out", tmp_path / "out", *asked)
    assert done.code == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_folder_that_another_run_is_writing_is_refused(
    tmp_path: Path, harness_cli: Callable[..., Any], model: str
) -> None:
    with Store(tmp_path / "store.jsonl"):
        done = harness_cli("synthesize", *arguments(model, tmp_path))
    assert done.code == 1
    assert "another run is writing" in done.stderr


# -- kills


@pytest.mark.slow
def test_twenty_kills_leave_the_store_of_an_undisturbed_run(tmp_path: Path, model: str) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert run(arguments(model, calm)).returncode == 0
    chance = random.Random(20)
    store = killed / "store.jsonl"
    step = size_of(calm / "store.jsonl") // (KILLS + 2)
    grown = 0
    for _ in range(KILLS):
        before = size_of(store)
        process = start(arguments(model, killed))
        target = before + chance.randint(1, 2 * step - 1)
        while process.poll() is None and size_of(store) < target:
            time.sleep(0.0005)
        time.sleep(chance.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it had ended before it could be killed"
        grown += size_of(store) > before
    assert grown == KILLS
    last = run(arguments(model, killed))
    assert last.returncode == 0, last.stderr
    assert content(killed) == content(calm)
    # nothing was done twice
    assert len(store.read_text().splitlines()) == len(content(calm))
    assert (killed / "sft.jsonl").read_bytes() == (calm / "sft.jsonl").read_bytes()
    assert rl_rows(killed) == rl_rows(calm)


@pytest.mark.slow
def test_a_full_disk_ends_the_run_in_one_line_and_the_next_goes_on(
    tmp_path: Path, model: str
) -> None:
    calm, full = tmp_path / "calm", tmp_path / "full"
    assert run(arguments(model, calm)).returncode == 0
    half = size_of(calm / "store.jsonl") // 2
    process = start(arguments(model, full))
    while process.poll() is None and size_of(full / "store.jsonl") < half:
        time.sleep(0.0005)
    # a file that may not grow fails in mid-line, as one on a full disk does
    most = size_of(full / "store.jsonl") + 300
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 1, stderr
    assert "what was made so far is kept" in stderr
    assert "Traceback" not in stderr
    kept = content(full)
    assert kept
    assert kept.items() <= content(calm).items()
    assert run(arguments(model, full)).returncode == 0
    assert content(full) == content(calm)


# -- Ray


@pytest.mark.slow
def test_a_ray_cluster_that_loses_a_node_makes_the_same_store(tmp_path: Path, model: str) -> None:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    calm, spread = tmp_path / "calm", tmp_path / "spread"
    assert run(arguments(model, calm)).returncode == 0
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
        asked = ["--engine", "ray", "--ray-address", cluster.address, "--ray-workers", "4"]
        process = start([*arguments(model, spread), *asked], env={**os.environ, **QUIET})
        middle = size_of(calm / "store.jsonl") // 3
        while process.poll() is None and size_of(spread / "store.jsonl") < middle:
            time.sleep(0.002)
        assert process.poll() is None, process.communicate()
        cluster.remove_node(nodes[0], allow_graceful=False)
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
        assert "a worker was lost" in stderr
        assert content(spread) == content(calm)
        assert (spread / "sft.jsonl").read_bytes() == (calm / "sft.jsonl").read_bytes()
    finally:
        cluster.shutdown()

"""Whatever is wrong with what a user typed: one line that says so and what to do, no traceback, and
an exit code that is not 0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import read_eval_log

from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.parameters import path_or_name
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.judgebench import judgebench
from ctrl_harness.tasks.livecodebench import livecodebench
from ctrl_harness.tasks.mbppplus import mbppplus


@pytest.fixture
def model(new_script, sample_programs) -> str:
    """Right drafts for the first problem of each data set."""
    script = new_script()
    for dataset in ("codecontests", "livecodebench", "mbppplus"):
        programs = sample_programs(dataset)[0]
        script.chain(programs.id, [programs.right[0]] * 2, ["correct"])
    name: str = script.save()
    return name


def one_line(done: Any) -> str:
    """The one line that says what was wrong."""
    assert done.code not in (0, None), done.text
    assert "Traceback" not in done.text
    (line,) = [line for line in done.text.splitlines() if "ERROR" in line]
    assert len(line) < 600
    other = [text for text in done.text.splitlines() if text.strip() and "ERROR" not in text]
    # the executor's warning, and a hint of Inspect's own, may come before it
    assert all("isolate" in text or "inspect ctl" in text for text in other), done.text
    return line


CANNOT_BE_USED: list[tuple[str, list[str], list[str]]] = [
    ("codecontests", ["source=/no/file.jsonl"], ["no file or folder", "give samples, hub"]),
    ("codecontests", ["source=README.md"], ["is not a .jsonl, .jsonl.gz or .parquet file"]),
    ("codecontests", ["source=hub"], ["out of reach", "-T source=samples"]),
    ("livecodebench", ["source=hub"], ["out of reach", "-T source=PATH"]),
    ("mbppplus", ["source=hub"], ["out of reach", "try again"]),
    ("judgebench", ["source=hub"], ["out of reach", "-T source=samples"]),
    ("mbppplus", [], ["out of reach", "-T source=samples"]),
    ("mbppplus", ["source=samples", "revision=main"], ["needs source=hub"]),
    ("mbppplus", ["source=samples", "critic=nobody"], ["unknown critic 'nobody'", "execution"]),
    ("mbppplus", ["source=samples", "critic=model,x"], ["unknown critic 'model,x'"]),
    ("mbppplus", ["source=samples", "comparator=same"], ["'same'", "default", "evalplus"]),
    ("mbppplus", ["source=samples", "extraction=all"], ["'all'", "first_fence, last_fence"]),
    ("mbppplus", ["source=samples", "executor=moon"], ["'moon'", "embedded, process"]),
    ("mbppplus", ["source=samples", "executor=process"], ["-T unsafe_no_isolation=true"]),
    (
        "mbppplus",
        ["source=samples", "executor=embedded", "unsafe_no_isolation=true"],
        ["not for 'embedded'"],
    ),
    (
        "mbppplus",
        ["source=samples", "executor=process", "unsafe_no_isolation=1"],
        ["unsafe_no_isolation=1 is neither true nor false"],
    ),
    ("mbppplus", ["source=samples", "tests=some"], ["tests=some", "all, public"]),
    ("codecontests", ["source=samples", "tests=private"], ["all, public, first10"]),
    ("codecontests", ["source=samples", "split=dev"], ["split=dev", "test, valid, train"]),
    ("judgebench", ["source=samples", "split=test"], ["split=test", "gpt, claude"]),
    ("livecodebench", ["source=samples", "release=v4"], ["release=v4", "release_v4"]),
    ("livecodebench", ["source=samples", "start=summer"], ["start=summer", "2024-08-01"]),
    ("livecodebench", ["source=samples", "end=1.8.2024"], ["end=1.8.2024 is not a day"]),
    ("livecodebench", ["source=samples", "start=2030-01-01"], ["no row was found", "dates"]),
    ("mbppplus", ["source=samples", "time_limit=0"], ["time_limit is 0", "above 0"]),
    ("mbppplus", ["source=samples", "time_limit=.inf"], ["time_limit is inf"]),
    ("mbppplus", ["source=samples", "time_limit=long"], ["time_limit is 'long'"]),
    ("mbppplus", ["source=samples", "output_mb=0"], ["output_mb is 0", "row or MiB"]),
    ("mbppplus", ["source=samples", "turns=-1"], ["turns is -1", "positive whole number"]),
    ("mbppplus", ["source=samples", "turns=1.5"], ["turns is 1.5"]),
    ("mbppplus", ["source=samples", "turns=true"], ["turns is True"]),
    ("mbppplus", ["source=samples", "stop_at_correct=sometimes"], ["neither true nor false"]),
    ("mbppplus", ["source=samples", "prompts=nowhere"], ["prompt set 'nowhere'", "default"]),
    (
        "mbppplus",
        ["source=samples", "prompts=critic-rl:nowhere"],
        ["needs a checkout of HKUNLP/critic-rl", "nowhere/ctrl/gen/prompt.py is not there"],
    ),
    ("mbppplus", ["source=samples", "protocol=paper"], ["protocol 'paper'", "default, ctrl"]),
    ("mbppplus", ["source=samples", "turn=2"], ["no setting 'turn'", "turns", "history"]),
    ("mbppplus", ["source=samples", "split=test"], ["no setting 'split'", "protocol, tests"]),
    ("mbppplus", ["source=samples", "history=all"], ["history is 'all'", "latest or full"]),
    ("mbppplus", ["source=samples", "replay=1"], ["replay is 1", "raw or code"]),
    ("mbppplus", ["source=samples", "epochs=0"], ["epochs is 0", "whole number from 1"]),
    ("mbppplus", ["source=samples", "temperature=hot"], ["temperature is 'hot'", "0 to 2"]),
    ("mbppplus", ["source=samples", "top_p=1.5"], ["top_p is 1.5", "0 to 1, or null"]),
    ("mbppplus", ["source=samples", "max_tokens=.5"], ["max_tokens is 0.5", "from 1"]),
    ("mbppplus", ["source=samples", "packages=no-such"], ["'no-such' is not installed here"]),
    ("mbppplus", ["source=samples", "packages=3"], ["packages is 3", "commas"]),
]
TASKS = {task.__name__: task for task in (codecontests, judgebench, livecodebench, mbppplus)}
TYPED = 10
"""How many of them are typed as a command line, whose way to the task is the same for all."""


@pytest.mark.parametrize(("task", "settings", "says"), CANNOT_BE_USED[:TYPED])
def test_a_setting_that_cannot_be_used(
    task, settings, says, model, inspect_cli, executor, tmp_path
):
    named = {setting.partition("=")[0] for setting in settings}
    if task != "judgebench" and "executor" not in named:
        settings = [*settings, f"executor={executor}"]
    arguments = [text for setting in settings for text in ("-T", setting)]
    # a cache of its own, as the Hub's files may be in the user's
    line = one_line(
        inspect_cli("eval", f"tasks/{task}.py", "--model", model, *arguments, HF_HOME=str(tmp_path))
    )
    for part in says:
        assert part in line


@pytest.mark.parametrize(("task", "settings", "says"), CANNOT_BE_USED[TYPED:])
def test_the_task_refuses_it(task, settings, says):
    """With the exception that Inspect shows as one line."""
    pairs = [setting.partition("=") for setting in settings]
    with pytest.raises(PrerequisiteError) as caught:
        TASKS[task](**{name: yaml.safe_load(value) for name, _, value in pairs})
    message = str(caught.value.message)
    assert "\n" not in message and len(message) < 600
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]\n", "is a list, not a JSON object"),
        ('{"task_id": 1}\n', "field 'prompt' is missing"),
        ("not json\n", "is not JSON"),
        ("", "no row was found"),
    ],
)
def test_rows_of_another_shape(text, says, model, inspect_cli, executor, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    line = one_line(
        inspect_cli(
            "eval", "tasks/mbppplus.py", "--model", model, "-T", f"source={path}",
            "-T", f"executor={executor}",
        )
    )  # fmt: skip
    assert says in line


@pytest.mark.parametrize(
    ("task", "template"), [("mbppplus", "critique.txt"), ("judgebench", "pairwise.txt")]
)
def test_a_prompt_folder_without_a_template(
    task, template, model, inspect_cli, executor, tmp_path, root
):
    ours = root / "ctrl_harness" / "critique" / "prompt_sets" / "default"
    folder = tmp_path / "prompts"
    folder.mkdir()
    for path in ours.glob("*.txt"):
        if path.name != template:
            (folder / path.name).write_text(path.read_text())
    settings = [] if task == "judgebench" else ["-T", f"executor={executor}"]
    line = one_line(
        inspect_cli(
            "eval", f"tasks/{task}.py", "--model", model, "-T", "source=samples",
            "-T", f"prompts={folder}", *settings,
        )
    )  # fmt: skip
    assert f"has no template {template}; add {folder / template}" in line


def test_a_template_with_an_unknown_field(model, inspect_cli, executor, tmp_path, root):
    folder = tmp_path / "prompts"
    folder.mkdir()
    for path in (root / "ctrl_harness/critique/prompt_sets/default").glob("*.txt"):
        (folder / path.name).write_text(path.read_text())
    (folder / "draft.txt").write_text("Solve {{ problem }}")
    line = one_line(
        inspect_cli(
            "eval", "tasks/mbppplus.py", "--model", model, "-T", "source=samples",
            "-T", f"prompts={folder}", "-T", f"executor={executor}",
        )
    )  # fmt: skip
    assert f"template {folder / 'draft.txt'} cannot be used" in line
    assert "problem" in line


@pytest.mark.parametrize("content", [b"GGML or some such", b"", None])
def test_a_model_file_that_is_no_gguf(content, inspect_cli, executor, tmp_path):
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    line = one_line(
        inspect_cli(
            "eval", "tasks/mbppplus.py", "--model", f"gguf/{path}", "-T", "source=samples",
            "-T", f"executor={executor}",
        )
    )  # fmt: skip
    assert str(path) in line


@pytest.mark.slow
def test_a_temporary_disk_without_room(model, root, tmp_path):
    inspect = Path(sys.executable).with_name("inspect")
    command = f"{inspect} eval tasks/codecontests.py --model {model} -T source=samples"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 8; exec {command}"],
        cwd=root,
        env={**os.environ, "COLUMNS": "1000", "INSPECT_LOG_DIR": str(tmp_path / "logs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    text = " ".join((done.stdout + done.stderr).split())
    assert f"ERROR: the temporary folder {tempfile.gettempdir()} is full" in text
    assert text.endswith("or set TMPDIR to a folder that has it")


@pytest.mark.slow
def test_the_same_line_from_a_fresh_process(model, root):
    """The other tests go through a warm one (see warm_cli.py)."""
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("inspect")), "eval", "tasks/mbppplus.py"),
            *("--model", model, "-T", "source=/no/such/file.jsonl"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    text = " ".join((done.stdout + done.stderr).split())  # a narrow terminal breaks the line
    assert "ERROR: no file or folder '/no/such/file.jsonl'; give samples, hub" in text
    assert "Traceback" not in text


# -- what Inspect makes of values on its way to the task


@pytest.mark.slow
def test_a_path_with_commas_and_a_folder_whose_name_is_a_number(
    model, inspect_cli, executor, tmp_path, sample_rows
):
    path = tmp_path / "a,b" / "2024" / "x, y.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(sample_rows("mbppplus")[0]) + "\n")
    done = inspect_cli(
        "eval", "tasks/mbppplus.py", "--model", model, "-T", f"source={path}",
        "-T", f"executor={executor}",
    )  # fmt: skip
    assert done.code == 0, done.text
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(log_file), header_only=True)
    assert log.status == "success"
    assert log.eval.metadata["problem_set"]["source"] == str(path)


@pytest.mark.slow
def test_a_relative_path_counts_from_where_the_user_is(
    model, executor, tmp_path, sample_rows, root
):
    """`inspect eval FOLDER/TASK.py` changes into that folder before it calls the task."""
    shutil.copytree(root / "tasks", tmp_path / "tasks")
    rows = tmp_path / "mine" / "rows.jsonl"
    rows.parent.mkdir()
    rows.write_text(json.dumps(sample_rows("mbppplus")[0]) + "\n")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("inspect")), "eval"),
            *("tasks/mbppplus.py", "--model", model, "-T", "source=mine/rows.jsonl"),
            *("-T", f"executor={executor}", "--log-dir", str(tmp_path / "logs")),
            *("--display", "plain"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    facts = read_eval_log(str(log_file), header_only=True).eval.metadata
    assert facts["problem_set"]["source"] == str(rows)


def test_how_a_path_is_put_together_again():
    assert path_or_name(["/a", "b/x.jsonl"], ()) == "/a,b/x.jsonl"
    assert path_or_name(2024, ()) == "2024"


def test_a_name_is_not_a_folder_that_is_called_so(monkeypatch, tmp_path):
    for name in ("samples", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(parameters, "_STARTED_IN", tmp_path)
    assert path_or_name("samples", ("samples", "hub")) == "samples"
    assert path_or_name("other", ("samples", "hub")) == str(tmp_path / "other")
    assert path_or_name("./samples", ("samples", "hub")) == str(tmp_path / "samples")


def test_a_day_may_come_as_yaml_reads_it(model, inspect_cli, executor, tmp_path):
    done = inspect_cli(
        "eval", "tasks/livecodebench.py", "--model", model, "-T", "source=samples",
        "-T", "start=2024-05-11", "-T", "end=2024-05-11", "-T", f"executor={executor}",
    )  # fmt: skip
    assert done.code == 0, done.text
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(log_file), header_only=True)
    assert log.status == "success"
    assert log.eval.dataset.sample_ids == ["sample_summits"]
    assert log.eval.metadata["problem_set"]["options"]["start"] == "2024-05-11"

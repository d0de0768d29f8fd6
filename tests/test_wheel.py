"""The wheel alone: what is in it, and that it runs from an empty folder without the checkout."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# where each folder of the checkout is installed
PACKAGES = {
    "ctrl_harness": "ctrl_harness",
    "tasks": "ctrl_harness/tasks",
    "training": "ctrl_harness/training",
    "plugins": "ctrl_harness/plugins",
}


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INSPECT_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of an earlier build and nothing untracked gets in."""
    copy = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, copy)
    out = copy / "dist"
    major = int(importlib.metadata.version("setuptools").split(".")[0])
    isolation = ["--no-build-isolation"] if major >= 77 else []
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", *isolation, "--wheel-dir", out, copy, cwd=copy)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and this environment's packages behind it."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    # a line of a .pth file is a place to look in; the .pth files there, of an editable install
    # too, are not read
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def files_of(root: Path) -> Iterator[str]:
    """Every file of the packages, by its name in the wheel."""
    for source, target in PACKAGES.items():
        for folder, subfolders, names in os.walk(root / source):
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            relative = Path(folder).relative_to(root / source)
            yield from ((Path(target) / relative / name).as_posix() for name in names)


def test_everything_is_in_the_wheel_and_nothing_beside_the_package(wheel, root):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    version = importlib.metadata.version("ctrl-harness")
    own = {name for name in names if not name.startswith("ctrl_harness/")}
    assert {name.split("/")[0] for name in own} == {f"ctrl_harness-{version}.dist-info"}
    assert names - own == set(files_of(root))
    assert "ctrl_harness/py.typed" in names
    assert "ctrl_harness/critique/prompt_sets/default/draft.txt" in names
    assert "ctrl_harness/problems/samples/codecontests.jsonl" in names
    assert f"ctrl_harness-{version}.dist-info/licenses/LICENSE" in names


@pytest.mark.slow
def test_it_runs_from_an_empty_folder(
    python, root, tmp_path, new_script, sample_programs, executor
):
    empty = tmp_path / "empty"
    empty.mkdir()
    where = "import ctrl_harness, ctrl_harness.tasks as t; print(ctrl_harness.__file__, t.__file__)"
    for place in run(python, "-c", where, cwd=empty).split():
        assert Path(place).is_relative_to(python.parents[1]), place
        assert not Path(place).is_relative_to(root)

    script = new_script()
    first, second = sample_programs("codecontests")[:2]
    script.chain(first.id, [first.wrong[0], first.right[0]], ["incorrect"])
    script.chain(second.id, [second.right[0], second.right[0]], ["correct"])
    inspect = (python, "-m", "inspect_ai")
    run(
        *inspect, "eval", "ctrl_harness/codecontests", "--model", script.save(),
        "-T", "source=samples", "-T", f"executor={executor}", "--limit", "2",
        "--log-dir", "logs", "--display", "plain", cwd=empty,
    )  # fmt: skip
    (log,) = (empty / "logs").glob("*.eval")
    # no task file stands here, and the log names only the scorer
    run(*inspect, "score", log, "--overwrite", "--action", "overwrite", cwd=empty)
    table = "from ctrl_harness.cli.main import run; run()"
    shown = run(python, "-c", table, "table", "logs", cwd=empty)
    assert "2 of 2 samples" in shown
    assert "| 0 (draft) |     50.0 |" in shown
    assert "| 1         |    100.0 |" in shown
    assert sorted(path.name for path in empty.iterdir()) == ["logs"]


@pytest.mark.slow
def test_a_critic_of_one_s_own_installs_registers_and_is_used(
    python, root, tmp_path, new_script, sample_programs, executor
):
    """examples/my_critic, as its README has it, in an environment that never saw it."""
    example = tmp_path / "my_critic"
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    shutil.copytree(root / "examples" / "my_critic", example, ignore=ignored)
    empty = tmp_path / "empty"
    empty.mkdir()
    command = (python, "-c", "from ctrl_harness.cli.main import run; run()", "critics")
    assert "my_critic" not in run(*command, "list", cwd=empty)
    major = int(importlib.metadata.version("setuptools").split(".")[0])
    isolation = ["--no-build-isolation"] if major >= 77 else []
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", *isolation, example, cwd=empty)
    assert "my_critic" in run(*command, "list", cwd=empty)
    checked = run(*command, "check", "my_critic", cwd=empty)
    assert "FAILS" not in checked and checked.endswith("my_critic keeps the contract\n")

    (empty / "tasks").mkdir()
    shutil.copy(root / "tasks" / "codecontests.py", empty / "tasks")
    script = new_script()
    first, second = sample_programs("codecontests")[:2]
    # fails the public tests already, so that the critic asks the model
    script.chain(first.id, ["print('no')", first.right[0]], ["incorrect"])
    script.chain(second.id, [second.right[0], second.right[0]], ["incorrect"])
    run(
        python, "-m", "inspect_ai", "eval", "tasks/codecontests.py",
        "--model", script.save(), "-T", "source=samples", "-T", "critic=my_critic",
        "-T", f"executor={executor}", "--limit", "2", "--log-dir", empty / "logs",
        "--display", "plain", cwd=empty,
    )  # fmt: skip
    (log,) = (empty / "logs").glob("*.eval")
    judged = (
        "import json, sys; from inspect_ai.log import read_eval_log as read; "
        "log = read(sys.argv[1]); print(log.status, log.eval.metadata['critic']); print(json.dumps("
        "{s.id: s.metadata['ctrl_harness:chain']['critiques'][0]['judgement'] "
        "for s in log.samples}))"
    )
    facts, judgements = run(python, "-c", judged, log, cwd=empty).splitlines()
    assert facts == "success my_critic"
    # the second is correct by its public tests, whatever the model would have said
    assert json.loads(judgements) == {first.id: "incorrect", second.id: "correct"}

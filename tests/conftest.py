"""Scripted models, the shipped samples with their programs, and command lines, for every room."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import ctrl_harness.problems

if TYPE_CHECKING:  # importing Inspect takes seconds, which only its tests should pay
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

EXECUTOR = "embedded"
"""Where every eval of the tests runs programs."""

ROOT = Path(__file__).parents[1]
SAMPLES = Path(ctrl_harness.problems.__file__).parent / "samples"


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as a shell leaves it for what it starts in the background: no test of an interrupt would work
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Half as many more than cores: a third of the suite's time is spent waiting for limits."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return 3 * (cores or 1) // 2 or 1


def pytest_collection_finish() -> None:
    """What was imported stays: no collection of garbage, for which evals ask, goes through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def executor() -> str:
    return EXECUTOR


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout, where `inspect eval tasks/…` is typed."""
    return ROOT


@pytest.fixture
def real_data() -> Path:
    """The folder of real rows; tests that ask for it are skipped where there is none."""
    folder = os.environ.get("CTRL_HARNESS_REAL_DATA")
    if not folder:
        pytest.skip("CTRL_HARNESS_REAL_DATA does not name a folder of real rows")
    return Path(folder)


@pytest.fixture(scope="session")
def labelled_programs() -> Iterator[Any]:
    """The benchmarks' reader of the real rows' labelled programs: `SETS`, `load(SET, FOLDER)`."""
    benchmarks = str(ROOT / "benchmarks")
    sys.path.insert(0, benchmarks)
    yield importlib.import_module("real_rows")
    sys.path.remove(benchmarks)


# -- the shipped samples


@dataclass(frozen=True)
class Programs:
    """A sample problem's id, and programs known to be right and wrong."""

    id: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


def rows_of(name: str) -> list[dict[str, Any]]:
    with (SAMPLES / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def programs_of(dataset: str) -> list[Programs]:
    if dataset == "codecontests":
        return [
            Programs(
                row["name"],
                tuple(row["solutions"]["solution"]),
                tuple(row["incorrect_solutions"]["solution"]),
            )
            for row in rows_of(dataset)
        ]
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows_of(f"programs_{dataset}"):
        right, wrong = groups.setdefault(row["id"], ([], []))
        (right if row["correct"] else wrong).append(row["program"])
    return [Programs(name, tuple(right), tuple(wrong)) for name, (right, wrong) in groups.items()]


@pytest.fixture(scope="session")
def sample_rows() -> Callable[[str], list[dict[str, Any]]]:
    """Rows of a file of the shipped samples, by its name without `.jsonl`."""
    return rows_of


@pytest.fixture(scope="session")
def sample_programs() -> Callable[[str], list[Programs]]:
    """Right and wrong programs of a data set's sample problems, in the order of its rows."""
    return programs_of


# -- scripted models


class Script:
    """The answers of a scripted model, to be saved as a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []

    def line(
        self,
        sample: str,
        role: str,
        turn: int,
        output: str,
        epoch: int | None = None,
        vote: int | None = None,
        branch: Sequence[int] | None = None,
    ) -> None:
        """One answer; epoch, vote or branch None stands for every one."""
        row = {"sample_id": sample, "role": role, "turn": turn, "output": output}
        chosen = {"epoch": epoch, "vote": vote, "branch": branch}
        self._rows.append({**row, **{key: n for key, n in chosen.items() if n is not None}})

    def chain(
        self,
        sample: str,
        programs: Sequence[str | None],
        judgements: Sequence[str] = (),
        epoch: int | None = None,
    ) -> None:
        """Draft and revisions (None: an answer without a program), and what each critique says."""
        for turn, program in enumerate(programs):
            text = "I give up." if program is None else f"Here:\n```python\n{program}\n```\n"
            self.line(sample, "generator", turn, text, epoch)
        for turn, judgement in enumerate(judgements, start=1):
            verdict = "hard to say" if judgement == "missing" else judgement.capitalize()
            text = f"Analysis: read twice.\n\nOverall judgment: {verdict}"
            self.line(sample, "critic", turn, text, epoch)

    def save(self) -> str:
        """Writes the file; the name of the model that plays it."""
        lines = (json.dumps(row) + "\n" for row in self._rows)
        self.path.write_text("".join(lines), encoding="utf-8")
        return f"scripted/{self.path}"


@pytest.fixture
def new_script(tmp_path: Path) -> Callable[..., Script]:
    """An empty script of that name."""

    def make(name: str = "script.jsonl") -> Script:
        return Script(tmp_path / name)

    return make


@pytest.fixture
def run_eval(tmp_path: Path) -> Callable[..., EvalLog]:
    """Runs one task in this process; its log stands under `logs`."""
    import inspect_ai

    def run(task: Task, model: str, **settings: Any) -> EvalLog:
        folder = str(tmp_path / "logs")
        (log,) = inspect_ai.eval(task, model=model, log_dir=folder, display="plain", **settings)
        return log

    return run


# -- command lines


class Done(NamedTuple):
    """How a command line ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


class CommandLines:
    """`inspect` and `ctrl-harness`, each call in a fork of one warm process (see warm_cli.py)."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_cli.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment({}),
            cwd=scratch,
        )

    def run(
        self, entry: str, argv: Sequence[str], cwd: Path, variables: Mapping[str, str]
    ) -> Done:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        files = {name: self._scratch / name for name in ("stdout", "stderr")}
        job = {
            "entry": entry,
            "argv": list(argv),
            "cwd": str(cwd),
            "environment": environment(variables),
            **{name: str(path) for name, path in files.items()},
        }
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        texts = {name: path.read_text("utf-8", "replace") for name, path in files.items()}
        return Done(code, **texts)

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=60)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with lines that do not wrap and without a Hub to be reached."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INSPECT_", "HF_"))}
    # nothing listens on port 9 (discard), so every request is refused at once
    unreachable = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": "/nonexistent-hf-home"}
    return {**kept, **unreachable, "COLUMNS": "1000", "NO_COLOR": "1", **variables}


@pytest.fixture(scope="session")
def command_lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLines]:
    lines = CommandLines(tmp_path_factory.mktemp("command-lines"))
    yield lines
    lines.close()


@pytest.fixture
def inspect_cli(command_lines: CommandLines, tmp_path: Path) -> Callable[..., Done]:
    """`inspect ARGUMENTS` in the checkout; its logs go into `logs`."""

    def run(*arguments: Any, cwd: Path = ROOT, **variables: str) -> Done:
        argv = ["inspect", *map(str, arguments)]
        own = {"INSPECT_LOG_DIR": str(tmp_path / "logs"), "INSPECT_DISPLAY": "plain"}
        return command_lines.run("inspect_ai._cli.main:main", argv, cwd, {**own, **variables})

    return run


@pytest.fixture
def harness_cli(command_lines: CommandLines, tmp_path: Path) -> Callable[..., Done]:
    """`ctrl-harness ARGUMENTS` in an empty folder."""

    def run(*arguments: Any) -> Done:
        argv = ["ctrl-harness", *map(str, arguments)]
        return command_lines.run("ctrl_harness.cli.main:run", argv, tmp_path, {})

    return run


# -- ordinary users


@pytest.fixture
def run_as_ordinary_user() -> Iterator[Callable[..., Done]]:
    """Runs a script with the system's Python as a user without rights: `nobody`, where we are root.

    run(SCRIPT, *BESIDE, **VARIABLES): the script and what it needs beside it, named by paths, and
    the packages that executors need, are copied to where every user can read them. Its one argument
    is the folder of the copies.
    """
    python = next(p for p in ("/usr/bin/python3.11", "/usr/bin/python3") if os.path.exists(p))
    nobody = {} if os.geteuid() else {"user": 65534, "group": 65534, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="ctrl-harness-test-") as name:
        packages, folder = Path(name) / "packages", Path(name) / "script"
        for made in (Path(name), packages, folder):
            made.mkdir(exist_ok=True)
            made.chmod(0o755)
        needed = "ctrl_harness anyio idna sniffio typing_extensions markdown_it mdurl packaging"
        for module in needed.split():
            spec = importlib.util.find_spec(module)
            if spec is not None and spec.origin is not None:
                is_package = spec.submodule_search_locations is not None
                _copy(Path(spec.origin).parent if is_package else Path(spec.origin), packages)

        def run(script: Path, *beside: Path, **variables: str) -> Done:
            for path in (script, *beside):
                _copy(path, folder)
            done = subprocess.run(
                [python, "-B", str(folder / script.name), str(folder)],
                env={"PYTHONPATH": str(packages), "PATH": "/usr/bin:/bin", **variables},
                cwd="/",
                capture_output=True,
                text=True,
                timeout=600,
                **nobody,
            )
            return Done(done.returncode, done.stdout, done.stderr)

        yield run


def _copy(path: Path, folder: Path) -> None:
    if path.is_dir():
        without = shutil.ignore_patterns("__pycache__", "samples")
        shutil.copytree(path, folder / path.name, ignore=without)
    else:
        shutil.copy(path, folder)

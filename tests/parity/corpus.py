"""Ordinary programs, each run by plain CPython and by an executor: the same output, the same end.

As a script (`python corpus.py FOLDER`, with the idioms in its folder `idioms`): runs every one with
the embedded and the process executor and prints the differences as JSON; the test as an ordinary
user starts it so.
"""

from __future__ import annotations

import importlib.util
import json
import re
import site
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import anyio

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Executor, Program, Run, StdinInput
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.execution.scratch import remove
from ctrl_harness.problems.problem import Limits

IDIOMS = Path(__file__).with_name("idioms")
LIMITS = Limits(time_s=20.0, memory_mb=512.0, output_mb=8.0)
"""Generous: what is compared is the end of a program, not whether it is fast enough."""
AT_ONCE = 2
_PLAIN_S = 60.0
_THIRD_PARTY = re.compile(r"^(?:import|from) (numpy)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Idiom:
    """A program and its standard input. needs: a third-party module that it imports."""

    name: str
    source: str
    stdin: str
    needs: str | None = None

    @property
    def runs_here(self) -> bool:
        """Whether the module is installed beside the interpreter, as executors look for it."""
        return self.needs is None or str(_home_of(self.needs)) in site.getsitepackages()


class End(NamedTuple):
    """What a program leaves: its standard output and its exit status.

    exit_status: -N where signal N ended it; None where it did not compile.
    """

    stdout: str
    exit_status: int | None


class Difference(NamedTuple):
    """A program that ends otherwise under an executor than under plain CPython."""

    program: str
    plain: End
    run: End
    error: str


def load_idioms(folder: Path = IDIOMS) -> list[Idiom]:
    """Every `NAME.py` with its `NAME.in`, by name; no character of them is translated."""
    idioms = []
    for path in sorted(folder.glob("*.py")):
        source = path.read_bytes().decode("utf-8")
        stdin = path.with_suffix(".in")
        needs = _THIRD_PARTY.search(source)
        idioms.append(
            Idiom(
                path.stem,
                source,
                stdin.read_bytes().decode("utf-8") if stdin.exists() else "",
                needs and needs[1],
            )
        )
    return idioms


class PlainPython:
    """A `python3` of this version that has the standard library and nothing else installed.

    folder: an empty one to make it in; it is as plain here as on a machine of its own, and starts
    three times as fast as one with what this project's environment has.
    """

    def __init__(self, folder: Path) -> None:
        venv.EnvBuilder(symlinks=True).create(folder / "environment")
        self._python = folder / "environment" / "bin" / "python3"
        self._place = folder

    def run(self, idiom: Idiom, seconds: float = _PLAIN_S) -> End:
        """`python3 program.py <input >output` in an empty folder, with a cell's environment.

        Raises subprocess.TimeoutExpired after that many seconds.
        """
        with tempfile.TemporaryDirectory(dir=self._place) as name:
            place, folder = Path(name), Path(name) / "empty"
            folder.mkdir()
            program = place / "program.py"
            program.write_bytes(idiom.source.encode("utf-8", "surrogatepass"))
            with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
                given.write(idiom.stdin.encode("utf-8", "surrogatepass"))
                given.seek(0)
                done = subprocess.run(
                    [str(self._python), "-B", str(program)],
                    stdin=given,
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                    cwd=folder,
                    env=_environment(str(folder), idiom.needs),
                    timeout=seconds,
                )
                output.seek(0)
                printed = output.read().decode("utf-8", "surrogateescape")
            remove(str(folder))  # a program may have locked what it made
        return End(printed, done.returncode)

    def run_script(self, script: Path, files: dict[str, bytes], seconds: float) -> Any:
        """`python3 SCRIPT calls.pickle results.json` beside these files; what the JSON holds.

        Raises subprocess.TimeoutExpired after that many seconds.
        """
        with tempfile.TemporaryDirectory(dir=self._place) as name:
            folder = Path(name)
            for file, content in files.items():
                (folder / file).write_bytes(content)
            variables = _environment(name, None)
            path = [name, str(script.parent), str(_home_of("numpy"))]
            subprocess.run(
                [str(self._python), "-B", str(script), "calls.pickle", "results.json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={**variables, "PYTHONPATH": ":".join(path)},
                timeout=seconds,
                check=False,
            )
            return json.loads((folder / "results.json").read_text(encoding="utf-8"))

    def run_all(self, idioms: Sequence[Idiom]) -> list[End]:
        """In the order of the idioms, some at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.run, idioms))


def _environment(home: str, module: str | None) -> dict[str, str]:
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }
    return {**variables, "PYTHONPATH": str(_home_of(module))} if module else variables


def _home_of(module: str) -> Path | None:
    """The folder that it is installed in."""
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parents[1] if spec and spec.origin else None


async def run_all(executor: Executor, idioms: Sequence[Idiom]) -> list[Run]:
    """In the order of the idioms, some at once."""
    runs: dict[int, Run] = {}
    places = anyio.CapacityLimiter(AT_ONCE)

    async def run_one(position: int, idiom: Idiom) -> None:
        async with places:
            inputs = [StdinInput(idiom.stdin)]
            (runs[position],) = await executor.execute(Program(idiom.source), inputs, LIMITS)

    async with anyio.create_task_group() as group:
        for position, idiom in enumerate(idioms):
            group.start_soon(run_one, position, idiom)
    return [runs[position] for position in range(len(idioms))]


def differences(
    idioms: Iterable[Idiom], plain: Iterable[End], runs: Iterable[Run]
) -> list[Difference]:
    """Those whose output or end differs.

    What does not compile never ran: such a run tells no exit status and no output.
    """
    found = []
    for idiom, wanted, run in zip(idioms, plain, runs, strict=True):
        end = End(run.stdout, run.exit_status)
        same = end == wanted and (run.status == "ok") == (wanted.exit_status == 0)
        if run.status == "compile_error":
            same = wanted.exit_status != 0 and wanted.stdout == ""
        if not same:
            found.append(Difference(idiom.name, wanted, end, f"{run.status}: {run.error[-500:]}"))
    return found


async def _main(folder: Path) -> bool:
    idioms = [idiom for idiom in load_idioms(folder / "idioms") if idiom.runs_here]
    with tempfile.TemporaryDirectory() as name:
        plain = PlainPython(Path(name)).run_all(idioms)
    differ = False
    for executor in (EmbeddedExecutor(AT_ONCE), ProcessExecutor(AT_ONCE)):
        found = differences(idioms, plain, await run_all(executor, idioms))
        await executor.aclose()
        differ |= bool(found)
        print(json.dumps({"executor": executor.name, "programs": len(idioms), "found": found}))
    return differ


if __name__ == "__main__":
    sys.exit(anyio.run(_main, Path(sys.argv[1])))

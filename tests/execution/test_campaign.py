"""No generated program makes a judge error, a freeze, or a harness that grows."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

import ctrl_harness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

SCRIPT = Path(__file__).with_name("campaign.py")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, without real programs, which take seconds to load."""
    monkeypatch.delenv("CTRL_HARNESS_REAL_DATA", raising=False)
    monkeypatch.syspath_prepend(SCRIPT.parent)
    return importlib.import_module("campaign")


def campaign(programs: int, seed: int, seconds: float, **environment: str) -> dict[str, Any]:
    """The script's report."""
    root = str(Path(ctrl_harness.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, sys.path)])
    known = {k: v for k, v in os.environ.items() if k != "CTRL_HARNESS_REAL_DATA"}
    arguments = f"--programs={programs}", f"--seed={seed}", f"--seconds={seconds}"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**known, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def check(report: dict[str, Any]) -> None:
    assert [row for row in report["faults"] if row["faults"]] == []
    for name in ("judge_errors", "innocents_refused", "freezes"):
        assert report[name] == 0, name


def test_dozens_of_programs() -> None:
    report = campaign(60, seed=1, seconds=100)
    check(report)
    assert report["programs"] == 60


@pytest.mark.slow
def test_thousands_of_programs_and_mutations_of_real_ones() -> None:
    data = {k: v for k, v in os.environ.items() if k == "CTRL_HARNESS_REAL_DATA"}
    report = campaign(3_000, seed=2, seconds=900, **data)
    print({name: value for name, value in report.items() if name != "faults"})
    check(report)
    assert report["programs"] == 3_000
    assert report["cells_lost"] <= 30
    assert report["last_tenth_mb"] <= 1.15 * report["first_tenth_mb"]


def test_a_number_always_gives_the_same_program(module: ModuleType) -> None:
    some, again = (list(map(module.Programs(7).work, range(50))) for _ in range(2))
    assert some == again
    assert len({work.program for work in some}) > 45


def test_the_grammar_uses_no_name_that_it_lacks(module: ModuleType) -> None:
    grammar = importlib.import_module("campaign_grammar")
    known = grammar.load_grammar()
    assert grammar.names_in(known) <= {*known, *grammar.NUMBERS}
    assert all(text for texts in known.values() for text in texts)


def test_most_programs_of_the_grammar_compile(module: ModuleType) -> None:
    works = map(module.Programs(3).work, range(300))
    sources = [work.program for work in works if work.kind.startswith(("stdio", "calls", "script"))]
    assert len(sources) > 100
    for source in sources:
        compile(source, "<program>", "exec")


def test_an_accepted_program_without_an_answer_would_be_noticed(module: ModuleType) -> None:
    async def rows() -> list[Any]:
        watch = module.Watch(module.Programs(1))
        work = module.Programs(1).work(0)
        work = replace(work, problem=module.INNOCENT[0][0], program=module.INNOCENT[0][1])
        found = [await watch.judge(replace(work, answers=answers)) for answers in (True, False)]
        await watch.aclose()
        return found

    right, forged = anyio.run(rows)
    assert (right.status, right.faults) == ("accepted", [])
    assert forged.faults[0].startswith("accepted without an answer")

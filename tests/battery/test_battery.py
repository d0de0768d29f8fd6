"""Hostile and odd programs: the right verdict, and nothing left behind."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

HERE = Path(__file__).parent


def _load_battery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cell_battery", HERE / "battery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cell_battery"] = module
    spec.loader.exec_module(module)
    return module


battery = _load_battery()
ENTRIES = battery.load()
QUICK_OF_A_CLASS = 3
"""What the default suite runs; classes are named by the first word of a program's name."""
REAL_DATA = os.environ.get("CTRL_HARNESS_REAL_DATA")


def _quick_first() -> list[object]:
    """All entries; those beyond the first few of a class are slow ones."""
    seen: Counter[str] = Counter()
    parameters: list[object] = []
    for entry in ENTRIES:
        kind = entry.name.partition("_")[0]
        seen[kind] += 1
        marks = [pytest.mark.slow] if seen[kind] > QUICK_OF_A_CLASS else []
        parameters.append(pytest.param(entry, id=entry.name, marks=marks))
    return parameters


@pytest.fixture(scope="module")
def watch() -> Iterator[object]:
    executor = battery.EmbeddedExecutor(jobs=1)
    yield battery.Watch(executor)
    anyio.run(executor.aclose)


def test_the_battery_has_at_least_eighty_programs_and_a_file_each() -> None:
    names = {entry.name for entry in ENTRIES}
    assert len(names) == len(ENTRIES) >= 80
    assert names == {path.stem for path in (HERE / "programs").glob("*.py")}


@pytest.mark.parametrize("entry", _quick_first())
def test_a_program_gets_a_right_verdict_and_leaves_nothing(
    entry: object, watch: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entry.needs is not None and importlib.util.find_spec(entry.needs) is None:
        pytest.skip(f"{entry.needs} is not installed")
    monkeypatch.setenv("CANARY_API_KEY", "CANARY-EXPECTED")
    finding = anyio.run(watch.judge, entry)
    assert finding.fine, finding


@pytest.mark.parametrize(
    "name", [p.stem for p in sorted(Path(REAL_DATA or "/").glob("battery_examples/*.py"))] or [None]
)
def test_the_shared_examples_get_a_right_verdict_and_leave_nothing(
    name: str | None, watch: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name is None:
        pytest.skip("CTRL_HARNESS_REAL_DATA does not point to battery_examples")
    monkeypatch.setenv("SBX_API_KEY", "canary")
    entries = battery.load_examples(Path(REAL_DATA or "") / "battery_examples")
    (entry,) = (entry for entry in entries if entry.name == name)
    finding = anyio.run(watch.judge, entry)
    assert finding.fine, finding


@pytest.mark.slow
def test_the_battery_passes_as_an_ordinary_user(run_as_ordinary_user: Callable[..., Any]) -> None:
    beside = (HERE / "manifest.json", HERE / "programs")
    done = run_as_ordinary_user(HERE / "battery.py", *beside, CANARY_API_KEY="x")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in rows if not row["fine"]] == [], done.stderr[-2000:]
    assert len(rows) > 0.9 * len(ENTRIES), done.stderr[-2000:]

"""A program prints and ends under every executor as under plain CPython.

`idioms` holds ordinary programs, a file each: how they read (`in_`), how they write (`out_`), how
they end (`end_`), and what they find around them (`world_`).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")

_FRAMES = {"world_stack_depth": "what starts a program is a frame below its own"}
_ISOLATION = {
    "end_disk_full_at_the_flush": "a cell has no /dev/full",
    "end_thread_pool_of_multiprocessing": "POSIX semaphores are files in /dev/shm, where a cell "
    "lets nobody write",
}
KNOWN = {
    "embedded": {**_FRAMES, **_ISOLATION},
    "process": _FRAMES,
    "sandbox_fusion": {**_FRAMES, **_ISOLATION},  # a server of ours, which judges in cells
    "inspect_sandbox": {
        **_FRAMES,
        "world_locale_default": "its worker runs with -X utf8, where the encoding is not UTF-8 but "
        "utf-8, because a sandbox's locale is not known",
    },
}
"""Programs that end otherwise than under plain CPython, and why. One that no longer does fails."""


def _load_corpus() -> ModuleType:
    path = Path(__file__).with_name("corpus.py")
    spec = importlib.util.spec_from_file_location("parity_corpus", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpus = _load_corpus()
IDIOMS = corpus.load_idioms()


@pytest.fixture(scope="module")
def idioms() -> list[object]:
    """Those that can run here."""
    return [idiom for idiom in IDIOMS if idiom.runs_here]


@pytest.fixture(scope="module")
def plain(idioms: list[object], tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """How each ends under plain CPython."""
    return corpus.PlainPython(tmp_path_factory.mktemp("plain")).run_all(idioms)


def test_the_corpus_has_programs_of_every_group() -> None:
    groups = [idiom.name.partition("_")[0] for idiom in IDIOMS]
    assert set(groups) == {"in", "out", "end", "world"}
    assert all(groups.count(group) >= 80 for group in set(groups))
    for path in corpus.IDIOMS.glob("*.in"):
        assert path.with_suffix(".py").exists(), path


@pytest.mark.parametrize(
    "executor",
    [
        "embedded",
        pytest.param("process", marks=pytest.mark.slow),
        pytest.param("sandbox_fusion", marks=pytest.mark.slow),
        pytest.param("inspect_sandbox", marks=pytest.mark.slow),
    ],
)
def test_a_program_prints_and_ends_as_under_plain_cpython(
    executor: str,
    run_under: Callable[..., Any],
    idioms: list[object],
    plain: list[object],
) -> None:
    runs = run_under(executor, lambda each: corpus.run_all(each, idioms))
    found = corpus.differences(idioms, plain, runs)
    known = KNOWN[executor]
    assert [difference for difference in found if difference.program not in known] == []
    assert sorted(known.keys() - {difference.program for difference in found}) == []


@pytest.mark.slow
def test_a_program_prints_and_ends_as_under_plain_cpython_for_an_ordinary_user(
    run_as_ordinary_user: Callable[..., Any],
) -> None:
    done = run_as_ordinary_user(Path(corpus.__file__), corpus.IDIOMS)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["executor"] for row in rows] == ["embedded", "process"], done.stderr[-2000:]
    for row in rows:
        known = KNOWN[row["executor"]]
        assert row["programs"] > 0.9 * len(IDIOMS)
        assert [found for found in row["found"] if found[0] not in known] == []

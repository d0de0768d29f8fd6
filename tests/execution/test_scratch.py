"""Emptying a scratch folder: whatever a program has built in it, and in what time."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from ctrl_harness.execution.scratch import Scratch, wipe


def _build_maze(folder: Path) -> None:
    """Deep, wide, with files, links, locked folders and names that clearing up gives, too."""
    for name in ("0", "1", "a b", "ä", "\udcff"):
        deep = folder / name / "0" / "1" / "0"
        deep.mkdir(parents=True)
        (deep / "file").write_text("x")
        (deep / "link").symlink_to("/")
        (folder / name / "0").chmod(0)
    (folder / "2").write_text("x")


def test_a_maze_is_emptied(tmp_path: Path) -> None:
    _build_maze(tmp_path)
    wipe(str(tmp_path), 0o700)
    assert list(tmp_path.iterdir()) == []


def test_a_maze_is_emptied_where_nothing_can_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "as Landlock refuses it before Linux 5.19")

    _build_maze(tmp_path)
    monkeypatch.setattr(os, "rename", refuse)
    wipe(str(tmp_path), 0o700)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_deeper_than_any_path_is_emptied(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    wipe(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_an_emptied_folder_has_its_times_and_permissions_back(tmp_path: Path) -> None:
    before = tmp_path.stat()
    scratch = Scratch(str(tmp_path))
    time.sleep(0.01)
    (tmp_path / "x").write_text("x")
    os.utime(tmp_path, ns=(1, 2))
    tmp_path.chmod(0o100)
    scratch.empty()
    after = tmp_path.stat()
    assert after.st_mode == before.st_mode
    assert after.st_mtime_ns == after.st_atime_ns == before.st_mtime_ns

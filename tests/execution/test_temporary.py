"""Temporary folders: a killed process's go with the next start, a live one's stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctrl_harness.execution.temporary import new_folder, remove_left_behind

_HOLD = """
import os, sys
from ctrl_harness.execution.temporary import new_folder
folder = new_folder("run", sys.argv[1])
deep = folder
for _ in range(50):
    deep += "/x"
    os.mkdir(deep)
open(deep + "/file", "w").close()
os.chmod(folder, 0)
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def test_a_killed_process_s_folders_go_with_the_next_start(
    holder: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    process, folder = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.exists()
    new = new_folder("run", str(tmp_path))
    assert not folder.exists()
    assert sorted(tmp_path.glob("*-run-*")) == [Path(new)]
    assert len(list(tmp_path.glob("*.lock"))) == 1


def test_a_live_process_keeps_its_folders(
    holder: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    _, folder = holder
    remove_left_behind(str(tmp_path))
    assert folder.exists() and len(list(tmp_path.glob("*.lock"))) == 1


def test_an_ordinary_end_leaves_its_lock_only_beside_what_is_left(
    holder: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    process, folder = holder
    process.communicate("")
    assert folder.exists() and list(tmp_path.glob("*.lock"))
    remove_left_behind(str(tmp_path))
    assert not list(tmp_path.iterdir())
    script = (
        "import os, sys; from ctrl_harness.execution.temporary import new_folder; "
        "os.rmdir(new_folder('run', sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert not list(tmp_path.iterdir())


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    shared = tmp_path / "shared"
    shared.mkdir()
    lock = shared / "ctrl-harness-0123456789abcdef.lock"
    lock.symlink_to(outside / "file")  # opened, it would be a lock that nobody holds
    linked = shared / "ctrl-harness-run-0123456789abcdef-a"
    linked.symlink_to(outside)
    (shared / "ctrl-harness-run-other").mkdir()
    remove_left_behind(str(shared))
    assert (outside / "file").exists() and lock.is_symlink() and linked.is_symlink()
    lock.unlink()
    lock.touch()
    remove_left_behind(str(shared))
    assert [path.name for path in shared.iterdir()] == ["ctrl-harness-run-other"]
    assert (outside / "file").exists(), "a link is removed, not what it leads to"


def test_a_folder_in_which_others_can_change_places_is_left_alone(tmp_path: Path) -> None:
    lock = tmp_path / "ctrl-harness-0123456789abcdef.lock"
    lock.touch()
    tmp_path.chmod(0o777)
    remove_left_behind(str(tmp_path))
    assert lock.exists()
    tmp_path.chmod(0o1777)
    remove_left_behind(str(tmp_path))
    assert not lock.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_another_user_s_folders_are_not_removed(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    lock = tmp_path / "ctrl-harness-0123456789abcdef.lock"
    lock.touch()
    folder = tmp_path / "ctrl-harness-run-0123456789abcdef-a"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    os.chown(lock, 12345, 12345)
    remove_left_behind(str(tmp_path))
    assert lock.exists() and folder.exists()
    os.chown(lock, 0, 0)
    remove_left_behind(str(tmp_path))
    assert folder.exists()

"""The file of verdicts that a bulk run writes: one writer at a time, resumable after any kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from io import FileIO
from pathlib import Path
from typing import Any, Self

from ctrl_harness.errors import UserError

_ROW_START = b'{"id":"'


class VerdictFile:
    """OUT, opened for appending and held by this run alone until it is closed.

    done: how often the file holds a verdict of (id, digest). Lines to be judged again went out of
    it: those of a judge that failed, and a last line that a kill cut short.

    Raises UserError where another run holds the file, it cannot be read or written, or it holds
    anything but verdicts; it then stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _open_alone(path)
        try:
            self.done = self._read_done()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, row: dict[str, Any]) -> None:
        """Writes one line. Raises UserError where the disk takes no more."""
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        try:
            _write_all(self._file, line)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be written: {error.strerror}; what was judged is kept, make "
                "room and run again to go on"
            ) from error

    def _read_done(self) -> Counter[tuple[str, str]]:
        done: Counter[tuple[str, str]] = Counter()
        if not self.path.is_file():  # nothing to resume: a device or a pipe
            return done
        stale = False
        try:
            with self.path.open("rb") as stream:
                for line in stream:
                    row = _finished_row(line)
                    if row is None:
                        stale = True
                    else:
                        done[row["id"], row["digest"]] += 1
            if stale:
                self._drop_stale()
        except OSError as error:
            raise UserError(f"{self.path} cannot be resumed: {error.strerror}") from error
        return done

    def _drop_stale(self) -> None:
        """Puts a file without the stale lines in OUT's place; what is read by others stays whole.

        The new file is locked before it takes the name, so OUT is at no time free to be taken.
        """
        target = Path(os.path.realpath(self.path))
        temporary = target.with_name(f".{target.name}.part")
        kept = temporary.open("ab", buffering=0)
        try:
            kept.truncate(0)  # a kill may have left one
            fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with target.open("rb") as stream:
                for line in stream:
                    if _finished_row(line) is not None:
                        _write_all(kept, line)
            os.fsync(kept.fileno())
            os.chmod(temporary, target.stat().st_mode & 0o7777)
            temporary.replace(target)
        except BaseException:
            kept.close()
            temporary.unlink(missing_ok=True)
            raise
        self._file.close()
        self._file = kept


def _open_alone(path: Path) -> FileIO:
    """The file, for appending and under a lock that ends with this process, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = path.open("ab", buffering=0)  # a line is on its way to disk once it is written
            if not path.is_file():
                return file
            try:
                # on OUT itself: no other file is left behind, and children do not inherit it
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise UserError(
                    f"another run is writing {path}; wait for it to end and run again, or give "
                    "another name for --out"
                ) from None
            except OSError as error:
                file.close()
                raise UserError(
                    f"{path} cannot be locked ({error.strerror}); put --out on a local disk"
                ) from error
            if _is_still(file, path):
                return file
            file.close()  # a run that has just ended had put another file in its place
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def _is_still(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _write_all(file: FileIO, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[file.write(left) :]


def _finished_row(line: bytes) -> dict[str, Any] | None:
    """A verdict's row; None for a judge's failure or a row that a kill cut short.

    Raises UserError for a line of anything else: the file is somebody's, and stays as it is.
    """
    whole = line.endswith(b"\n")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
        if not whole and line[: len(_ROW_START)] == _ROW_START[: len(line)]:
            return None
    if not isinstance(row, dict) or not all(
        isinstance(row.get(key), str) for key in ("id", "digest", "status")
    ):
        raise UserError(
            "the file given as --out holds lines that are no verdicts; give another name for --out"
        )
    return row if whole and row["status"] != "judge_error" else None

"""The trace of a training run's rewards: one JSON line for each, in a folder.

verl logs means only, and drops what could not be rewarded; what was asked, revised, judged, leaked,
cut off or lost stands here. Each process writes a file of its own, so that any number of workers on
any number of machines need no lock. A disk that is full is an error at once: training must not go
on unseen. A line is written whole; one that a crash cut short is counted by the reader.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ctrl_harness.errors import JudgeError, UserError

FORMAT = 1
STOP_FILE = "STOPPED"
_RESERVE = 4096


class TraceError(JudgeError):
    """The trace cannot be written, so the run would go on unseen."""


class TraceWriter:
    """Appends records to a file of this process's own in `folder`, which is made where missing.

    Thread-safe; a fork of the process opens its own file. Raises TraceError where the disk fails.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).expanduser()
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._process = 0
        self._path = self._reserve = self.folder
        self._broken_line = False
        self.began = 0.0
        """When the file was made, by the clock of the file system."""
        self._open()

    @property
    def worker(self) -> str:
        """The name that this process's records carry."""
        return self._path.stem

    def write(self, record: Mapping[str, Any]) -> None:
        """One line; it has left this process when the call returns."""
        self._leave_parent()
        # in ASCII: lone surrogates in a critique have no place in UTF-8
        line = json.dumps({"format": FORMAT, "worker": self.worker, **record}) + "\n"
        with self._lock:
            data = line.encode("ascii")
            if self._broken_line:  # what a full disk cut off keeps to itself
                data = b"\n" + data
            try:
                self._write_all(data)
                self._broken_line = False
            except OSError as error:
                self._broken_line = True
                raise self._trouble(error) from error

    def stop(self, message: str) -> None:
        """Leaves word for every worker and for the launcher that the run is to end.

        Takes no new room on the disk, which may be full: a file of blanks was reserved at first.
        """
        text = message.encode("utf-8", "replace")[:_RESERVE]
        with self._lock:
            if not self._reserve.exists():  # said already
                return
            try:
                with self._reserve.open("r+b") as file:
                    file.write(text.ljust(_RESERVE))
                self._reserve.replace(self.folder / STOP_FILE)
            except OSError as error:
                raise self._trouble(error) from error

    def stopped(self) -> str | None:
        """The word that some worker left since this trace was begun, None without one."""
        return read_stop(self.folder, since=self.began)

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            if self._descriptor is not None and self._process == os.getpid():
                os.close(self._descriptor)
                self._reserve.unlink(missing_ok=True)
            self._descriptor = None

    def _open(self) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._path = self.folder / f"{name}.jsonl"
        self._reserve = self.folder / f".{name}.reserve"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._reserve.write_bytes(b" " * _RESERVE)
            self._descriptor = os.open(self._path, flags, 0o644)
            self.began = os.fstat(self._descriptor).st_mtime
        except OSError as error:
            raise self._trouble(error) from error
        self._process = os.getpid()

    def _leave_parent(self) -> None:
        if self._process != os.getpid() or self._descriptor is None:
            self._lock = threading.Lock()
            self._broken_line = False
            self._open()

    def _write_all(self, data: bytes) -> None:
        assert self._descriptor is not None
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _trouble(self, error: OSError) -> TraceError:
        return TraceError(
            f"the trace in {self.folder} cannot be written ({error.strerror}); make room, or name "
            "another folder"
        )


def read_stop(folder: Path, since: float = 0.0) -> str | None:
    """Why a worker ended the run, None where none did since then (seconds since the epoch)."""
    path = folder / STOP_FILE
    try:
        if path.stat().st_mtime < since:
            return None
        return path.read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return None


class TraceReader:
    """The records in a folder, or in one file of it, one at a time: a long run's may fill 2 GB.

    broken: lines that could not be read, known once the records are through. Raises UserError where
    there is no trace.
    """

    def __init__(self, path: Path) -> None:
        self._files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        self.broken = 0
        if not self._files or not self._files[0].is_file():
            raise UserError(
                f"{path} holds no trace; give the folder that the reward's `trace` names"
            )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.broken = 0
        for file in self._files:
            for line in _lines(file):
                record = _record(line)
                if record is None:
                    self.broken += 1
                else:
                    yield record


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            yield from (line for line in lines if line.strip())
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); give another trace") from None


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if record.get("format") != FORMAT:
        raise UserError(
            f"the trace has format {record.get('format')!r}, this version reads {FORMAT}; read it "
            "with the version that wrote it"
        )
    return record

"""The store of a synthesis: a file of records by content key that only grows, one writer at a time.

A record is one line of JSON,

    {"key": …, "kind": …, "place": …, "payload": …, "measured": …, "crc32": "89abcdef"}

where `key` is a hash of everything that determines `payload`. `place` tells people where it belongs
and `measured` holds what differs between runs (times); neither counts. A line goes to the kernel in
one piece once its work is done, so a killed process loses what was in flight and nothing else; the
disk is told to keep it at most a second later, so a power cut loses a second's work. A line without
its checksum is dropped, and its work is done again.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from ctrl_harness.errors import UserError

_ROW_START = b'{"key":"'
_CHECK = b',"crc32":"%08x"}\n'
_CHECK_BYTES = len(_CHECK % 0)
_SYNC_S = 1.0


class Record(NamedTuple):
    """A line of the store. payload: what the key determines."""

    key: str
    kind: str
    payload: Mapping[str, Any]
    place: Mapping[str, Any]
    measured: Mapping[str, Any]


class Store:
    """A store's file, open for appending and held by this process alone until it is closed.

    Keys are in memory, payloads on disk. damaged: lines that were dropped because they are not
    whole (the last one after a kill, others after a failing disk).

    Raises UserError where another process holds the file, it cannot be read or written, or it is
    not a store; it then stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._file = _open_alone(path)
        try:
            self._size = self._read_keys()
        except OSError as error:
            os.close(self._file)
            raise UserError(f"the store {path} cannot be read: {error.strerror}") from None
        except BaseException:
            os.close(self._file)
            raise
        self._synced = time.monotonic()
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The payload kept under a key, None where there is none."""
        place = self._places.get(key)
        return None if place is None else self._read(*place).payload

    def __iter__(self) -> Iterator[Record]:
        """The records, in the order in which they were written."""
        for place in self._places.values():
            yield self._read(*place)

    def put(
        self,
        key: str,
        kind: str,
        payload: Mapping[str, Any],
        *,
        place: Mapping[str, Any] | None = None,
        measured: Mapping[str, Any] | None = None,
    ) -> None:
        """Keeps a payload. What a key already has stays: it is the same.

        Raises UserError where the disk takes no more; all that was kept before stays whole.
        """
        if key in self._places:
            return
        row = {
            "key": key,
            "kind": kind,
            "place": dict(place or {}),
            "payload": dict(payload),
            "measured": dict(measured or {}),
        }
        body = json.dumps(row, separators=(",", ":")).encode("ascii")[:-1]
        line = body + _CHECK % zlib.crc32(body)
        try:
            self._append(line)
            if time.monotonic() - self._synced > _SYNC_S:
                self._sync()
        except OSError as error:
            raise self._full(error) from None
        self._places[key] = (self._size, len(line))
        self._size += len(line)

    def close(self) -> None:
        """Makes sure of what was written and lets others have the file. Idempotent."""
        if not self._open:
            return
        self._open = False
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._full(error) from None
        finally:
            os.close(self._file)

    def _append(self, line: bytes) -> None:
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except BaseException:
            # what is left of the line would join the next one; cutting takes no room
            os.ftruncate(self._file, self._size)
            raise

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced = time.monotonic()

    def _full(self, error: OSError) -> UserError:
        return UserError(
            f"the store {self.path} cannot be written: {error.strerror}; what was made so far is"
            " kept, make room and run again to go on"
        )

    def _read(self, offset: int, length: int) -> Record:
        try:
            line = os.pread(self._file, length, offset)
        except OSError as error:
            raise UserError(f"the store {self.path} cannot be read: {error.strerror}") from None
        record = _whole(line)
        if record is None:
            raise UserError(
                f"the store {self.path} was changed while it was in use; run again to go on"
            )
        return record

    def _read_keys(self) -> int:
        """Fills the table of keys; the size of the file once its last line is whole."""
        offset = end = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                record = _whole(line)
                if record is not None:
                    self._places.setdefault(record.key, (offset, len(line)))
                elif line[: len(_ROW_START)] == _ROW_START[: len(line)]:
                    self.damaged += 1
                else:
                    raise UserError(
                        f"line {number} of {self.path} is no record of a synthesis; give another"
                        " folder for --out, or move that file away"
                    )
                offset += len(line)
                # a last line without its end goes; one in the middle stays where it is
                end = offset if line.endswith(b"\n") else end
        if end < offset:
            os.ftruncate(self._file, end)
        return end


def read_store(path: Path) -> dict[str, Record]:
    """Every whole record of a store that nobody writes, by key. Raises UserError as `Store`."""
    with Store(path) as store:
        return {record.key: record for record in store}


def _whole(line: bytes) -> Record | None:
    body, check = line[:-_CHECK_BYTES], line[-_CHECK_BYTES:]
    if check != _CHECK % zlib.crc32(body):
        return None
    row = json.loads(body + b"}")
    return Record(row["key"], row["kind"], row["payload"], row["place"], row["measured"])


def _open_alone(path: Path) -> int:
    """The file, for reading and appending, under a lock that ends with this process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UserError(
            f"the store {path} cannot be opened: {error.strerror}; give another --out"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise UserError(
            f"another run is writing {path}; wait for it to end, or give another --out"
        ) from None
    except OSError as error:
        os.close(file)
        raise UserError(
            f"{path} cannot be locked ({error.strerror}); put --out on a local disk"
        ) from None
    return file

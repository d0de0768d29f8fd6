"""Files that are there whole or not at all: they take their name once everything is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from ctrl_harness.errors import UserError


@contextmanager
def replaced(path: Path, advice: str) -> Iterator[IO[str]]:
    """A text file that takes its name once the block has ended without an error.

    Raises UserError where the disk fails, which ends with the advice.
    """
    partial = _partial(path)
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise _trouble(path, error, advice) from None
    finally:
        partial.unlink(missing_ok=True)


class RowWriter:
    """A parquet file that takes its name once the `with` block has ended without an error.

    schema: pyarrow's. group_bytes: how much of rows waits in memory to be written together.
    keep_empty: False for no file where there is no row; one of that name then goes. count: rows so
    far. Raises UserError where the disk fails, which ends with the advice.
    """

    def __init__(
        self, path: Path, schema: Any, *, group_bytes: int, advice: str, keep_empty: bool = True
    ) -> None:
        self.path = path
        self.count = 0
        self._partial = _partial(path)
        self._schema = schema
        self._group_bytes = group_bytes
        self._advice = advice
        self._keep_empty = keep_empty
        self._waiting: list[Mapping[str, Any]] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        import pyarrow.parquet  # type: ignore[import-untyped]

        try:
            self._file = pyarrow.parquet.ParquetWriter(
                self._partial, self._schema, compression="zstd"
            )
        except OSError as error:
            raise self._trouble(error) from None
        return self

    def add(self, row: Mapping[str, Any], size: int) -> None:
        """size: about how many bytes the row has."""
        self._waiting.append(row)
        self._bytes += size
        self.count += 1
        if self._bytes >= self._group_bytes:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
            self._file.close()
            if kind is None:
                if self.count or self._keep_empty:
                    os.replace(self._partial, self.path)
                else:
                    self.path.unlink(missing_ok=True)  # an earlier run's, of other rows
        except OSError as trouble:
            if kind is None:  # else the first error is the one to tell
                raise self._trouble(trouble) from None
        finally:
            self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow

        if not self._waiting:
            return
        try:
            self._file.write_table(pyarrow.Table.from_pylist(self._waiting, schema=self._schema))
        except OSError as error:
            raise self._trouble(error) from None
        self._waiting, self._bytes = [], 0

    def _trouble(self, error: OSError) -> UserError:
        return _trouble(self.path, error, self._advice)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _trouble(path: Path, error: OSError, advice: str) -> UserError:
    return UserError(f"{path} cannot be written ({error.strerror or error}); {advice}")

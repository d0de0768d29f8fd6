"""Raw rows from a SOURCE: our samples, the Hub, or local files, by one and the same code."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from ctrl_harness.errors import UnusableRow, UserError, first_line
from ctrl_harness.integers import load_json
from ctrl_harness.problems.hub import fetch_dataset
from ctrl_harness.problems.row_fields import kind_of

Source = str | PathLike[str]
"""`samples`, `hub`, or the path of a file or folder (jsonl, jsonl.gz, parquet)."""

NAMED_SOURCES = ("samples", "hub")

_SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
_BATCH_ROWS = 16  # a row of CodeContests can hold megabytes of tests


@dataclass(frozen=True, slots=True)
class Repository:
    """A data set's home: its name here, its repository on the Hub, the commit we pin (if any)."""

    name: str
    repo: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The data files a SOURCE stands for, in reading order, before a split is chosen.

    source: `samples`, `hub` or an absolute path. folder: what the files' names are relative to,
    None where SOURCE is a single file. revision: the commit on the Hub, else None.
    """

    source: str
    files: tuple[Path, ...]
    folder: Path | None
    revision: str | None


class Row(NamedTuple):
    """A row as stored; `place` says where it stands (`test.jsonl line 7`)."""

    place: str
    data: dict[str, Any]


def resolve_source(
    source: Source,
    home: Repository,
    *,
    revision: str | None = None,
    allow_patterns: Sequence[str] = ("*.jsonl", "*.jsonl.gz", "*.parquet"),
) -> Snapshot:
    """Finds the data files of SOURCE; on the Hub, downloads those that match `allow_patterns`.

    Raises UserError, in one line, for an unknown path, a format that is none of ours, a revision
    of something that has none, and a Hub that is out of reach.
    """
    if revision is not None and not isinstance(revision, str):
        raise UserError(
            f"revision={revision} is no text; quote it, as in revision='\"{revision}\"'"
        )
    if source == "hub":
        folder, commit = fetch_dataset(home.repo, revision or home.revision, allow_patterns)
        return Snapshot("hub", _files_within(folder), folder, commit)
    if revision is not None:
        raise UserError(f"revision={revision} needs source=hub; {source} has no revisions")
    if source == "samples":
        path = Path(__file__).parent / "samples" / f"{home.name}.jsonl"
        return Snapshot("samples", (path,), None, None)
    if not isinstance(source, (str, PathLike)) or not str(source):
        raise UserError(f"source={source!r} is no source; give samples, hub or a path")
    # not resolve(): the Hub's cache links files to blobs whose names have no suffix
    path = Path(os.path.abspath(os.path.expanduser(source)))
    if path.is_dir():
        return Snapshot(str(path), _files_within(path), path, None)
    if not path.is_file():
        raise UserError(
            f"no file or folder {str(source)!r}; give samples, hub, or the path of a .jsonl,"
            " .jsonl.gz or .parquet file or of a folder that holds some"
        )
    if not path.name.endswith(_SUFFIXES):
        raise UserError(f"{source} is not a .jsonl, .jsonl.gz or .parquet file; convert it first")
    return Snapshot(str(path), (path,), None, None)


class SplitFiles(NamedTuple):
    """The files to read, and the split they hold: None where no name says it."""

    files: tuple[Path, ...]
    split: str | None


def select_split(snapshot: Snapshot, split: str | None, splits: Iterable[str]) -> SplitFiles:
    """The files of one split, told by their names as on the Hub (`data/test-00000-of-….parquet`).

    A single file is taken whatever the split, and so is the only file of a folder whose name
    mentions no split: what it holds nobody says. That file is also what split None stands for.
    """
    if snapshot.folder is None:
        return SplitFiles(snapshot.files, None)
    known = tuple(splits)
    mentions = {file: _splits_named(file, snapshot.folder, known) for file in snapshot.files}
    chosen = tuple(file for file in snapshot.files if split in mentions[file])
    if chosen:
        return SplitFiles(chosen, split)
    nameless = [file for file in snapshot.files if not mentions[file]]
    if len(nameless) == 1:
        return SplitFiles((nameless[0],), None)
    names = ", ".join(file.name for file in snapshot.files[:5]) or "no data files"
    raise UserError(
        f"{snapshot.source} has no file of split {split!r} (it holds {names}); give the path of"
        " one file, or a folder laid out like the Hub's repository"
    )


def read_rows(
    files: Iterable[Path], columns: Sequence[str] | None = None
) -> Iterator[Row | UnusableRow]:
    """Streams the rows of the files; at no time is more than a small batch in memory.

    A line that cannot be read is an UnusableRow with its number. columns: the fields to read
    where the format can leave others out (parquet). Raises UserError where a file breaks off.
    """
    for path in files:
        if path.name.endswith(".parquet"):
            yield from _parquet_rows(path, columns)
        else:
            yield from _json_rows(path)


def _files_within(folder: Path) -> tuple[Path, ...]:
    found = [
        path
        for pattern in ("*", "*/*", "*/*/*")  # as deep as any repository of ours; not a whole disk
        for path in folder.glob(pattern)
        if path.name.endswith(_SUFFIXES)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise UserError(f"{folder} holds no .jsonl, .jsonl.gz or .parquet file")
    return tuple(sorted(found, key=lambda path: _natural(str(path.relative_to(folder)))))


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts test2 before test10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _splits_named(file: Path, folder: Path, splits: Iterable[str]) -> set[str]:
    name = str(file.relative_to(folder)).lower()
    return {split for split in splits if re.search(rf"(?<![a-z]){split}(?:ation)?(?![a-z])", name)}


def _json_rows(path: Path) -> Iterator[Row | UnusableRow]:
    number = 0
    try:
        with _open_lines(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _json_row(f"{path.name} line {number}", line)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{path} cannot be read after line {number} ({error}); fetch it anew"
        ) from None


def _open_lines(path: Path) -> IO[bytes]:
    if path.name.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _json_row(place: str, line: bytes) -> Row | UnusableRow:
    try:
        data = load_json(line.decode("utf-8-sig"))
    except RecursionError:
        return UnusableRow(place, "the line is JSON nested too deeply")
    except ValueError as error:
        return UnusableRow(place, f"the line is not JSON ({error})")
    if not isinstance(data, dict):
        return UnusableRow(place, f"the line is {kind_of(data)}, not a JSON object")
    return Row(place, data)


def _parquet_rows(path: Path, columns: Sequence[str] | None) -> Iterator[Row]:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = names if columns is None else [name for name in columns if name in names]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                for data in batch.to_pylist():
                    number += 1
                    yield Row(f"{path.name} row {number}", data)
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        reason = first_line(error)
        raise UserError(
            f"{path} cannot be read as parquet after row {number} ({reason}); fetch it anew"
        ) from None

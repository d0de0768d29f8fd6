"""Problems in a parquet file: one row a problem, complete, read back one at a time.

Columns: id, dataset, statement (to look at), digest, and problem, which is the JSON that everything
is read from. The file's metadata says where its problems came from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError, first_line
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.problem_json import problem_as_json, problem_from_json
from ctrl_harness.training.whole_files import RowWriter

FORMAT = 1
COLUMNS = ("id", "dataset", "statement", "digest", "problem")
_KEY = b"ctrl_harness.problems"
_BATCH_ROWS = 8
_GROUP_BYTES = 4 * 2**20


class ProblemWriter(RowWriter):
    """Writes problems to `path`, which exists once the `with` block has ended without an error.

    At most about 4 MiB of rows, or one problem, wait in memory. provenance: JSON-ready facts for
    the file's metadata (source, commit, settings). Raises UserError where the disk fails.
    """

    def __init__(self, path: Path, provenance: Mapping[str, Any] | None = None) -> None:
        import pyarrow  # type: ignore[import-untyped]

        facts = json.dumps({"format": FORMAT, **(provenance or {})})
        schema = pyarrow.schema(
            [(name, pyarrow.large_string()) for name in COLUMNS], metadata={_KEY: facts}
        )
        super().__init__(
            path, schema, group_bytes=_GROUP_BYTES, advice="make room or name another"
        )

    def write(self, problem: Problem) -> None:
        """Raises UserError for values without a plain form or nested too deeply for one."""
        try:
            stored = json.dumps(problem_as_json(problem))
        except RecursionError:
            raise UserError(f"{problem.id} holds values nested too deeply to be stored") from None
        row = {
            "id": problem.id,
            "dataset": problem.dataset,
            "statement": problem.statement,
            "digest": problem.digest(),
            "problem": stored,
        }
        self.add(row, len(stored))


def read_problems(path: str | os.PathLike[str]) -> Iterator[Problem]:
    """The problems of a file that ProblemWriter wrote, in its order, a few in memory at a time.

    Raises UserError, in one line: for a missing file or one of another schema before the first
    problem, and where a problem read is not the one written (its digest has changed).
    """
    import pyarrow

    number = 0
    try:
        with _open(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=["digest", "problem"]):
                for digest, stored in zip(*batch.columns, strict=True):
                    number += 1
                    yield _read(f"{path} row {number}", digest.as_py(), stored.as_py())
    except (OSError, pyarrow.ArrowException) as error:
        reason = first_line(error)
        raise UserError(
            f"{path} cannot be read after row {number} ({reason}); make it anew"
        ) from None


def count_problems(path: str | os.PathLike[str]) -> int:
    """How many problems the file holds, from its footer. Raises UserError as `read_problems`."""
    with _open(path) as file:
        return int(file.metadata.num_rows)


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the writer was told of where the problems came from. Raises as `read_problems`."""
    with _open(path) as file:
        return _facts(path, file.schema_arrow.metadata)


def _open(path: str | os.PathLike[str]) -> Any:
    """An open ParquetFile of ours."""
    import pyarrow
    import pyarrow.parquet  # type: ignore[import-untyped]

    if not os.path.isfile(path):
        raise UserError(f"no file {str(path)!r}; `ctrl-harness data taco` writes such files")
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        reason = first_line(error)
        raise UserError(f"{path} is not a parquet file ({reason}); give another") from None
    found = _facts(path, file.schema_arrow.metadata).get("format")
    if found != FORMAT:
        file.close()
        raise UserError(
            f"{path} has format {found!r}, and this version reads {FORMAT}; make it anew with"
            " `ctrl-harness data taco`"
        )
    return file


def _facts(path: str | os.PathLike[str], metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    stored = (metadata or {}).get(_KEY)
    if stored is None:
        raise UserError(
            f"{path} holds no problems as `ctrl-harness data taco` writes them; give one of its"
            " files (sft.parquet, rl.parquet, val.parquet)"
        )
    facts = json.loads(stored)
    assert isinstance(facts, dict)
    return facts


def _read(place: str, digest: str, stored: str) -> Problem:
    try:
        problem = problem_from_json(json.loads(stored))
    except (UserError, ValueError, RecursionError) as error:
        raise UserError(f"{place}: {error}") from None
    if problem.digest() != digest:
        raise UserError(f"{place} is not the problem that was written; make the file anew")
    return problem

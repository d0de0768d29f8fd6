"""CodeContests (Li et al., 2022): competition problems with public, private and generated tests."""

from __future__ import annotations

import functools
import math
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.loading import LoadPlan, choose, choose_split, load_planned
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.problems.row_fields import (
    RowData,
    filled_text,
    optional_integer,
    optional_mapping,
    optional_texts,
    texts,
)
from ctrl_harness.problems.rows import Repository, Source, resolve_source, select_split

HOME = Repository(
    "codecontests", "deepmind/code_contests", "802411c3010cb00d1b05bad57ca77365a3c699d6"
)
SPLITS = ("test", "valid", "train")
SUBSETS = ("all", "public", "first10")
"""all: public, private and generated tests; first10: the first ten of those, as CTRL takes them."""

_FIRST = 10
_SMALLEST_MEMORY_MB = 64.0  # below that an interpreter does not start
_SOURCES = ("unknown", "codechef", "codeforces", "hackerearth", "codejam", "atcoder", "aizu")

# what is not named here (solutions, above all) is most of a parquet file's bytes
_COLUMNS = (
    "name", "description", "public_tests", "private_tests", "generated_tests", "source",
    "difficulty", "cf_contest_id", "cf_index", "cf_rating", "cf_tags",
    "is_description_translated", "time_limit", "memory_limit_bytes", "input_file", "output_file",
)  # fmt: skip


def load(
    source: Source = "hub",
    *,
    revision: str | None = None,
    split: str | None = "test",
    tests: str = "all",
) -> ProblemSet:
    """Loads CodeContests; ids are the rows' `name`.

    source: samples, hub, or a local file or folder. revision: of the Hub's repository. split:
    test (165 problems), valid (117) or train (13,328); a single file is read whole, and the
    reference then holds None, since no row says its split. tests: all, public or first10. Limits
    are the row's; 4 s and 1024 MiB where it has none. Raises UserError where nothing can be loaded.
    """
    choose_split(split, source, SPLITS)
    choose("tests", tests, SUBSETS)
    snapshot = resolve_source(
        source, HOME, revision=revision, allow_patterns=(f"data/{split}-*.parquet",)
    )
    chosen = select_split(snapshot, split, SPLITS)
    options = {"split": chosen.split, "tests": tests}
    return load_planned(
        LoadPlan(
            reference=ProblemSetReference(HOME.name, snapshot.source, snapshot.revision, options),
            files=chosen.files,
            columns=_COLUMNS,
            id_of=lambda row: filled_text(row, "name"),
            make=functools.partial(_problem, tests=tests),
        )
    )


def _problem(name: str, row: RowData, *, tests: str) -> Problem:
    for field in ("input_file", "output_file"):
        if row.get(field):
            raise UserError(f"field {field!r} is set: the program is to use files, which none gets")
    description = filled_text(row, "description")
    public = _cases(row, "public_tests")
    if tests == "public":
        cases = public
    else:
        cases = public + _cases(row, "private_tests") + _cases(row, "generated_tests")
        cases = cases[:_FIRST] if tests == "first10" else cases
    if not cases:
        raise UserError(
            "the row has no public tests" if tests == "public" else "the row has no tests"
        )
    return Problem(
        id=name,
        dataset=HOME.name,
        statement=description,
        cases=tuple(cases),
        public_cases=tuple(public),
        limits=_limits(row),
        metadata=_metadata(row, description),
    )


def _cases(row: RowData, name: str) -> list[StdioCase]:
    group = optional_mapping(row, name)
    if not group:
        return []
    inputs, outputs = texts(group, "input", within=name), texts(group, "output", within=name)
    if len(inputs) != len(outputs):
        raise UserError(f"field {name!r} has {len(inputs)} inputs but {len(outputs)} outputs")
    return [StdioCase(stdin, stdout) for stdin, stdout in zip(inputs, outputs, strict=True)]


def _limits(row: RowData) -> Limits:
    limit = optional_mapping(row, "time_limit") or {}
    seconds, nanos = optional_integer(limit, "seconds") or 0, optional_integer(limit, "nanos") or 0
    memory = optional_integer(row, "memory_limit_bytes") or 0
    if not all(0 <= value < 2**63 for value in (seconds, nanos, memory)):
        raise UserError("field 'time_limit' or 'memory_limit_bytes' is negative or absurd")
    default = Limits()
    return Limits(
        time_s=seconds + nanos / 1e9 or default.time_s,
        memory_mb=max(memory / 2**20, _SMALLEST_MEMORY_MB) if memory else default.memory_mb,
    )


def _metadata(row: RowData, description: str) -> dict[str, Any]:
    return {
        "source": _source_name(_number_or_as_stored(row, "source")),
        "difficulty": _number_or_as_stored(row, "difficulty"),
        "cf_contest_id": _number_or_as_stored(row, "cf_contest_id"),
        "cf_index": row.get("cf_index"),
        "cf_rating": _number_or_as_stored(row, "cf_rating"),
        "cf_tags": optional_texts(row, "cf_tags"),
        "is_description_translated": bool(row.get("is_description_translated")),
        # the statement leans on a picture that the data set does not carry
        "has_image": "<image>" in description,
    }


def _number_or_as_stored(row: RowData, name: str) -> Any:
    """Nothing is judged by these fields; copies hold names (`CODEFORCES`) for numbers."""
    value = row.get(name)
    if not isinstance(value, float):
        return value
    return int(value) if value.is_integer() else None if math.isnan(value) else value


def _source_name(source: Any) -> Any:
    if isinstance(source, str):
        return source.lower()
    known = isinstance(source, int) and 0 <= source < len(_SOURCES)
    return _SOURCES[source] if known else source

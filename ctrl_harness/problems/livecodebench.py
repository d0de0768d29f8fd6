"""LiveCodeBench (Jain et al., 2024), `code_generation_lite`: dated contest problems."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits, load_json
from ctrl_harness.problems.livecodebench_tests import StoredTest, private_tests, public_tests
from ctrl_harness.problems.loading import LoadPlan, choose, load_planned
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase, TestCase
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.problems.row_fields import RowData, filled_text, kind_of, optional_text
from ctrl_harness.problems.rows import Repository, Snapshot, Source, resolve_source
from ctrl_harness.problems.signature import refuse_what_tests_cannot_hold

HOME = Repository("livecodebench", "livecodebench/code_generation_lite")
SUBSETS = ("all", "public", "private")
RELEASES = tuple(f"release_v{number}" for number in range(1, 7))
"""release_vN is the first N of the Hub's files: 400, 511, 612, 713, 880 and 1,055 problems."""

Day = str | datetime.date | None
"""A day as `YYYY-MM-DD` or as a date, which is what YAML makes of that text."""

_LAST_DAYS = tuple(
    datetime.date.fromisoformat(day)
    for day in (
        "2024-03-02", "2024-05-25", "2024-08-03", "2024-09-28", "2025-01-04", "2025-04-06",
    )
)  # fmt: skip
_HUB_FILE = re.compile(r"test(\d*)\.jsonl(\.gz)?")

# LiveCodeBench runs every program after these names and this recursion limit are in place
PRELUDE = "".join(
    f"from {module} import *\n"
    for module in (
        "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
        "statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins",
        "typing",
    )
) + "".join(
    f"import {module}\n"
    for module in (
        "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
        "statistics", "itertools", "functools", "operator", "io", "sys", "json",
    )
) + "sys.setrecursionlimit(50000)\n"  # fmt: skip

_COLUMNS = (
    "question_title", "question_content", "platform", "question_id", "contest_id", "contest_date",
    "starter_code", "difficulty", "public_test_cases", "private_test_cases", "metadata",
)  # fmt: skip


def load(
    source: Source = "hub",
    *,
    revision: str | None = None,
    release: str | None = None,
    start: Day = None,
    end: Day = None,
    tests: str = "all",
) -> ProblemSet:
    """Loads LiveCodeBench; ids are the rows' `question_id`.

    source: samples, hub, or a local file or folder. revision: of the Hub's repository. release:
    release_v1 … release_v6, None for all there is. start, end: first and last contest day, both
    included. tests: all, public or private.

    A release is the first N of the Hub's files. Any other file has no such boundaries and perhaps
    another order, so there a release is every problem up to its last contest day, which differs
    from the Hub's by at most four problems (401, 512, 611, 714, 884, 1,055).

    Raises UserError where nothing can be loaded.
    """
    if release is not None:
        choose("release", release, RELEASES)
    choose("tests", tests, SUBSETS)
    first, last = _day("start", start), _day("end", end)
    snapshot = resolve_source(source, HOME, revision=revision, allow_patterns=_hub_files(release))
    chosen = _release_files(snapshot, release)
    window = _Window(first, last, chosen.last_day)
    options = {
        "release": release,
        "start": first.isoformat() if first else None,
        "end": last.isoformat() if last else None,
        "tests": tests,
    }
    return load_planned(
        LoadPlan(
            reference=ProblemSetReference(HOME.name, snapshot.source, snapshot.revision, options),
            files=chosen.files,
            columns=_COLUMNS,
            id_of=lambda row: filled_text(row, "question_id"),
            make=functools.partial(_problem, window=window, tests=tests),
        )
    )


class _Window(NamedTuple):
    """Days of the contests that are asked for; None leaves a side open."""

    start: datetime.date | None
    end: datetime.date | None
    release_end: datetime.date | None

    def holds(self, row: RowData) -> bool:
        if self == (None, None, None):
            return True
        day = _contest_day(row)
        return (
            (self.start is None or self.start <= day)
            and (self.end is None or day <= self.end)
            and (self.release_end is None or day <= self.release_end)
        )


class _ReleaseFiles(NamedTuple):
    """The files of a release, and the last day to take where files do not tell releases apart."""

    files: tuple[Path, ...]
    last_day: datetime.date | None


def _hub_files(release: str | None) -> tuple[str, ...]:
    if release is None:
        return ("test*.jsonl",)
    count = RELEASES.index(release) + 1
    return tuple("test.jsonl" if n == 1 else f"test{n}.jsonl" for n in range(1, count + 1))


def _release_files(snapshot: Snapshot, release: str | None) -> _ReleaseFiles:
    numbered = {
        int(match[1] or 1): file
        for file in snapshot.files
        if snapshot.folder == file.parent and (match := _HUB_FILE.fullmatch(file.name))
    }
    if 1 not in numbered:
        day = None if release is None else _LAST_DAYS[RELEASES.index(release)]
        return _ReleaseFiles(snapshot.files, day)
    if release is None:
        return _ReleaseFiles(tuple(numbered[n] for n in sorted(numbered)), None)
    count = RELEASES.index(release) + 1
    missing = [n for n in range(1, count + 1) if n not in numbered]
    if missing:
        raise UserError(
            f"{release} is test.jsonl … test{count}.jsonl, but {snapshot.source} lacks"
            f" test{missing[0]}.jsonl; add it or ask for an earlier release"
        )
    return _ReleaseFiles(tuple(numbered[n] for n in range(1, count + 1)), None)


def _day(parameter: str, value: Day) -> datetime.date | None:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.datetime.fromisoformat(str(value).strip()).date()
    except ValueError:
        raise UserError(f"{parameter}={value} is not a day; write it as 2024-08-01") from None


def _contest_day(row: RowData) -> datetime.date:
    value = row.get("contest_date")
    if isinstance(value, datetime.date):  # parquet copies hold timestamps
        return value.date() if isinstance(value, datetime.datetime) else value
    text = filled_text(row, "contest_date")
    try:
        return datetime.datetime.fromisoformat(text).date()
    except ValueError:
        raise UserError("field 'contest_date' is not an ISO date") from None


def _problem(question: str, row: RowData, *, window: _Window, tests: str) -> Problem | None:
    if not window.holds(row):
        return None
    statement = filled_text(row, "question_content")
    function = _function_name(row)
    if function is not None:
        refuse_what_tests_cannot_hold(optional_text(row, "starter_code"), function)
    public = _cases("public_test_cases", public_tests(row), function)
    cases = [] if tests == "private" else list(public)
    if tests != "private" and not cases:
        raise UserError("field 'public_test_cases' holds no tests")
    if tests != "public":
        private = _cases("private_test_cases", private_tests(row), function)
        if not private:
            raise UserError("field 'private_test_cases' holds no tests")
        cases += private
    return Problem(
        id=question,
        dataset=HOME.name,
        statement=statement,
        cases=tuple(cases),
        public_cases=tuple(public),
        limits=Limits(),
        starter_code=optional_text(row, "starter_code"),
        prelude=PRELUDE,
        metadata={
            "title": optional_text(row, "question_title"),
            "platform": optional_text(row, "platform"),
            "contest_id": optional_text(row, "contest_id"),
            "contest_date": _contest_day(row).isoformat(),
            "difficulty": optional_text(row, "difficulty"),
            "function": function,
        },
    )


def _function_name(row: RowData) -> str | None:
    """The method of `class Solution` to call; None where the program reads standard input."""
    value: Any = row.get("metadata")
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = load_json(value)
        except (ValueError, RecursionError):
            raise UserError("field 'metadata' is not JSON") from None
    if not isinstance(value, Mapping):
        raise UserError(f"field 'metadata' holds {kind_of(value)}, not an object")
    name = value.get("func_name")
    if name is None:
        return None
    if not isinstance(name, str) or not name.isidentifier():
        raise UserError("field 'metadata.func_name' is not the name of a function")
    return name


def _cases(field: str, rows: list[StoredTest], function: str | None) -> list[TestCase]:
    return [_case(f"{field}[{index}]", row, function) for index, row in enumerate(rows)]


def _case(place: str, row: StoredTest, function: str | None) -> TestCase:
    if function is None:
        if row.kind == "functional":
            raise UserError(f"{place} is a call, but field 'metadata.func_name' is missing")
        return StdioCase(row.input, row.output)
    # one JSON value a line and argument; the last line may be ended
    lines = row.input.removesuffix("\n").split("\n") if row.input else []
    try:
        arguments = tuple(map(load_json, lines))
        expected = load_json(row.output)
    except TooManyDigits as error:
        raise UserError(f"{place} holds {error}") from None
    except (ValueError, RecursionError):
        raise UserError(
            f"{place} is a call of {function}, but its input or output is not JSON"
        ) from None
    return CallCase(function, arguments, expected)

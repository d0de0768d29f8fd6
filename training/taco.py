"""TACO (Li et al., 2023): 26,443 competition problems, the ground CTRL's critics are trained on.

Rows have 17 fields; `input_output`, `solutions` and the tags are text holding JSON or Python
literals, limits are free text. Ids are `split/index`, the index counted from 0 over all rows of the
split, usable or not, as `datasets` counts them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.integers import readable
from ctrl_harness.problems.literals import parse_literal
from ctrl_harness.problems.loading import choose_split
from ctrl_harness.problems.problem import Limits, Problem
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.problems.row_fields import RowData, filled_text, optional_text, texts
from ctrl_harness.problems.rows import (
    Repository,
    Snapshot,
    Source,
    read_rows,
    resolve_source,
    select_split,
)
from ctrl_harness.training.taco_limits import memory_limit_mb, time_limit_s
from ctrl_harness.training.taco_statement import (
    has_several_answers,
    made_starter_code,
    shown,
    with_example,
)
from ctrl_harness.training.taco_tests import TacoTests, tests_of

HOME = Repository("taco", "BAAI/TACO")
SPLITS = ("train", "test")
ALL = "all"
"""Both splits, one after the other: the 26,443 rows that the paper counts."""
SAMPLES = Path(__file__).parent / "samples" / "taco.jsonl"
FIELDS = (
    "question", "solutions", "starter_code", "input_output", "difficulty", "raw_tags", "name",
    "source", "tags", "skill_types", "url", "Expected Auxiliary Space", "time_limit", "date",
    "picture_num", "memory_limit", "Expected Time Complexity",
)  # fmt: skip

# TACO's evaluation puts imports before every program, and starter code from LeetCode needs
# `List`. numpy, which it imports too, is left to the program: it takes longer than most tests.
PRELUDE = """\
import collections, fractions, functools, heapq, itertools, math, random, re, string, sys, time
from collections import Counter, OrderedDict, defaultdict, deque
from functools import lru_cache
from heapq import *
from itertools import accumulate, combinations, permutations, product
from math import ceil, cos, exp, fabs, floor, gcd, log, log2, sin, sqrt, tan
from typing import *
"""


@dataclass(frozen=True, slots=True)
class TacoProblem:
    """A row's problem, and what filters ask of the row that the problem does not tell.

    question: the statement as stored, without outer white space; the problem's may end with an
    example of the call. solutions: the row's programs where they were asked for.
    """

    problem: Problem
    question: str
    solutions: tuple[str, ...] = ()


class TacoRows(NamedTuple):
    """Where the rows come from, and the rows, to be gone through once."""

    reference: ProblemSetReference
    rows: Iterator[TacoProblem | UnusableRow]


def open_taco(
    source: Source = "hub",
    *,
    revision: str | None = None,
    split: str | None = "train",
    with_solutions: bool = False,
) -> TacoRows:
    """Streams TACO; no more than a few rows are in memory at a time.

    source: samples, hub, or a local file or folder. revision: of the Hub's repository. split: train
    (25,443 rows), test (1,000) or all; a single file is read whole, and its ids begin with the
    split only where the file's name says it, else with `samples` or `rows`. Raises UserError where
    nothing can be read.
    """
    choose_split(split, source, (*SPLITS, ALL))
    wanted = SPLITS if split == ALL else (split,)
    snapshot = _snapshot(source, revision, wanted)
    chosen = [select_split(snapshot, one, SPLITS) for one in wanted]
    if chosen[0].split is None:  # one file, whatever was asked for
        known = _split_in_name(snapshot)
        prefixes = [known or ("samples" if snapshot.source == "samples" else "rows")]
    else:
        known = split
        prefixes = [str(part.split) for part in chosen]
    reference = ProblemSetReference(
        HOME.name, snapshot.source, snapshot.revision, {"split": known}
    )
    columns = FIELDS if with_solutions else tuple(name for name in FIELDS if name != "solutions")
    rows = chain.from_iterable(
        _stream(part.files, columns, prefix)
        for part, prefix in zip(chosen, prefixes, strict=False)
    )
    return TacoRows(reference, rows)


def _snapshot(source: Source, revision: str | None, splits: Sequence[str | None]) -> Snapshot:
    if source != "samples":
        patterns = tuple(f"ALL/{split}-*.parquet" for split in splits)
        return resolve_source(source, HOME, revision=revision, allow_patterns=patterns)
    if revision is not None:
        raise UserError(f"revision={revision} needs source=hub; samples has no revisions")
    return replace(resolve_source(SAMPLES, HOME), source="samples")


def _split_in_name(snapshot: Snapshot) -> str | None:
    """The split of a single file that is all of it (a shard's rows would get the first one's ids).
    """
    if snapshot.folder is not None or len(snapshot.files) != 1:
        return None
    name = snapshot.files[0].name.lower()
    whole = re.match(r"(train|test)(?:-00000-of-00001)?\.", name)
    return whole[1] if whole else None


def _stream(
    files: tuple[Path, ...], columns: tuple[str, ...], prefix: str
) -> Iterator[TacoProblem | UnusableRow]:
    for index, row in enumerate(read_rows(files, columns)):
        name = f"{prefix}/{index}"
        if isinstance(row, UnusableRow):
            yield UnusableRow(name, f"{row.reason} ({row.row_id})")
            continue
        try:
            yield problem_of(name, row.data)
        except UserError as error:
            yield UnusableRow(name, str(error))


def problem_of(name: str, row: RowData) -> TacoProblem:
    """The problem of a row. Raises UserError, which says the field, for a row without one."""
    question = _whole_text("question", filled_text(row, "question").strip())
    starter_code = _whole_text("starter_code", optional_text(row, "starter_code")).strip("\n")
    source = optional_text(row, "source").strip().lower()
    tests = tests_of(row, source, starter_code)
    statement, public = question, shown(question, tests.cases)
    if tests.function is None:
        starter_code = ""  # it would have the prompts ask for a function
    else:
        if not re.search(rf"def\s+{re.escape(tests.function)}\b", starter_code):
            starter_code = made_starter_code(tests.function, tests.cases)
        if f"{tests.function}(" not in question:
            statement, public = with_example(question, tests)
    problem = Problem(
        id=name,
        dataset=HOME.name,
        statement=statement,
        cases=tests.cases,
        public_cases=public,
        limits=_limits(row),
        starter_code=starter_code,
        prelude=PRELUDE if tests.function is not None else "",
        metadata=_metadata(row, source, question, tests),
    )
    return TacoProblem(problem, question, _solutions(row))


def _whole_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"field {name!r} holds half a surrogate pair, which is no text") from None
    return text


def _limits(row: RowData) -> Limits:
    default = Limits()
    time_s = time_limit_s(_free_text(row, "time_limit"))
    memory_mb = memory_limit_mb(_free_text(row, "memory_limit"))
    return Limits(
        time_s=default.time_s if time_s is None else time_s,
        memory_mb=default.memory_mb if memory_mb is None else memory_mb,
    )


def _free_text(row: RowData, name: str) -> str:
    """Limits and counts are text in the Hub's files; a copy may hold numbers."""
    value = row.get(name)
    if isinstance(value, (int, float)):
        return readable(value)
    return value if isinstance(value, str) else ""


def _metadata(row: RowData, source: str, question: str, tests: TacoTests) -> dict[str, Any]:
    time_limit, memory_limit = (_free_text(row, name) for name in ("time_limit", "memory_limit"))
    return {
        "title": _free_text(row, "name") or None,
        "difficulty": _free_text(row, "difficulty") or None,
        "source": source or None,
        "url": _free_text(row, "url") or None,
        "date": _free_text(row, "date") or None,
        **{name: _texts_within(row, name) for name in ("raw_tags", "tags", "skill_types")},
        "expected_time": _free_text(row, "Expected Time Complexity") or None,
        "expected_space": _free_text(row, "Expected Auxiliary Space") or None,
        "time_limit": time_limit or None,
        "memory_limit": memory_limit or None,
        "pictures": picture_count(row),
        "special_judge": has_several_answers(question),
        "function": tests.function,
        "wrapped_outputs": tests.wrapped,
        "tests_left_out": dict(tests.left_out),
    }


def picture_count(row: RowData) -> int:
    """`picture_num`, 0 where it holds no number."""
    found = re.fullmatch(r"\s*([0-9]{1,6})(?:\.0*)?\s*", _free_text(row, "picture_num"))
    return int(found[1]) if found else 0


def _texts_within(row: RowData, name: str) -> list[str]:
    """A list of texts, stored as such or as text; what is none of both says nothing."""
    value = row.get(name)
    if isinstance(value, str):
        try:
            value = parse_literal(value) if len(value) < 10_000 else None
        except UserError:
            return []
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _solutions(row: RowData) -> tuple[str, ...]:
    """The row's programs; none where the field cannot be read, since no problem needs them."""
    value = row.get("solutions")
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    try:
        return tuple(texts({"solutions": value}, "solutions"))
    except UserError:
        return ()

"""MBPP+ (Liu et al., 2023, EvalPlus): short functions, each with about a hundred calls."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Sequence

from ctrl_harness.errors import UserError
from ctrl_harness.integers import readable
from ctrl_harness.problems.evalplus_relations import with_evalplus_relations
from ctrl_harness.problems.loading import LoadPlan, choose, load_planned
from ctrl_harness.problems.mbppplus_program import TakenApart, take_apart
from ctrl_harness.problems.problem import CallCase, Limits, Problem, ScriptCase
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.problems.row_fields import (
    RowData,
    filled_text,
    kind_of,
    optional_text,
    optional_texts,
    texts,
)
from ctrl_harness.problems.rows import Repository, Source, resolve_source, select_split
from ctrl_harness.problems.test_code import read_test_code
from ctrl_harness.syntax import parse_module

HOME = Repository("mbppplus", "evalplus/mbppplus")
SPLITS = ("test",)
SUBSETS = ("all", "public")
"""all: the calls of the row's `test` program; public: the asserts of its `test_list`."""

# EvalPlus gives a call 4 s or four times the reference's time: see Problem.time_reference
_TIME_S = 4.0
_MEMORY_MB = 4096.0  # EvalPlus's; the reference of Mbpp/255 needs more than 1 GiB
_ID = re.compile(r"(?:Mbpp/)?(\d+)")
_COLUMNS = ("task_id", "prompt", "code", "test_imports", "test_list", "test")


def load(
    source: Source = "hub",
    *,
    revision: str | None = None,
    tests: str = "all",
) -> ProblemSet:
    """Loads MBPP+ (378 problems); ids are `Mbpp/N`.

    source: samples, hub, or a local file or folder. revision: of the Hub's repository. tests: all
    or public. The statement is the row's prompt and its first assert, as CTRL asks it. Raises
    UserError where nothing can be loaded.
    """
    choose("tests", tests, SUBSETS)
    snapshot = resolve_source(
        source, HOME, revision=revision, allow_patterns=("data/test-*.parquet",)
    )
    return load_planned(
        LoadPlan(
            reference=ProblemSetReference(
                HOME.name, snapshot.source, snapshot.revision, {"tests": tests}
            ),
            files=select_split(snapshot, "test", SPLITS).files,
            columns=_COLUMNS,
            id_of=_id,
            make=functools.partial(_problem, tests=tests),
        )
    )


def _id(row: RowData) -> str:
    value = row.get("task_id")
    number = _ID.fullmatch(readable(value) if isinstance(value, int) else str(value))
    if number is None or isinstance(value, bool):
        raise UserError(f"field 'task_id' is {kind_of(value)} that is not N or Mbpp/N")
    return f"Mbpp/{int(number[1])}"


def _problem(name: str, row: RowData, *, tests: str) -> Problem:
    prompt = filled_text(row, "prompt").strip()
    asserts = texts(row, "test_list")
    if not asserts:
        raise UserError("field 'test_list' is empty")
    taken = take_apart(filled_text(row, "test"))
    public = tuple(case for script in asserts for case in _asserted(script, taken))
    cases = with_evalplus_relations(taken.cases, len(asserts))
    return Problem(
        id=name,
        dataset=HOME.name,
        statement=f"{prompt}\n{asserts[0].strip()}",
        cases=public if tests == "public" else cases,
        public_cases=public,
        limits=Limits(time_s=_TIME_S, memory_mb=_MEMORY_MB),
        prelude="".join(f"{line}\n" for line in optional_texts(row, "test_imports")),
        reference=taken.reference if tests == "all" else None,
        time_reference=optional_text(row, "code") or None,
        comparator="evalplus",
        metadata={"function": taken.function, "oracle": cases[0].oracle, "prompt": prompt},
    )


def _asserted(script: str, taken: TakenApart) -> Sequence[CallCase | ScriptCase]:
    """The cases of an assert of `test_list`, in which `==` compares as the row does.

    What runs as it is has the standard modules that it names imported: a right program need not
    have imported them (Mbpp/596 asks for sys.getsizeof).
    """
    try:
        names = {
            node.value.id
            for node in ast.walk(parse_module(script.strip()))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        setup = "".join(f"import {name}\n" for name in sorted(names & sys.stdlib_module_names))
        cases = read_test_code(
            script.strip(), setup=setup, entry_point=taken.function, equality=taken.oracle
        ).cases
        return [
            with_evalplus_relations([case], 1)[0] if isinstance(case, CallCase) else case
            for case in cases
        ]
    except UserError as error:
        raise UserError(f"field 'test_list' holds an assert that {error}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError("field 'test_list' holds something that is not an assert") from None

"""Problems written to parquet come back whole, and no other file is taken for one of ours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems import FROM_REFERENCE, CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.problems.catalog import EXECUTABLE, open_dataset
from ctrl_harness.training.problem_json import problem_from_json
from ctrl_harness.training.problem_parquet import (
    ProblemWriter,
    count_problems,
    read_problems,
    read_provenance,
)

ODD_VALUES = (
    None, True, -0.0, 1e-300, math.inf, 10**400, 2 + 3j, b"\x00\xff", "ä\ud800", (1, (2,), []),
    {1, "a"}, frozenset({(1, 2)}), {"k": [1.5], (1,): {}}, [],
)  # fmt: skip
ODD = Problem(
    id="train/7",
    dataset="taco",
    statement="Zähle ≤ 10⁵.\n",
    cases=(
        StdioCase("1\r\n\x00", ""),
        *(
            CallCase("f", (value,), value, oracle="set", atol=1e-9, rtol=1e-3)
            for value in ODD_VALUES
        ),
        CallCase("f", (), FROM_REFERENCE),
        ScriptCase("assert f() == 1"),
    ),
    public_cases=(StdioCase("2", "3"),),
    limits=Limits(0.1 + 0.2, 77.5, 3.0),
    starter_code="def f(): ...",
    prelude="import re\n",
    reference="def f(): return 1",
    time_reference="def f(): return 2",
    comparator="evalplus",
    metadata={"tags": ["x"], "rating": 1800},
)


def written(path: Path, *problems: Problem, **provenance: Any) -> Path:
    with ProblemWriter(path, provenance) as writer:
        for problem in problems:
            writer.write(problem)
    assert writer.count == len(problems)
    return path


def test_a_problem_with_every_kind_of_case_and_value_comes_back_equal(tmp_path: Path) -> None:
    (read,) = read_problems(written(tmp_path / "p.parquet", ODD))
    assert read == ODD
    assert read.digest() == ODD.digest()
    assert read.metadata == ODD.metadata


@pytest.mark.parametrize("name", EXECUTABLE)
def test_every_sample_problem_keeps_its_digest(tmp_path: Path, name: str) -> None:
    problems = open_dataset(name, "samples")
    path = written(tmp_path / "p.parquet", *(problems[summary.id] for summary in problems))
    assert count_problems(path) == len(problems)
    assert [p.digest() for p in read_problems(path)] == [s.digest for s in problems]


def test_the_file_says_where_its_problems_came_from(tmp_path: Path) -> None:
    path = written(tmp_path / "p.parquet", ODD, source="hub", revision="abc")
    assert read_provenance(path) == {"format": 1, "source": "hub", "revision": "abc"}


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    def break_off() -> None:
        with ProblemWriter(tmp_path / "p.parquet") as writer:
            writer.write(ODD)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_values_nested_too_deeply_are_one_sentence(tmp_path: Path) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    deep = Problem("a", "taco", "s", (CallCase("f", (value,), 0),))
    with pytest.raises(UserError, match="nested too deeply"):
        written(tmp_path / "p.parquet", deep)
    while value:  # taken apart by hand: freeing the tower at once would overflow the stack
        value = value.pop()


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"problem": ["{}"]}), foreign)
    garbage = tmp_path / "garbage.parquet"
    garbage.write_bytes(b"PAR1 no")
    for path, words in (
        (foreign, "holds no problems"),
        (garbage, "not a parquet file"),
        (tmp_path / "none.parquet", "no file"),
        (tmp_path, "no file"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            next(read_problems(path))
        assert "\n" not in str(caught.value)


def test_a_changed_row_is_not_taken_for_the_one_written(tmp_path: Path) -> None:
    path = written(tmp_path / "p.parquet", ODD)
    table = pyarrow.parquet.read_table(path)
    changed = [text.replace("assert f() == 1", "assert f() == 2")
               for text in table["problem"].to_pylist()]
    column = pyarrow.array(changed, pyarrow.large_string())
    table = table.set_column(table.schema.get_field_index("problem"), "problem", column)
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(UserError, match="not the problem that was written"):
        next(read_problems(path))


@pytest.mark.parametrize("data", [None, [], {}, {"id": 1}, "text", 3])
def test_json_of_no_problem_is_a_sentence(data: Any) -> None:
    with pytest.raises(UserError, match="none of a stored problem"):
        problem_from_json(data)

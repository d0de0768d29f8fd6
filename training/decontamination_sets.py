"""The statements of the four evaluation sets, read from their rows without their tests.

The rows' sources are the loaders' own (`samples`, `hub`, a path). The tests are not read: a row
whose tests cannot be used is no evaluation problem here, and still must not be trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.problems import code_contests, judgebench, livecodebench, mbppplus
from ctrl_harness.problems.loading import choose
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.problems.row_fields import RowData, filled_text
from ctrl_harness.problems.rows import (
    NAMED_SOURCES,
    Repository,
    read_rows,
    resolve_source,
    select_split,
)
from ctrl_harness.training.decontamination import Statement

NONE = "none"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where an evaluation set's statements stand. split: the one that is evaluated on, None for
    all files; patterns: those files on the Hub."""

    home: Repository
    id: str
    statement: str
    patterns: tuple[str, ...]
    split: str | None = None
    example: str | None = None


_LAYOUTS = {
    layout.home.name: layout
    for layout in (
        _Layout(code_contests.HOME, "name", "description", ("data/test-*.parquet",), "test"),
        _Layout(livecodebench.HOME, "question_id", "question_content", ("test*.jsonl",)),
        _Layout(
            mbppplus.HOME, "task_id", "prompt", ("data/test-*.parquet",), "test", "test_list"
        ),
        _Layout(judgebench.HOME, "pair_id", "question", ("*.parquet", "*.jsonl*")),
    )
}
NAMES = tuple(_LAYOUTS)
"""The evaluation sets: those of the tasks."""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """An evaluation set's statements, where they came from, and the rows without one."""

    reference: ProblemSetReference
    statements: tuple[Statement, ...]
    unusable: tuple[UnusableRow, ...]


def parse_against(values: Iterable[str]) -> dict[str, str]:
    """A source for each evaluation set: `hub` or `samples` stands for all four, `NAME=SOURCE` for
    one and goes first; `none` alone is no set at all. Raises UserError for anything else."""
    given = tuple(values)
    if NONE in given:
        if len(given) > 1:
            raise UserError("--against none cannot stand beside others; give one or the other")
        return {}
    sources: dict[str, str] = {}
    single: dict[str, str] = {}
    for value in given:
        name, separator, source = value.partition("=")
        if separator:
            single[choose("evaluation set", name, NAMES)] = source
        elif value in NAMED_SOURCES:
            sources = dict.fromkeys(NAMES, value)
        else:
            raise UserError(
                f"--against {value} is unknown; give hub, samples, none or NAME=SOURCE, NAME being"
                f" one of {', '.join(NAMES)}"
            )
    return {**sources, **single}


def read_evaluation_sets(sources: Mapping[str, str]) -> list[EvaluationSet]:
    """Raises UserError, which names the set, where one cannot be read."""
    return [read_evaluation_set(name, source) for name, source in sources.items()]


def read_evaluation_set(name: str, source: str) -> EvaluationSet:
    """Raises UserError where no statement can be read."""
    layout = _LAYOUTS[choose("evaluation set", name, NAMES)]
    try:
        snapshot = resolve_source(source, layout.home, allow_patterns=layout.patterns)
        files = snapshot.files
        if layout.split is not None:
            files = select_split(snapshot, layout.split, (layout.split, "train", "valid")).files
    except UserError as error:
        raise UserError(
            f"the statements of {name}, which nothing may be trained on, cannot be read: {error};"
            " --against NAME=SOURCE names another place"
        ) from None
    columns = [layout.id, layout.statement, *([layout.example] if layout.example else [])]
    statements: list[Statement] = []
    unusable: list[UnusableRow] = []
    for row in read_rows(files, columns):
        if isinstance(row, UnusableRow):
            unusable.append(row)
            continue
        try:
            statements += _statements(layout, row.data)
        except UserError as error:
            unusable.append(UnusableRow(row.place, str(error)))
    if not statements:
        reason = unusable[0].reason if unusable else "there are no rows"
        raise UserError(
            f"{source} holds no statement of {name} ({reason}); give its rows to --against"
        )
    reference = ProblemSetReference(name, snapshot.source, snapshot.revision)
    return EvaluationSet(reference, tuple(statements), tuple(unusable))


def _statements(layout: _Layout, row: RowData) -> list[Statement]:
    """The statement, and the statement with its example where the loader asks it so."""
    text = filled_text(row, layout.statement)
    name = str(row.get(layout.id))
    found = [Statement(layout.home.name, name, text)]
    examples = row.get(layout.example) if layout.example else None
    if isinstance(examples, list) and examples and isinstance(examples[0], str):
        found.append(Statement(layout.home.name, name, f"{text}\n{examples[0]}"))
    return found

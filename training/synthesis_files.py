"""What a synthesis writes beside its store: SFT rows, RL rows, a report; each whole or not at all.

All three are made from the store alone, so other choices of rows need no new work.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.rl_rows import DraftVerdict, Episode, EpisodeSettings, arrow_schema
from ctrl_harness.training.sft_rows import Selection, SftRows
from ctrl_harness.training.stored_work import StoredWork
from ctrl_harness.training.synthesize import LeftOut, Outcome, Recipe, outcome_of

SFT, RL, REPORT, STORE = "sft.jsonl", "rl.parquet", "report.json", "store.jsonl"
_GROUP_BYTES = 16 * 2**20
_MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files, and what goes into them.

    selection: None for no SFT rows. episodes: how the RL rows' drafts were judged; None for no RL
    rows. split: what RL rows say of themselves. tokenizer: counts the tokens of rows, SFT and RL;
    None where no row is too long. max_prompt: tokens that the question of an RL row may have.
    """

    selection: Selection | None
    episodes: EpisodeSettings
    rl: bool = True
    split: str = "train"
    tokenizer: Any = None
    max_prompt: int = 1536


@dataclass(slots=True)
class Tally:
    """What the report counts."""

    problems: int = 0
    drafts: Counter[str] = field(default_factory=Counter)
    critiques: Counter[str] = field(default_factory=Counter)
    judgements: Counter[str] = field(default_factory=Counter)
    revisions: Counter[str] = field(default_factory=Counter)
    rl_dropped: Counter[str] = field(default_factory=Counter)
    sft_rows: int = 0
    rl_rows: int = 0

    def count(self, outcome: Outcome) -> None:
        self.problems += 1
        for drafted in outcome.drafted:
            self.drafts[drafted.verdict.status] += 1
            reviewed = drafted.reviewed
            if reviewed is None:
                continue
            self.critiques["written"] += 1
            self.critiques["name_the_hint"] += reviewed.leaks.names_hint
            self.critiques["hold_a_program"] += reviewed.leaks.code != "none"
            self.critiques["hold_a_passing_program"] += reviewed.leaks.code == "passing"
            self.critiques["stripped"] += reviewed.stripped
            self.critiques[reviewed.fault or "revised"] += 1
            draft = "right" if drafted.verdict.passed else "wrong"
            self.judgements[f"{draft}_called_{reviewed.critique.judgement}"] += 1
            if reviewed.verdict is not None:
                revised = "right" if reviewed.verdict.passed else "wrong"
                self.revisions[f"{draft}_to_{revised}"] += 1


async def write_files(
    problems: Iterable[Problem], recipe: Recipe, work: StoredWork, folder: Path, wanted: Wanted
) -> tuple[Tally, Counter[str]]:
    """Writes the rows of what the store has; what SFT dropped comes by reason.

    work: without an engine. Raises UserError where the disk fails; files of an earlier run are then
    still there.
    """
    tally = Tally()
    sft = SftRows(wanted.selection or Selection(), wanted.tokenizer)
    with _RlFile(folder / RL, wanted.rl) as rl:
        rest = iter(problems)
        while (problem := await anyio.to_thread.run_sync(next, rest, None)) is not None:
            outcome = await outcome_of(problem, recipe, work)
            tally.count(outcome)
            questions = {}
            for drafted in outcome.drafted:
                episode = Episode(
                    problem,
                    drafted.draft,
                    DraftVerdict.of(drafted.verdict),
                    wanted.episodes,
                    split=wanted.split,
                    index=rl.rows,
                    draft_number=drafted.number,
                )
                questions[drafted.number] = episode.critic_messages()
                if wanted.rl:
                    reason = _add(rl, episode, wanted)
                    tally.rl_dropped[reason] += bool(reason)
            if wanted.selection is not None:
                sft.add(outcome, questions)
        tally.rl_rows = rl.rows
    if wanted.selection is not None:
        with replaced(folder / SFT) as file:
            for line in sft.lines():
                file.write(line)
                tally.sft_rows += 1
    return tally, sft.dropped


def report(
    tally: Tally,
    sft_dropped: Counter[str],
    left_out: list[LeftOut],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """The report as JSON: what was made, of what, and what is missing for which reason.

    At most 1,000 of the samples that were left out are listed; all are counted.
    """
    culprits = Counter(missing.culprit for missing in left_out)
    return {
        **facts,
        "problems": tally.problems,
        "drafts": {"judged": tally.drafts.total(), "by_status": _plain(tally.drafts)},
        "critiques": _plain(tally.critiques),
        "judgements": _plain(tally.judgements),
        "revisions": _plain(tally.revisions),
        "sft": {"rows": tally.sft_rows, "dropped": _plain(sft_dropped)},
        "rl": {"rows": tally.rl_rows, "dropped": _plain(tally.rl_dropped)},
        "left_out": {
            "by_model": culprits["model"],
            "by_judge": culprits["judge"],
            "samples": [missing._asdict() for missing in left_out[:_MAX_LISTED]],
        },
    }


def write_report(path: Path, data: Mapping[str, Any]) -> None:
    """Raises UserError where the disk fails."""
    with replaced(path) as file:
        file.write(json.dumps(data, indent=2) + "\n")


@contextmanager
def replaced(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its name once the block has ended without an error.

    Raises UserError where the disk fails.
    """
    partial = _partial(path)
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise _trouble(path, error) from None
    finally:
        partial.unlink(missing_ok=True)


def _add(rl: _RlFile, episode: Episode, wanted: Wanted) -> str:
    """Writes the row; the reason where it is not."""
    try:
        row = episode.to_row()
    except UserError:
        return "not_unicode"
    if wanted.tokenizer is not None:
        from ctrl_harness.training.pretrained import chat_ids

        ids = chat_ids(wanted.tokenizer, row["prompt"], answer=True)
        if len(ids) > wanted.max_prompt:
            return "too_long"
    rl.write(row)
    return ""


class _RlFile:
    """The RL parquet, written a group of rows at a time; wanted and without a row it is no file."""

    def __init__(self, path: Path, wanted: bool) -> None:
        self.rows = 0
        self._wanted = wanted
        self._path = path
        self._partial = _partial(path)
        self._schema = arrow_schema()
        self._waiting: list[dict[str, Any]] = []
        self._bytes = 0
        self._file: Any = None

    def __enter__(self) -> _RlFile:
        return self

    def write(self, row: dict[str, Any]) -> None:
        self.rows += 1
        self._waiting.append(row)
        self._bytes += len(row["extra_info"]["problem"])
        if self._bytes >= _GROUP_BYTES:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
            if self._file is not None:
                self._file.close()
                if kind is None:
                    os.replace(self._partial, self._path)
            elif kind is None and self._wanted:
                self._path.unlink(missing_ok=True)  # an earlier run's, of other rows
        except OSError as error:
            if kind is None:
                raise _trouble(self._path, error) from None
        finally:
            self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow  # type: ignore[import-untyped]
        import pyarrow.parquet  # type: ignore[import-untyped]

        if not self._waiting:
            return
        try:
            if self._file is None:
                self._file = pyarrow.parquet.ParquetWriter(
                    self._partial, self._schema, compression="zstd"
                )
            table = pyarrow.Table.from_pylist(self._waiting, schema=self._schema)
            self._file.write_table(table)
        except OSError as error:
            raise _trouble(self._path, error) from None
        self._waiting, self._bytes = [], 0


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _trouble(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path} cannot be written ({error.strerror or error}); the store has everything, make room"
        " and run again to write the rows"
    )


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}

"""What a synthesis writes beside its store: SFT rows, RL rows, a report; each whole or not at all.

All three are made from the store alone, so other choices of rows need no new work.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.rl_rows import DraftVerdict, Episode, EpisodeSettings, arrow_schema
from ctrl_harness.training.sft_rows import Selection, SftRows
from ctrl_harness.training.stored_work import StoredWork
from ctrl_harness.training.synthesize import LeftOut, Outcome, Recipe, outcome_of
from ctrl_harness.training.whole_files import RowWriter, replaced

SFT, RL, REPORT, STORE = "sft.jsonl", "rl.parquet", "report.json", "store.jsonl"
_GROUP_BYTES = 16 * 2**20
_MAX_LISTED = 1_000
_ADVICE = "the store has everything, make room and run again to write the rows"


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
            self.critiques["hold_an_unjudged_program"] += reviewed.leaks.code == "unjudged"
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
    rl = RowWriter(
        folder / RL,
        arrow_schema(),
        group_bytes=_GROUP_BYTES,
        advice=_ADVICE,
        keep_empty=False,
    )
    with rl if wanted.rl else nullcontext():
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
                    index=rl.count,
                    draft_number=drafted.number,
                )
                questions[drafted.number] = episode.critic_messages()
                if wanted.rl:
                    reason = _add(rl, episode, wanted)
                    tally.rl_dropped[reason] += bool(reason)
            if wanted.selection is not None:
                sft.add(outcome, questions)
        tally.rl_rows = rl.count
    if wanted.selection is not None:
        with replaced(folder / SFT, _ADVICE) as file:
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
    with replaced(path, _ADVICE) as file:
        file.write(json.dumps(data, indent=2) + "\n")


def _add(rl: RowWriter, episode: Episode, wanted: Wanted) -> str:
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
    rl.add(row, len(row["extra_info"]["problem"]))
    return ""


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}

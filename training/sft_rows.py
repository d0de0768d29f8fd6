"""Rows of supervised fine-tuning: which critiques are learnt, and how they are told.

By default as the paper has it (arXiv 2502.03492, section 3.2 and table 8): the first critique of
each problem, whatever its revision came to and however many drafts were right. A row's question is
the one that critics get in training and evaluation, without the hint.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ctrl_harness.critique.messages import Message
from ctrl_harness.training.synthesize import Drafted, Outcome, Reviewed


@dataclass(frozen=True, slots=True)
class Selection:
    """What is learnt of the critiques.

    rejection: only those whose revision passes. agreeing: only those whose judgement is the judge's
    (a missing one agrees with nothing). balance: as many of right drafts as of wrong ones. per_
    problem: how many of a problem's at most. max_tokens: what a row may have. seed: decides which
    rows balancing takes.
    """

    rejection: bool = False
    agreeing: bool = False
    balance: bool = False
    per_problem: int = 1
    max_tokens: int = 2048
    seed: int = 0


class _Kept(NamedTuple):
    line: str
    of_right_draft: bool
    order: str


class SftRows:
    """Collects rows of one outcome after the other.

    tokenizer: transformers', to count a row's tokens by its chat template; without one no row is
    too long. dropped: how many critiques were not taken, by reason.
    """

    def __init__(self, selection: Selection, tokenizer: Any = None) -> None:
        self.dropped: Counter[str] = Counter()
        self._selection = selection
        self._tokenizer = tokenizer
        self._kept: list[_Kept] = []

    def add(self, outcome: Outcome, questions: dict[int, tuple[Message, ...]]) -> None:
        """questions: what the critic is asked of each draft, by the draft's number."""
        taken = 0
        for drafted in outcome.drafted:
            reviewed = drafted.reviewed
            if reviewed is None:
                continue
            row = _row(outcome, drafted, reviewed, questions[drafted.number])
            reason = self._reason(drafted, reviewed, row)
            if not reason and taken >= self._selection.per_problem:
                reason = "problem_has_enough"
            if reason:
                self.dropped[reason] += 1
                continue
            taken += 1
            place = f"{self._selection.seed}/{outcome.problem.id}/{drafted.number}"
            order = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()
            self._kept.append(_Kept(json.dumps(row) + "\n", drafted.verdict.passed, order))

    def lines(self) -> Iterator[str]:
        """The rows as JSONL, in the order of the problems; called once, when all are in."""
        kept = self._balanced() if self._selection.balance else self._kept
        self.dropped["balance"] += len(self._kept) - len(kept)
        for row in kept:
            yield row.line

    def _reason(self, drafted: Drafted, reviewed: Reviewed, row: dict[str, Any]) -> str:
        """Why the row is not taken; empty where it is."""
        if reviewed.fault is not None:
            return reviewed.fault
        assert reviewed.verdict is not None
        judgement = reviewed.critique.judgement
        if self._selection.agreeing:
            if judgement == "missing":
                return "no_judgement"
            if (judgement == "correct") != drafted.verdict.passed:
                return "contradicts_verdict"
        if self._selection.rejection and not reviewed.verdict.passed:
            return "revision_failed"
        if not _is_unicode(row["messages"]):
            return "not_unicode"
        return "too_long" if self._is_too_long(row["messages"]) else ""

    def _is_too_long(self, messages: list[dict[str, str]]) -> bool:
        if self._tokenizer is None:
            return False
        from ctrl_harness.training.sft_data import encode

        example = encode(self._tokenizer, messages, "a synthesised row")
        return len(example.input_ids) > self._selection.max_tokens

    def _balanced(self) -> list[_Kept]:
        right = [row for row in self._kept if row.of_right_draft]
        wrong = [row for row in self._kept if not row.of_right_draft]
        size = min(len(right), len(wrong))
        chosen = {
            id(row)
            for rows in (right, wrong)
            for row in sorted(rows, key=lambda row: row.order)[:size]
        }
        return [row for row in self._kept if id(row) in chosen]


def _row(
    outcome: Outcome, drafted: Drafted, reviewed: Reviewed, question: tuple[Message, ...]
) -> dict[str, Any]:
    answer = Message("assistant", reviewed.critique.text)
    revised = reviewed.verdict
    return {
        "messages": [message._asdict() for message in (*question, answer)],
        # the same keys on every row, of the same types: loaders of columns want that
        "info": {
            "task_id": outcome.problem.id,
            "dataset": outcome.problem.dataset,
            "draft_number": drafted.number,
            "draft_status": drafted.verdict.status,
            "judgement": reviewed.critique.judgement,
            "revision_status": "" if revised is None else revised.status,
            "leaks_code": reviewed.leaks.code,
            "names_hint": reviewed.leaks.names_hint,
            "stripped": reviewed.stripped,
        },
    }


def _is_unicode(messages: list[dict[str, str]]) -> bool:
    try:
        for message in messages:
            message["content"].encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


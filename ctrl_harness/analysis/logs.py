"""Reads chains back out of Inspect logs, as the plain data that the other modules take.

The one module of this room that knows Inspect, which it imports when a log is read.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctrl_harness.analysis.similarity import similarity
from ctrl_harness.analysis.stopping import CallCost
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.leakage import Leak
from ctrl_harness.critique.messages import Role
from ctrl_harness.errors import UserError
from ctrl_harness.verification.extraction import get_extraction

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample

SCORER = "chain_verdicts"
CHAIN = "ctrl_harness:chain"
"""Where a sample's metadata keeps its chain (evaluation/record.py)."""


@dataclass(frozen=True, slots=True)
class LoggedChain:
    """outcome: what was true of its programs. metadata: the problem's (difficulty, date).
    completions: draft and revisions. calls: what was asked of the models, in order; empty in logs
    without events."""

    outcome: Outcome
    metadata: Mapping[str, Any]
    completions: tuple[str, ...]
    calls: tuple[CallCost, ...]


def outcome_of_value(problem: Hashable, value: Mapping[str, Any], epoch: int = 1) -> Outcome:
    """What the value of a score of `chain_verdicts` says: `turn_t`, `time_limit_t`,
    `says_correct_t`, `says_incorrect_t` and `cut_short`, 0 or 1 each, and where leaks were looked
    for `leaks_program_t` and `leaks_solution_t`."""
    turns = sum(key.startswith("turn_") for key in value)
    leaks = range(1, turns if "leaks_program_1" in value else 1)
    return Outcome(
        problem=problem,
        passed=tuple(value[f"turn_{turn}"] == 1 for turn in range(turns)),
        judgements=tuple(
            _judgement(value[f"says_correct_{turn}"] == 1, value[f"says_incorrect_{turn}"] == 1)
            for turn in range(1, turns)
        ),
        time_limit=tuple(value[f"time_limit_{turn}"] == 1 for turn in range(turns)),
        epoch=epoch,
        leaks=tuple(
            _leak(value[f"leaks_program_{turn}"] == 1, value[f"leaks_solution_{turn}"] == 1)
            for turn in leaks
        ),
        cut_short=value.get("cut_short", 0) == 1,
    )


def _leak(program: bool, solution: bool) -> Leak:
    return "passing" if solution else "program" if program else "none"


def _judgement(correct: bool, incorrect: bool) -> Judgement:
    return "correct" if correct else "incorrect" if incorrect else "missing"


def read_chains(path: Path) -> Iterator[LoggedChain]:
    """The log's scored chains, one sample in memory at a time; samples without a score are left
    out. Raises UserError where nothing of the log can be read as chains."""
    from inspect_ai.log import read_eval_log_samples

    found = False
    try:
        for sample in read_eval_log_samples(str(path), all_samples_required=False):
            found = True
            score = (sample.scores or {}).get(SCORER)
            if score is None or not isinstance(score.value, dict):
                continue
            outcome = outcome_of_value(sample.id, score.value, sample.epoch)
            completions = tuple(((sample.metadata or {}).get(CHAIN) or {}).get("completions", ()))
            calls = tuple(_calls(sample, completions))
            yield LoggedChain(outcome, sample.metadata, completions, calls)
    except (OSError, KeyError, IndexError) as error:
        raise UserError(f"the samples of {path} cannot be read: {error}") from error
    if not found:
        raise UserError(f"{path} holds no samples; run the eval without --no-log-samples")


def _calls(sample: EvalSample, completions: Sequence[str]) -> Iterator[CallCost]:
    """The model calls among the sample's events. An answer that is the chain's next program is the
    generator's; what comes before the next program is the critic's."""
    programs = 0
    for event in sample.events:
        if event.event != "model" or event.error is not None or not event.output.choices:
            continue
        output, usage = event.output, event.output.usage
        wrote = programs < len(completions) and output.completion == completions[programs]
        role: Role = "generator" if wrote and event.role != "critic" else "critic"
        yield CallCost(
            role,
            programs,
            usage.input_tokens if usage else 0,
            usage.output_tokens if usage else 0,
            cut_off=output.stop_reason in ("max_tokens", "model_length"),
        )
        programs += role == "generator"


def with_similarity(chain: LoggedChain, extraction: str, dataset: str | None = None) -> Outcome:
    """The chain's outcome with the similarity of each revision to the draft.

    extraction: name of the rule by which programs are taken out of completions, which may have a
    form of its own for a data set. After a stop the last program's value goes on.
    """
    extract = get_extraction(extraction, dataset)
    programs = [extract(completion) for completion in chain.completions]
    turns = len(chain.outcome.passed) - 1
    values = []
    for turn in range(1, turns + 1):
        draft, revision = programs[0], programs[min(turn, len(programs) - 1)]
        if draft is None or revision is None:
            values.append(math.nan)
        else:
            values.append(similarity(draft, revision).ratio)
    return replace(chain.outcome, similarity=tuple(values))

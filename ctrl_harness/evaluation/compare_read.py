"""Reads a comparison's logs back, and holds them to what it promises: the same drafts in each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries, read_eval_log_samples

from ctrl_harness.analysis.control import Drawn
from ctrl_harness.analysis.logs import DRAFT_SEEN, LoggedChain, read_chains, with_similarity
from ctrl_harness.analysis.stopping import CallCost
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.errors import JudgeError
from ctrl_harness.evaluation.compare_arms import ArmSpec
from ctrl_harness.evaluation.control import CONTROL
from ctrl_harness.evaluation.control_scorer import drawn_of
from ctrl_harness.evaluation.frozen import FrozenDrafts

Pair = tuple[Hashable, int]
"""(problem, epoch)"""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Samples that are in no number. failed: by reason. unscored: that ended without a score."""

    failed: Mapping[str, int]
    unscored: int

    @property
    def total(self) -> int:
        return sum(self.failed.values()) + self.unscored


@dataclass(frozen=True, slots=True)
class ArmLog:
    """What one critic's log says. calls: by (problem, epoch), without the draft's. cost: dollars of
    all calls, None where no price is known. oracle: the critic was told what the judged tests show.
    """

    spec: ArmSpec
    path: Path
    chains: tuple[LoggedChain, ...]
    outcomes: tuple[Outcome, ...]
    calls: Mapping[Pair, Sequence[CallCost]]
    unjudged: Unjudged
    oracle: bool


def read_arm(spec: ArmSpec, path: Path, drafts: FrozenDrafts) -> ArmLog:
    """Raises JudgeError where a critic was not handed the frozen draft."""
    facts: Mapping[str, Any] = read_eval_log(str(path), header_only=True).eval.metadata or {}
    dataset = facts["problem_set"]["dataset"]
    chains, outcomes = [], []
    calls: dict[Pair, list[CallCost]] = {}
    for chain in read_chains(path):
        _check_draft(spec.name, chain, drafts)
        chains.append(chain)
        outcomes.append(with_similarity(chain, facts["extraction"], dataset))
        calls.setdefault((chain.outcome.problem, chain.outcome.epoch), []).extend(chain.calls)
    return ArmLog(
        spec,
        path,
        tuple(chains),
        tuple(outcomes),
        calls,
        unjudged(path, len(calls)),
        bool(facts.get("oracle")),
    )


def unjudged(path: Path, judged: int) -> Unjudged:
    """judged: how many samples of the log have a score."""
    summaries = read_eval_log_sample_summaries(str(path))
    failed = Counter(str(s.error).splitlines()[0] for s in summaries if s.error is not None)
    return Unjudged(dict(failed), max(0, len(summaries) - judged - failed.total()))


def _check_draft(arm: str, chain: LoggedChain, drafts: FrozenDrafts) -> None:
    outcome = chain.outcome
    if not chain.completions:
        return  # cut off before it began
    frozen = drafts.find(str(outcome.problem), outcome.epoch)
    written = hashlib.sha256(chain.completions[0].encode("utf-8", "surrogatepass")).hexdigest()
    if frozen is None or written != frozen.sha256:
        raise JudgeError(
            f"{arm} did not begin with the frozen draft of {outcome.problem}, epoch "
            f"{outcome.epoch}; its numbers do not compare with the others'"
        )


def check_same_drafts(arms: Sequence[ArmLog]) -> int:
    """How many drafts were read by critics, each by all of them as the same bytes.

    Raises JudgeError for one that two critics were handed differently.
    """
    seen: dict[Pair, tuple[str, str]] = {}
    for arm in arms:
        for chain in arm.chains:
            digest = chain.metadata.get(DRAFT_SEEN)
            if digest is None:
                continue  # nothing was criticised
            key = (chain.outcome.problem, chain.outcome.epoch)
            name, first = seen.setdefault(key, (arm.spec.name, digest))
            if digest != first:
                raise JudgeError(
                    f"{name} and {arm.spec.name} were handed different drafts of {key[0]}, epoch "
                    f"{key[1]}; their numbers do not compare"
                )
    return len(seen)


def read_control(path: Path) -> list[Drawn]:
    """The control's samples, as far as they were judged."""
    found = []
    for sample in read_eval_log_samples(str(path), all_samples_required=False):
        score = (sample.scores or {}).get("control_verdicts")
        if score is None or not score.metadata or CONTROL not in (sample.metadata or {}):
            continue
        found.append(drawn_of(sample.id, score.metadata))
    return found

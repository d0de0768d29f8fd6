"""Reads chains back out of Inspect logs, as the plain data that the other modules take.

The one module of this room that knows Inspect, which it imports when a log is read.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from ctrl_harness.analysis.similarity import similarity
from ctrl_harness.analysis.stopping import CallCost
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.analysis.usage import input_tokens, is_unanswered
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.leakage import Leak
from ctrl_harness.critique.messages import Branch, Role
from ctrl_harness.critique.tree import leaves
from ctrl_harness.errors import UserError
from ctrl_harness.verification.extraction import get_extraction

if TYPE_CHECKING:
    from inspect_ai.event import Event, ModelEvent
    from inspect_ai.log import EvalSample

SCORER = "chain_verdicts"
CHAIN = "ctrl_harness:chain"
TREE = "ctrl_harness:tree"
"""Where a sample's metadata keeps its chain or its tree (evaluation/record.py, tree_record.py)."""
DRAFT_SEEN = "ctrl_harness:draft_seen"
"""There is no call behind the draft of a sample that has this: it was frozen
(evaluation/frozen.py)."""
_BRANCH = "branch_"


@dataclass(frozen=True, slots=True)
class LoggedChain:
    """outcome: what was true of its programs. metadata: the problem's (difficulty, date).
    completions: draft and revisions. calls: what was asked of the models, in order; empty in logs
    without events. A call that several chains of a tree share is among the first one's alone, so
    that calls add up. critiques: their texts; one more than revisions where none followed the last.
    leaf: the chain's place in its tree, turn by turn."""

    outcome: Outcome
    metadata: Mapping[str, Any]
    completions: tuple[str, ...]
    calls: tuple[CallCost, ...]
    critiques: tuple[str, ...] = ()
    leaf: Branch = ()


def branch_key(branch: int, key: str) -> str:
    """How a tree's value names what is true of its chain `branch`; the first one's as a chain's."""
    return f"{_BRANCH}{branch}:{key}" if branch else key


def outcomes_of_value(
    problem: Hashable, value: Mapping[str, Any], epoch: int = 1
) -> list[Outcome]:
    """The outcomes of a value, one a chain: several where a tree grew."""
    first: dict[str, Any] = {}
    chains: dict[int, dict[str, Any]] = {}
    for key, flag in value.items():
        if key.startswith(_BRANCH):
            branch, _, name = key.removeprefix(_BRANCH).partition(":")
            chains.setdefault(int(branch), {})[name] = flag
        else:
            first[key] = flag
    if first:
        chains[0] = first
    return [
        outcome_of_value(problem, chains[branch], epoch, branch) for branch in sorted(chains)
    ]


def outcome_of_value(
    problem: Hashable, value: Mapping[str, Any], epoch: int = 1, branch: int = 0
) -> Outcome:
    """What the value of a score of `chain_verdicts` says: `turn_t`, `time_limit_t`,
    `says_correct_t`, `says_incorrect_t` and `cut_short`, 0 or 1 each, and where leaks were looked
    for `leaks_program_t`, `leaks_solution_t` and `leaks_unjudged_t`."""
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
            _leak(value, turn) for turn in leaks
        ),
        cut_short=value.get("cut_short", 0) == 1,
        branch=branch,
    )


def _leak(value: Mapping[str, Any], turn: int) -> Leak:
    if value.get(f"leaks_unjudged_{turn}", 0) == 1:  # older logs have no such key
        return "unjudged"
    if value[f"leaks_solution_{turn}"] == 1:
        return "passing"
    return "program" if value[f"leaks_program_{turn}"] == 1 else "none"


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
            outcomes = outcomes_of_value(sample.id, score.value, sample.epoch)
            for outcome, grown in zip(outcomes, _grown(sample), strict=True):
                yield LoggedChain(outcome, sample.metadata, *grown)
    except (OSError, KeyError, IndexError) as error:
        raise UserError(f"the samples of {path} cannot be read: {error}") from error
    if not found:
        raise UserError(f"{path} holds no samples; run the eval without --no-log-samples")


class _Grown(NamedTuple):
    completions: tuple[str, ...]
    calls: tuple[CallCost, ...]
    critiques: tuple[str, ...]
    leaf: Branch


def _grown(sample: EvalSample) -> list[_Grown]:
    """What the sample's chains are made of: one chain, or a tree's, leaf by leaf."""
    metadata = sample.metadata or {}
    if TREE in metadata:
        return _tree_chains(metadata[TREE], filter(is_answer, sample.events))
    chain = metadata.get(CHAIN) or {}
    completions = tuple(chain.get("completions", ()))
    critiques = tuple(critique["text"] for critique in chain.get("critiques", ()))
    first = 1 if DRAFT_SEEN in metadata else 0
    unread = {turn for turn, critique in enumerate(chain.get("critiques", ()), 1)
              if critique.get("malformed")}  # fmt: skip
    written = [(n, text) for n, text in enumerate(completions) if n >= first and n not in unread]
    calls = tuple(_calls(filter(is_answer, sample.events), written, len(completions)))
    return [_Grown(completions, calls, critiques, (0,) * chain.get("turns", 0))]


def is_answer(event: Event) -> TypeGuard[ModelEvent]:
    """Whether it is a call of a model that was answered."""
    if event.event != "model" or event.error is not None or not event.output.choices:
        return False
    return not is_unanswered(event.output)


def _calls(
    answers: Iterable[ModelEvent], written: Sequence[tuple[int, str]], end: int
) -> Iterator[CallCost]:
    """An answer that is the chain's next program is the generator's; what comes before the next
    program is the critic's.

    written: the programs that a call is behind, each after the number of its turn; neither a frozen
    draft nor what stands for the revision that a malformed critique got. end: the turn of what
    comes after the last.
    """
    rest = [*written, (end, None)]
    for event in answers:
        turn, text = rest[0]
        role: Role = "critic"
        if event.role != "critic" and event.output.completion == text:
            role = "generator"
            del rest[0]
        yield _cost(event, role, turn)


class _TreeNode(NamedTuple):
    completion: str | None
    calls: list[CallCost]
    critique: str | None


def _tree_chains(tree: Mapping[str, Any], answers: Iterator[ModelEvent]) -> list[_Grown]:
    """Answers come in the order of the nodes; a node's last one is its program."""
    nodes: dict[Branch, _TreeNode] = {}
    for node in tree["nodes"]:
        branch, completion = tuple(node["branch"]), node["completion"]
        events = list(islice(answers, node["calls"]))
        asked: list[Role] = ["critic"] * len(events)
        critique = node["critique"]
        if events and completion is not None and not (critique or {}).get("malformed"):
            asked[-1] = "generator"
        costs = [_cost(e, role, len(branch)) for e, role in zip(events, asked, strict=True)]
        nodes[branch] = _TreeNode(completion, costs, critique and critique["text"])
    grown = []
    for leaf in leaves(tuple(tree["branches"])):
        completions: list[str] = []
        calls: list[CallCost] = []
        critiques: list[str] = []
        for level in range(len(leaf) + 1):
            completion, costs, critique = nodes.get(leaf[:level], _TreeNode(None, [], None))
            completions += [] if completion is None else [completion]
            critiques += [] if critique is None else [critique]
            calls += costs
            costs.clear()
        grown.append(_Grown(tuple(completions), tuple(calls), tuple(critiques), leaf))
    return grown


def _cost(event: ModelEvent, role: Role, turn: int) -> CallCost:
    usage = event.output.usage
    return CallCost(
        role,
        turn,
        input_tokens(usage),
        usage.output_tokens if usage else 0,
        cut_off=event.output.stop_reason in ("max_tokens", "model_length"),
        cost=usage.total_cost if usage else None,
    )


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

"""Where frozen drafts come from: a log of ours, or one of critic-rl's trees."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.log import read_eval_log, read_eval_log_samples

from ctrl_harness.analysis.logs import CHAIN, TREE
from ctrl_harness.analysis.trees import drafts_of_forest, read_forest
from ctrl_harness.critique.protocol import identity
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.compare_arms import Request
from ctrl_harness.evaluation.frozen import Frozen, FrozenDrafts

_OF_REVISIONS = ("revision_temperature", "history", "replay", "stop_at_correct")
"""Settings that change nothing of a draft."""


def drafts_from(path: Path, request: Request, task: Task, limit: int | None) -> FrozenDrafts:
    """The drafts of a log or a tree that are of this task's problems; of the first `limit` ones.

    task: of the problems to be compared on, under the comparison's own settings. Raises UserError
    for a log of another data set or protocol, a file that cannot be read, and where no draft is of
    these problems.
    """
    if path.suffix in (".eval", ".json"):
        found, origin = _of_log(path, request, task)
    else:
        found, origin = _of_tree(path, task)
    digests = {str(s.id): (s.metadata or {})["digest"] for s in task.dataset}
    kept = [d for d in found if digests.get(d.problem) is not None
            and d.digest in (None, digests[d.problem])]  # fmt: skip
    if not kept:
        raise UserError(
            f"none of the {len(found)} drafts of {path} is of the problems of {request.dataset} "
            f"from {request.source}; take the source and tests that they were written for"
        )
    first = set(list(dict.fromkeys(d.problem for d in kept))[:limit])
    # a tree does not tell which rows its problems had; from here on these are the ones
    frozen = [
        Frozen(d.problem, d.epoch, d.completion, digests[d.problem])
        for d in kept
        if d.problem in first
    ]
    origin["other_problems"] = origin.get("other_problems", 0) + len(found) - len(kept)
    return FrozenDrafts(request.dataset, origin, frozen)


def _of_log(path: Path, request: Request, task: Task) -> tuple[list[Frozen], dict[str, Any]]:
    try:
        header = read_eval_log(str(path), header_only=True)
        facts = header.eval.metadata or {}
        dataset = (facts.get("problem_set") or {}).get("dataset")
        if dataset != request.dataset:
            raise UserError(
                f"{path} is a log of {dataset or header.eval.task}, not of {request.dataset}; give "
                "one of the data set that is compared on"
            )
        told, own = _identity(facts), _identity(task.metadata or {})
        if told != own and not request.mix_protocols:
            raise UserError(
                f"the drafts of {path} were made with the protocol {told}, the comparison has "
                f"{own}; give the same settings, or --mix-protocols"
            )
        drafts = list(_of_samples(path))
    except (OSError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not an Inspect log, or not a whole one: {error}") from error
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is not an Inspect log: {error}") from error
    if not drafts:
        raise UserError(f"{path} holds no drafts; give a log of codecontests or its like")
    return drafts, {"log": path.name, "model": header.eval.model, "protocol": told}


def _of_samples(path: Path) -> Iterator[Frozen]:
    for sample in read_eval_log_samples(str(path), all_samples_required=False):
        metadata = sample.metadata or {}
        if TREE in metadata:
            nodes = metadata[TREE]["nodes"]
            completions = [node["completion"] for node in nodes if not node["branch"]]
        else:
            completions = (metadata.get(CHAIN) or {}).get("completions", [])
        if completions:
            yield Frozen(str(sample.id), sample.epoch, completions[0], metadata.get("digest"))


def _of_tree(path: Path, task: Task) -> tuple[list[Frozen], dict[str, Any]]:
    if (task.metadata or {}).get("unusable"):
        problems: list[str] = []  # row numbers would be off by those that were left out
    else:
        problems = [str(sample.id) for sample in task.dataset]
    names = problems or [str(sample.id) for sample in task.dataset]
    drafts, unknown = drafts_of_forest(read_forest(path), names, by_row=bool(problems))
    found = [Frozen(d.problem, d.epoch, d.completion) for d in drafts]
    return found, {"tree": path.name, "other_problems": len(unknown)}


def _identity(facts: Mapping[str, Any]) -> str:
    """The protocol, as far as it makes drafts."""
    changed = facts.get("changed") or {}
    return identity(
        {**facts, "changed": {k: v for k, v in changed.items() if k not in _OF_REVISIONS}}
    )

"""Frozen drafts: first programs in a file, so that every critic reads the same bytes.

A JSON line that says where they come from and how many they are, then one for each (problem,
epoch), with a digest, so that a file which was cut or changed is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai.solver import TaskState
from pydantic import BaseModel, ConfigDict, ValidationError

from ctrl_harness.analysis.logs import DRAFT_SEEN
from ctrl_harness.critique.critic import Critic, Critique, Draft
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.samples import one_line_errors
from ctrl_harness.problems.problem import Problem

_KIND = "ctrl-harness drafts 1"


@dataclass(frozen=True, slots=True)
class Frozen:
    """One draft. digest: the problem's, None where its origin does not tell."""

    problem: str
    epoch: int
    completion: str
    digest: str | None = None

    @property
    def sha256(self) -> str:
        return _sha256(self.completion)


class _Header(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: str
    dataset: str
    origin: dict[str, Any]
    drafts: int


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    problem: str
    epoch: int
    digest: str | None
    sha256: str
    completion: str


class FrozenDrafts:
    """Drafts by (problem, epoch). origin: where they come from, as JSON."""

    def __init__(self, dataset: str, origin: Mapping[str, Any], drafts: Iterable[Frozen]) -> None:
        """Raises UserError for two drafts of one (problem, epoch), and for none at all."""
        self.dataset = dataset
        self.origin = dict(origin)
        self._drafts: dict[tuple[str, int], Frozen] = {}
        for draft in drafts:
            key = (draft.problem, draft.epoch)
            if key in self._drafts:
                raise UserError(f"there are two drafts of {key[0]}, epoch {key[1]}; give one")
            self._drafts[key] = draft
        if not self._drafts:
            raise UserError("there is no draft to freeze; give a log or a tree with programs")

    def __iter__(self) -> Iterator[Frozen]:
        return iter(self._drafts.values())

    def __len__(self) -> int:
        return len(self._drafts)

    @property
    def problems(self) -> list[str]:
        """Their ids, in order."""
        return list(dict.fromkeys(draft.problem for draft in self))

    @property
    def epochs(self) -> int:
        """The highest epoch."""
        return max(draft.epoch for draft in self)

    @property
    def digest(self) -> str:
        """sha256 over all of them, whatever their order."""
        parts = sorted([d.problem, d.epoch, d.sha256] for d in self)
        return _sha256(json.dumps(parts))

    def find(self, problem: str, epoch: int) -> Frozen | None:
        return self._drafts.get((problem, epoch))

    def of(self, problem: str, epoch: int, digest: str) -> Frozen:
        """The draft of a sample. Raises UserError where there is none, and for a draft of a problem
        that has this name but not this content."""
        draft = self.find(problem, epoch)
        if draft is None:
            raise UserError(f"no draft of {problem}, epoch {epoch}, was frozen")
        if draft.digest not in (None, digest):
            raise UserError(
                f"the frozen draft of {problem} was written for other rows or tests; freeze drafts "
                "of these, or take the source that those came from"
            )
        return draft


def write_drafts(path: Path, drafts: FrozenDrafts) -> None:
    """Writes the file whole, or not at all."""
    header = _Header(
        kind=_KIND, dataset=drafts.dataset, origin=drafts.origin, drafts=len(drafts)
    )
    lines = [header.model_dump_json()]
    for draft in drafts:
        line = _Line(
            problem=draft.problem,
            epoch=draft.epoch,
            digest=draft.digest,
            sha256=draft.sha256,
            completion=draft.completion,
        )
        # as ASCII, since a completion may hold half of a character
        lines.append(json.dumps(line.model_dump()))
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_drafts(path: Path) -> FrozenDrafts:
    """Reads what `write_drafts` wrote. Raises UserError for a file that was cut or changed."""
    try:
        first, *rest = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the drafts {path} cannot be read: {error}") from error
    try:
        header = _Header.model_validate_json(first)
        lines = [_Line.model_validate(json.loads(line)) for line in rest]
    except (ValidationError, ValueError) as error:
        raise UserError(
            f"{path} holds no frozen drafts, or was cut off; take one that `ctrl-harness compare` "
            "wrote"
        ) from error
    if header.kind != _KIND or header.drafts != len(lines):
        raise UserError(
            f"{path} should hold {header.drafts} drafts and holds {len(lines)}; take the whole file"
        )
    for line in lines:
        if _sha256(line.completion) != line.sha256:
            raise UserError(f"the draft of {line.problem} in {path} was changed; take the original")
    frozen = (Frozen(n.problem, n.epoch, n.completion, n.digest) for n in lines)
    return FrozenDrafts(header.dataset, header.origin, frozen)


def open_drafts(path: str | None) -> Callable[[TaskState], Frozen | None]:
    """Finds each sample's draft in a file; without a file there is none.

    Raises InputError for a file that `read_drafts` refuses, and so does what is returned for a
    sample whose draft the file lacks.
    """
    if path is None:
        return lambda state: None
    with one_line_errors():
        drafts = read_drafts(Path(path))

    def find(state: TaskState) -> Frozen:
        with one_line_errors():
            return drafts.of(str(state.sample_id), state.epoch, state.metadata["digest"])

    return find


def draft_digest(draft: Draft) -> str:
    """sha256 of what a critic is handed: the answer, and the program in it."""
    return _sha256(json.dumps([draft.completion, draft.program]))


def watched(critic: Critic, metadata: dict[str, Any]) -> Critic:
    """The same critic; the digest of the draft that it is handed goes into the sample's metadata,
    under DRAFT_SEEN."""

    async def criticise(problem: Problem, draft: Draft) -> Critique:
        if draft.turn == 0:
            metadata[DRAFT_SEEN] = draft_digest(draft)
        return await critic(problem, draft)

    return criticise


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

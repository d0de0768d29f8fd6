"""What a sample's metadata keeps of a chain: enough to score it again, nothing that can be derived.

Plain JSON under one key. Inspect's store would do, but each span around a solver looks for what
changed there and logs it once more: a twentieth of what a sample of seven calls costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ctrl_harness.critique.critic import Critique, Malformed
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.revise import Chain

KEY = "ctrl_harness:chain"
COMPLETE = "complete"


class CritiqueRecord(BaseModel):
    """A critique as logged."""

    text: str
    judgement: Judgement
    cut_off: bool = False
    votes: list[Judgement] = []
    malformed: Malformed | None = None

    @classmethod
    def of(cls, critique: Critique) -> CritiqueRecord:
        return cls(
            text=critique.text,
            judgement=critique.judgement,
            cut_off=critique.cut_off,
            votes=list(critique.votes),
            malformed=critique.malformed,
        )


class ChainRecord(BaseModel):
    """A chain as far as it came.

    turns: how many were asked for. completions: the draft's and the revisions', in order.
    critiques: of completions[0], [1], …; one more than revisions where none followed the last.
    ended: None while it grows, and for ever where an error broke it off; then "complete", or the
    kind of Inspect's limit that cut it short (token, time, …).
    """

    turns: int
    completions: list[str]
    critiques: list[CritiqueRecord]
    ended: str | None = None

    @property
    def cut_short(self) -> bool:
        """A limit of the sample came before the chain's own end."""
        return self.ended not in (None, COMPLETE)

    @classmethod
    def of(cls, chain: Chain | None, turns: int, ended: str | None) -> ChainRecord:
        """chain: None where not even a draft came."""
        if chain is None:
            return cls(turns=turns, completions=[], critiques=[], ended=ended)
        critiques = [turn.critique for turn in chain.turns]
        if chain.closing is not None:
            critiques.append(chain.closing)
        return cls(
            turns=turns,
            completions=[draft.completion for draft in chain.programs],
            critiques=[CritiqueRecord.of(critique) for critique in critiques],
            ended=ended,
        )

    def keep(self, metadata: dict[str, Any]) -> None:
        metadata[KEY] = self.model_dump()

    @classmethod
    def read(cls, metadata: Mapping[str, Any]) -> ChainRecord | None:
        """None where the solver never began."""
        kept = metadata.get(KEY)
        return None if kept is None else cls.model_validate(kept)

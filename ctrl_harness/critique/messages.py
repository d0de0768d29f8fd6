"""What is said to a model and what it answers, free of any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Role = Literal["generator", "critic"]
"""Who is asked. The two may be one model (self-critique)."""

Branch = tuple[int, ...]
"""A place in a tree of revisions: which of its siblings, turn by turn from turn 1; () is the draft.
"""


class Message(NamedTuple):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model: who is asked, in which turn (0 is the draft), and what.

    vote: numbers the answers asked to one and the same question, from 0. branch: where the answer
    belongs in a tree of revisions (tree.py); () in a chain. agent: what makes the Inspect agent
    that answers, with the role's model, in place of the model alone (evaluation/agents.py); a
    Generate that knows no agents raises UserError.
    """

    role: Role
    turn: int
    messages: tuple[Message, ...]
    vote: int = 0
    branch: Branch = ()
    agent: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer. cut_off: it ended at max_tokens."""

    text: str
    cut_off: bool = False
    usage: Usage = field(default_factory=Usage)


Generate = Callable[[Call], Awaitable[Completion]]
"""Asks a model. Inspect, verl and tests each bring their own."""

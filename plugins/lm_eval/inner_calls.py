"""Requests of the LM `ctrl-critic` to the models it wraps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lm_eval.api.instance import Instance

from ctrl_harness.critique.messages import Role


class InnerCall(NamedTuple):
    """Which call of the loop a request is; role None: of no loop, the task asks.

    chain: numbers the chains of one request (`repeats`) from 1.
    """

    role: Role | None = None
    turn: int = 0
    vote: int = 0
    chain: int = 1


THE_TASK = InnerCall()


@dataclass
class InnerRequest(Instance):  # type: ignore[misc]
    """To every model a request as any other; `ctrl-recorded` looks at `call`."""

    call: InnerCall = THE_TASK


def call_of(request: Instance) -> InnerCall:
    """THE_TASK for a request of no loop."""
    return request.call if isinstance(request, InnerRequest) else THE_TASK

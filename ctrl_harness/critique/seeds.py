"""A seed for each call, from the seed of the run."""

from __future__ import annotations

import hashlib
import json

from ctrl_harness.critique.messages import Branch, Call

_RANGE = 2**31 - 1
"""What every server takes: a positive 32-bit integer."""


def told_branch(call: Call) -> list[Branch]:
    """The call's branch as the one item of a list; none for a chain and for a tree's first one."""
    return [call.branch] if any(call.branch) else []


def call_seed(run_seed: int, problem: str, epoch: int, call: Call) -> int:
    """The seed of a call, 0 to 2^31 - 2: sha256 of (run seed, problem, epoch, turn, role, vote).

    One seed for all calls, as `--seed` alone has it, would give every epoch the same draft. In a
    tree of revisions the branch comes last, except in its first chain, whose seeds are those of a
    chain alone.
    """
    parts = [run_seed, problem, epoch, call.turn, call.role, call.vote]
    key = json.dumps([*parts, *told_branch(call)])
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % _RANGE

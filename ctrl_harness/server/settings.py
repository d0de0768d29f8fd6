"""How a server judges and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Limits


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one server allows.

    workers: programs judged at once. max_waiting: requests of our own routes that may wait beyond
    those, more get 429; on SandboxFusion's routes all wait. max_body_mb, max_pending_mb: MiB of one
    request and of all that are inside, each counted twice; others wait unread. max_time_s,
    max_memory_mb, max_output_mb: the most that a request may ask for a test case. max_judging_s:
    wall seconds that judging may take, without the wait for it; handling_s: processor seconds that
    may go into reading a request, comparing and wording its answer. max_connections: that may be
    open, where descriptors suffice. head_s, body_s: seconds that the head and the body of a request
    may take to arrive; after slow_s of them a body must have come at slow_kb_s KiB a second.
    taking_s: seconds that a client may take to read its answer. first_byte_s: after so many seconds
    an answer on SandboxFusion's routes begins with a blank. grace_s: seconds that what is inside
    gets to finish when the server stops. token: what requests must carry.
    """

    workers: int = 1
    max_waiting: int = 256
    max_body_mb: float = 64.0
    max_pending_mb: float = 1024.0
    max_time_s: float = 300.0
    max_memory_mb: float = 8192.0
    max_output_mb: float = 64.0
    max_judging_s: float = 900.0
    handling_s: float = 120.0
    max_connections: int = 2048
    head_s: float = 20.0
    body_s: float = 60.0
    slow_s: float = 10.0
    slow_kb_s: float = 64.0
    taking_s: float = 60.0
    first_byte_s: float = 25.0
    grace_s: float = 30.0
    token: str | None = None

    def check(self, limits: Limits) -> Limits:
        """The limits as they are. Raises UserError for more than this server allows."""
        for name in ("time_s", "memory_mb", "output_mb"):
            asked, allowed = getattr(limits, name), getattr(self, f"max_{name}")
            if asked > allowed:
                raise UserError(
                    f"limit {name} is {asked:g}, but this server allows at most {allowed:g}"
                )
        return limits

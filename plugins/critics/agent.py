"""`agent`: a model that may run programs on the public tests before it writes its critique.

Inspect's react agent with the model of the role `critic`, else the model itself, whose last answer
is read as a model critic's is.
"""

from __future__ import annotations

from ctrl_harness.critique.critic import Critic, CriticContext


def agent(context: CriticContext) -> Critic:
    """An Inspect agent that may run the public tests before it writes."""
    # Inspect takes two seconds to import, which a list of critics need not wait for
    from ctrl_harness.plugins.critics.running_agent import RunningCritic

    return RunningCritic(context)

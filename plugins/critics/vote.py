"""`vote:N:CRITIC`: N critiques of another critic, and the majority's verdict.

The same as `-T votes=N -T critic=CRITIC`, as one name: where critics stand side by side, one of
them may vote and the others not.
"""

from __future__ import annotations

from ctrl_harness.critique.critic import CriticFactory, takes_argument
from ctrl_harness.critique.voting import choose_critic
from ctrl_harness.errors import UserError


@takes_argument("N:CRITIC")
def vote(argument: str) -> CriticFactory:
    """The majority of N critiques of another critic.

    Raises UserError for a number that is none, and for a critic that cannot vote.
    """
    number, colon, critic = argument.partition(":")
    if not number.isdecimal() or not colon:
        raise UserError(f"vote:{argument} is not vote:N:CRITIC; write vote:3:model, say")
    return choose_critic(critic, votes=int(number), feedback_tests="public")

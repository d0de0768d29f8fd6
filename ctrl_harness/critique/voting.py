"""Several critiques of one draft, and the majority's verdict (Mirror-Critique, arXiv 2509.23152).

Asked again, a critic often says something else of the same program; the verdict of most of its
critiques is the steadier one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from ctrl_harness.critique.critic import (
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    FeedbackTests,
    find_critic,
)
from ctrl_harness.critique.critics import RUNNING, UNASKED
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.messages import Call, Completion, Generate, Usage
from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem

VOTE = "vote:"
"""How the names of voting critics begin (plugins/critics/vote.py)."""


def choose_critic(name: str, *, votes: int = 1, feedback_tests: FeedbackTests) -> CriticFactory:
    """The critic of this name, voting with itself where there is more than one vote.

    Raises UserError for an unknown name, and for a setting that would change nothing of one of our
    critics; of a plug-in's nothing is known.
    """
    factory = find_critic(name)
    if not isinstance(votes, int) or isinstance(votes, bool) or votes < 1:
        raise UserError(f"votes is {votes!r}; give 1 or a larger whole number, an odd one best")
    if votes > 1 and name.startswith(VOTE):
        raise UserError(f"critic={name} votes already; leave votes={votes} out")
    if votes > 1 and name in UNASKED:
        raise UserError(f"votes={votes} asks a model several times; critic={name} asks none")
    if feedback_tests not in get_args(FeedbackTests):
        raise UserError(f"feedback_tests is {feedback_tests!r}; give public or judged")
    if feedback_tests == "judged" and name == "model":
        raise UserError(
            "feedback_tests=judged is for critics that run programs; "
            f"choose critic={' or critic='.join(RUNNING)}, or leave it out"
        )
    return factory if votes == 1 else by_majority(factory, votes)


def by_majority(factory: CriticFactory, votes: int) -> CriticFactory:
    """The critic asked `votes` times of each draft, every call with the number of its vote."""

    def make(context: CriticContext) -> Critic:
        critics = [
            factory(replace(context, generate=numbered(context.generate, vote)))
            for vote in range(votes)
        ]

        async def criticise(problem: Problem, draft: Draft) -> Critique:
            return majority([await critic(problem, draft) for critic in critics])

        return criticise

    return make


def numbered(generate: Generate, vote: int) -> Generate:
    """Asks every call as that vote."""

    async def ask(call: Call) -> Completion:
        return await generate(replace(call, vote=vote))

    return ask


def majority(critiques: Sequence[Critique]) -> Critique:
    """One critique for all of them.

    judgement: the one that most of them have, "missing" being one of the three; `missing` where two
    share the first place. text: the first critique with that judgement, since all with it were
    drawn alike, and to choose among them (the longest, say) would be to judge them; where there is
    none, the first of all. usage: the sum of all.
    """
    counts = Counter(critique.judgement for critique in critiques)
    (judgement, most), *rest = counts.most_common()
    if rest and rest[0][1] == most:
        judgement = "missing"
    chosen = next((c for c in critiques if c.judgement == judgement), critiques[0])
    said: tuple[Judgement, ...] = tuple(critique.judgement for critique in critiques)
    usage = Usage(
        sum(critique.usage.input_tokens for critique in critiques),
        sum(critique.usage.output_tokens for critique in critiques),
    )
    return Critique(chosen.text, judgement, chosen.cut_off, usage, said, chosen.malformed)

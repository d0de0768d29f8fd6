"""JudgeBench as CTRL plays it: each response is criticised alone, and the critiques vote.

arXiv 2502.03492, appendix C.4: n critiques a response; the response that is more often judged
"Correct" wins. Neither n nor what a tie counts is stated there: n is an option here, and the
metrics hold both ways of counting ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ctrl_harness.analysis.votes import VotedPair, summarise_votes
from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.pair_prompts import PairPrompts
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.critique.voting import numbered
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.calls import ModelCalls
from ctrl_harness.evaluation.judge_pairs import ANSWERS, MODEL, context_of, judge_named, label_of
from ctrl_harness.evaluation.samples import one_line_errors
from ctrl_harness.evaluation.sampling import Notices
from ctrl_harness.problems.problem import Problem

VOTES = 5
"""Critiques a response gets unless another number is given."""


@solver
def judge_each_alone(
    votes: int = VOTES,
    prompts: str = "default",
    sampling: Mapping[str, Any] | None = None,
    critic: str = MODEL,
) -> Solver:
    """Asks a critic, by default the model in the role `critic`, for critiques of each response.

    Nothing in a request tells of the other response, or which of the two it is about. Turn 1 is
    response A's and turn 2 response B's; `vote` numbers the critiques from 0.

    Args:
        votes: Critiques a response gets; an odd number.
        prompts: A built-in prompt set or a folder of templates.
        sampling: temperature, top_p, max_tokens and repetition_penalty; what is null or left out is
            the role's and the command's.
        critic: Name of a critic; model is the role `critic`, else the model itself.
    """
    if not isinstance(votes, int) or isinstance(votes, bool) or votes < 1 or votes % 2 == 0:
        raise UserError(f"votes is {votes!r}; give an odd number of critiques a response: 1, 3, 5")
    words = PairPrompts(prompts, "pointwise")
    factory = judge_named(critic)
    asked = Sampling(**(sampling or {}))
    notices = Notices()

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        calls = ModelCalls(str(state.sample_id), state.epoch, {"critique": asked}, notices)
        critiques: list[list[dict[str, str]]] = []
        question = Problem(str(state.sample_id), "judgebench", state.metadata["question"], ())
        for turn, key in enumerate(("response_A", "response_B")):
            response = Draft(state.metadata[key], None, turn)
            said = []
            with one_line_errors():
                for vote in range(votes):
                    judge = factory(context_of(numbered(calls, vote), words))
                    critique = await judge(question, response)
                    said.append({"text": critique.text, "judgement": critique.judgement})
            critiques.append(said)
        state.metadata[ANSWERS] = critiques
        calls.configs.keep(state.metadata)
        calls.show(state, "critic")
        return state

    return solve


@metric(scores="unreduced")
def vote_accuracy() -> Metric:
    """Accuracy overall and per category, ties, and the accuracy that fewer votes would have had."""

    def compute(scores: list[SampleScore]) -> Value:
        pairs = [_voted(score) for score in scores]
        votes = min((len(pair.votes_a) for pair in pairs), default=1)
        return dict(summarise_votes(pairs, votes))

    return compute


@scorer(metrics=[vote_accuracy()])
def pair_votes() -> Scorer:
    """Right when the better response is more often called Correct than the other."""

    async def score(state: TaskState, target: Target) -> Score:
        critiques = state.metadata.get(ANSWERS)
        if critiques is None:
            return Score.unscored(reason="no answers", explanation="the solver did not finish")
        votes_a, votes_b = (tuple(c["judgement"] for c in said) for said in critiques)
        pair = VotedPair(state.metadata["category"], label_of(target.text), votes_a, votes_b)
        better, other = pair.counts()
        return Score(
            value={"right": int(better > other), "tied": int(better == other)},
            answer=f"A: {_count(votes_a)}; B: {_count(votes_b)}",
            metadata={
                "category": pair.category,
                "label": pair.label,
                "votes_A": list(votes_a),
                "votes_B": list(votes_b),
            },
        )

    return score


def _count(votes: tuple[Judgement, ...]) -> str:
    return f"{votes.count('correct')} of {len(votes)} correct"


def _voted(sample: SampleScore) -> VotedPair:
    data = sample.score.metadata or {}
    return VotedPair(
        data["category"],
        data["label"],
        tuple(data["votes_A"]),
        tuple(data["votes_B"]),
        sample.sample_id,
    )

"""What the solvers share: generator, critic, prompts and judge of a run, made once for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model._model import ModelGenerateError, ModelRefusalError
from inspect_ai.solver import TaskState
from inspect_ai.util import LimitExceededError

from ctrl_harness.critique.choice import get_prompts
from ctrl_harness.critique.critic import (
    Critic,
    CriticContext,
    CriticFactory,
    FeedbackTests,
    feedback_from,
    on_public_cases,
)
from ctrl_harness.critique.critics import CRITICS
from ctrl_harness.critique.guard import guarded
from ctrl_harness.critique.messages import Generate
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.critique.protocol import Sampling, Stage
from ctrl_harness.critique.voting import choose_critic
from ctrl_harness.evaluation.calls import ModelCalls
from ctrl_harness.evaluation.sampling import Notices
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.time_limit import TimeLimit

NOT_THE_CRITICS = (LimitExceededError, ModelGenerateError, ModelRefusalError, PrerequisiteError)
"""What may come out of a critic and is Inspect's word on the sample, or the model's failure."""


def find_guarded(name: str, *, votes: int, feedback_tests: FeedbackTests) -> CriticFactory:
    """The critic of this name; what one of somebody else's does wrong is a CriticError.

    Raises UserError as `choose_critic` does.
    """
    factory = choose_critic(name, votes=votes, feedback_tests=feedback_tests)
    if name in CRITICS:
        return factory
    return guarded(factory, name, critiques=votes, passing=NOT_THE_CRITICS)


def open_judge(
    *,
    extraction: str,
    comparator: str | None,
    executor: str | None,
    unsafe_no_isolation: bool,
    time_limit: str | float,
    cache: VerdictCache | None = None,
) -> Judge:
    """The judge that a solver's or a scorer's arguments name; UserError where they cannot be."""
    return Judge(
        get_executor(executor, unsafe_no_isolation=unsafe_no_isolation),
        comparator=comparator,
        time_limit=TimeLimit.parse(time_limit),
        extraction=extraction,
        cache=cache,
    )


@dataclass(frozen=True, slots=True)
class Roles:
    """Who is asked and how.

    sampling: what each stage asks for. notices: what was already warned of in this run.
    """

    prompts: Prompts
    factory: CriticFactory
    feedback_tests: FeedbackTests
    judge: Judge
    sampling: Mapping[Stage, Sampling]
    notices: Notices

    @classmethod
    def choose(
        cls,
        dataset: str,
        judge: Judge,
        *,
        prompts: str,
        critic: str,
        votes: int,
        feedback_tests: FeedbackTests,
        sampling: Mapping[Stage, Mapping[str, Any]] | None,
    ) -> Roles:
        """Raises UserError for prompts or a critic that are not there."""
        return cls(
            get_prompts(prompts, dataset),
            find_guarded(critic, votes=votes, feedback_tests=feedback_tests),
            feedback_tests,
            judge,
            {stage: Sampling(**values) for stage, values in (sampling or {}).items()},
            Notices(),
        )

    def calls(self, state: TaskState) -> ModelCalls:
        """Asks this eval's models for one sample."""
        return ModelCalls(str(state.sample_id), state.epoch, self.sampling, self.notices)

    def critic(self, generate: Generate, problem: Problem) -> Critic:
        """The critic of one problem."""
        return self.factory(
            CriticContext(
                generate,
                on_public_cases(self.judge, problem),
                self.prompts,
                feedback_from(self.judge, problem, self.feedback_tests),
            )
        )

"""What the solvers share: generator, critic, prompts and judge of a run, made once for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, Unpack

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
from ctrl_harness.verification.output_limit import OutputLimit
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


class Judging(TypedDict):
    """What a solver's or a scorer's arguments say of the judge."""

    extraction: str
    comparator: str | None
    executor: str | None
    unsafe_no_isolation: bool
    packages: NotRequired[Sequence[str]]
    all_cases: NotRequired[bool]
    time_limit: str | float
    output_mb: str | float


def open_judge(*, cache: VerdictCache | None = None, **judging: Unpack[Judging]) -> Judge:
    """The judge that the arguments name. Raises UserError where they name none."""
    return Judge(
        get_executor(
            judging["executor"],
            unsafe_no_isolation=judging["unsafe_no_isolation"],
            packages=judging.get("packages", ()),
        ),
        comparator=judging["comparator"],
        time_limit=TimeLimit.parse(judging["time_limit"]),
        extraction=judging["extraction"],
        all_cases=judging.get("all_cases", False),
        cache=cache,
        output_limit=OutputLimit.parse(judging["output_mb"]),
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
        *,
        prompts: str,
        critic: str,
        votes: int,
        feedback_tests: FeedbackTests,
        sampling: Mapping[Stage, Mapping[str, Any]] | None,
        **judging: Unpack[Judging],
    ) -> Roles:
        """Raises UserError for prompts, a critic or a judge that are not there."""
        judge = open_judge(**judging)
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

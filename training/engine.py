"""Who does the work of a synthesis: asks a model, judges a program. Here, in this process.

An engine knows nothing of stores, problems still to do or rows. Both kinds of work have all they
need in their arguments, so that they can be done by any process that has the same `WorkSpec`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log._transcript import Transcript, init_transcript
from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.model._model import init_active_model, init_model_roles
from rich.errors import MarkupError
from rich.text import Text
from tenacity import RetryError

from ctrl_harness.critique.messages import Call, Completion
from ctrl_harness.critique.protocol import Sampling, Stage
from ctrl_harness.errors import ContextOverflow, CtrlHarnessError, UserError
from ctrl_harness.evaluation.calls import ModelCalls
from ctrl_harness.evaluation.sampling import Notices
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.output_limit import OutputLimit
from ctrl_harness.verification.time_limit import TimeLimit
from ctrl_harness.verification.verdict import Verdict

_SHOWN_CHARS = 300


class ModelFailed(CtrlHarnessError):
    """A model could not be asked, after the retries: down, busy, or its service answers nonsense.

    Nothing is known of what it would have said.
    """


class ModelSpec(NamedTuple):
    """A model by Inspect's name (`provider/name`), with what `get_model` may be told of it."""

    name: str
    base_url: str | None = None
    args: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """How models are asked and programs judged, in plain types that travel between processes.

    critic: the generator where it is None. seed: of the run; each call gets one of its own. in_
    flight: calls to each model at once, a process. max_retries: of a call, by Inspect's growing
    pauses. timeout_s: seconds an attempt may take. jobs: programs judged at once, a process; None
    for its cores.
    """

    generator: ModelSpec
    critic: ModelSpec | None = None
    sampling: Mapping[Stage, Sampling] = field(default_factory=dict)
    seed: int | None = None
    in_flight: int = 8
    max_retries: int = 6
    timeout_s: int | None = None
    executor: str | None = None
    unsafe_no_isolation: bool = False
    packages: tuple[str, ...] = ()
    extraction: str = "first_fence"
    comparator: str | None = None
    time_limit: str = "row"
    output_mb: str = "row"
    jobs: int | None = None

    def open_judge(self) -> Judge:
        """Raises UserError for an executor or a setting that is not there."""
        return Judge(
            get_executor(
                self.executor,
                jobs=self.jobs,
                unsafe_no_isolation=self.unsafe_no_isolation,
                packages=self.packages,
            ),
            comparator=self.comparator,
            time_limit=TimeLimit.parse(self.time_limit),
            extraction=self.extraction,
            output_limit=OutputLimit.parse(self.output_mb),
        )


class Question(NamedTuple):
    """A call to a model: for which problem, and in which of its drafts (from 0)."""

    problem_id: str
    draft_number: int
    call: Call


class Submission(NamedTuple):
    """A program to be judged. bare: it came as such and not out of a completion. all_cases: its
    first failing case does not end it, since somebody counts those that pass."""

    problem: Problem
    program: str
    bare: bool = False
    all_cases: bool = False


class Engine(Protocol):
    """Does the work. Reentrant: many pieces are under way at once."""

    async def ask(self, question: Question) -> Completion:
        """Raises ModelFailed; ContextOverflow where the generator has no room for the question;
        UserError for a model that cannot be used at all."""
        ...

    async def judge(self, submission: Submission) -> Verdict:
        """Raises JudgeError where the machinery fails."""
        ...

    async def aclose(self) -> None:
        """Ends what the engine has begun. Idempotent."""
        ...


class LocalEngine:
    """The engine of one process; models and judge are opened when they are first needed."""

    def __init__(self, spec: WorkSpec) -> None:
        self._spec = spec
        self._notices = Notices()
        self._models: tuple[Model, Model] | None = None
        self._judge: Judge | None = None
        self._config = GenerateConfig(
            seed=spec.seed, max_connections=spec.in_flight, max_retries=spec.max_retries
        )

    async def ask(self, question: Question) -> Completion:
        generator, critic = self._open_models()
        # what an eval sets up for its samples; each task has a copy of its own
        init_active_model(generator, self._config)
        init_model_roles({"critic": critic})
        init_transcript(Transcript())  # else this task's would keep every call
        calls = ModelCalls(
            question.problem_id, question.draft_number + 1, self._spec.sampling, self._notices
        )
        try:
            return await calls(question.call)
        except PrerequisiteError as error:
            raise _as_user_error(error) from None
        except (UserError, ContextOverflow):
            raise
        except Exception as error:
            # each provider's library has exceptions of its own, and Inspect passes them on
            raise ModelFailed(_reason(error)) from error

    async def judge(self, submission: Submission) -> Verdict:
        if self._judge is None:
            self._judge = self._spec.open_judge()
        return await with_cases(self._judge, submission.all_cases).verify(
            submission.problem, submission.program, bare=submission.bare
        )

    async def aclose(self) -> None:
        if self._judge is not None:
            await self._judge.executor.aclose()
            self._judge = None
        for model in set(self._models or ()):
            await model.api.aclose()
        self._models = None

    def _open_models(self) -> tuple[Model, Model]:
        if self._models is None:
            generator = self._open(self._spec.generator)
            critic = self._spec.critic
            self._models = (generator, generator if critic is None else self._open(critic))
        return self._models

    def _open(self, model: ModelSpec) -> Model:
        """Raises UserError for a model that Inspect does not know or cannot set up."""
        try:
            return get_model(
                model.name,
                config=GenerateConfig(attempt_timeout=self._spec.timeout_s),
                base_url=model.base_url,
                memoize=False,  # it is closed with this engine
                **dict(model.args),
            )
        except PrerequisiteError as error:
            raise _as_user_error(error) from None
        except (ValueError, TypeError) as error:
            raise UserError(f"the model {model.name} cannot be used: {error}") from None


def with_cases(judge: Judge, all_cases: bool) -> Judge:
    """The same judge, on all cases or up to a program's first failing one."""
    return judge if judge.all_cases == all_cases else replace(judge, all_cases=all_cases)


def _reason(error: BaseException) -> str:
    last = error.last_attempt.exception() if isinstance(error, RetryError) else None
    error = last or error
    return " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN_CHARS]


def _as_user_error(error: PrerequisiteError) -> UserError:
    text = str(error.message)
    with suppress(MarkupError):
        text = Text.from_markup(text).plain
    return UserError(" ".join(text.split()).removeprefix("ERROR: "))

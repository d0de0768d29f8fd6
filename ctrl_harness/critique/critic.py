"""A critic's contract: a problem and a draft in, a critique out.

Anything that fulfils it can be scored: a model role, a rule over execution results, an agent, a
service. Third parties register a factory under the entry-point group `ctrl_harness.critics`:

    [project.entry-points."ctrl_harness.critics"]
    my_critic = "my_package.critics:make"          # make(context: CriticContext) -> Critic

and choose it with `-T critic=my_critic`; or name a file, `-T critic=path/file.py:make`. A critic
that needs an argument is made by a function under `takes_argument`, and chosen as `NAME:ARGUMENT`.
docs/critics.md has all of it, `ctrl-harness critics check NAME` tries a critic out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from ctrl_harness.critique.feedback import Feedback, describe
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.messages import Generate, Usage
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict

ENTRY_POINT_GROUP = "ctrl_harness.critics"


@dataclass(frozen=True, slots=True)
class Draft:
    """A program under review: the whole completion, the program in it (None without one), and the
    turn it was written in (0 is the first draft)."""

    completion: str
    program: str | None
    turn: int = 0


Malformed = Literal["too_long", "context_overflow"]
"""Why no generator can read a critique: it is longer than any critique may be, or the request for a
revision does not fit into the generator's context with it."""


@dataclass(frozen=True, slots=True)
class Critique:
    """What a critic says of a draft.

    text: what the generator will read. judgement: the critic's verdict, `missing` when it gave
    none. cut_off: the critique ended at a token limit. usage: tokens it took, for whoever reads
    one critique; tables count the calls themselves. votes: the judgement of each critique that
    this one stands for (voting.py), empty for a critique that stands for itself. malformed: why
    the critique could not be read, so that an empty answer stands for its revision.
    """

    text: str
    judgement: Judgement
    cut_off: bool = False
    usage: Usage = field(default_factory=Usage)
    votes: tuple[Judgement, ...] = ()
    malformed: Malformed | None = None


class Critic(Protocol):
    """Writes a critique. Reentrant: many drafts are under review at once.

    What it cannot say it says by raising: CriticError, or anything else, marks the sample. A
    JudgeError of `verify` and `run_tests` must get through.
    """

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        """`problem` is what a critic may know: `cases` holds the public ones only, and no right
        program stands in it."""
        ...


# -- pairs of responses (JudgeBench)

Decision = Literal["A>B", "B>A", "A=B", "missing"]
"""What a judge said of the two responses in the order in which they were shown to it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses to one question, in the order in which they are shown.

    id: the pair's own. swapped: whether `response_a` is what the data set calls response B.
    """

    id: str
    question: str
    response_a: str
    response_b: str
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which of two responses a critic holds for the better one, and what it wrote."""

    decision: Decision
    text: str = ""
    usage: Usage = field(default_factory=Usage)


@runtime_checkable
class Comparing(Protocol):
    """A critic that can compare two responses as well; JudgeBench's pairwise mode needs it."""

    async def compare(self, pair: Pair) -> Comparison:
        """Called twice a pair, the second time with the responses swapped."""
        ...


# -- what a critic is given

Verify = Callable[[str | None], Awaitable[Verdict]]
RunTests = Callable[[str | None], Awaitable[Feedback | None]]

FeedbackTests = Literal["public", "judged"]
"""What an execution critic runs: the public cases, or all that the scorer judges by. The second is
an oracle: CTRL's rows marked † have it (arXiv 2502.03492, table 1), and nobody has it in use."""


@dataclass(frozen=True, slots=True)
class CriticContext:
    """What a critic of one problem may use.

    generate: asks a role's model. verify: judges a program on all public cases; JudgeError where
    that fails. prompts: the data set's prompts. run_tests: what running a program shows, on the
    public cases or, where the user asked for that oracle, on those it is judged by; None where
    there are none to run.
    """

    generate: Generate
    verify: Verify
    prompts: Prompts
    run_tests: RunTests


CriticFactory = Callable[[CriticContext], Critic]
"""Called once a sample; what is costly to make is made once, outside of it."""


@dataclass(frozen=True, slots=True)
class CriticMaker:
    """A critic that is chosen with an argument.

    make: the factory for an argument, made before any model is asked; UserError for an argument
    that cannot be used. argument: what it is, for people (URL, FILE).
    """

    make: Callable[[str], CriticFactory]
    argument: str


def takes_argument(what: str) -> Callable[[Callable[[str], CriticFactory]], CriticMaker]:
    """Marks a function from an argument to a factory, to be registered under its name:

        @takes_argument("URL")
        def http(url: str) -> CriticFactory: ...
    """

    def mark(make: Callable[[str], CriticFactory]) -> CriticMaker:
        return CriticMaker(make, what)

    return mark


def as_critics_see_it(problem: Problem) -> Problem:
    """The problem without its hidden cases and without the right programs that judging uses."""
    return replace(problem, cases=problem.public_cases, reference=None, time_reference=None)


def on_public_cases(judge: Judge, problem: Problem) -> Verify:
    """The judge for a critic, who may count what passes; it knows the whole problem, the critic
    does not."""
    public = problem.with_cases(problem.public_cases)
    judge = replace(judge, all_cases=True)

    async def verify(program: str | None) -> Verdict:
        return await judge.verify(public, program)

    return verify


def feedback_from(judge: Judge, problem: Problem, tests: FeedbackTests) -> RunTests:
    """Runs programs for a critic; the last one's feedback is kept, since votes ask for it again.

    Every case is run, since feedback says how many pass."""
    shown = problem.with_cases(problem.public_cases) if tests == "public" else problem
    judge = replace(judge, all_cases=True)
    last: dict[str | None, Feedback] = {}

    async def run(program: str | None) -> Feedback | None:
        if not shown.cases:
            return None
        if program not in last:
            feedback = describe(shown, await judge.verify(shown, program))
            last.clear()
            last[program] = feedback
        return last[program]

    return run


def find_critic(name: str) -> CriticFactory:
    """The factory of a critic: ours, a plug-in's, a file's, or an agent's.

    name: `model`, `NAME`, `NAME:ARGUMENT`, `path/file.py:NAME` or `package/NAME` (finding.py).
    Raises UserError, naming the choices, for an unknown name or one that cannot be loaded.
    """
    from ctrl_harness.critique.finding import find  # which knows all critics, and they know us

    return find(name)

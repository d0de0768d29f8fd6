"""Puts data set, solver and scorer together; the files under tasks/ only name their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack, get_args

from inspect_ai import Task
from inspect_ai.log import HeadlineMetric

from ctrl_harness.critique.choice import get_prompts
from ctrl_harness.critique.critics import CRITICS
from ctrl_harness.critique.protocol import Stage, describe, protocol
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.control import (
    NONE,
    TEMPERATURE,
    critic_of_arm,
    resample_until_spent,
)
from ctrl_harness.evaluation.control_scorer import control_verdicts
from ctrl_harness.evaluation.samples import one_line_errors, problem_dataset, report_rows
from ctrl_harness.evaluation.scorer import chain_verdicts
from ctrl_harness.evaluation.settings import Given, with_given
from ctrl_harness.evaluation.solver import critique_and_revise
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.rows import NAMED_SOURCES


def critique_task(
    dataset: str,
    load: Callable[..., ProblemSet],
    *,
    source: str,
    protocol_name: str = "default",
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] | str | None = None,
    leakage: bool = True,
    all_cases: bool = False,
    arm: str | None = None,
    drafts: str | None = None,
    **given: Unpack[Given],
) -> Task:
    """A task over programs: draft, `turns` × (critique, revision), one verdict a program.

    load: makes the problem set of (source, **settings of the rows); called once. given: what the
    user changes of the protocol, the data set's row settings among it. leakage: programs in
    critiques are looked for and judged. all_cases: the scorer runs the cases after a program's
    first failing one too. arm: with critic=none, the log whose tokens the control spends. drafts:
    a file of frozen drafts (frozen.py). Everything that it came to stands in the log's header,
    `oracle` where the critic saw the tests that judge. Raises Inspect's PrerequisiteError, one
    line, for anything wrong in the input.
    """
    with one_line_errors():
        protocol_name = parameters.name("protocol", protocol_name)
        settings = with_given(protocol(protocol_name, dataset), given)
        importable = parameters.names("packages", packages)
        judging: dict[str, Any] = {
            "extraction": settings.extraction,
            "comparator": settings.comparator,
            "executor": get_executor(
                executor, unsafe_no_isolation=unsafe_no_isolation, packages=importable
            ).name,
            "unsafe_no_isolation": unsafe_no_isolation,
            "packages": importable,
            "time_limit": settings.time_limit,
            "output_mb": settings.output_mb,
        }
        facts = describe(protocol_name, dataset, settings)
        sampling = {stage: settings.sampling(stage)._asdict() for stage in get_args(Stage)}
        leakage = parameters.flag("leakage", leakage)
        all_cases = parameters.flag("all_cases", all_cases)
        if settings.critic == NONE:
            chosen = critic_of_arm(_arm(arm), facts)
            facts["control"] = {"arm": _arm(arm), **chosen._asdict()}
            if sampling["draft"]["temperature"] is None:
                sampling["draft"]["temperature"] = facts["control"]["temperature"] = TEMPERATURE
            solver = resample_until_spent(
                dataset=dataset,
                arm=_arm(arm),
                prompts=settings.prompts,
                drafts=_drafts(drafts),
                sampling=sampling,
                **chosen._asdict(),
                **judging,
            )
            scorer = control_verdicts(**judging, all_cases=all_cases)
        else:
            if arm is not None:
                raise UserError(f"arm={arm} is for critic={NONE}, the control of that arm")
            solver = critique_and_revise(
                dataset=dataset,
                turns=settings.turns,
                branches=settings.branches,
                drafts=_drafts(drafts),
                critic=settings.critic,
                stop_at_correct=settings.stop_at_correct,
                prompts=settings.prompts,
                feedback_tests=settings.feedback_tests,
                votes=settings.votes,
                history=settings.history,
                replay=settings.replay,
                sampling=sampling,
                **judging,
            )
            scorer = chain_verdicts(**judging, leakage=leakage, all_cases=all_cases)
        problems = load(parameters.path_or_name(source, NAMED_SOURCES), **settings.rows)
        return Task(
            dataset=problem_dataset(problems),
            solver=solver,
            scorer=scorer,
            epochs=settings.epochs,
            # a log with a failed sample is a failed log all the same, at the end
            continue_on_fail=settings.critic not in (NONE, *CRITICS) or None,
            headline_metric=HeadlineMetric(metric="pass_at_1"),
            metadata={
                **report_rows(problems),
                **facts,
                "prompts_digest": get_prompts(settings.prompts, dataset).digest,
                **judging,
                "leakage": leakage,
                "all_cases": all_cases,
                "oracle": facts.get("control", facts)["feedback_tests"] == "judged",
            },
        )


def _drafts(path: str | None) -> str | None:
    return None if path is None else parameters.path_or_name(path, ())


def _arm(path: str | None) -> str:
    if path is None:
        raise UserError(f"critic={NONE} spends what a critic arm spent; give its log: -T arm=LOG")
    return parameters.path_or_name(path, ())

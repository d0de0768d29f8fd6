"""`/submit`: a completion judged on the row that comes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ctrl_harness.execution.executor import Executor
from ctrl_harness.server.dataset_types import row_with_id, type_of
from ctrl_harness.server.models import SubmitRequest
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.submission import Submission
from ctrl_harness.verification.comparators import get_comparator
from ctrl_harness.verification.digest import judgement_digest
from ctrl_harness.verification.verdict import CaseResult, Verdict
from ctrl_harness.verification.verify import verify

_EXTRACTION = "sandbox_fusion"


def submission_of(request: SubmitRequest) -> Submission:
    """What the request asks to judge. Raises UserError for what cannot be judged, and why."""
    config = request.config
    if config.custom_extract_logic is not None:
        raise NotSupported("custom_extract_logic would run in the server; extract before you send")
    kind = type_of(request.dataset, config)
    submission = kind.submission(request, row_with_id(config, request.id))
    problem = submission.problem
    limits = submission.time_limit.of(problem.limits)
    comparator = _comparator(config.extra, problem.comparator)
    return replace(submission, problem=replace(problem, limits=limits, comparator=comparator))


def _comparator(extra: dict[str, Any], default: str) -> str:
    name = extra.get("comparator", default)
    return get_comparator(name if isinstance(name, str) else repr(name)[:80]).name


async def judge_submission(
    request: SubmitRequest, submission: Submission, executor: Executor
) -> Verdict:
    """The verdict; without `extra.run_all_cases` the first failure ends it."""
    problem = submission.problem
    all_cases = bool(request.config.extra.get("run_all_cases", False))
    if submission.decided is not None:
        digest = judgement_digest(
            problem,
            submission.found.program,
            comparator="words",
            limits=problem.limits,
            all_cases=all_cases,
            extraction=_EXTRACTION,
        )
        result = CaseResult(0, submission.decided, 0.0, output=submission.found.program or "")
        return Verdict(submission.decided, (result,), digest)
    return await verify(
        problem,
        submission.found.program,
        executor=executor,
        time_limit=submission.time_limit,
        all_cases=all_cases,
        extraction=_EXTRACTION,
    )

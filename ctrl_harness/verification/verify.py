"""Is it right? The one definition, behind evaluation, reward, command line and server alike."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import (
    CallInput,
    Executor,
    Input,
    Program,
    Run,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.wire import Fingerprint, Opaque
from ctrl_harness.integers import readable
from ctrl_harness.problems.problem import (
    FROM_REFERENCE,
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.comparators import Comparator, get_comparator
from ctrl_harness.verification.digest import judgement_digest
from ctrl_harness.verification.extraction import get_extraction
from ctrl_harness.verification.output_limit import OWN_OUTPUT, OutputLimit
from ctrl_harness.verification.output_size import with_room
from ctrl_harness.verification.time_limit import ROW, TimeLimit
from ctrl_harness.verification.verdict import CaseResult, Status, Verdict

TIME_FACTOR = 4.0
"""How many times a right program's own time a program may take (evalplus 0.3.1, eval/)."""
MAX_SCALED_TIME_S = 60.0
_PREVIEW_CHARS = 2_000
_NO_ASSERTION = "the tests ran to their end, but with this program they evaluated no assertion"


async def verify(
    problem: Problem,
    program: str | None,
    *,
    executor: Executor,
    comparator: str | None = None,
    limits: Limits | None = None,
    time_limit: TimeLimit = ROW,
    all_cases: bool = False,
    extraction: str | None = None,
    cache: VerdictCache | None = None,
    output_limit: OutputLimit = OWN_OUTPUT,
) -> Verdict:
    """Judges a program on a problem's cases, in their order, up to the first that is not accepted.

    program: bare source; None when `extraction` found none in the completion. comparator and
    limits: the problem's own by default. time_limit: what becomes of the seconds in them;
    output_limit: of their MiB of output, which a problem with larger expected outputs has more of.
    all_cases: go on after it, for whoever reads how many cases pass; status and `passed` are the
    same either way. extraction: the rule that took the program out of a completion, for the digest.

    Raises JudgeError where the machinery failed, UserError for a problem without cases or an
    unknown comparator. Whatever is wrong with the program is in the verdict.
    """
    if not problem.cases:
        raise UserError(f"{problem.id} has no test case, so nothing can be judged on it")
    rule = get_comparator(comparator or problem.comparator)
    # given seconds are final, a row's own may give way to a slow reference program
    scaled_time = limits is None and time_limit.is_of_row
    limits = output_limit.of(time_limit.of(limits or problem.limits))
    digest = judgement_digest(
        problem,
        program,
        comparator=rule.name,
        limits=limits,
        all_cases=all_cases,
        extraction=extraction,
        scaled_time=scaled_time,
        time_limit=time_limit,
    )
    if program is None:
        return Verdict("no_code", (None,) * len(problem.cases), digest)
    if cache is not None and (known := cache.get(digest)) is not None:
        return known

    limits = with_room(limits, problem)
    cases = await _with_expected_values(problem, limits, executor)
    total_s = time_limit.total_s(len(cases))
    results = await _judge(problem, program, cases, rule, limits, executor, all_cases, total_s)
    if scaled_time and problem.time_reference is not None:
        results = await _retry_slow_cases(
            problem, program, cases, rule, time_limit, limits, executor, all_cases, results
        )
    verdict = Verdict(_overall(results), tuple(results), digest)
    if cache is not None:
        cache.put(verdict)
    return verdict


async def verify_completion(
    problem: Problem,
    completion: str,
    *,
    executor: Executor,
    extraction: str = "first_fence",
    comparator: str | None = None,
    limits: Limits | None = None,
    time_limit: TimeLimit = ROW,
    all_cases: bool = False,
    cache: VerdictCache | None = None,
    output_limit: OutputLimit = OWN_OUTPUT,
) -> Verdict:
    """`verify` on the program that the named rule finds in a completion, `no_code` without one."""
    return await verify(
        problem,
        get_extraction(extraction, problem.dataset)(completion),
        executor=executor,
        comparator=comparator,
        limits=limits,
        time_limit=time_limit,
        all_cases=all_cases,
        extraction=extraction,
        cache=cache,
        output_limit=output_limit,
    )


# -- running and comparing


def case_input(case: TestCase) -> Input:
    """What an executor may know of a case: everything but the expected value."""
    match case:
        case StdioCase():
            return StdinInput(case.stdin)
        case CallCase():
            return CallInput(case.function, case.args)
        case ScriptCase():
            return ScriptInput(case.script)


async def _judge(
    problem: Problem,
    program: str,
    cases: Sequence[TestCase],
    rule: Comparator,
    limits: Limits,
    executor: Executor,
    all_cases: bool,
    total_s: float | None,
) -> list[CaseResult | None]:
    """One result a case, None where it was not run. total_s: seconds that all have together."""
    results: list[CaseResult | None] = []
    spent_s = 0.0

    def judge(run: Run) -> bool:
        nonlocal spent_s
        if len(results) == len(cases):
            raise JudgeError(f"executor {executor.name!r} ran more than the {len(cases)} cases")
        result = _case_result(len(results), cases[len(results)], run, rule)
        spent_s += run.time_s
        if late := total_s is not None and spent_s > total_s:
            error = f"the tests took longer than {total_s:g} s together"
            result = replace(result, status="time_limit", error=error)
        results.append(result)
        return late or (not all_cases and result.status != "accepted")

    inputs = [case_input(case) for case in cases]
    runs = await executor.execute(Program(program, problem.prelude), inputs, limits, judge)
    while len(results) < len(runs):  # a run that ends the program need not reach `until`
        judge(runs[len(results)])
    last = results[-1] if results else None
    ended = last is not None and (
        last.status == "compile_error"
        or (not all_cases and last.status != "accepted")
        or (total_s is not None and spent_s > total_s)
    )
    if len(results) < len(cases) and not ended:
        raise JudgeError(
            f"executor {executor.name!r} ran {len(results)} of {len(cases)} cases of {problem.id}"
        )
    results.extend([None] * (len(cases) - len(results)))
    return results


def _case_result(index: int, case: TestCase, run: Run, rule: Comparator) -> CaseResult:
    status: Status
    output = ""
    if run.status == "ok":
        if isinstance(case, StdioCase):
            right, output = rule.text_equal(run.stdout, case.stdout), run.stdout[:_PREVIEW_CHARS]
        elif isinstance(case, CallCase):
            if isinstance(run.value, Fingerprint) and not isinstance(case.expected, Fingerprint):
                error = "the result is larger than any right one"
                return CaseResult(index, "output_limit", run.time_s, run.memory_mb, error)
            right, output = rule.value_equal(run.value, case), _preview(run.value)
        elif not run.value:
            return CaseResult(index, "wrong_answer", run.time_s, run.memory_mb, _NO_ASSERTION)
        else:
            right = True
        status = "accepted" if right else "wrong_answer"
    elif isinstance(case, ScriptCase) and _assertion_failed(run.error):
        status = "wrong_answer"
    else:
        status = run.status
    return CaseResult(index, status, run.time_s, run.memory_mb, run.error, output)


def _assertion_failed(error: str) -> bool:
    """A script's own assert did not hold, which is a wrong answer and no crash."""
    # not the last line alone: the assert's own message may have several
    return any(line.startswith("AssertionError") for line in error.splitlines())


def _preview(value: Any) -> str:
    try:
        return readable(value)[:_PREVIEW_CHARS]
    except RecursionError:
        return "a value nested hundreds deep"


def _overall(results: Sequence[CaseResult | None]) -> Status:
    for result in results:
        if result is not None and result.status != "accepted":
            return result.status
    return "accepted"


# -- MBPP+: values and times that a reference program gives

_EXPECTED: OrderedDict[tuple[str, float], tuple[Any, ...]] = OrderedDict()
_MAX_EXPECTED = 64


async def _with_expected_values(
    problem: Problem, limits: Limits, executor: Executor
) -> tuple[TestCase, ...]:
    """The cases, those marked FROM_REFERENCE with the value the reference program returns."""
    open_cases = [
        case for case in problem.cases if isinstance(case, CallCase) and _needs_reference(case)
    ]
    if not open_cases:
        return problem.cases
    if problem.reference is None:
        raise UserError(f"{problem.id} has cases without expected values and no reference program")
    key = problem.digest(), limits.output_mb  # larger values than that are known by fingerprints
    values = _EXPECTED.get(key)
    if values is None:
        patient = replace(limits, time_s=max(limits.time_s, MAX_SCALED_TIME_S))
        runs = await executor.execute(
            Program(problem.reference), [case_input(case) for case in open_cases], patient
        )
        failed = next((run for run in runs if run.status != "ok"), None)
        if failed is not None or len(runs) != len(open_cases):
            detail = f"{failed.status}: {failed.error}" if failed else "it did not run to its end"
            raise JudgeError(f"the reference program of {problem.id} failed ({detail})")
        if any(isinstance(run.value, Opaque) for run in runs):
            raise JudgeError(f"the reference program of {problem.id} returned no plain value")
        values = _EXPECTED[key] = tuple(run.value for run in runs)
        while len(_EXPECTED) > _MAX_EXPECTED:
            _EXPECTED.popitem(last=False)
    remaining = iter(values)
    return tuple(
        replace(case, expected=next(remaining))
        if isinstance(case, CallCase) and _needs_reference(case)
        else case
        for case in problem.cases
    )


def _needs_reference(case: CallCase) -> bool:
    return case.expected is FROM_REFERENCE


async def _retry_slow_cases(
    problem: Problem,
    program: str,
    cases: Sequence[TestCase],
    rule: Comparator,
    time_limit: TimeLimit,
    limits: Limits,
    executor: Executor,
    all_cases: bool,
    results: list[CaseResult | None],
) -> list[CaseResult | None]:
    """Gives cases that hit the time limit 4 × a right program's time, where that is longer.

    A row's limit is the longer of both, so a multiple of the row's is one of this time too.
    """
    assert problem.time_reference is not None
    results = list(results)
    patient = replace(limits, time_s=MAX_SCALED_TIME_S)
    for index, result in enumerate(results):
        if result is None or result.status != "time_limit":
            continue
        given = [case_input(cases[index])]
        right = Program(problem.time_reference, problem.prelude)
        (timed,) = await executor.execute(right, given, patient)
        time_s = min(MAX_SCALED_TIME_S, TIME_FACTOR * timed.time_s) * time_limit.factor
        if timed.status != "ok" or time_s <= limits.time_s:
            continue
        longer = replace(limits, time_s=time_s)
        (run,) = await executor.execute(Program(program, problem.prelude), given, longer)
        results[index] = _case_result(index, cases[index], run, rule)
    if not all_cases and all(result is None or result.status == "accepted" for result in results):
        # the case that had ended it passes after all, so the others have to be run
        done = sum(result is not None for result in results)
        if done < len(cases):
            rest = replace(problem, cases=tuple(cases[done:]))
            later = await verify(
                rest,
                program,
                executor=executor,
                comparator=rule.name,
                time_limit=time_limit,
                output_limit=OutputLimit(limits.output_mb),
            )
            results[done:] = [
                None if r is None else replace(r, index=r.index + done) for r in later.cases
            ]
    return results

"""Is it right? The one definition, behind evaluation, reward, command line and server alike."""

from __future__ import annotations

import json
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
from ctrl_harness.execution.run_wire import value_as_json
from ctrl_harness.execution.wire import Payload
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
from ctrl_harness.verification.case_results import CaseResults
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
    case_results = CaseResults(rule)
    spent_s = 0.0

    def judge(run: Run) -> bool:
        nonlocal spent_s
        if len(results) == len(cases):
            raise JudgeError(f"executor {executor.name!r} ran more than the {len(cases)} cases")
        result = case_results.of(len(results), cases[len(results)], run)
        spent_s += run.time_s
        if late := total_s is not None and spent_s > total_s:
            error = f"the tests took longer than {total_s:g} s together"
            result = replace(result, status="time_limit", error=error)
        results.append(result)
        return late or case_results.exceeded or (not all_cases and result.status != "accepted")

    inputs = [case_input(case) for case in cases]
    source = Program(program, problem.prelude, keeps_outputs=False)
    runs = await executor.execute(source, inputs, limits, judge)
    while len(results) < len(runs):  # a run that ends the program need not reach `until`
        judge(runs[len(results)])
    last = results[-1] if results else None
    ended = last is not None and (
        last.status == "compile_error"
        or case_results.exceeded
        or (not all_cases and last.status != "accepted")
        or (total_s is not None and spent_s > total_s)
    )
    if len(results) < len(cases) and not ended:
        raise JudgeError(
            f"executor {executor.name!r} ran {len(results)} of {len(cases)} cases of {problem.id}"
        )
    results.extend([None] * (len(cases) - len(results)))
    return results


def _overall(results: Sequence[CaseResult | None]) -> Status:
    for result in results:
        if result is not None and result.status != "accepted":
            return result.status
    return "accepted"


# -- MBPP+: values and times that a reference program gives

_EXPECTED: OrderedDict[tuple[str, float], tuple[Payload, ...]] = OrderedDict()
_MAX_EXPECTED_BYTES = 64 << 20


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
        returned: list[Any] = []

        def take(run: Run) -> bool:
            returned.append(run.value)
            return run.status != "ok"

        reference = Program(problem.reference, keeps_outputs=False)
        inputs = [case_input(case) for case in open_cases]
        runs = await executor.execute(reference, inputs, patient, take)
        failed = next((run for run in runs if run.status != "ok"), None)
        if failed is not None or len(returned) != len(open_cases):
            detail = f"{failed.status}: {failed.error}" if failed else "it did not run to its end"
            raise JudgeError(f"the reference program of {problem.id} failed ({detail})")
        values = tuple(map(_as_payload, returned))
        if any(value.data.startswith(b'{"o":') for value in values):
            raise JudgeError(f"the reference program of {problem.id} returned no plain value")
        _remember_expected(key, values)
    remaining = iter(values)
    return tuple(
        replace(case, expected=next(remaining))
        if isinstance(case, CallCase) and _needs_reference(case)
        else case
        for case in problem.cases
    )


def _as_payload(value: Any) -> Payload:
    """Values wait as JSON, which takes a tenth of their memory."""
    if isinstance(value, Payload):
        return value
    return Payload(json.dumps(value_as_json(value), separators=(",", ":")).encode("ascii"))


def _remember_expected(key: tuple[str, float], values: tuple[Payload, ...]) -> None:
    _EXPECTED[key] = values
    sizes = {key: sum(len(value.data) for value in kept) for key, kept in _EXPECTED.items()}
    total = sum(sizes.values())
    while total > _MAX_EXPECTED_BYTES:
        oldest, _ = _EXPECTED.popitem(last=False)
        total -= sizes[oldest]


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
        case = cases[index]
        right = Program(problem.time_reference, problem.prelude, keeps_outputs=False)
        (timed,) = await executor.execute(right, [case_input(case)], patient)
        time_s = min(MAX_SCALED_TIME_S, TIME_FACTOR * timed.time_s) * time_limit.factor
        if timed.status != "ok" or time_s <= limits.time_s:
            continue
        longer = replace(limits, time_s=time_s)
        (again,) = await _judge(problem, program, [case], rule, longer, executor, True, None)
        assert again is not None
        results[index] = replace(again, index=index)
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

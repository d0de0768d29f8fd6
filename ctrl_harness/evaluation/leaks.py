"""What a chain's critiques gave away, judged by the scorer's own judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ctrl_harness.critique.leakage import Leak, find_leak
from ctrl_harness.evaluation.record import ChainRecord
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict


async def find_leaks(
    record: ChainRecord, problem: Problem, judge: Judge, known: Mapping[str | None, Verdict]
) -> list[Leak]:
    """One a critique, in order.

    known: verdicts of the chain's own programs, most of which took over what was leaked. Others are
    judged to their first failing case only. Where the judge fails the leak is `unjudged`.
    """
    passed = {program.strip(): v.passed for program, v in known.items() if program is not None}
    quick = replace(judge, all_cases=False)

    async def passes(program: str) -> bool:
        if program.strip() in passed:
            return passed[program.strip()]
        return (await quick.verify(problem, program, bare=True)).passed

    drafts = [judge.extract(completion, problem) for completion in record.completions]
    return [
        await find_leak(critique.text, draft, problem, passes)
        for critique, draft in zip(record.critiques, drafts, strict=False)
    ]


def leaks_value(leaks: Sequence[Leak] | None, record: ChainRecord) -> dict[str, int]:
    """The flags of each turn's critique, 0 for one that was not written; none without leaks."""
    value: dict[str, int] = {}
    if leaks is None:
        return value
    for turn in range(1, record.turns + 1):
        found = leaks[turn - 1] if turn <= len(leaks) else "none"
        value[f"leaks_program_{turn}"] = int(found != "none")
        value[f"leaks_solution_{turn}"] = int(found == "passing")
        value[f"leaks_unjudged_{turn}"] = int(found == "unjudged")
    return value

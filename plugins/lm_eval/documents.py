"""lm-eval's documents of our problems: all that its sample logs may hold, so never a test.

A document names its problem set and carries the problem's digest; whoever needs the tests reads
them from the rows again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.catalog import load_problem_set
from ctrl_harness.problems.problem import Problem
from ctrl_harness.problems.problem_set import ProblemSet
from ctrl_harness.problems.reference import ProblemSetReference

PROBLEM_SET = "problem_set"
"""The field that only documents of ours have: the reference as JSON text."""

Document = Mapping[str, Any]


def as_asked(problems: ProblemSet, name: str) -> Problem:
    """The problem without any test: what a prompt needs, from memory."""
    summary = problems.summary(name)
    return Problem(
        summary.id,
        problems.reference.dataset,
        summary.statement,
        (),
        starter_code=summary.starter_code,
        metadata=summary.metadata,
    )


def documents(problems: ProblemSet) -> list[dict[str, str]]:
    """One a problem, in the order of the rows: id, question, problem_set and digest."""
    reference = json.dumps(problems.reference.as_json(), sort_keys=True)
    return [
        {
            "id": summary.id,
            "question": summary.statement,
            PROBLEM_SET: reference,
            "digest": summary.digest,
        }
        for summary in problems
    ]


def problem_of(doc: Document) -> Problem:
    """The problem of a document of ours, tests and all.

    Raises UserError where the rows are no longer those that the document was made of.
    """
    reference = ProblemSetReference.from_json(json.loads(doc[PROBLEM_SET]))
    problems = load_problem_set(reference)
    name = doc["id"]
    if name not in problems or problems.summary(name).digest != doc["digest"]:
        raise UserError(f"{name} is not what it was: {reference} has changed; run again")
    return problems[name]

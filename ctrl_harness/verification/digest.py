"""The digest of a judgement: what makes two judgements the same one."""

from __future__ import annotations

import hashlib
import json
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ctrl_harness.problems.problem import FROM_REFERENCE, CallCase, Limits, Problem
from ctrl_harness.verification.time_limit import ROW, TimeLimit

if TYPE_CHECKING:
    from hashlib import _Hash

FORMAT_VERSION = 2
"""Part of every digest; raised when the same inputs could be judged otherwise than before."""


def judgement_digest(
    problem: Problem,
    program: str | None,
    *,
    comparator: str,
    limits: Limits,
    all_cases: bool,
    extraction: str | None,
    scaled_time: bool = True,
    time_limit: TimeLimit = ROW,
) -> str:
    """sha256 of canonical JSON (sorted keys, no white space, ASCII) of all that decides a verdict.

    Keys: cases, comparator, extraction, fail_fast (not `all_cases`), format_version, limits,
    program. `program` is what runs: the problem's prelude, where it has one, and the source.
    limits: what `time_limit` made of the problem's.
    """
    source = program
    if program is not None and problem.prelude:
        source = f"{problem.prelude}\n{program}"
    limit_data: dict[str, Any] = limits.as_json()
    if scaled_time and problem.time_reference is not None:
        limit_data["time_reference"] = problem.time_reference
        if time_limit.factor != 1.0:
            limit_data["time_factor"] = time_limit.factor
    if (total_s := time_limit.total_s(len(problem.cases))) is not None:
        limit_data["total_s"] = total_s
    tail = {
        "comparator": comparator,
        "extraction": extraction,
        "fail_fast": not all_cases,
        "format_version": FORMAT_VERSION,
        "limits": limit_data,
        "program": source,
    }
    # "cases" sorts first, so its part is hashed once a problem and the rest is added to a copy
    sha = _known(problem).sha.copy()
    sha.update(b"," + _canonical(tail)[1:])
    return sha.hexdigest()


def largest_case(problem: Problem) -> int:
    """Characters of the canonical JSON of the problem's largest case."""
    return _known(problem).largest_case


class _Known(NamedTuple):
    """A problem that may be gone by now, the hash of its cases and the size of the largest."""

    problem: weakref.ref[Problem]
    sha: _Hash
    largest_case: int


_KNOWN: dict[int, _Known] = {}
"""By the problem's identity; goes with the problem, whose tests may fill 100 MB."""


def _known(problem: Problem) -> _Known:
    known = _KNOWN.get(id(problem))
    if known is None or known.problem() is not problem:
        sha = hashlib.sha256(b'{"cases":[')
        largest = 0
        for position, case in enumerate(problem.cases):
            data = case.as_json()
            if isinstance(case, CallCase) and case.expected is FROM_REFERENCE:
                data["reference"] = problem.reference
            canonical = _canonical(data)
            largest = max(largest, len(canonical))
            sha.update((b"," if position else b"") + canonical)
        sha.update(b"]")
        forget = partial(_forget, id(problem))
        known = _KNOWN[id(problem)] = _Known(weakref.ref(problem, forget), sha, largest)
    return known


def _forget(key: int, gone: weakref.ref[Problem]) -> None:
    known = _KNOWN.get(key)
    if known is not None and known.problem is gone:  # else another problem has its place by now
        del _KNOWN[key]


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _canonical(data: Any) -> bytes:
    return _ENCODER.encode(data).encode()

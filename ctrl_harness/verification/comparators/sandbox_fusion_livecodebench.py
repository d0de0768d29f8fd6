"""The `sandbox_fusion_livecodebench` comparator: how SandboxFusion judges LiveCodeBench.

SandboxFusion runs the testing utility that LiveCodeBench had before its graders of today
(sandbox/datasets/live_code_bench.py, `run_test`); what that accepts of a text and of a value is
written here anew, its oddities with it. CTRL's numbers on LiveCodeBench were made with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Array, Iterated, Opaque
from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators.oracle import by_oracle

_RELATIVE, _ABSOLUTE = 1e-5, 1e-8  # numpy.allclose's
_BREAKS = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_BREAK, _NO_BREAK = re.compile(rf"\r\n|[{_BREAKS}]"), re.compile(rf"[^{_BREAKS}]+")
"""What ends a line for `str.splitlines`; what stands between two of those."""
_MUCH = 1 << 16
_JSON_KEYS = (str, int, float, bool, type(None))


def sandbox_fusion_livecodebench_lines_equal(output: str, expected: str) -> bool:
    """The lines are the same, or every one is a number and close to the expected one.

    White space counts for nothing at both ends of the text and of each output line. Where that
    does not do, empty lines are left out, and the expected lines alone are stripped. Numbers are
    compared as floats, off by at most 1e-8 + 1e-5 relative, as soon as one line on either side is
    not made of digits alone: 10000000009 does not answer 10000000000, but it does in the company
    of a line -1. Letters have their case: yes does not answer YES.
    """
    if len(output) > _MUCH + 2 * len(expected):
        return _much_equals(output, expected)
    lines, whole = output.splitlines(), expected.strip()
    if whole in ("\n".join(lines).strip(), "\n".join(line.strip() for line in lines).strip()):
        return True
    got = [line for line in lines if line]
    want = [line.strip() for line in expected.split("\n") if line]
    return want in (lines, got) or _numbers_close(got, want)


def _much_equals(output: str, expected: str) -> bool:
    """The same of an output that is far longer, in the memory that the expected one takes."""
    whole = expected.strip()
    lines = list(islice(_lines(output.strip()), whole.count("\n") + 2))
    if whole in ("\n".join(lines), "\n".join(line.strip() for line in lines)):
        return True
    want = [line.strip() for line in expected.split("\n") if line]
    if want == list(islice(_lines(output), len(want) + 1)):
        return True
    got = [match[0] for match in islice(_NO_BREAK.finditer(output), len(want) + 1)]
    return got == want or _numbers_close(got, want)


def _lines(text: str) -> Iterator[str]:
    """Those of `splitlines`, one by one."""
    start = 0
    for match in _BREAK.finditer(text):
        yield text[start : match.start()]
        start = match.end()
    if start < len(text):
        yield text[start:]


def _numbers_close(got: Sequence[str], want: Sequence[str]) -> bool:
    if len(got) != len(want) or all(map(str.isdigit, (*got, *want))):
        return False
    try:
        return all(_close(float(a), float(b)) for a, b in zip(got, want, strict=True))
    except ValueError:
        return False


def _close(got: float, want: float) -> bool:
    if math.isinf(want) or math.isinf(got):
        return got == want
    return abs(got - want) <= _ABSOLUTE + _RELATIVE * abs(want)


def sandbox_fusion_livecodebench_values_equal(value: Any, case: CallCase) -> bool:
    """Python's ==, after a tuple at the top was made a list; or == to the expected list's first.

    A value that is no JSON (a set, bytes, an array, an object) equals nothing.
    """
    try:
        if case.oracle == "equal" and not _is_json(value):
            return False
    except RecursionError:
        return False
    return by_oracle(value, case, _equal)


def _equal(got: Any, want: Any) -> bool:
    try:
        want = _with_integer_keys(want)
        got = list(got) if isinstance(got, tuple) else got
        if got == want:
            return True
        if not isinstance(want, list) or not want:
            return False
        return bool(got == want[0]) or _tuples_equal(got, want[0])
    except RecursionError:
        return False


def _tuples_equal(got: Any, want: Any) -> bool:
    """A list whose first item is a tuple may be expected as a list of lists."""
    if not isinstance(got, list) or not got or not isinstance(got[0], tuple):
        return False
    if not all(isinstance(item, (tuple, list, str, dict)) for item in got):
        return False
    return bool([list(item) for item in got] == want)


def _with_integer_keys(want: Any) -> Any:
    """JSON has no integer keys: a dict, or one that begins a list, gets them back.

    The list loses all but that first one, as it does in SandboxFusion.
    """
    table = want[0] if isinstance(want, list) and want else want
    if not isinstance(table, dict):
        return want
    try:
        return [{int(key): value for key, value in table.items()}]
    except (TypeError, ValueError):
        return want


def _is_json(value: Any) -> bool:
    """Whether `json.dumps` takes it."""
    if isinstance(value, (Array, Iterated, Opaque, complex, bytes, set, frozenset, Members)):
        return False
    if isinstance(value, (list, tuple)):
        return all(map(_is_json, value))
    if isinstance(value, Pairs):
        return all(isinstance(key, _JSON_KEYS) and _is_json(item) for key, item in value.items)
    if isinstance(value, dict):
        return all(isinstance(k, _JSON_KEYS) for k in value) and all(map(_is_json, value.values()))
    return True

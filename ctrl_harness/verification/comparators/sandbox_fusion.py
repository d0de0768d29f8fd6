"""The `sandbox_fusion` comparator: its online-judge rule, which is one for text alone.

Values are compared as by `default`: SandboxFusion itself has no rule for them, it runs scripts.
"""

from __future__ import annotations

_MAX_NUMBER_CHARS = 400


def sandbox_fusion_lines_equal(output: str, expected: str) -> bool:
    """SandboxFusion's rule for standard output (utils/testing.py, `check_stdio_test_case`).

    Outer white space aside, there must be as many lines, equal without their own outer white space
    and in lower case; a line that is one number on both sides may be off by 1e-5 relative. So YES
    answers Yes, and 100000000000000001 answers 100000000000000000: use `default` where that is not
    wanted.
    """
    want = expected.strip().split("\n")
    got = output.strip().split("\n", len(want))
    return len(got) == len(want) and all(map(_sandbox_fusion_line_equal, got, want))


def _sandbox_fusion_line_equal(got: str, want: str) -> bool:
    got, want = got.strip().lower(), want.strip().lower()
    if got == want:
        return True
    if max(len(got), len(want)) > _MAX_NUMBER_CHARS:
        return False
    try:
        got_number, want_number = float(got), float(want)
    except ValueError:
        return False
    return abs(got_number - want_number) / max(abs(want_number), 1e-10) < 1e-5

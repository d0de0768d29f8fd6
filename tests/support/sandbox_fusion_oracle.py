"""What SandboxFusion would answer: its published rules written down once more, and plain python3.

Nothing here is the product's: programs run as files under this interpreter, and what they print or
return is compared by the steps of SandboxFusion's code in their order. Source: its repository
bytedance/SandboxFusion, sandbox/datasets/{common_oj,live_code_bench,mbpp}.py and utils/testing.py.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_LIMIT_S = 20.0


class Ran(NamedTuple):
    """How a file ended: its exit status, None at the limit, and its standard output."""

    status: int | None
    stdout: str


def run_file(source: str, stdin: str = "", limit_s: float = _LIMIT_S) -> Ran:
    """Runs the source as a file in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "main.py")
        path.write_text(source, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, str(path)],
                input=stdin.encode(),
                capture_output=True,
                timeout=limit_s,
                cwd=folder,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ran(None, "")
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"))


# -- CommonOJDataset


def oj_passes(source: str, stdin: str, expected: str) -> bool:
    """One test of an online judge's row."""
    ran = run_file(source, stdin)
    return ran.status == 0 and oj_accepts(ran.stdout, expected)


def oj_accepts(printed: str, expected: str) -> bool:
    """Its comparison of two texts."""
    pairs = [text.strip().split("\n") for text in (printed, expected)]
    if len(pairs[0]) != len(pairs[1]):
        return False
    for got, want in zip(
        *([line.lower().strip() for line in lines] for lines in pairs), strict=True
    ):
        if got != want:
            try:
                error = abs(float(got) - float(want)) / max(abs(float(want)), 1e-10)
            except (ValueError, OverflowError):
                return False
            if not error < 1e-5:
                return False
    return True


# -- MBPPDataset


def mbpp_passes(program: str, setup: str, tests: list[str]) -> bool:
    """Whether program and asserts, as one script, end with 0."""
    for mark in ("# Example usage", 'if __name__ == "__main__":', "\nassert", '\n"""'):
        at = program.find(mark)
        program = program if at < 0 else program[:at]
    return run_file("\n".join([setup, program, *tests]) + "\n").status == 0


# -- LiveCodeBenchDataset

_CALL = """
import json as _json, sys as _sys
_names = globals()
_target = _names["Solution"]() if "Solution" in _names else None
_function = getattr(_target, {name!r}) if _target is not None else _names[{name!r}]
_arguments = [_json.loads(line) for line in {lines!r}]
_real = _sys.stdout
_value = _function(*_arguments)
_real.write("\\n" + {mark!r} + repr(_value))
"""
_MARK = "=== returned "


def live_stdio_passes(source: str, stdin: str, expected: str, prelude: str) -> bool:
    """One test on standard input. Exit statuses count for nothing there, exceptions do."""
    ran = run_file(f"{prelude}\n{source}", stdin)
    return ran.status == 0 and peer_accepts_text(ran.stdout, expected)


def live_call_passes(source: str, name: str, given: str, expected: str, prelude: str) -> bool:
    """One test of a function: arguments as JSON, one a line."""
    call = _CALL.format(name=name, lines=given.split("\n"), mark=_MARK)
    ran = run_file(f"{prelude}\n{source}\n{call}")
    _, found, text = ran.stdout.rpartition(_MARK)
    if ran.status != 0 or not found:
        return False
    try:
        return peer_accepts_value(ast.literal_eval(text), json.loads(expected))
    except (ValueError, SyntaxError):
        return False


def peer_accepts_text(printed: str, expected: str) -> bool:
    """The steps of SandboxFusion's testing utility for standard output, in their order."""
    lines = printed.splitlines()
    for shown in (lines, [line.strip() for line in lines]):
        if "\n".join(shown).strip() == expected.strip():
            return True
    if lines == [expected]:
        return True
    wanted = [part.strip() for part in filter(len, expected.split("\n"))]
    if lines == wanted:
        return True
    lines = list(filter(len, lines))
    if lines == wanted:
        return True
    pairs = zip(lines, wanted, strict=False)
    if all(a.isdigit() and b.isdigit() for a, b in pairs):
        return False
    try:
        numbers = [float(line) for line in lines], [float(line) for line in wanted]
    except ValueError:
        return False
    return len(lines) == len(wanted) and bool(np.allclose(*numbers))


def peer_integer_keys(table: dict[str, Any]) -> Any:
    try:
        return [{int(key): value for key, value in table.items()}]
    except ValueError:
        return table


def peer_accepts_value(returned: Any, expected: Any) -> bool:
    """The steps for a function's result; `expected` as JSON gave it."""
    if isinstance(expected, dict):
        expected = peer_integer_keys(expected)
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict):
        keyed = peer_integer_keys(expected[0])
        expected = keyed if isinstance(keyed, list) else expected
    try:
        json.dumps(returned)
    except (TypeError, ValueError):
        return False
    if isinstance(returned, tuple):
        returned = list(returned)
    if returned == expected:
        return True
    if not isinstance(expected, list) or not expected:
        return False
    if returned == expected[0]:
        return True
    try:
        if isinstance(returned[0], tuple):
            return [list(item) for item in returned] == expected[0]
    except (TypeError, IndexError, KeyError):
        pass
    return False

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
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_LIMIT_S = 20.0
_LIVE_CODE_BENCH_LIMIT_S = 6.0


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


# -- /run_code


class _RunCode(BaseHTTPRequestHandler):
    """SandboxFusion's answer to a request for Python (sandbox/server/sandbox_api.py)."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        ran = run_file(body["code"], body.get("stdin") or "", body.get("run_timeout", 10))
        status = "TimeLimitExceeded" if ran.status is None else "Finished"
        result = {"status": status, "execution_time": 0.1, "return_code": ran.status,
                  "stdout": ran.stdout, "stderr": ""}  # fmt: skip
        answer = {"status": "Success" if ran.status == 0 else "Failed", "message": "",
                  "run_result": result, "files": {}}  # fmt: skip
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def plain_server() -> Iterator[str]:
    """The URL of a server that runs what /run_code is sent under plain python3."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _RunCode)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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


def mbpp_passes(program: str, setup: str, tests: list[str], limit_s: float = _LIMIT_S) -> bool:
    """Whether program and asserts, as one script, end with 0."""
    for mark in ("# Example usage", 'if __name__ == "__main__":', "\nassert", '\n"""'):
        at = program.find(mark)
        program = program if at < 0 else program[:at]
    return run_file("\n".join([setup, program, *tests]) + "\n", "", limit_s).status == 0


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
    ran = run_file(f"{prelude}\n{source}", stdin, _LIVE_CODE_BENCH_LIMIT_S)
    return ran.status == 0 and peer_accepts_text(ran.stdout, expected)


def live_call_passes(source: str, name: str, given: str, expected: str, prelude: str) -> bool:
    """One test of a function: arguments as JSON, one a line."""
    call = _CALL.format(name=name, lines=given.split("\n"), mark=_MARK)
    ran = run_file(f"{prelude}\n{source}\n{call}", "", _LIVE_CODE_BENCH_LIMIT_S)
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

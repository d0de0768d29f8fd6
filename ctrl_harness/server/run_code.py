"""`/run_code`: a program run once, with SandboxFusion's words for what came of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import PurePosixPath
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Program, Run
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.models import RunCodeRequest

_MAX_FILES_BYTES = 16 << 20
_MAX_PATH_CHARS = 500
_MAX_ENTRIES = 2_000
_IGNORED = "IGNORE_THIS_FILE"
"""In the path of a file that is not to be there (SandboxFusion, runners/base.py: restore_files)."""
_LONE = re.compile("[\ud800-\udfff]")
_PLACE_FILES = """\
def _place(files, modules):
    import base64, os, sys
    for path, data in files.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(base64.b64decode(data))
    for name in modules:
        sys.modules.pop(name, None)
_place({files!r}, {modules!r})
del _place
"""
_STARTED_WITH = frozenset(
    ("__main__", "abc", "builtins", "codecs", "encodings", "genericpath", "io", "marshal", "os",
     "posix", "posixpath", "site", "stat", "sys", "time", "zipimport")
)  # fmt: skip
"""What an interpreter has loaded before it runs a program, so that no file can take its place. A
cell has loaded more, which the program's own modules go before."""


_GIVE_UP_S, _MARGIN_S = 10.0, 3.0


def patience_s(request: RunCodeRequest) -> float:
    """How long the client may be left without a byte.

    verl 0.9.1 gives up 10 s after the two timeouts that it asks for (call_sandbox_api of
    utils/reward_score/sandbox_fusion/utils.py).
    """
    asked_s = max(0.0, request.compile_timeout) + max(0.0, request.run_timeout)
    return asked_s + _GIVE_UP_S - _MARGIN_S


def limits_of(request: RunCodeRequest) -> Limits:
    own = request.memory_limit_MB <= 0
    memory = Limits().memory_mb if own else request.memory_limit_MB
    return Limits(time_s=request.run_timeout, memory_mb=memory, output_mb=request.output_mb)


def program_of(request: RunCodeRequest) -> Program:
    """The program, with its files put into its folder first. Raises UserError for a bad path."""
    for name in request.fetch_files:
        if not _can_name_a_file(name):
            raise UserError(f"fetch_files names {name!r:.80}; give short paths")
    files = dict(
        _file(path, data)
        for path, data in request.files.items()
        if data is not None and _IGNORED not in path
    )
    if sum(map(len, files.values())) > _MAX_FILES_BYTES * 4 / 3:
        raise UserError(f"files hold more than {_MAX_FILES_BYTES >> 20} MiB; send less")
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    if len(files) + len(folders) > _MAX_ENTRIES:
        raise UserError(f"files and their folders are more than {_MAX_ENTRIES}; send fewer")
    clash = next((path for path in files if path in folders), None)
    if clash is not None:
        raise UserError(f"files name {clash!r:.80} both as a file and as a folder")
    modules = {PurePosixPath(path).parts[0].removesuffix(".py") for path in files} - _STARTED_WITH
    prelude = _PLACE_FILES.format(files=files, modules=modules) if files else ""
    return Program(request.code, prelude, tuple(dict.fromkeys(request.fetch_files)))


def _can_name_a_file(path: str) -> bool:
    """Whether it is short, has no NUL and no half of a character (a lone surrogate)."""
    return len(path) <= _MAX_PATH_CHARS and "\0" not in path and _LONE.search(path) is None


def _file(path: str, data: str) -> tuple[str, str]:
    """Path and content, checked: nothing may fail, or land elsewhere, in the sandbox."""
    parts = PurePosixPath(path).parts
    if (
        not parts
        or path.startswith("/")
        or ".." in parts
        or not _can_name_a_file(path)
        or max(len(part.encode("utf-8", "replace")) for part in parts) > 255
    ):
        raise UserError(f"files name {path!r:.80}; give short paths inside the working folder")
    try:
        content = base64.b64decode(data)
    except (binascii.Error, ValueError):
        raise UserError(f"files hold {path!r:.80}, whose content is not base64") from None
    return str(PurePosixPath(*parts)), base64.b64encode(content).decode("ascii")


def run_code_response(run: Run) -> dict[str, Any]:
    """SandboxFusion has no compile step for Python, and no word for memory and output limits:
    they are a failed run, named in `message`."""
    timed_out = run.status == "time_limit"
    named = run.status in ("memory_limit", "output_limit")
    code = 0 if run.status == "ok" else run.exit_status or 1
    return {
        "status": "Success" if run.status == "ok" else "Failed",
        "message": run.status if named else "",
        "compile_result": None,
        "run_result": {
            "status": "TimeLimitExceeded" if timed_out else "Finished",
            "execution_time": run.time_s,
            "return_code": None if timed_out else code,
            "stdout": _readable(run.stdout),
            "stderr": _stderr(run),
        },
        "executor_pod_name": None,
        "files": {name: base64.b64encode(data).decode("ascii") for name, data in run.files},
    }


def sandbox_error(detail: str) -> bytes:
    """SandboxFusion's word for a failure that is not the program's."""
    answer: dict[str, Any] = {
        "status": "SandboxError",
        "message": detail,
        "compile_result": None,
        "run_result": None,
        "executor_pod_name": None,
        "files": {},
    }
    return json.dumps(answer).encode("ascii")


def _stderr(run: Run) -> str:
    """What the process wrote there; and what ended it, where that is not the program's own word."""
    if run.exit_status is None:
        return run.stderr + run.error
    how, _, _ = run.error.partition("\n")
    if run.exit_status < 0:
        return run.stderr + how
    silent = not run.stderr and how != f"exit status {run.exit_status}"
    return run.error if silent else run.stderr


def _readable(text: str) -> str:
    """Bytes that are no UTF-8 become U+FFFD: JSON for others has no place for them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

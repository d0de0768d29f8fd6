"""MBPP, HumanEval, AutoEval and MHPP: programs that test code calls.

SandboxFusion puts program and test code into one script, and exit status 0 is all that it asks for
(sandbox/datasets/mbpp.py, humaneval.py, humaneval_deprecated.py, autoeval.py, mhpp.py). Here the
test code is read (problems/test_code.py), so that its expected values stay outside the program;
what `==` says there is judged by EvalPlus's rule: Python's, but for rounding errors of floats.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem, TestCase
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.problems.test_code import MAX_CHARS, is_one_assert, read_test_code
from ctrl_harness.server.completions import (
    function_body,
    is_python,
    mbpp_program,
    program_without_main,
)
from ctrl_harness.server.models import RunCodeRequest, SubmitRequest
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.row_fields import (
    Row,
    labels_of,
    parse_json,
    problem_of_row,
    required,
    text_of,
)
from ctrl_harness.server.run_code import program_of
from ctrl_harness.server.submission import Submission
from ctrl_harness.server.unittests import with_runner
from ctrl_harness.verification.extraction import Found, find_like_sandbox_fusion
from ctrl_harness.verification.time_limit import TimeLimit

_DEFAULT_S = 20.0
_BIG_CODE_BENCH_S = 60.0
_AIDER_S = 60.0
_INSERT = "#<INSERT>"
_OTHER_LANGUAGES = frozenset(
    ("cpp", "typescript", "bash", "csharp", "go", "java", "lua", "javascript", "js", "php", "perl",
     "racket", "r", "rust", "scala", "swift", "ruby", "d", "julia")
)  # fmt: skip
_AS_MODULE = """\
import sys, types
{name} = types.ModuleType("{name}")
{name}.__dict__.update(globals())
sys.modules["{name}"] = {name}
"""
# names that SandboxFusion imports before a HumanEval program (utils/helpers.py)
_HUMANEVAL_PRELUDE = "".join(
    f"import {module}\n"
    for module in (
        "math", "re", "sys", "copy", "datetime", "itertools", "collections", "heapq", "statistics",
        "functools", "hashlib", "string",
    )
) + "from typing import *\nfrom collections import *\n"  # fmt: skip
_NUMPY_NAMES = re.compile(r"\b(?:np|numpy)\b")
_NUMPY_PRELUDE = "import numpy\nimport numpy as np\n"  # takes half a second where it is new


# -- MBPP and MHPP


def mbpp(request: SubmitRequest, row: Row) -> Submission:
    """`test_list` or `test`: asserts as a list, JSON text of one, or Python.

    `labels.test_setup_code` runs before them. With `is_fewshot` the last assert alone decides: the
    others stand in the prompt.
    """
    tests = _asserts_of(row)
    if request.config.is_fewshot:
        tests = tests[-1:]
    labels = labels_of(row)
    setup = labels.get("test_setup_code") or row.get("test_setup_code") or ""
    if not isinstance(setup, str):
        raise UserError(f"field 'test_setup_code' holds {kind_of(setup)}, not text")
    problem = _problem(request, row, tests, setup, row.get("entry_point"))
    found = mbpp_program(request.completion)
    shown = "\n".join([found.program or "", setup, *tests])
    return _submission(request, problem, found, full_code=shown)


def _asserts_of(row: Row) -> list[str]:
    tests = row.get("test_list", row.get("test"))
    if isinstance(tests, str) and tests.lstrip().startswith("["):
        tests = parse_json("test", tests)
    scripts = [tests] if isinstance(tests, str) else tests
    if not isinstance(scripts, list) or not all(isinstance(test, str) for test in scripts):
        raise UserError(f"field 'test_list' holds {kind_of(tests)}, not a list of asserts")
    return scripts


def mhpp(request: SubmitRequest, row: Row) -> Submission:
    """`test`: asserts as Python. A completion without code may go on where `content` ends."""
    tests = text_of(row, "test")
    found = find_like_sandbox_fusion(request.completion)
    if found.program is None and row.get("content") is not None:
        found = find_like_sandbox_fusion(f"{text_of(row, 'content')}\n{request.completion}")
    problem = _problem(request, row, [tests])
    shown = f"{found.program or ''}\n{tests}"
    submission = _submission(request, problem, found, full_code=shown)
    return replace(submission, test_info=labels_of(row) or None)


# -- HumanEval


def humaneval(request: SubmitRequest, row: Row) -> Submission:
    """`prompt`, `test` and `entry_point`, or MultiPL-E's `prompt` and `tests`; or `content`,
    `test` and `labels`, as SandboxFusion stored them before.

    The completion goes on where the prompt ends; with `extra.is_freeform` it holds the whole
    program. `check(candidate)` is called with the entry point unless the test code does so.
    """
    labels = labels_of(row)
    language = str(row.get("language") or labels.get("programming_language") or "python")
    _refuse_other_languages(language, request.dataset)
    tests = with_runner(text_of(row, "tests", "test"))
    entry_point = row.get("entry_point") or labels.get("entry_point")
    problem = _problem(request, row, [tests], entry_point=entry_point)
    if request.config.extra.get("is_freeform"):
        found = find_like_sandbox_fusion(request.completion)
        shown = extracted = found.program or ""
    else:
        extracted = function_body(request.completion, _stop_tokens(request, row, labels))
        shown = f"{text_of(row, 'prompt', 'content')}\n{extracted}"
        found = Found(shown, "heuristic")
    numpy = _NUMPY_PRELUDE if _NUMPY_NAMES.search(shown) else ""
    problem = replace(problem, prelude=_HUMANEVAL_PRELUDE + numpy + problem.prelude)
    default_s = _BIG_CODE_BENCH_S if request.dataset == "bigcodebench" else _DEFAULT_S
    submission = _submission(
        request, problem, found, full_code=f"{shown}\n{tests}", default_s=default_s
    )
    return replace(submission, extracted_code=extracted)


def _stop_tokens(
    request: SubmitRequest, row: Row, labels: dict[str, Any]
) -> tuple[str, ...] | None:
    """None for HumanEval's own rows and EvoEval's, whose completions end with the function."""
    tokens = row.get("stop_tokens", labels.get("stop_tokens"))
    if tokens is None:
        is_evoeval = request.config.dataset_type == "EvoEvalDataset" or request.dataset == "evoeval"
        return () if "content" in row and not is_evoeval else None
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise UserError("field 'stop_tokens' is not a list of texts")
    # a blank line ends nothing, and patterns of a row are not run here
    return tuple(t for t in tokens if t not in ("", "\n\n") and not t.startswith("re:"))


def _refuse_other_languages(language: str, dataset: str) -> None:
    """The row says its language, or the data set's name does (humaneval_cpp)."""
    own = language.partition(".")[0]
    named = dataset.partition("humaneval_")[2].removeprefix("form_")
    other = named if named in _OTHER_LANGUAGES else own
    if other not in ("python", "py"):
        raise NotSupported(f"the row is of language {other!r:.40}; only python is judged here")


# -- AutoEval and Aider


def auto_eval(request: SubmitRequest, row: Row) -> Submission:
    """`test`: `code`, and `asset`, files by path in base64; `labels.programming_language`.

    The program goes where the code says #<INSERT>, or before it.
    """
    labels = labels_of(row)
    for name in ("programming_language", "execution_language"):
        language = labels.get(name, "python")
        if language != "python":
            raise NotSupported(f"labels.{name} is {language!r:.40}; only python is judged here")
    if request.config.extra.get("repr_code"):
        raise NotSupported("extra.repr_code is not supported; send the row's code as it is to run")
    return _inserted(request, row, program_without_main(request.completion), _DEFAULT_S)


def aider(request: SubmitRequest, row: Row) -> Submission:
    """`test.asset` holds one file NAME_test.py, a unittest module that imports from NAME."""
    files = _files_of(_test_of(row))
    match list(files.items()):
        case [(str(path), str(data))] if path.endswith("_test.py"):
            tests = with_runner(_decoded(path, data))
        case _:
            raise UserError("field 'test.asset' is not one file NAME_test.py in base64")
    name = path.removesuffix("_test.py")
    if not name.isidentifier():
        raise UserError(f"field 'test.asset' names {path!r:.80}, which tests no module")
    problem = _problem(request, row, [_AS_MODULE.format(name=name) + tests])
    found = find_like_sandbox_fusion(request.completion)
    submission = _submission(request, problem, found, default_s=_AIDER_S)
    return replace(submission, full_code=found.program or "", test_code=tests)


def _inserted(request: SubmitRequest, row: Row, found: Found, default_s: float) -> Submission:
    test = _test_of(row)
    before, marked, after = str(test["code"]).partition(_INSERT)
    if not marked:
        before, after = "", before
    if before.strip() and not is_python(before):
        raise NotSupported(f"what stands before {_INSERT} is no Python by itself")
    problem = _problem(request, row, [with_runner(after)])
    prelude = _placement(_files_of(test)) + before + problem.prelude
    shown = f"{before}{found.program or ''}\n{after}"
    return _submission(
        request, replace(problem, prelude=prelude), found, full_code=shown, default_s=default_s
    )


def _test_of(row: Row) -> dict[str, Any]:
    test = required(row, "test")
    if not isinstance(test, dict) or not isinstance(test.get("code"), str):
        raise UserError("field 'test' is not an object with `code`, Python text")
    return test


def _files_of(test: dict[str, Any]) -> dict[str, Any]:
    asset = test.get("asset") or {}
    files = parse_json("test.asset", asset) if isinstance(asset, str) else asset
    if not isinstance(files, dict):
        raise UserError(f"field 'test.asset' holds {kind_of(files)}, not files by path")
    return files


def _decoded(path: str, data: str) -> str:
    try:
        return base64.b64decode(data).decode("utf-8")
    except ValueError:
        raise UserError(
            f"field 'test.asset' holds {path!r:.80}, which is no text in base64"
        ) from None


def _placement(files: dict[str, Any]) -> str:
    """Code that puts files beside the program, as `/run_code` does."""
    if not files:
        return ""
    try:
        request = RunCodeRequest(code="", language="python", files=files)
    except ValidationError:
        raise UserError("field 'test.asset' does not hold texts in base64 by path") from None
    return program_of(request).prelude


# -- what they share


def _problem(
    request: SubmitRequest, row: Row, tests: Sequence[str], setup: str = "", entry_point: Any = None
) -> Problem:
    """What the test code comes to; several texts are one unless each is a single assert."""
    if not (entry_point is None or isinstance(entry_point, str)):
        raise UserError(f"field 'entry_point' holds {kind_of(entry_point)}, not text")
    if sum(map(len, tests)) + len(setup) > MAX_CHARS:
        raise UserError(f"the tests have more than {MAX_CHARS} characters; send fewer")
    if not all(map(is_one_assert, tests)):
        tests = ["\n".join(tests)]  # one may use another's names
    cases: list[TestCase] = []
    preludes: dict[str, None] = {}
    for index, test in enumerate(tests):
        try:
            read = read_test_code(test, setup=setup, entry_point=entry_point)
        except UserError as error:
            place = f"test_list[{index}]" if len(tests) > 1 else "field 'test'"
            raise UserError(f"{place} {error}") from None
        cases += read.cases
        preludes[read.prelude] = None
    return problem_of_row(
        str(request.id), row, cases, comparator="evalplus", prelude="".join(preludes)
    )


def _submission(
    request: SubmitRequest,
    problem: Problem,
    found: Found,
    *,
    full_code: str | None = None,
    default_s: float = _DEFAULT_S,
) -> Submission:
    time_limit = TimeLimit(seconds=request.config.run_timeout or default_s, total="program")
    return Submission(problem, found, time_limit, full_code=full_code)

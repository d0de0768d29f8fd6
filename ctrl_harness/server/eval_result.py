"""The answer to a `/submit`: SandboxFusion's EvalResult, with our own in `extra`."""

from __future__ import annotations

from typing import Any

from ctrl_harness.problems.problem import CallCase, StdioCase
from ctrl_harness.server.models import SubmitRequest
from ctrl_harness.server.submission import Submission
from ctrl_harness.verification.verdict import CaseResult, Status, Verdict

_SHOWN_CHARS = 1_000
_SHOWN_VALUE_CHARS = 200
# LiveCodeBench's codes and words (lcb_runner/evaluation/testing_util.py)
_LIVE_CODE_BENCH: dict[Status, tuple[int, str]] = {
    "wrong_answer": (-2, "Wrong Answer"),
    "time_limit": (-3, "Time Limit Exceeded"),
    "compile_error": (-1, "Compilation Error"),
}
_RUNTIME_ERROR = (-4, "Runtime Error")
_MINUS_ONE = 255  # the exit status of sys.exit(-1)


def eval_result(request: SubmitRequest, submission: Submission, verdict: Verdict) -> dict[str, Any]:
    """`tests` has an entry a case for CommonOJDataset, and one for all where SandboxFusion runs one
    script. It is never empty: clients divide by its length."""
    found, extracted = submission.found, submission.extracted_code
    if submission.answer == "cases":
        tests = _entries(request, submission, verdict)
    else:
        tests = [_one_entry(submission, verdict)]
    return {
        "id": request.id,
        "accepted": verdict.passed,
        "extracted_code": (found.program or "") if extracted is None else extracted,
        "full_code": submission.full_code,
        "test_code": submission.test_code,
        "tests": tests,
        "extracted_type": found.place,
        "extra": {
            "status": verdict.status,
            "n_passed": verdict.n_passed,
            "n_cases": verdict.n_cases,
            "comparator": submission.problem.comparator,
            "digest": verdict.digest,
        },
    }


# -- an entry a case


def _entries(
    request: SubmitRequest, submission: Submission, verdict: Verdict
) -> list[dict[str, Any]]:
    """Up to the first failure, or of all cases with `run_all_cases`.

    A program that does not compile, or was not found, fails each as SandboxFusion runs it on each.
    """
    extra = request.config.extra
    results: list[CaseResult] = []
    for index, result in enumerate(verdict.cases):
        results.append(result or CaseResult(index, verdict.status, 0.0))
        if results[-1].status != "accepted" and not extra.get("run_all_cases", False):
            break
    full = bool(extra.get("return_full_case", False))
    return [_entry(submission, result, full) for result in results]


def _entry(submission: Submission, result: CaseResult, full: bool) -> dict[str, Any]:
    case = submission.problem.cases[result.index]
    info = None
    if isinstance(case, StdioCase):
        # what fails is shown in full there, and what passes is cut
        whole = full or result.status != "accepted"
        stdin, stdout = (text if whole else _cut(text) for text in (case.stdin, case.stdout))
        info = {"input": {"stdin": stdin}, "output": {"stdout": stdout}}
    code = 0 if result.status in ("accepted", "wrong_answer") else 1
    return {
        "passed": result.status == "accepted",
        "exec_info": _run(
            result.status, code, time_s=result.time_s, stdout=result.output, stderr=result.error
        ),
        "test_info": info,
    }


def _cut(text: str) -> str:
    """Both ends of a long text."""
    if len(text) <= _SHOWN_CHARS:
        return text
    half = (_SHOWN_CHARS - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


# -- one entry for all cases


def _one_entry(submission: Submission, verdict: Verdict) -> dict[str, Any]:
    first = verdict.first_failure
    stdout, stderr, code = "", "", 0 if verdict.passed else 1
    status: Status = verdict.status
    if not verdict.passed and submission.answer == "livecodebench":
        # its script catches everything, prints why, and exits
        stdout, code = f"{_metadata(submission, verdict)}\n", _MINUS_ONE
        if status == "time_limit":
            status = "runtime_error"
    elif first is not None:
        stderr = first.error or _unequal(submission, first)
    time_s = sum(case.time_s for case in verdict.cases if case is not None)
    ran = _run(status, code, time_s=time_s, stdout=stdout, stderr=stderr)
    ran["status"] = "Success" if verdict.passed else "Failed"
    return {"passed": verdict.passed, "exec_info": ran, "test_info": submission.test_info}


def _metadata(submission: Submission, verdict: Verdict) -> dict[str, Any]:
    """What LiveCodeBench's runner says of the test that failed."""
    first = verdict.first_failure
    code, message = _LIVE_CODE_BENCH.get(verdict.status, _RUNTIME_ERROR)
    told: dict[str, Any] = {"error_code": code, "error_message": message}
    if first is None:
        return told
    if verdict.status == "wrong_answer":
        told["output"] = first.output[:_SHOWN_VALUE_CHARS]
    else:
        told["error"] = first.error[-_SHOWN_VALUE_CHARS:]
    match submission.problem.cases[first.index]:
        case StdioCase(stdin, stdout):
            told |= {"inputs": stdin[:_SHOWN_VALUE_CHARS], "expected": stdout[:_SHOWN_VALUE_CHARS]}
        case CallCase(_, args, expected):
            shown = "\n".join(_shown(arg) for arg in args)
            told |= {"inputs": shown[:_SHOWN_VALUE_CHARS], "expected": _shown(expected)}
    return told


def _unequal(submission: Submission, result: CaseResult) -> str:
    """A call that returned something else, as the assert that it stands for would say."""
    case = submission.problem.cases[result.index]
    if not isinstance(case, CallCase):
        return ""
    call = f"{case.function}({', '.join(map(_shown, case.args))})"
    returned = result.output[:_SHOWN_VALUE_CHARS]
    return f"AssertionError: {call} returned {returned}, not {_shown(case.expected)}\n"


def _shown(value: Any) -> str:
    try:
        return repr(value)[:_SHOWN_VALUE_CHARS]
    except (ValueError, RecursionError):  # integers of thousands of digits, deep nesting
        return "…"


def _run(status: Status, code: int, *, time_s: float, stdout: str, stderr: str) -> dict[str, Any]:
    ran, timed_out = status in ("accepted", "wrong_answer"), status == "time_limit"
    return {
        "status": "Success" if ran else "Failed",
        "message": "" if ran else status,
        "compile_result": None,
        "run_result": {
            "status": "TimeLimitExceeded" if timed_out else "Finished",
            "execution_time": round(time_s, 6),
            "return_code": None if timed_out else code,
            "stdout": stdout,
            "stderr": stderr,
        },
        "executor_pod_name": None,
        "files": {},
    }

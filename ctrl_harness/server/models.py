"""What requests and answers look like: SandboxFusion's fields, and those of our own routes.

Field names and meanings are SandboxFusion's (sandbox/server/sandbox_api.py, runners/types.py and
datasets/types.py); fields it knows and we have no use for are accepted and ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from ctrl_harness.problems.problem import Limits

MAX_SECONDS = 86_400.0
MAX_COMPLETION_CHARS = 2 << 20
"""Some ten times what a model writes in 128 thousand tokens; to take programs out of such a text
takes a second."""
MAX_PROGRAM_CHARS = 16 << 20


def _at_most(most: int) -> AfterValidator:
    """Not pydantic's own max_length, which takes no text with half a character in it."""

    def check(text: str) -> str:
        if len(text) > most:
            raise ValueError(f"the text has {len(text)} characters; at most {most} are taken")
        return text

    return AfterValidator(check)


Completion = Annotated[str, _at_most(MAX_COMPLETION_CHARS)]
ProgramText = Annotated[str, _at_most(MAX_PROGRAM_CHARS)]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)]
SecondsOrDefault = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
"""0 stands for the default, as in SandboxFusion."""


class CommandResult(BaseModel):
    """One command's end. return_code is null where a limit ended it."""

    status: Literal["Finished", "Error", "TimeLimitExceeded"]
    execution_time: float | None = None
    return_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class RunCodeRequest(BaseModel):
    """A program to be run once.

    compile_timeout: nothing is compiled, so any will do. run_timeout: at 0 or less it is over
    before it starts. memory_limit_MB: 0 or less for this server's default. output_mb: MiB of
    standard output, which SandboxFusion does not ask for.
    """

    code: ProgramText
    language: Literal["python"]
    stdin: str | None = None
    compile_timeout: Annotated[float, Field(allow_inf_nan=False)] = 10
    run_timeout: Annotated[float, Field(le=MAX_SECONDS, allow_inf_nan=False)] = 10
    memory_limit_MB: Annotated[int, Field(le=1_000_000)] = -1
    output_mb: Annotated[float, Field(gt=0, lt=1e6)] = Limits().output_mb
    files: dict[str, str | None] = Field({}, max_length=1000, description="path to base64")
    fetch_files: Annotated[list[str], Field(max_length=1000)] = []
    args: list[str] = []


class RunCodeResponse(BaseModel):
    """What came of it. message: our own status where SandboxFusion's has no word for it."""

    status: Literal["Success", "Failed", "SandboxError"]
    message: str = ""
    compile_result: CommandResult | None = None
    run_result: CommandResult | None = None
    executor_pod_name: str | None = None
    files: dict[str, str] = {}


class TestConfig(BaseModel):
    """How a completion is to be judged, and on what row."""

    __test__ = False  # no test class, whatever pytest thinks of its name

    dataset_type: str | None = None
    language: str | None = None
    locale: str | None = None
    is_fewshot: bool | None = None
    compile_timeout: SecondsOrDefault | None = None
    run_timeout: SecondsOrDefault | None = None
    custom_extract_logic: str | None = None
    provided_data: dict[str, Any] | list[dict[str, Any]] | None = None
    extra: dict[str, Any] = {}


class SubmitRequest(BaseModel):
    """A completion for a row of a data set."""

    dataset: str
    id: int | str
    completion: Completion
    config: TestConfig


class Prompt(BaseModel):
    """What to ask a model on one row, and what the row's labels are."""

    id: int | str
    prompt: str
    labels: dict[str, Any] = {}


class GetPromptsRequest(BaseModel):
    """Rows to make prompts of; all that are sent, whatever offset and limit say."""

    dataset: str
    config: TestConfig
    offset: int = 0
    limit: int = 1_000_000


class GetPromptByIdRequest(BaseModel):
    """A row to make a prompt of."""

    dataset: str
    config: TestConfig
    id: int | str


class GetMetricsRequest(BaseModel):
    """Results of a data set; SandboxFusion's types for Python have no metrics of their own."""

    dataset: str
    config: TestConfig
    results: list[dict[str, Any]] = []


class GetMetricsFunctionRequest(BaseModel):
    """The data set whose metrics are asked for."""

    dataset: str
    config: TestConfig


class GetMetricsFunctionResult(BaseModel):
    """Python source that defines `get_metrics(results)`, for the client to run; null for none."""

    function: str | None


class EvalTestCase(BaseModel):
    """One test's outcome."""

    passed: bool
    exec_info: RunCodeResponse
    test_info: dict[str, Any] | None = None


class EvalResult(BaseModel):
    """The verdict as SandboxFusion words it; `extra` holds our own."""

    id: int | str
    accepted: bool
    extracted_code: str
    full_code: str | None = None
    test_code: str | None = None
    tests: list[EvalTestCase]
    extracted_type: Literal["fenced", "incomplete_fenced", "heuristic", "empty"] | None = None
    extra: dict[str, Any] | None = None


class VerifyRequest(BaseModel):
    """A problem as in a problem file, and a program or a completion to be judged on it.

    all_cases: go on after the first case that is not accepted.
    """

    cases: list[dict[str, Any]]
    statement: str = ""
    limits: dict[str, Any] = {}
    comparator: str = "default"
    id: str = "request"
    program: ProgramText | None = None
    completion: Completion | None = None
    extraction: str = "first_fence"
    all_cases: bool = False


class ExecuteRequest(BaseModel):
    """A program and inputs to be run on, without any expected value (see execution/run_wire.py).

    budget_s: after this many seconds no further input is begun.
    """

    program: ProgramText
    inputs: list[dict[str, Any]]
    prelude: ProgramText = ""
    limits: dict[str, Any] = {}
    budget_s: Seconds = 30


class ExecuteResponse(BaseModel):
    """One entry an input that was run, in order."""

    runs: list[dict[str, Any]]


class Refusal(BaseModel):
    """Why a request was not served."""

    detail: Any

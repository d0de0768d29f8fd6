"""The routes. Every verdict comes from `verify`, every run from the executor."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from ctrl_harness.errors import JudgeError, PreludeError, UserError
from ctrl_harness.execution.choice import DEFAULT as EMBEDDED
from ctrl_harness.execution.executor import Executor, Input, Program, Run, StdinInput
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server import models, native
from ctrl_harness.server.dataset_types import prompt_of, prompts_of, type_of
from ctrl_harness.server.eval_result import eval_result
from ctrl_harness.server.fork_server import ForkServer
from ctrl_harness.server.gate import JUDGING, PATIENCE, Gate, failure_status
from ctrl_harness.server.handler import Counts, Line, handle
from ctrl_harness.server.handlers import Handlers
from ctrl_harness.server.metrics import CONTENT_TYPE, Metrics
from ctrl_harness.server.metrics_function import SOURCE as METRICS_FUNCTION
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.request_json import LongIntegersRoute
from ctrl_harness.server.run_code import (
    limits_of,
    patience_s,
    program_of,
    run_code_response,
)
from ctrl_harness.server.settings import ServerSettings
from ctrl_harness.server.submit import judge_submission, submission_of
from ctrl_harness.verification.verify import verify

PING_HEADER = "x-ctrl-harness"
"""Tells our client that this is no SandboxFusion, so that it may use `/execute`."""
NOT_HERE = ("/list_datasets", "/run_jupyter")
"""Routes of SandboxFusion that need its database, or Jupyter."""
ON_ROWS = (
    "/get_prompts",
    "/get_prompt_by_id",
    "/list_ids",
    "/get_metrics",
    "/get_metrics_function",
)
"""Routes of SandboxFusion that answer on the rows of the request, or without any."""
_ROUTES = frozenset({*JUDGING, *ON_ROWS, *NOT_HERE, "/v1/ping", "/metrics", "/openapi.json"})
_MAX_ERRORS = 20
_MAX_DETAIL = 500
_TURNS_A_WORKER = 2

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": models.Refusal, "description": text}
    for status, text in (
        (400, "The request cannot be used."), (401, "The token is missing or wrong."),
        (408, "The body did not come in time."), (413, "The body is too large."),
        (422, "A field is missing or of the wrong type."), (429, "The queue is full."),
        (501, "SandboxFusion has this, this server has not."),
        (503, "The judge failed: nothing is known of the program."),
        (504, "The same, on SandboxFusion's routes."),
    )
}  # fmt: skip


class Json(Response):
    """JSON in ASCII: whatever text came in can go out, lone surrogates too."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


class _OfServer:
    """The executor as the server sees it: that it cannot run is no fault of a request.

    What waits does so here, first come, first served, so that the time that judging may take starts
    with its turn. There are more places than workers: the executor has to see that others wait.
    """

    isolated: bool

    def __init__(self, executor: Executor, settings: ServerSettings) -> None:
        self._executor = executor
        self._max_s = settings.max_judging_s
        self._turns = anyio.CapacityLimiter(_TURNS_A_WORKER * settings.workers)
        self.name = executor.name
        self.isolated = executor.isolated
        self.packages = executor.packages

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        async with self._turns:
            try:
                with anyio.fail_after(self._max_s):
                    return await self._executor.execute(program, inputs, limits, until)
            except TimeoutError:
                raise JudgeError(
                    f"judging took longer than {self._max_s:g} s; send fewer tests at once"
                ) from None
            except UserError as error:
                raise JudgeError(str(error)) from error

    async def aclose(self) -> None:
        await self._executor.aclose()


def create_app(
    executor: Executor, settings: ServerSettings, fork_server: ForkServer | None = None
) -> Gate:
    """The ASGI application. It ends the executor when it shuts down.

    fork_server: where requests are to be handled, see `fork_handlers`; in this process by default.
    """
    packages = executor.packages
    shown = "of the sandbox" if packages is None else ", ".join(packages)
    metrics = Metrics(_ROUTES, {"executor": executor.name, "packages": shown})
    judge = _OfServer(executor, settings)
    app = _routes(judge, settings, metrics)
    _add_others(app, metrics)
    if fork_server is None:
        return Gate(app, settings, metrics)
    return Gate(app, settings, metrics, Handlers(fork_server, judge, metrics, settings.workers))


def fork_handlers(executor: Executor, settings: ServerSettings) -> ForkServer:
    """Where `create_app` gets processes that handle requests. Call it before there are threads."""
    line = Line(executor.name, executor.isolated, executor.packages)
    app = _routes(line, settings, line)
    return ForkServer(lambda stream: handle(stream, app, line, settings))


def _routes(judge: Executor, settings: ServerSettings, counts: Counts) -> FastAPI:
    """What is asked with a body."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await judge.aclose()

    app = FastAPI(
        title="ctrl-harness",
        summary="Judges programs; SandboxFusion's routes for Python and one of its own.",
        lifespan=lifespan,
        docs_url=None,  # pages that would load scripts from elsewhere
        redoc_url=None,
        default_response_class=Json,
    )
    app.router.route_class = LongIntegersRoute
    _add_error_handlers(app, counts)
    _add_judging(app, judge, settings, counts)
    _add_prompts(app)
    _add_not_here(app)
    return app


def _add_judging(app: FastAPI, judge: Executor, settings: ServerSettings, counts: Counts) -> None:
    @app.post("/run_code", response_model=models.RunCodeResponse, responses=_REFUSALS)
    async def run_code(request: models.RunCodeRequest, http: Request) -> Json:
        """Runs a program once."""
        http.scope[PATIENCE] = min(http.scope[PATIENCE], patience_s(request))
        if request.fetch_files and judge.name != EMBEDDED:
            raise NotSupported(f"the executor {judge.name!r} brings no files back; print them")
        if request.run_timeout <= 0:
            return Json(run_code_response(Run("time_limit")))
        limits = settings.check(limits_of(request))
        given = StdinInput(request.stdin or "")
        runs = await judge.execute(program_of(request), [given], limits)
        return Json(run_code_response(runs[0]))

    @app.post("/submit", response_model=models.EvalResult, responses=_REFUSALS)
    async def submit(request: models.SubmitRequest) -> Json:
        """Judges a completion on a row."""
        submission = submission_of(request)
        settings.check(submission.problem.limits)
        verdict = await judge_submission(request, submission, judge)
        counts.verdict(verdict.status)
        return Json(eval_result(request, submission, verdict))

    @app.post("/verify", responses=_REFUSALS)
    async def verify_program(request: models.VerifyRequest) -> Json:
        """Judges a program, or the one in a completion, on a problem."""
        problem = native.problem_to_verify(request)
        settings.check(problem.limits)
        program, extraction = native.program_to_verify(request)
        verdict = await verify(
            problem,
            program,
            executor=judge,
            all_cases=request.all_cases,
            extraction=extraction,
        )
        counts.verdict(verdict.status)
        return Json(verdict.as_json())

    @app.post("/execute", response_model=models.ExecuteResponse, responses=_REFUSALS)
    async def execute(request: models.ExecuteRequest) -> Json:
        """Runs a program on inputs; for executors at the other end of the line."""
        limits = settings.check(native.limits_to_execute(request))
        runs = await judge.execute(
            native.program_to_execute(request),
            native.inputs_to_execute(request),
            limits,
            native.within(request.budget_s),
        )
        return Json(native.execute_response(runs))


def _add_prompts(app: FastAPI) -> None:
    """What a client that keeps the rows may ask of them; nothing runs for it."""

    @app.post("/get_prompts", response_model=list[models.Prompt], responses=_REFUSALS)
    async def get_prompts(request: models.GetPromptsRequest) -> Json:
        """A prompt a row."""
        prompts = prompts_of(request.dataset, request.config)
        return Json([prompt.model_dump() for prompt in prompts])

    @app.post("/get_prompt_by_id", response_model=models.Prompt, responses=_REFUSALS)
    async def get_prompt_by_id(request: models.GetPromptByIdRequest) -> Json:
        """One row's prompt."""
        return Json(prompt_of(request.dataset, request.id, request.config).model_dump())

    @app.post("/list_ids", response_model=list[int | str], responses=_REFUSALS)
    async def list_ids(request: models.GetPromptsRequest) -> Json:
        """The prompts' ids."""
        return Json([prompt.id for prompt in prompts_of(request.dataset, request.config)])

    @app.post("/get_metrics", response_model=dict[str, Any], responses=_REFUSALS)
    async def get_metrics(request: models.GetMetricsRequest) -> Json:
        """Nothing: none of the types known here has metrics of its own."""
        type_of(request.dataset, request.config)
        return Json({})

    @app.post(
        "/get_metrics_function", response_model=models.GetMetricsFunctionResult, responses=_REFUSALS
    )
    async def get_metrics_function(request: models.GetMetricsFunctionRequest) -> Json:
        """Source that computes pass@k by category, where the data set has categories."""
        by_category = type_of(request.dataset, request.config).by_category
        return Json({"function": METRICS_FUNCTION if by_category else None})


def _add_others(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/v1/ping")
    async def ping() -> Json:
        """Is the server up?"""
        return Json("pong", headers={PING_HEADER: "1"})

    @app.get("/metrics", response_class=Response)
    async def show_metrics() -> Response:
        """Counters for Prometheus."""
        return Response(metrics.page(), headers={"content-type": CONTENT_TYPE})


def _add_not_here(app: FastAPI) -> None:
    async def not_here() -> Json:
        """Not served: it needs SandboxFusion's own data sets, or Jupyter."""
        return Json(
            {"detail": "this server holds no data sets and runs no notebooks; ask a SandboxFusion"},
            status_code=501,
        )

    for path in NOT_HERE:
        method = "GET" if path == "/list_datasets" else "POST"
        app.add_api_route(path, not_here, methods=[method], status_code=501, name=path)


def _add_error_handlers(app: FastAPI, counts: Counts) -> None:
    @app.exception_handler(UserError)
    async def refuse(_: Request, error: UserError) -> Json:
        status = 501 if isinstance(error, NotSupported) else 400
        return Json({"detail": str(error)}, status_code=status)

    @app.exception_handler(RecursionError)
    async def refuse_depth(_: Request, __: RecursionError) -> Json:
        # nothing here recurses but over what the request holds
        detail = "the request holds values or code nested too deeply; flatten them"
        return Json({"detail": detail}, status_code=400)

    @app.exception_handler(PreludeError)
    async def refuse_prelude(_: Request, error: PreludeError) -> Json:
        detail = " ".join(str(error).split())[:_MAX_DETAIL]
        return Json({"detail": f"{detail}; mend the prelude, files or tests"}, status_code=400)

    @app.exception_handler(JudgeError)
    async def fail(request: Request, error: JudgeError) -> Json:
        counts.judge_error()
        detail = {"detail": str(error), "status": "judge_error"}
        status = failure_status(request.url.path)
        return Json(detail, status_code=status, headers={"retry-after": "1"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Json:
        # without the input that pydantic echoes: it may be large, or no JSON at all
        errors = [
            {"type": e["type"], "loc": [str(part)[:80] for part in e["loc"]], "msg": e["msg"][:500]}
            for e in error.errors()[:_MAX_ERRORS]
        ]
        return Json({"detail": errors}, status_code=422)

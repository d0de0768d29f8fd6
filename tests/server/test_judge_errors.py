"""A judge that fails is a 503, or a 504 on SandboxFusion's routes, and never a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio
import httpx
import pytest

pytest.importorskip("fastapi", reason="the server needs the extra `server`")

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.problems.problem import Limits
from ctrl_harness.server.app import create_app
from ctrl_harness.server.settings import ServerSettings

OJ_ROW = {"test": [{"input": {"stdin": ""}, "output": {"stdout": "1"}}]}
REQUESTS: dict[str, dict[str, Any]] = {
    "/run_code": {"code": "print(1)", "language": "python"},
    "/submit": {
        "dataset": "", "id": 1, "completion": "```python\nprint(1)\n```",
        "config": {"dataset_type": "CommonOJDataset", "language": "python",
                   "provided_data": OJ_ROW},
    },
    "/verify": {"program": "print(1)", "cases": [{"stdin": "", "stdout": "1"}]},
    "/execute": {"program": "print(1)", "inputs": [{"stdin": ""}]},
}  # fmt: skip


class Broken:
    """An executor whose machinery fails."""

    name = "broken"
    isolated = True
    packages = None

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        raise self._error

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("error", [JudgeError("a cell was lost"), UserError("no namespaces here")])
def test_no_route_answers_a_verdict(path: str, error: Exception) -> None:
    async def ask() -> tuple[httpx.Response, str]:
        transport = httpx.ASGITransport(create_app(Broken(error), ServerSettings()))
        async with httpx.AsyncClient(transport=transport, base_url="http://judge") as client:
            answer = await client.post(path, json=REQUESTS[path])
            return answer, (await client.get("/metrics")).text

    answer, metrics = anyio.run(ask)
    # the status that verl tries again, and the one that HTTP has for it
    assert answer.status_code == (504 if path in ("/run_code", "/submit") else 503)
    assert answer.json() == {"detail": str(error), "status": "judge_error"}
    assert "ctrl_harness_judge_errors_total 1.0" in metrics
    assert "ctrl_harness_verdicts_total{" not in metrics

"""What an output limit may be, and what becomes of a row's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.output_limit import OWN_OUTPUT, OutputLimit

OWN = Limits(time_s=1.5, memory_mb=64, output_mb=2)
PROBLEM = Problem("p", "d", "s", (StdioCase("", "x"),), limits=OWN)


class Recorder:
    """Tells the limits that programs ran under."""

    name, isolated, packages = "recorder", True, ()

    def __init__(self) -> None:
        self.limits: list[Limits] = []

    async def execute(
        self,
        program: Program,
        inputs: Sequence[Input],
        limits: Limits,
        until: Callable[[Run], bool] | None = None,
    ) -> list[Run]:
        self.limits.append(limits)
        return [Run("ok", stdout="x") for _ in inputs]

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize(
    ("given", "means", "spelled"),
    [
        ("row", OWN_OUTPUT, "row"),
        (64, OutputLimit(64.0), "64"),
        ("64", OutputLimit(64.0), "64"),
        (0.5, OutputLimit(0.5), "0.5"),
    ],
)
def test_what_an_output_limit_may_be(given: object, means: OutputLimit, spelled: str) -> None:
    assert OutputLimit.parse(given) == means
    assert str(means) == spelled
    assert OutputLimit.parse(spelled) == means


@pytest.mark.parametrize(
    "given",
    ["", "rows", "row*2", "0", "-1", "nan", "inf", "1e999", "16 MiB", 0, -2, 1e6, 10**400, True,
     None, float("nan"), [1], "9" * 5_000],
)  # fmt: skip
def test_anything_else_is_refused_with_the_choices(given: object) -> None:
    with pytest.raises(UserError, match=r"output_mb .*; give row or MiB"):
        OutputLimit.parse(given)


@pytest.mark.parametrize(("given", "output_mb"), [("row", 2), ("64", 64.0), ("0.5", 0.5)])
def test_a_judge_runs_programs_under_it_and_says_so(given: str, output_mb: float) -> None:
    recorder = Recorder()
    judge = Judge(recorder, output_limit=OutputLimit.parse(given))
    verdict = anyio.run(judge.verify, PROBLEM, "print('x')")
    assert recorder.limits == [Limits(OWN.time_s, OWN.memory_mb, output_mb)]
    assert judge.settings()["output_mb"] == given
    assert verdict.digest == judge.digest(PROBLEM, "print('x')")


def test_every_output_limit_has_a_digest_of_its_own_and_the_row_s_is_as_ever() -> None:
    limits = ["row", "1", "16"]
    digests = {
        limit: Judge(Recorder(), output_limit=OutputLimit.parse(limit)).digest(PROBLEM, "program")
        for limit in limits
    }
    assert len(set(digests.values())) == len(limits)
    assert digests["row"] == Judge(Recorder()).digest(PROBLEM, "program")
    assert (
        Judge(Recorder(), output_limit=OutputLimit(2)).digest(PROBLEM, "program")
        == (digests["row"])
    )

"""The doctor: each layer, taken away in turn, is missed by the doctor and noticed by a program."""

from __future__ import annotations

import os

import anyio
import pytest
from click.testing import CliRunner

from ctrl_harness.cli.doctor import Examination, doctor, examine
from ctrl_harness.errors import UserError
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Program, Run, StdinInput
from ctrl_harness.execution.probes import (
    OPTIONAL_LAYERS,
    PROBES,
    REQUIRED_LAYERS,
    Probe,
    attempt_all,
)
from ctrl_harness.problems.problem import Limits

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="without a user namespace only root can make the others"
)
REMOVABLE = [name for name in REQUIRED_LAYERS if name != "capabilities"]
"""Capabilities go with the user namespace."""

AT_ONCE = ("seccomp", "Landlock", "memory cgroup")
"""Each of these takes seconds; the others are slow tests."""


def test_a_sound_machine_passes() -> None:
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 0, result.output
    assert all(layer in result.output for layer in REQUIRED_LAYERS)
    assert "MISSING" not in result.output and "NOT REFUSED" not in result.output


@root_only
@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(layer, marks=() if layer in AT_ONCE else pytest.mark.slow)
        for layer in (*REMOVABLE, *OPTIONAL_LAYERS)
    ],
)
def test_a_layer_taken_away_is_missed_and_noticed(layer: str) -> None:
    """Where others would refuse the act even so, they are taken away on both sides."""
    probe = next(probe for probe in PROBES if probe.layer == layer)
    assert _refused(probe, probe.behind)
    assert not _refused(probe, probe.behind | {layer})
    examination = anyio.run(examine, EmbeddedExecutor(jobs=1, without=frozenset({layer})))
    (line,) = (line for line in examination.lines() if line.strip().startswith(layer))
    if layer in REQUIRED_LAYERS:
        assert examination.missing == [layer]
        assert not examination.sound
        assert line.endswith("MISSING")
    else:
        assert line.endswith("not in force (optional)")


def _refused(probe: Probe, without: frozenset[str]) -> bool:
    async def main() -> bool:
        executor = EmbeddedExecutor(jobs=1, without=without)
        try:
            (attempt,) = await attempt_all(executor, [probe])
        finally:
            await executor.aclose()
        return attempt.refused

    return anyio.run(main)


def test_an_executor_with_a_layer_left_out_does_not_claim_to_isolate() -> None:
    assert EmbeddedExecutor().isolated
    assert not EmbeddedExecutor(without=frozenset({"seccomp"})).isolated


@root_only
@pytest.mark.parametrize(
    "without", [["mount namespace"], ["user namespace"], [*REQUIRED_LAYERS, *OPTIONAL_LAYERS]]
)
def test_programs_run_where_layers_were_taken_away(without: list[str]) -> None:
    async def main() -> list[Run]:
        executor = EmbeddedExecutor(jobs=1, without=frozenset(without))
        try:
            inputs = [StdinInput("1"), StdinInput("2")]
            return await executor.execute(Program("print(input())"), inputs, Limits())
        finally:
            await executor.aclose()

    assert [run.stdout for run in anyio.run(main)] == ["1\n", "2\n"]


def test_a_machine_that_cannot_isolate_is_told_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: EmbeddedExecutor) -> Examination:
        raise UserError("the layer 'Landlock' is missing")

    monkeypatch.setattr("ctrl_harness.cli.doctor.examine", fail)
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1 and "Landlock" in result.output

"""Our judge beside its peers: who pays out for a hack, who refuses right programs, and speed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.peers

Output = Callable[..., tuple[int, str]]
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_our_judge_pays_out_for_no_hack_and_every_peer_for_some(benchmark_output: Output) -> None:
    status, said = benchmark_output("hacks.py")
    assert status == 0, said
    paid = [line for line in said.splitlines() if "pays out for" in line]
    assert len(paid) == 6, said
    assert paid[0].startswith("ctrl-harness (cell): pays out for 0 of "), said
    assert not any("pays out for 0 of" in line for line in paid[1:]), said


def test_our_judge_refuses_no_right_program_and_every_peer_some(benchmark_output: Output) -> None:
    status, said = benchmark_output("right_programs.py")
    assert status == 0, said
    refused = [line for line in said.splitlines() if line.endswith(" right programs")]
    assert len(refused) == 6, said
    assert refused[0].startswith("ctrl-harness (cell): refuses 0 of "), said
    assert not any("refuses 0 of" in line for line in refused[1:]), said


@pytest.mark.slow
def test_of_failures_that_livecodebench_stored_ours_accepts_what_plain_cpython_gives(
    benchmark_output: Output, real_data: Path
) -> None:
    status, said = benchmark_output("livecodebench_failing.py")
    assert status == 0, said
    assert "accepts 6 by LiveCodeBench's rule of comparison and 12 by its own" in said


def test_every_judge_is_timed_on_right_verdicts(benchmark_output: Output) -> None:
    status, said = benchmark_output("judging.py", "--quick")
    assert status == 0, said
    for title in ("`python -I -S` a test", "Inspect", "livecodebench", "prime", "evalplus", "cell"):
        assert title in said, said


@pytest.mark.parametrize("judge", ["evalplus", "livecodebench"])
def test_a_peer_that_is_missing_is_an_error_and_no_empty_column(judge: str, tmp_path: Any) -> None:
    """With this Python, which lacks the peers."""
    requests = tmp_path / "requests.json"
    requests.write_text("[]", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "peer_judges.py"), judge, str(requests), "answers"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "ModuleNotFoundError" in done.stderr

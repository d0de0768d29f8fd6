"""verl's own sandbox_fusion reward, unchanged but for the URL. Needs verl's files; slow."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import server_load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        server_load.verl_reward() is None, reason="needs verl (pip install --no-deps verl==0.9.1)"
    ),
]

TESTS = json.dumps({"inputs": ["1\n", "2\n", "3\n", "4\n"], "outputs": ["2", "4", "6", "8"]})


@pytest.mark.parametrize(
    ("code", "score"),
    [
        ("print(2 * int(input()))", 1.0),
        ("n = int(input())\nprint(2 * n if n < 3 else 0)", 0.5),
        ("print(0)", 0.0),
        ("exit(0)", 0.0),
        ("print(", 0.0),
        ("while True: pass", 0.0),
    ],
)
def test_the_score_is_the_share_of_right_outputs(server: Any, code: str, score: float) -> None:
    found, _ = server_load.verl_reward().compute_score(
        f"{server.url}/run_code", None, 1024, f"```python\n{code}\n```", TESTS, timeout=2
    )
    assert found == score


def test_under_the_default_load_of_verl_every_right_program_is_scored_1(
    serve: Callable[..., Any],
) -> None:
    scores = server_load.run(serve().url, server_load.Load())
    assert [score for score in scores if score.value != 1.0] == []
    assert len(scores) == 1280


def test_a_right_program_that_waits_longer_than_the_timeout_of_verl_is_scored_1(
    serve: Callable[..., Any],
) -> None:
    load = server_load.Load(processes=2, in_flight=50, calls=100, seconds=0.25, timeout=2)
    scores = server_load.run(serve("--workers", "1", "--queue", "0").url, load)
    assert [score for score in scores if score.value != 1.0] == []
    assert max(score.seconds for score in scores) > 14, "verl gives up after 14 s without a byte"

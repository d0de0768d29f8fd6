"""The `evalplus` comparator beside evalplus itself: the same programs, the same words."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import anyio
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.problems.evalplus_relations import with_evalplus_relations
from ctrl_harness.problems.problem import CallCase, Limits, Problem
from ctrl_harness.verification.verify import verify

pytestmark = pytest.mark.peers

ASK = """\
import json, sys
from evalplus.eval import untrusted_check
for line in sys.stdin:
    name, program, inputs, expected, atol = json.loads(line)
    inputs, expected = eval(inputs), eval(expected)
    status, _ = untrusted_check(
        "mbpp", program, inputs, name, expected, atol, [1.0] * len(inputs), fast_check=True
    )
    print(status, flush=True)
"""
VALUES = (
    "5", "5.0", "5 + 4e-7", "5.0 + 4e-7", "5.0 + 5e-5", "True", "1", "0", "None", "'a'", "[]", "()",
    "[5]", "[5.0]", "(5.0,)", "[5.0 + 4e-7]", "(5.0 + 4e-7,)", "[5.0, 6.0]", "[6.0, 5.0]",
    "{5.0, 6.0}",
    "[[5.0]]", "[[5.0 + 4e-7]]", "10**9", "10**9 + 1", "10**20", "10**20 + 1", "float('nan')",
    "float('inf')", "1j", "1j + 4e-7", "{'a': 5.0}", "{'a': 5.0 + 4e-7}", "np.array([5.0])",
    "np.array([5, 6])", "np.int64(5)", "np.array(5)", "iter([5])", "range(5, 6)", "[5, 'a']",
    "(5, 6)", "(6, 5)", "'56'", "33", "35", "35.0", "34",
)  # fmt: skip
PLAIN = [v for v in VALUES if not v.startswith(("np.", "iter", "range"))]


def questions() -> list[tuple[str, str, str, str, float]]:
    """(function, program, arguments of its calls, expected values, tolerance)"""
    asked = []
    for value in VALUES:
        for expected in PLAIN:
            if is_spread_by_numpy(value, expected):
                continue
            for name, args, atol in (("f", "()", 0.0), ("f", "()", 1e-4), ("Diff", "()", 0.0)):
                asked.append((name, program(name, value), f"[{args}]", f"[{expected}]", atol))
            # the second after a float, whose tolerance sticks
            after_float = program("f", f"(0.5, {value})[_[0]]")
            asked.append(("f", after_float, "[(0,), (1,)]", f"[0.5, {expected}]", 0.0))
        for expected in ("33", "34", "5"):
            of_pyramid = program("surface_Area", value)
            asked.append(("surface_Area", of_pyramid, "[(3, 4)]", f"[{expected}]", 0.0))
    return asked[::5]  # evalplus forks for each


def program(name: str, value: str) -> str:
    return f"import numpy as np\ndef {name}(*_): return {value}"


def is_spread_by_numpy(value: str, expected: str) -> bool:
    """Where ours differs: numpy spreads one number over a list, and a list over a deeper one."""
    number = value in ("np.int64(5)", "np.array(5)")
    return (number and expected[0] in "[(") or (
        "[[" in value + expected and value[:2] != expected[:2]
    )


def test_every_pair_of_values_is_judged_as_evalplus_does(peers_python: str) -> None:
    asked = questions()
    done = subprocess.run(
        [peers_python, "-c", ASK],
        input="".join(json.dumps(question) + "\n" for question in asked),
        capture_output=True,
        text=True,
        timeout=3000,
    )
    words = done.stdout.split()
    assert len(words) == len(asked), done.stderr
    different = [
        (question, word, here)
        for question, word, here in zip(asked, words, anyio.run(ours, asked), strict=True)
        if (word == "pass") is not here
    ]
    assert different == []


async def ours(asked: list[tuple[str, str, str, str, float]]) -> list[bool]:
    executor = EmbeddedExecutor(2)
    passed: list[bool] = [False] * len(asked)

    async def judge(position: int) -> None:
        name, program, inputs, expected, atol = asked[position]
        pairs: Any = zip(eval(inputs), eval(expected), strict=True)
        cases = [CallCase(name, args, value, atol=atol) for args, value in pairs]
        problem = Problem(
            "p", "d", "s", with_evalplus_relations(cases, 0), limits=Limits(20.0, 2048.0),
            comparator="evalplus",
        )  # fmt: skip
        passed[position] = (await verify(problem, program, executor=executor)).passed

    async with anyio.create_task_group() as group:
        for position in range(len(asked)):
            group.start_soon(judge, position)
    await executor.aclose()
    return passed

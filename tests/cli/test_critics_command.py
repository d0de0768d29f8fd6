"""`ctrl-harness critics`: the list, and the contract with its exit status."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

BROKEN = """
    import time
    from ctrl_harness.critique.critic import Critique

    def blocks(context):
        async def criticise(problem, draft):
            while True:
                time.sleep(0.01)
        return criticise

    def wavers(context):
        async def criticise(problem, draft):
            return Critique(str(time.monotonic_ns()), "incorrect")
        return criticise
    """


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.py"
    path.write_text(textwrap.dedent(BROKEN))
    return path


def test_the_list_says_how_each_is_chosen(harness_cli: Any) -> None:
    done = harness_cli("critics", "list")
    assert done.code == 0, done.text
    lines = done.stdout.splitlines()
    for form in ("model ", "execution ", "agent ", "http:URL ", "recorded:FILE ", "vote:N:CRITIC "):
        assert len([line for line in lines if line.startswith(form)]) == 1, done.stdout
    assert "none " in done.stdout and "path/file.py:NAME" in done.stdout


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) for name in ("agent", "model", "vote:3:model")],
)
def test_what_keeps_the_contract_ends_with_0(harness_cli: Any, name: str) -> None:
    done = harness_cli("critics", "check", name)
    assert done.code == 0, done.text
    assert done.stdout.endswith(f"{name} keeps the contract\n")
    assert "FAILS" not in done.stdout and "holds    cancellation" in done.stdout


def test_what_breaks_it_ends_with_1_and_says_where(harness_cli: Any, broken: Path) -> None:
    done = harness_cli("critics", "check", f"{broken}:wavers")
    assert done.code == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FAILS")]
    assert line.startswith("FAILS    determinism: asked again of the same draft")
    assert "breaks the contract: 1 of 12 checks fail" in done.stdout


@pytest.mark.slow
def test_a_critic_that_never_lets_go_is_given_up(broken: Path) -> None:
    """In a process of its own, which ends though its event loop never does."""
    command = Path(sys.executable).with_name("ctrl-harness")
    start = time.monotonic()
    done = subprocess.run(
        [command, "critics", "check", f"{broken}:blocks", "--timeout", "1"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILS    answers: the critic never lets go of the event loop" in done.stdout
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "nobody"], "unknown critic 'nobody'"),
        (["check", "none"], "is no critic but the control of one"),
        (["check", "recorded:nowhere"], "cannot be read"),
        (["check", "model", "--timeout", "0"], "--timeout"),
        (["check"], "Missing argument"),
    ],
)
def test_what_cannot_be_tried_is_one_line(
    harness_cli: Any, arguments: list[str], says: str
) -> None:
    done = harness_cli("critics", *arguments)
    assert done.code == 1
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1

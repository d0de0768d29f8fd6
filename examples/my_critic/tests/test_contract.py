"""The contract's own checks, with a played model: nothing is downloaded."""

import subprocess
import sys
from pathlib import Path


def test_it_keeps_the_contract() -> None:
    command = Path(sys.executable).with_name("ctrl-harness")
    done = subprocess.run(
        [command, "critics", "check", "my_critic"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

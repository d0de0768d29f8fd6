"""Forbidden acts, one a program, that are attempted in a live cell to see that they are refused.

Each prints `refused`, or says what it could do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Program, StdinInput
from ctrl_harness.problems.problem import Limits

REQUIRED_LAYERS = (
    "user namespace",
    "PID namespace",
    "mount namespace",
    "network namespace",
    "IPC namespace",
    "capabilities",
    "resource limits",
    "Landlock",
    "seccomp",
)
OPTIONAL_LAYERS = ("memory cgroup",)
"""In force where this user may make control groups; each process is limited without it, too."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A forbidden act. layer: what refuses it; behind: layers that would refuse it even so."""

    act: str
    layer: str
    source: str
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a probe."""

    probe: Probe
    refused: bool
    detail: str


_LIMITS = Limits(time_s=5.0, memory_mb=128, output_mb=1)


def _trying(code: str) -> str:
    """A program that says `refused` where `code` raises an OSError."""
    indented = "\n".join(f"    {line}" for line in code.splitlines())
    return f"try:\n{indented}\nexcept OSError:\n    print('refused')\nelse:\n    print('it worked')"


PROBES: tuple[Probe, ...] = (
    Probe(
        "see the machine's user ids",
        "user namespace",
        "import os\nprint('refused' if os.getuid() == 1000 else f'user {os.getuid()}')",
    ),
    Probe(
        "find other processes",
        "PID namespace",
        "import os\nfound = []\nfor pid in range(1, 40000):\n    try:\n        os.getpgid(pid)\n"
        "        found.append(pid)\n    except OSError:\n        pass\n"
        "print('refused' if len(found) <= 3 else f'{len(found)} processes')",
    ),
    Probe(
        "see the machine's files",
        "mount namespace",
        _trying("import os\nos.stat('/etc')"),
    ),
    Probe(
        "reach the machine's network",
        "network namespace",
        "import socket\ntry:\n    names = [name for _, name in socket.if_nameindex()]\n"
        "except OSError:\n    names = []\n"
        "try:\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))\n"
        "except OSError:\n    print('refused')\nelse:\n    print('sent by one of', names)",
        behind=frozenset({"seccomp"}),
    ),
    Probe(
        "learn the machine's name",
        "IPC namespace",
        "import os\nname = os.uname().nodename\nprint('refused' if name == 'cell' else name)",
    ),
    Probe(
        "list the root folder",
        "Landlock",
        _trying("import os\nos.listdir('/')"),
    ),
    Probe("open a socket", "seccomp", _trying("import socket\nsocket.socket()")),
    Probe(
        "start a process",
        "seccomp",
        _trying("import os\nif os.fork() == 0:\n    os._exit(0)"),
    ),
    Probe(
        "run a command",
        "seccomp",
        _trying("import os, sys\nos.execv(sys.executable, ['python'])"),
    ),
    Probe(
        "signal its parent",
        "seccomp",
        _trying("import os\nos.kill(os.getppid(), 0)"),
    ),
    Probe(
        "use unlimited memory",
        "resource limits",
        "try:\n    block = bytearray(1 << 29)\n    for at in range(0, len(block), 4096):\n"
        "        block[at] = 1\nexcept MemoryError:\n    print('refused')\n"
        "else:\n    print('half a gigabyte')",
        behind=frozenset({"memory cgroup"}),
    ),
    Probe(
        "use unlimited memory past its own limits",
        "memory cgroup",
        "try:\n    block = bytearray(1 << 30)\n    for at in range(0, len(block), 4096):\n"
        "        block[at] = 1\nexcept MemoryError:\n    print('refused')\n"
        "else:\n    print('a gigabyte')",
        behind=frozenset({"resource limits"}),
    ),
    Probe(
        "write beside its scratch folder",
        "mount namespace",
        _trying("open('/usr/doctor', 'w')"),
        behind=frozenset({"Landlock", "capabilities"}),
    ),
    Probe("become root", "capabilities", _trying("import os\nos.setuid(0)")),
)


async def attempt_all(
    executor: EmbeddedExecutor, probes: Sequence[Probe] = PROBES
) -> list[Attempt]:
    """Runs every probe in a cell of this executor. Raises UserError and JudgeError as it does."""
    attempts = []
    for probe in probes:
        (run,) = await executor.execute(Program(probe.source), [StdinInput("")], _LIMITS)
        killed = run.status in ("memory_limit", "runtime_error") and not run.stdout
        refused = run.stdout.strip() == "refused" or (killed and "SIGKILL" in run.error)
        refused = refused or (run.status == "memory_limit" and not run.stdout)
        attempts.append(Attempt(probe, refused, run.stdout.strip() or run.error.strip()))
    return attempts

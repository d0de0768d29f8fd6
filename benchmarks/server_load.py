"""verl's own sandbox_fusion reward against `ctrl-harness serve`: is a right program scored 0?

    python benchmarks/server_load.py [--processes 8] [--in-flight 64] [--calls 1280]
        [--seconds 0] [--timeout 10] [SERVE-ARGUMENTS …]

verl 0.9.1's default is 8 reward workers with 64 requests in flight each. `compute_score` is the
installed verl's, unchanged; its package is loaded by its path, since it needs `requests` alone and
verl itself needs torch (`pip install --no-deps verl==0.9.1` is enough). Every program is right:
it adds two numbers, after a sleep of --seconds. The server listens on a port of the loopback
interface and ends with the benchmark. Exits with 1 where a right program is scored below 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = "print(sum(map(int, input().split())))"


@dataclass(frozen=True)
class Load:
    """What the workers ask: calls in all, seconds that a program sleeps, verl's `timeout`."""

    processes: int = 8
    in_flight: int = 64
    calls: int = 1280
    seconds: float = 0.0
    timeout: int = 10


@dataclass(frozen=True)
class Score:
    """Of one call: verl's score, the wall seconds it took, and the error that verl met."""

    value: float
    seconds: float
    error: str


def verl_reward() -> Any:
    """verl's package `verl.utils.reward_score.sandbox_fusion`, or None where verl is missing."""
    found = importlib.util.find_spec("verl")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0], "utils", "reward_score", "sandbox_fusion")
    name = "verl_sandbox_fusion"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


def ask(url: str, load: Load, first: int) -> list[Score]:
    """One reward worker: its share of the calls."""
    reward = verl_reward()
    semaphore = threading.Semaphore(load.in_flight)
    sleep = f"import time; time.sleep({load.seconds})\n" if load.seconds else ""

    def score(number: int) -> Score:
        tests = {"inputs": [f"{number} 1\n"], "outputs": [str(number + 1)]}
        completion = f"```python\n{sleep}{_PROGRAM}\n```"
        started = time.perf_counter()
        value, metadata = reward.compute_score(
            f"{url}/run_code", semaphore, 1024, completion, tests, timeout=load.timeout
        )
        error = str(metadata[0].get("api_request_error") or "")
        return Score(value, time.perf_counter() - started, error)

    share = load.calls // load.processes
    with ThreadPoolExecutor(load.in_flight) as threads:
        return list(threads.map(score, range(first, first + share)))


def run(url: str, load: Load) -> list[Score]:
    """Every worker a process of its own, as verl's are."""
    with multiprocessing.get_context("spawn").Pool(load.processes) as pool:
        arguments = [(url, load, 1000 * number) for number in range(load.processes)]
        return [score for share in pool.starmap(ask, arguments) for score in share]


@contextmanager
def served(arguments: list[str]) -> Iterator[str]:
    """A server's URL; it ends at the end."""
    command = "from ctrl_harness.cli.main import run; run()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r"judging on (http://\S+)", said)
        if found is None:
            raise SystemExit(f"the server did not start: {said}{process.stderr.read()}")
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stderr.close()


def main() -> None:
    """Prints scores and times. Exits with 1 where a right program is scored below 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    defaults = Load()
    for name, kind in (
        ("processes", int), ("in_flight", int), ("calls", int), ("seconds", float),
        ("timeout", int),
    ):  # fmt: skip
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=kind, default=getattr(defaults, name))
    options, arguments = parser.parse_known_args()
    load = Load(**vars(options))
    if verl_reward() is None:
        raise SystemExit("verl is missing; install it with: pip install --no-deps verl==0.9.1")
    with served(arguments) as url:
        started = time.perf_counter()
        scores = run(url, load)
        wall_s = time.perf_counter() - started
    below = [score for score in scores if score.value < 1]
    print(f"calls {len(scores)}, scored below 1: {len(below)}")
    print(f"wall {wall_s:.1f} s, longest call {max(score.seconds for score in scores):.1f} s")
    for error, count in Counter(score.error[:200] for score in below).most_common(3):
        print(f"{count} × {error or 'scored without an error'}")
    raise SystemExit(1 if below else 0)


if __name__ == "__main__":
    main()

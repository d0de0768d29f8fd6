"""One side of the judging benchmark, in a process of its own (see judging.py).

    PYTHON benchmarks/sides.py SIDE WORKLOAD.json

Says `ready PID` once it has judged the whole workload, then judges it as often as each line on its
standard input says and answers with the wall seconds. PID is the process whose time counts,
with all that descends from it. A side that does not accept every test ends with an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

from peer_judges import JUDGES, Task
from workload import Piece

AT_ONCE = 64


class Side(NamedTuple):
    """judge: so many passes over the workload; ends the process where anything is refused.

    pid: see above.
    """

    judge: Callable[[int], Awaitable[None]]
    pid: int


OpenSide = Callable[[list[Piece]], AbstractAsyncContextManager[Side]]


def _check(accepted: bool, what: object) -> None:
    if not accepted:
        raise SystemExit(f"a right program was refused: {what}")


# -- ours


def _embedded(jobs: int, at_once: int, isolated: bool = True) -> OpenSide:
    @contextlib.asynccontextmanager
    async def open_side(pieces: list[Piece]) -> AsyncIterator[Side]:
        from judges import our_problem

        from ctrl_harness.execution.embedded import EmbeddedExecutor
        from ctrl_harness.execution.probes import OPTIONAL_LAYERS, REQUIRED_LAYERS
        from ctrl_harness.verification.verify import verify

        off = frozenset() if isolated else frozenset((*REQUIRED_LAYERS, *OPTIONAL_LAYERS))
        executor = EmbeddedExecutor(jobs=jobs, without=off)
        problems = [our_problem(_task(piece)) for piece in pieces]
        places = asyncio.Semaphore(at_once)

        async def judge_one(number: int) -> None:
            async with places:
                program = pieces[number].program
                verdict = await verify(problems[number], program, executor=executor)
                _check(verdict.passed, verdict)

        async def judge(passes: int) -> None:
            numbers = passes * list(range(len(pieces)))
            await asyncio.gather(*map(judge_one, numbers))

        try:
            yield Side(judge, os.getpid())
        finally:
            await executor.aclose()

    return open_side


@contextlib.asynccontextmanager
async def _server(pieces: list[Piece]) -> AsyncIterator[Side]:
    import httpx
    from judges import our_problem

    command = "from ctrl_harness.cli.main import run; run()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", command, "serve", "--port", "0", "--workers", "2"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        said = ""
        while "judging on http://" not in said:
            line = (await process.stderr.readline()).decode()
            if not line:
                raise SystemExit(f"the server did not start: {said}")
            said += line
        url = said.rpartition("judging on ")[2].strip()
        bodies = []
        for piece in pieces:
            problem = our_problem(_task(piece))
            body = {
                "program": piece.program,
                "cases": [_case_json(case) for case in problem.cases],
                "limits": problem.limits.as_json(),
            }
            bodies.append(json.dumps(body).encode())
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)

        async def judge(passes: int) -> None:
            places = asyncio.Semaphore(AT_ONCE)
            # new connections each time, as of clients that come and go
            async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits) as client:

                async def judge_one(body: bytes) -> None:
                    async with places:
                        answer = await client.post(
                            f"{url}/verify",
                            content=body,
                            headers={"content-type": "application/json"},
                        )
                        _check(answer.status_code == 200 and answer.json()["passed"], answer.text)

                await asyncio.gather(*map(judge_one, passes * bodies))

        yield Side(judge, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        _, said_at_end = await process.communicate()
        sys.stderr.write(said_at_end.decode("utf-8", "replace"))


def _case_json(case: Any) -> dict[str, Any]:
    if hasattr(case, "stdin"):
        return {"stdin": case.stdin, "stdout": case.stdout}
    return {"function": case.function, "args": list(case.args), "expected": case.expected}


# -- a fresh interpreter a test


@contextlib.asynccontextmanager
async def _cold(pieces: list[Piece]) -> AsyncIterator[Side]:
    with tempfile.TemporaryDirectory() as name:
        commands = _write_programs(pieces, Path(name))

        async def judge(passes: int) -> None:
            for piece, command in passes * list(zip(pieces, commands, strict=True)):
                for given, expected in zip(piece.inputs, piece.outputs, strict=True):
                    done = subprocess.run(
                        command, input=given, capture_output=True, text=True, timeout=5
                    )
                    _check(done.returncode == 0 and done.stdout == expected, done)

        yield Side(judge, os.getpid())


@contextlib.asynccontextmanager
async def _inspect(pieces: list[Piece]) -> AsyncIterator[Side]:
    from inspect_ai.util._sandbox.local import LocalSandboxEnvironment

    sandbox = LocalSandboxEnvironment()
    try:
        commands = _write_programs(pieces, Path(sandbox.directory.name))

        async def judge(passes: int) -> None:
            for piece, command in passes * list(zip(pieces, commands, strict=True)):
                for given, expected in zip(piece.inputs, piece.outputs, strict=True):
                    done = await sandbox.exec(command, input=given, timeout=5)
                    _check(done.success and done.stdout == expected, done)

        yield Side(judge, os.getpid())
    finally:
        sandbox.directory.cleanup()


def _write_programs(pieces: list[Piece], folder: Path) -> list[list[str]]:
    """The command that runs each program."""
    commands = []
    for number, piece in enumerate(pieces):
        path = folder / f"program_{number}.py"
        path.write_text(piece.program, encoding="utf-8")
        commands.append([sys.executable, "-I", "-S", str(path)])
    return commands


# -- peers


def _peer(name: str) -> OpenSide:
    @contextlib.asynccontextmanager
    async def open_side(pieces: list[Piece]) -> AsyncIterator[Side]:
        judge_one = JUDGES[name]()

        async def judge(passes: int) -> None:
            for piece in passes * pieces:
                answer = judge_one(piece.program, _task(piece))
                _check(answer.passed, (answer, piece.program))

        yield Side(judge, os.getpid())

    return open_side


def _task(piece: Piece) -> Task:
    return Task(piece.kind, piece.inputs, piece.outputs)


SIDES: dict[str, OpenSide] = {
    "cell": _embedded(1, 1),
    "bare": _embedded(1, 1, isolated=False),
    "pool": _embedded(2, AT_ONCE),
    "server": _server,
    "cold": _cold,
    "inspect": _inspect,
    **{name: _peer(name) for name in JUDGES},
}


async def run(side_name: str, pieces: list[Piece]) -> None:
    async with SIDES[side_name](pieces) as side:
        await side.judge(1)
        _say(f"ready {side.pid}")
        for line in sys.stdin:
            start = time.perf_counter()
            await side.judge(int(line))
            _say(str(time.perf_counter() - start))


_OUT = os.dup(1)
"""Where the answers go; what a judge prints goes nowhere."""


def _say(text: str) -> None:
    os.write(_OUT, text.encode() + b"\n")


def main() -> None:
    os.set_inheritable(_OUT, False)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    _, side, path = sys.argv
    pieces = [Piece(*fields) for fields in json.loads(Path(path).read_text(encoding="utf-8"))]
    asyncio.run(run(side, pieces))


if __name__ == "__main__":
    main()

"""What the server and the processes that handle its requests tell each other: pickles in frames.

Both are the same program, and what programs print is text or plain values in them.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from dataclasses import dataclass
from typing import Any

from ctrl_harness.execution.executor import Input, Program, Run
from ctrl_harness.problems.problem import Limits

_HEAD = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Hello:
    """A handler's first word: its process."""

    pid: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its ASGI scope, as far as it is plain. So many bytes of body follow it."""

    scope: dict[str, Any]
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Execute:
    """A program to run. number: of this execution. patience_s: see gate.PATIENCE."""

    number: int
    program: Program
    inputs: list[Input]
    limits: Limits
    patience_s: float


@dataclass(frozen=True, slots=True)
class Enough:
    """No further run of this execution is wanted."""

    number: int


@dataclass(frozen=True, slots=True)
class Ran:
    """The next runs of an execution."""

    number: int
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Done:
    """An execution has ended; error: what it raised."""

    number: int
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A verdict's status for the metrics, or None for a judge error."""

    status: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, whole. lasts: whether the process takes another request."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    lasts: bool


Message = Hello | Asked | Execute | Enough | Ran | Done | Counted | Answered


Frame = tuple[bytes, bytes]
"""A message's size and the message."""


def packed(message: Message) -> Frame:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _HEAD.pack(len(data)), data


async def read_size(reader: asyncio.StreamReader) -> int:
    """Bytes of the next message. Raises asyncio.IncompleteReadError at the end."""
    size: int
    (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return size


async def read_message(reader: asyncio.StreamReader, size: int) -> Message:
    message: Message = pickle.loads(await reader.readexactly(size))
    return message

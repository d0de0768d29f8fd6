"""What a host tells the harness: one record an input, in order.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import signal
import struct
from typing import NamedTuple

READY, NOT_COMPILED, PRELUDE_FAILED, OUTCOME = b"P", b"C", b"J", b"T"
"""Kinds of frame: the program compiled; it did not, the prelude failed (text); an outcome."""
NO_MODULE = b"I"
"""The tests import a module (its name) that is not there, so the program is not run."""
FILES = b"F"
"""Before an outcome: the files that the program left and that were asked for."""
AGAIN = b"A"
"""From a process that has made calls before: this one is to be made in a process of its own."""
STARTED = b"S"
"""From a process of calls without a host: what follows is the program's word, in its messages."""

ENDED, TIMED_OUT, ALIVE, OVERSIZED, CROWDED = range(5)
"""How an input ended: with its process, by the clock, or with a message while the process lives
on; OVERSIZED is a process that was ended because its message or output was too large. CROWDED is
no end: calls that a process knew together took the time of one, and this one is made again."""

OUT_OF_MEMORY = b"Mthe run was ended: it brought its cell to the memory limit"
"""The message of a run that the kernel ended for want of memory; of guest.py's kinds."""

_TEXT_BYTES = 16_000
_FRAME = struct.Struct("<I")
_FILE = struct.Struct("<II")
_HEAD = struct.Struct("<BIiddIII")
_FRAMED_HEAD = struct.Struct("<Ic" + _HEAD.format[1:])


class Outcome(NamedTuple):
    """One input's end. inputs: for how many it holds (0: all that the child still had).

    status: as os.wait4 gives it. wall_s, cpu_s: seconds. peak_kib: peak resident memory, 0 where
    unknown. message: one of guest.py's, kind and payload, or nothing. files: what came before it in
    a frame of its own, by the number of the name.
    """

    how: int
    inputs: int = 1
    status: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_kib: int = 0
    message: bytes = b""
    stderr: bytes = b""
    stdout: bytes = b""
    files: tuple[tuple[int, bytes], ...] = ()

    def was_killed(self) -> bool:
        """Whether its process ended by SIGKILL, and not by the clock."""
        return self.how == ENDED and self.status == signal.SIGKILL

    def pack(self) -> bytes:
        return packed_outcome(*self[:-1])

    @classmethod
    def unpack(cls, body: bytes) -> Outcome:
        """Raises ValueError for anything that `pack` would not have made."""
        try:
            how, inputs, status, wall, cpu, peak, n_message, n_stderr = _HEAD.unpack_from(body)
        except struct.error as error:
            raise ValueError(f"a malformed outcome: {error}") from None
        stderr_at = _HEAD.size + n_message
        stdout_at = stderr_at + n_stderr
        if stdout_at > len(body):
            raise ValueError("a malformed outcome: it is cut short")
        said, stderr = body[_HEAD.size : stderr_at], body[stderr_at:stdout_at]
        return cls(how, inputs, status, wall, cpu, peak, said, stderr, body[stdout_at:])


def packed_outcome(
    how: int,
    inputs: int,
    status: int,
    wall_s: float,
    cpu_s: float,
    peak_kib: int,
    message: bytes,
    stderr: bytes,
    stdout: bytes,
) -> bytes:
    """An outcome's frame. A host makes one a test, and no object for it: this is its shortest way.

    The arguments: Outcome's fields.
    """
    said, told = len(message), len(stderr)
    size = 1 + _HEAD.size + said + told + len(stdout)
    numbers = how, inputs, status, wall_s, cpu_s, peak_kib, said, told
    head = _FRAMED_HEAD.pack(size, OUTCOME, *numbers)
    return head + message + stderr + stdout


def packed_files(files: list[tuple[int, bytes]]) -> bytes:
    """Their frame."""
    parts = (part for number, data in files for part in (_FILE.pack(number, len(data)), data))
    return frame(FILES, *parts)


def unpack_files(body: bytes) -> tuple[tuple[int, bytes], ...]:
    """Raises ValueError for anything that `packed_files` would not have made."""
    files, at = [], 0
    while at < len(body):
        try:
            number, size = _FILE.unpack_from(body, at)
        except struct.error as error:
            raise ValueError(f"malformed files: {error}") from None
        at += _FILE.size + size
        if at > len(body):
            raise ValueError("malformed files: they are cut short")
        files.append((number, body[at - size : at]))
    return tuple(files)


def frame(kind: bytes, *parts: bytes) -> bytes:
    """A length, a kind and a body."""
    return b"".join((_FRAME.pack(1 + sum(map(len, parts))), kind, *parts))


def end_of_text(data: bytes) -> str:
    """The end of what a process said: no more is kept of any text."""
    return data[-_TEXT_BYTES:].decode("utf-8", "replace")


class FrameReader:
    """Takes frames out of a stream; bounded.

    max_bytes: no honest frame is larger; a larger one raises ValueError.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def __len__(self) -> int:
        return len(self._buffer)

    def take(self) -> tuple[bytes, bytes] | None:
        """Kind and body of the next frame; None where it has not all come."""
        message = self.take_message()
        return None if message is None else (message[:1], message[1:])

    def take_message(self) -> bytes | None:
        """The same in one: the kind is its first byte."""
        buffer = self._buffer
        present = len(buffer)
        if present < 5:
            return None
        (length,) = _FRAME.unpack_from(buffer)
        if not 1 <= length <= self._max_bytes:
            raise ValueError(f"a frame of {length} bytes")
        end = 4 + length
        if present < end:
            return None
        message = bytes(buffer[4:end])
        del buffer[:end]
        return message

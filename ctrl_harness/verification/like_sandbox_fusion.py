"""The program that SandboxFusion would find in a completion (its sandbox/utils/extraction.py).

One thing is better here: a fence that stands in a docstring does not end the program. SandboxFusion
cuts it there, and what it cuts never compiles, so no program that it accepts is read otherwise.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ctrl_harness.verification.fences import Allowance, StringState
from ctrl_harness.verification.reasoning import strip_reasoning

_TICKS = "```"
_PYTHON = frozenset({"python", "Python", "py", "Python3", "python3", "PY"})
_DEFINITION = re.compile(r"(?:def|class) .")
_ABOVE_A_DEFINITION = re.compile(r"(?:import|from|#).")


class Found(NamedTuple):
    """What SandboxFusion's order of preference finds: the program and where it stood."""

    program: str | None
    place: Literal["fenced", "incomplete_fenced", "heuristic", "empty"]


class _Block(NamedTuple):
    tag: str
    text: str
    closed: bool


def find_like_sandbox_fusion(completion: str) -> Found:
    """SandboxFusion's order of preference (`default_extract_helper`).

    The first closed block tagged as Python, else the first closed block; else all that follows the
    first fence; else the first function or class that stands bare in the text. Blocks without text
    are passed over, and reasoning is not looked into.
    """
    text = strip_reasoning(completion)
    blocks = [block for block in _blocks(text) if block.text.strip()]
    if closed := _first_python([block for block in blocks if block.closed]):
        return Found(closed, "fenced")
    if blocks:
        return Found(blocks[0].text, "incomplete_fenced")
    definition = _bare_definition(text)
    return Found(definition, "heuristic" if definition else "empty")


def find_closed_block(completion: str) -> str | None:
    """The program in a closed block alone.

    CTRL does not send MBPP+ completions to SandboxFusion's extraction: it cuts out a closed block
    itself, and a completion without one runs as it is, prose, fence and all (ctrl/eval,
    `desanitize`).
    """
    blocks = _blocks(strip_reasoning(completion))
    return _first_python([block for block in blocks if block.closed and block.text.strip()])


def _first_python(blocks: list[_Block]) -> str | None:
    tagged = [block for block in blocks if block.tag in _PYTHON]
    return (tagged or blocks)[0].text if blocks else None


def _blocks(text: str) -> list[_Block]:
    """Blocks as SandboxFusion's patterns delimit them; the last may lack its end.

    Three backticks open one anywhere in a line, whose rest is the tag; a line that begins with
    three backticks closes it, whatever follows. Tildes and longer fences mean nothing.
    """
    lines = text.split("\n")
    allowance = Allowance()
    found: list[_Block] = []
    number, rest = 0, lines[0]
    while number < len(lines) - 1:
        _, ticks, tag = rest.partition(_TICKS)
        if not ticks:
            number += 1
            rest = lines[number]
            continue
        first = number + 1
        last = _end(lines, first, allowance)
        closed = last < len(lines)
        body = "\n".join(lines[first:last]).rstrip() + "\n" if closed else "\n".join(lines[first:])
        found.append(_Block(tag.strip(), body, closed))
        if not closed:
            break
        number, rest = last, lines[last].lstrip().removeprefix(_TICKS)
    return found


def _end(lines: list[str], first: int, allowance: Allowance) -> int:
    """The number of the line that closes the block; `len(lines)` without one."""
    string = StringState()
    in_string: int | None = None
    for number in range(first, len(lines)):
        if in_string is not None and not allowance.looks_ahead():
            break
        if lines[number].lstrip().startswith(_TICKS):
            if not string:
                whole = in_string is None or allowance.parses("\n".join(lines[first:number]))
                return number if whole else in_string or number
            in_string = number if in_string is None else in_string
        string.read(lines[number])
    return len(lines) if in_string is None else in_string


def _bare_definition(text: str) -> str | None:
    """The first `def` or `class` at a line's beginning that has an indented body, and the imports
    and comments right above it; blank lines count for nothing."""
    lines = [line for line in text.split("\n") if line.strip()]
    head = 0  # the first of the imports and comments above
    for number, line in enumerate(lines):
        if _DEFINITION.match(line):
            end = number + 1
            while end < len(lines) and lines[end][0].isspace():
                end += 1
            if end > number + 1:
                return "\n".join(lines[head:end]) + "\n"
        if not _ABOVE_A_DEFINITION.match(line):
            head = number + 1
    return None

"""Takes the program out of a model's completion. Named rules; the name is part of the digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

from ctrl_harness.errors import UserError

_PYTHON_TAGS = frozenset({"", "python", "python3", "py", "py3"})
_USUAL_CHARS = 1 << 16
_FENCE = re.compile(
    r"^[ \t]*+(?P<ticks>`{3,}+|~{3,}+)[ \t]*+(?P<info>[^`\n]*+)$", re.MULTILINE
)
_REASONING_TAG = re.compile(r"<(?P<end>/?)(?P<name>think|thinking|reasoning)>", re.IGNORECASE)


class Fence(NamedTuple):
    """A fenced block: its language tag in lower case, its text, and whether it was closed."""

    language: str
    text: str
    closed: bool


def strip_reasoning(completion: str) -> str:
    """The completion without its reasoning blocks, which are neither code nor critique.

    A block that was never closed takes the rest of the text with it; one whose opening tag stands
    in the chat template, and so not in the completion, takes what comes before its end.
    """
    kept: list[str] = []
    position = 0  # of what has not been kept or left out yet
    block = ""  # the name of the block we are in
    for tag in _REASONING_TAG.finditer(completion):
        name = tag["name"].lower()
        if not block and not tag["end"]:
            kept.append(completion[position : tag.start()])
            block = name
        elif not block:
            kept.clear()
            position = tag.end()
        elif tag["end"] and name == block:
            block = ""
            position = tag.end()
    if not block:
        kept.append(completion[position:])
    return "".join(kept)


def fences(text: str) -> list[Fence]:
    """The fenced blocks in order, as CommonMark delimits them; the last may lack its end."""
    found: list[Fence] = []
    opening: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opening is None:
            opening = match
        elif (
            match["ticks"][0] == opening["ticks"][0]
            and len(match["ticks"]) >= len(opening["ticks"])
            and not match["info"].strip()
        ):
            found.append(_fence(opening, text[opening.end() : match.start()], closed=True))
            opening = None
    if opening is not None:
        found.append(_fence(opening, text[opening.end() :], closed=False))
    return found


def _fence(opening: re.Match[str], body: str, *, closed: bool) -> Fence:
    words = opening["info"].split()
    language = words[0].lower().strip("{}.") if words else ""
    indent = len(opening[0]) - len(opening[0].lstrip(" \t"))
    lines = body.removeprefix("\n").splitlines(keepends=True)
    if indent:  # a fence inside a list item is indented with its content
        lines = [line[min(indent, len(line) - len(line.lstrip(" \t"))) :] for line in lines]
    return Fence(language, "".join(lines), closed)


def _python_fences(completion: str) -> tuple[str, ...]:
    """Of the last completions of usual size, they are kept: the loop shows a program to the critic,
    and soon the scorer judges it."""
    find = _recent_python_fences if len(completion) <= _USUAL_CHARS else _find_python_fences
    return find(completion)


def _find_python_fences(completion: str) -> tuple[str, ...]:
    blocks = fences(strip_reasoning(completion))
    return tuple(b.text for b in blocks if b.language in _PYTHON_TAGS and b.text.strip())


_recent_python_fences = lru_cache(maxsize=256)(_find_python_fences)


def first_fence(completion: str) -> str | None:
    """The first fenced block tagged as Python or not at all; an unclosed one counts."""
    programs = _python_fences(completion)
    return programs[0] if programs else None


def last_fence(completion: str) -> str | None:
    """The last fenced block tagged as Python or not at all; an unclosed one counts."""
    programs = _python_fences(completion)
    return programs[-1] if programs else None


# -- SandboxFusion

_TICKS = "```"
_SANDBOX_FUSION_PYTHON = frozenset({"python", "Python", "py", "Python3", "python3", "PY"})
_DEFINITION = re.compile(r"(?:def|class) .")
_ABOVE_A_DEFINITION = re.compile(r"(?:import|from|#).")


class Found(NamedTuple):
    """What SandboxFusion's order of preference finds: the program and where it stood."""

    program: str | None
    place: Literal["fenced", "incomplete_fenced", "heuristic", "empty"]


def find_like_sandbox_fusion(completion: str) -> Found:
    """SandboxFusion's order of preference (utils/extraction.py, `default_extract_helper`).

    The first closed block tagged as Python, else the first closed block; else all that follows the
    first fence; else the first function or class that stands bare in the text. Blocks without text
    are passed over, and reasoning is not looked into.
    """
    text = strip_reasoning(completion)
    blocks = [block for block in _sandbox_fusion_fences(text) if block.text.strip()]
    if closed := _first_python([block for block in blocks if block.closed]):
        return Found(closed, "fenced")
    if blocks:
        return Found(blocks[0].text, "incomplete_fenced")
    definition = _bare_definition(text)
    return Found(definition, "heuristic" if definition else "empty")


def sandbox_fusion(completion: str) -> str | None:
    """The program that `find_like_sandbox_fusion` finds."""
    return find_like_sandbox_fusion(completion).program


def sandbox_fusion_closed(completion: str) -> str | None:
    """The program in a closed block alone.

    CTRL does not send MBPP+ completions to SandboxFusion's extraction: it cuts out a closed block
    itself, and a completion without one runs as it is, prose, fence and all (ctrl/eval,
    `desanitize`).
    """
    blocks = _sandbox_fusion_fences(strip_reasoning(completion))
    return _first_python([block for block in blocks if block.closed and block.text.strip()])


def _first_python(blocks: list[Fence]) -> str | None:
    tagged = [block for block in blocks if block.language in _SANDBOX_FUSION_PYTHON]
    return (tagged or blocks)[0].text if blocks else None


def _sandbox_fusion_fences(text: str) -> list[Fence]:
    """Blocks as SandboxFusion's patterns delimit them; the last may lack its end.

    Three backticks open one anywhere in a line, whose rest is the tag; a line that begins with
    three backticks closes it, whatever follows. Tildes and longer fences mean nothing.
    """
    lines = text.split("\n")
    found: list[Fence] = []
    number, rest = 0, lines[0]
    while number < len(lines) - 1:
        _, ticks, tag = rest.partition(_TICKS)
        if not ticks:
            number += 1
            rest = lines[number]
            continue
        first = last = number + 1
        while last < len(lines) and not lines[last].lstrip().startswith(_TICKS):
            last += 1
        closed = last < len(lines)
        body = "\n".join(lines[first:last]).rstrip() + "\n" if closed else "\n".join(lines[first:])
        found.append(Fence(tag.strip(), body, closed))
        if not closed:
            break
        number, rest = last, lines[last].lstrip().removeprefix(_TICKS)
    return found


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


Extraction = Callable[[str], str | None]

EXTRACTIONS: dict[str, Extraction] = {
    "first_fence": first_fence,
    "last_fence": last_fence,
    "sandbox_fusion": sandbox_fusion,
}

_OF_DATASET: dict[tuple[str, str], Extraction] = {
    ("sandbox_fusion", "mbppplus"): sandbox_fusion_closed,
}


def get_extraction(name: str, dataset: str | None = None) -> Extraction:
    """The rule of this name for completions on a data set's problems.

    Raises UserError, naming the choices, for an unknown name.
    """
    try:
        rule = EXTRACTIONS[name]
    except KeyError:
        raise UserError(
            f"unknown extraction {name!r}; choose one of {', '.join(EXTRACTIONS)}"
        ) from None
    return rule if dataset is None else _OF_DATASET.get((name, dataset), rule)

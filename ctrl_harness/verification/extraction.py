"""Takes the program out of a model's completion. Named rules; the name is part of the digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from ctrl_harness.errors import UserError
from ctrl_harness.verification.fences import fences
from ctrl_harness.verification.info_string import INVISIBLE, PYTHON, UNTAGGED
from ctrl_harness.verification.like_sandbox_fusion import Found as Found
from ctrl_harness.verification.like_sandbox_fusion import find_closed_block
from ctrl_harness.verification.like_sandbox_fusion import (
    find_like_sandbox_fusion as find_like_sandbox_fusion,
)
from ctrl_harness.verification.reasoning import strip_reasoning as strip_reasoning
from ctrl_harness.verification.untagged import programs_among

_USUAL_CHARS = 1 << 16
_MAX_PARSED_CHARS = 100_000
_CODE_LLAMA = re.compile(r"\[PYTHON\][ \t]*+\n?(.*?)(?:\[/PYTHON\]|\Z)", re.DOTALL)
_CODE_LINE = re.compile(
    r"""^[ \t]*+(?: (?:def|class)\ \w | import\ \w+[ \t]*(?:[.,]|$) | from\ [\w.]+\ import\b
      | (?:if|elif|else|for|while|with|try|except|finally)\b[^\n]*:[ \t]*$ | return\b | @\w
      | print\( | [\w.\[\], \t]++(?:[-+*/%|&^@]|//|\*\*|>>|<<)?=(?![=>])
    )""",
    re.VERBOSE | re.MULTILINE,
)


def _programs(completion: str) -> tuple[str, ...]:
    """Of the last completions of usual size, they are kept: the loop shows a program to the critic,
    and soon the scorer judges it."""
    find = _recent_programs if len(completion) <= _USUAL_CHARS else _find_programs
    return find(completion)


def _find_programs(completion: str) -> tuple[str, ...]:
    """The blocks tagged as Python; without one, what Code Llama's tags enclose; else the blocks
    without a tag that are Python, or that have a line of it where none is."""
    text = completion.replace("\r\n", "\n").replace("\r", "\n")
    text = strip_reasoning(text.lstrip(INVISIBLE))
    blocks = [block for block in fences(text) if block.text.strip()]
    if tagged := tuple(block.text for block in blocks if block.language == PYTHON):
        return tagged
    if enclosed := tuple(code for code in _CODE_LLAMA.findall(text) if code.strip()):
        return enclosed
    untagged = [block for block in blocks if block.language == UNTAGGED]
    parsed = untagged if sum(len(b.text) for b in untagged) <= _MAX_PARSED_CHARS else []
    if programs := programs_among(block.text for block in parsed):
        return programs
    # what follows a fence that was never closed is as often prose
    return tuple(b.text for b in untagged if b.closed and _CODE_LINE.search(b.text))


_recent_programs = lru_cache(maxsize=256)(_find_programs)


def first_fence(completion: str) -> str | None:
    """The first fenced block tagged as Python; without one, the first without a tag. An unclosed
    one counts."""
    programs = _programs(completion)
    return programs[0] if programs else None


def last_fence(completion: str) -> str | None:
    """The last fenced block tagged as Python; without one, the last without a tag. An unclosed
    one counts."""
    programs = _programs(completion)
    return programs[-1] if programs else None


def sandbox_fusion(completion: str) -> str | None:
    """The program that `find_like_sandbox_fusion` finds."""
    return find_like_sandbox_fusion(completion).program


Extraction = Callable[[str], str | None]

EXTRACTIONS: dict[str, Extraction] = {
    "first_fence": first_fence,
    "last_fence": last_fence,
    "sandbox_fusion": sandbox_fusion,
}

_OF_DATASET: dict[tuple[str, str], Extraction] = {
    ("sandbox_fusion", "mbppplus"): find_closed_block,
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

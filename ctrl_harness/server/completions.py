"""What SandboxFusion makes of a completion before it judges functions.

Source: sandbox/datasets/mbpp.py, humaneval.py, autoeval.py and utils/extraction.py. Where a mark
at which they cut stands inside a string, so that the cut leaves no Python, the text stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ctrl_harness.syntax import parse_program
from ctrl_harness.verification.extraction import Found, find_like_sandbox_fusion

_MAX_PARSED_CHARS = 1 << 16  # parsing holds up every other request
_MAX_PLACES = 8
_MAIN_GUARD = "if __name__ =="
_MBPP_MARKS = ("# Example usage", _MAIN_GUARD, "\nassert", '\n"""')
_TOP_LEVEL = re.compile(r"\n(?=[^\s])")


def mbpp_program(completion: str) -> Found:
    """The program, without the asserts and the main part that follow its functions.

    What comes after `[DONE]`, which ends an answer in MBPP's own few-shot form, is not read.
    """
    found = find_like_sandbox_fusion(completion.partition("[DONE]")[0])
    return _cut_found(found, _MBPP_MARKS)


def program_without_main(completion: str) -> Found:
    """The program, up to its `if __name__ == "__main__"`."""
    return _cut_found(find_like_sandbox_fusion(completion), (_MAIN_GUARD,))


def function_body(completion: str, stop_tokens: tuple[str, ...] | None) -> str:
    """The rest of a function whose head stands in the prompt.

    stop_tokens: texts at which it ends, or patterns after `re:`; None for the first line that is
    not indented.
    """
    if stop_tokens is None:
        return _TOP_LEVEL.split(completion, maxsplit=1)[0]
    for token in stop_tokens:
        completion = completion.partition(token)[0]
    return completion


def _cut_found(found: Found, marks: tuple[str, ...]) -> Found:
    if found.program is None:
        return found
    program = found.program.replace("\r", "")
    for mark in marks:
        program = _cut(program, mark)
    return Found(program, found.place) if program.strip() else Found(None, "empty")


def _cut(program: str, mark: str) -> str:
    """Up to the first mark where the program can end; up to the first of all if it is no Python."""
    places = list(islice(_places(program, mark), _MAX_PLACES))
    for place in places:
        if is_python(program[:place]):
            return program[:place]
    return program if not places or is_python(program) else program[: places[0]]


def _places(program: str, mark: str) -> Iterator[int]:
    place = program.find(mark)
    while place >= 0:
        yield place
        place = program.find(mark, place + 1)


def is_python(text: str) -> bool:
    """Whether it parses; of texts too long for that, that it does."""
    if len(text) > _MAX_PARSED_CHARS:
        return True
    try:
        parse_program(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True

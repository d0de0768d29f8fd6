"""Integers of more digits than Python converts by itself, in JSON, in Python code and for people.

Python refuses to read or write integers of more than 4,300 decimal digits, since its own way takes
time quadratic in them (sys.set_int_max_str_digits, which is one setting for the whole process and
so not ours to change). Tests do hold such integers. Here they are read in pieces, which takes
about a tenth of a second for the most digits that are allowed.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Callable
from typing import Any

MAX_DIGITS = 250_000
"""Of one integer."""
_PIECE = 512
_SHOWN_DIGITS = 500
_OWN_LIMIT = 4_300
"""Python's, unless somebody set another one; what is longer takes our way."""
_LONG = re.compile(rf"(?<![0-9_])[0-9][0-9_]{{{_OWN_LIMIT},}}")
_DECIMAL = re.compile(r"[0-9][0-9_]*\Z")


class TooManyDigits(ValueError):
    """An integer that is too long to be read, or more of them than are allowed in all."""


def parse_integer(text: str) -> int:
    """The integer that ASCII digits, perhaps after a sign, stand for.

    Raises TooManyDigits for more than MAX_DIGITS, ValueError for anything else than digits.
    """
    if len(text) <= _PIECE:
        return int(text)
    digits = text.lstrip("+-")
    if len(digits) > MAX_DIGITS:
        raise TooManyDigits(f"an integer of {len(digits)} digits; at most {MAX_DIGITS} are read")
    # the lowest first; neighbours are joined until one is left
    pieces = [int(digits[max(0, end - _PIECE) : end]) for end in range(len(digits), 0, -_PIECE)]
    base = 10**_PIECE
    while len(pieces) > 1:
        if len(pieces) % 2:
            pieces.append(0)
        pieces = [low + high * base for low, high in zip(pieces[::2], pieces[1::2], strict=True)]
        base *= base
    return -pieces[0] if text.startswith("-") else pieces[0]


def load_json(text: str | bytes, *, most_digits: int | None = None) -> Any:
    """`json.loads`, with integers of up to MAX_DIGITS digits.

    most_digits: how many the long ones may have together, for what comes from strangers. Raises
    TooManyDigits (a ValueError), and what json.loads raises.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        if type(error) is not ValueError:  # not of the text's form or encoding
            raise
    return json.loads(text, parse_int=_reader(most_digits))


def _reader(most_digits: int | None) -> Callable[[str], int]:
    read = 0

    def parse(text: str) -> int:
        nonlocal read
        if len(text) > _OWN_LIMIT and most_digits is not None:
            read += len(text)
            if read > most_digits:
                raise TooManyDigits(f"long integers of more than {most_digits} digits in all")
        return parse_integer(text)

    return parse


def in_hex(code: str) -> str:
    """Python code with the same meaning, in which long integers are hexadecimal.

    Code that cannot be read comes back as it is. Raises TooManyDigits.
    """
    return _with_long_literals(code, lambda digits: hex(parse_integer(digits)))


def in_quotes(code: str) -> str:
    """Python code of the same form, in which long integers are texts: for looking, not running.

    A syntax tree with a long integer can be neither dumped nor unparsed.
    """
    return _with_long_literals(code, lambda digits: f'"{digits}"')


def _with_long_literals(code: str, spell: Callable[[str], str]) -> str:
    if _LONG.search(code) is None:
        return code
    lines = io.StringIO(code).readlines()
    done: list[str] = []
    row = column = 0  # of what is done
    try:
        for token in tokenize.generate_tokens(iter([*lines, ""]).__next__):
            long = token.type == tokenize.NUMBER and len(token.string) > _OWN_LIMIT
            if not (long and _DECIMAL.match(token.string)):
                continue
            start_row, start_column = token.start[0] - 1, token.start[1]
            if start_row > row:
                done += [lines[row][column:], *lines[row + 1 : start_row]]
                row, column = start_row, 0
            done += [lines[row][column:start_column], spell(token.string.replace("_", ""))]
            column = token.end[1]
    except (tokenize.TokenError, SyntaxError):
        return code
    return "".join([*done, lines[row][column:], *lines[row + 1 :]])


def readable(value: Any) -> str:
    """`repr`, with the middle of long integers left out: to be looked at, not to be read back.

    Raises RecursionError as `repr` does.
    """
    try:
        return repr(value)
    except ValueError:
        pass
    match value:
        case int():
            return _shortened(value)
        case list():
            return "[" + ", ".join(map(readable, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(readable, value)) + ("," if len(value) == 1 else "") + ")"
        case dict():
            pairs = (f"{readable(key)}: {readable(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case set():
            return "{" + ", ".join(map(readable, value)) + "}"
        case frozenset():
            return "frozenset({" + ", ".join(map(readable, value)) + "})"
    return f"a {type(value).__name__} with an integer of thousands of digits"


def _shortened(number: int) -> str:
    size = abs(number)
    digits = int(size.bit_length() * 0.30102999566398120) + 1
    head = size // 10 ** (digits - _SHOWN_DIGITS)
    if head < 10 ** (_SHOWN_DIGITS - 1):  # the estimate was one too many
        digits -= 1
        head = size // 10 ** (digits - _SHOWN_DIGITS)
    tail = size % 10**_SHOWN_DIGITS
    sign = "-" if number < 0 else ""
    left_out = digits - 2 * _SHOWN_DIGITS
    return f"{sign}{head}[... {left_out} digits left out ...]{tail:0{_SHOWN_DIGITS}d}"

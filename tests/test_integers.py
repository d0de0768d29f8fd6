"""Integers of more digits than Python reads by itself: as values, in JSON, in code, for people.

Expected values are made by arithmetic, since Python cannot spell them either.
"""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from ctrl_harness.integers import (
    MAX_DIGITS,
    TooManyDigits,
    in_hex,
    in_quotes,
    load_json,
    parse_integer,
    readable,
)

NINES = "9" * 5_000
ALL_NINES = 10**5_000 - 1


@pytest.mark.parametrize("digits", [1, 512, 513, 1_024, 4_300, 4_301, 5_000, 6_144, 100_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_of_any_length_is_read(digits: int, sign: str) -> None:
    factor = -1 if sign else 1
    assert parse_integer(sign + "9" * digits) == factor * (10**digits - 1)
    assert parse_integer(sign + "1" + "0" * (digits - 1)) == factor * 10 ** (digits - 1)
    assert parse_integer(sign + "1" * digits) == factor * (10**digits - 1) // 9


def test_an_absurd_one_is_refused_at_once() -> None:
    with pytest.raises(TooManyDigits, match="an integer of 10000000 digits; at most 250000"):
        parse_integer("1" * 10_000_000)


@pytest.mark.parametrize("text", ["x" * 5_000, "1" * 4_500 + "x", "1" * 4_500 + "-" + "1" * 500])
def test_what_is_no_integer_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_integer(text)


def test_json_holds_them_anywhere() -> None:
    text = f'{{"a": [1, -{NINES}, "{NINES}", 1.5], "b": {NINES}}}'
    wanted = {"a": [1, -ALL_NINES, NINES, 1.5], "b": ALL_NINES}
    assert load_json(text) == wanted
    assert load_json(text.encode()) == wanted


@pytest.mark.parametrize("text", ["", "{", '{"a": 1', "[1,]", '"\\x"', b"\xff"])
def test_what_is_no_json_is_told_as_ever(text: Any) -> None:
    with pytest.raises(ValueError) as ours:
        load_json(text)
    with pytest.raises(ValueError) as pythons:
        json.loads(text)
    assert repr(ours.value) == repr(pythons.value)


def test_what_strangers_send_is_bounded_in_all() -> None:
    text = f"[{', '.join([NINES] * 10)}, 1, 2]"
    assert load_json(text, most_digits=50_000)[-1] == 2
    with pytest.raises(TooManyDigits, match="more than 49999 digits in all"):
        load_json(text, most_digits=49_999)
    with pytest.raises(TooManyDigits):
        load_json("1" * (MAX_DIGITS + 1))


CODE = f"""\
# {NINES}
x = "{NINES}"
y = [ä, {NINES}, 0x1F]; z = -{NINES[:4_400]}_000 + 1
'''
{NINES}
'''
"""


def constants(code: str) -> list[Any]:
    return [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]


def test_code_holds_them_where_they_are_numbers() -> None:
    assert sorted(value for value in constants(in_hex(CODE)) if isinstance(value, int)) == [
        1, 31, (10**4_400 - 1) * 1_000, ALL_NINES,
    ]  # fmt: skip
    assert constants(in_hex(CODE)).count(NINES) == 1
    assert [line[:30] for line in in_hex(CODE).splitlines()][:2] == [
        line[:30] for line in CODE.splitlines()
    ][:2]


def test_a_tree_with_texts_in_their_place_can_be_dumped() -> None:
    ast.dump(ast.parse(in_quotes(CODE)))
    assert constants(in_quotes(CODE)).count(NINES) == 2


@pytest.mark.parametrize("code", ["x = 1", "", f"x = '{NINES}'", f"x = ({NINES}", f"'''{NINES}"])
def test_other_code_stays_as_it_is(code: str) -> None:
    assert in_hex(code) == code


def test_people_see_the_ends_of_a_long_integer() -> None:
    shown = readable({"a": [1, (10**5_000 + 7,)], 2: {-(10**5_000)}})
    head, zeros = "1" + "0" * 499, "0" * 499
    assert shown == (
        f"{{'a': [1, ({head}[... 4001 digits left out ...]{zeros}7,)], "
        f"2: {{-{head}[... 4001 digits left out ...]{zeros}0}}}}"
    )
    assert readable([1, "a"]) == "[1, 'a']"

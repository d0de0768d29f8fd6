"""How SandboxFusion judges LiveCodeBench, against its published rule written down once more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.execution.wire import Array, Fingerprint, Opaque
from ctrl_harness.problems.problem import CallCase
from ctrl_harness.verification.comparators import get_comparator
from ctrl_harness.verification.comparators.sandbox_fusion_livecodebench import (
    _much_equals,
    sandbox_fusion_livecodebench_lines_equal,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from sandbox_fusion_oracle import peer_accepts_text, peer_accepts_value

RULE = get_comparator("sandbox_fusion_livecodebench")


_TEXTS = st.lists(
    st.sampled_from(["1", "2", "1.0", "-1", "a", " ", "\n", "\r\n", "\x0b", "\x85"]), max_size=7
).map("".join)


@settings(deadline=None)
@given(_TEXTS, _TEXTS)
def test_a_long_output_is_judged_as_a_short_one(printed: str, expected: str) -> None:
    assert sandbox_fusion_livecodebench_lines_equal(printed, expected) == _much_equals(
        printed, expected
    )


@pytest.mark.parametrize(
    ("printed", "expected", "accepted"),
    [
        ("YES\n", "YES", True),
        ("yes\n", "YES", False),
        ("  YES  \n\n", "YES\n", True),
        ("1 \n2 \n", "1\n2\n", True),
        ("1\n\n2\n", "1\n2", True),
        ("1\n2\n", "1\n\n2", True),
        ("1\n2\n", "1\r\n2\r\n", True),
        ("1 \n\n2\n", "1\n2", True),
        ("a \n\nb\n", "a\nb", False),
        ("1  2\n", "1 2", False),
        ("1.0 2\n", "1 2", False),
        ("10000000009\n", "10000000000", False),
        ("10000000009\n-1\n", "10000000000\n-1", True),
        ("-10000000009\n", "-10000000000", True),
        ("0101\n", "0100", False),
        ("0101\n", "101", False),
        ("101.0\n", "101", True),
        ("0.3333\n", "0.333333333", False),
        ("0.333333\n", "0.333333333", True),
        ("0.000000001\n", "0", True),
        ("0.0000001\n", "0", False),
        ("1e3\n", "1000", True),
        ("inf\n", "1e999", True),
        ("nan\n", "NaN", False),
        ("2\n1\n", "1\n2", False),
        ("1\n2\n3\n", "1\n2", False),
        ("1\n2\n", "1 2", False),
        ("", "", True),
        ("\n \n", "", True),
        ("", "0", False),
    ],
)  # fmt: skip
def test_a_text_is_judged_as_the_peer_judges_it(
    printed: str, expected: str, accepted: bool
) -> None:
    assert peer_accepts_text(printed, expected) is accepted
    assert RULE.text_equal(printed, expected) is accepted


WORDS = st.sampled_from(
    ["1", "-1", "0101", "10000000000", "10000000009", "0.5", "0.500001", "1e3", "1000", "inf",
     "nan", "yes", "YES", "a b", "a  b", "", " ", "1 ", " 1", "1_0", "²", "1\r", "\x0c", "\u2028"]
)  # fmt: skip
LINES = st.lists(WORDS, max_size=4).map("\n".join)


@settings(deadline=None, max_examples=1500)
@given(LINES, LINES)
def test_any_text_is_judged_as_the_peer_judges_it(printed: str, expected: str) -> None:
    assert RULE.text_equal(printed, expected) is peer_accepts_text(printed, expected)
    assert RULE.text_equal(expected, expected) is peer_accepts_text(expected, expected)


@pytest.mark.parametrize(
    ("returned", "expected", "accepted"),
    [
        ([1, 2], [1, 2], True),
        ((1, 2), [1, 2], True),
        (1, [1, 2], True),
        ([1], [[1], 2], True),
        ([(1, 2)], [[1, 2]], False),
        ([(1, 2)], [[[1, 2]]], True),
        (True, 1, True),
        (1.0, 1, True),
        (0.1 + 0.2, 0.3, False),
        ("yes", "YES", False),
        ("1", 1, False),
        ({1: 2}, {"1": 2}, True),
        ({"a": 2}, {"a": 2}, True),
        ({1: 2}, [{"1": 2}, {"3": 4}], True),
        ([], [], True),
        (None, [], False),
    ],
)  # fmt: skip
def test_a_value_is_judged_as_the_peer_judges_it(
    returned: Any, expected: Any, accepted: bool
) -> None:
    assert peer_accepts_value(returned, expected) is accepted
    assert RULE.value_equal(returned, CallCase("f", (), expected)) is accepted


LEAVES = st.sampled_from([0, 1, 1.0, True, None, "", "1", "a", b"1", 2 + 0j])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["1", "a", 1, (1, 2)]), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.sampled_from([0, 1, 1.0, True, None, "", "1", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["1", "2", "a"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=1500)
@given(VALUES | JSON_VALUES, JSON_VALUES)
def test_any_value_is_judged_as_the_peer_judges_it(returned: Any, expected: Any) -> None:
    case = CallCase("f", (), expected)
    assert RULE.value_equal(returned, case) is peer_accepts_value(returned, expected)


@pytest.mark.parametrize("value", [Opaque("E"), Array([1, 2]), {1, 2}, b"12", [{1}]])
def test_what_is_no_json_equals_nothing(value: Any) -> None:
    assert not RULE.value_equal(value, CallCase("f", (), [1, 2]))
    assert not RULE.value_equal(value, CallCase("f", (), value))


def test_a_result_too_large_to_be_sent_equals_its_own_fingerprint() -> None:
    assert RULE.value_equal(Fingerprint("a"), CallCase("f", (), Fingerprint("a")))

"""Reading what a program returned: honest values come back, everything else is refused, cheaply."""

from __future__ import annotations

import json
import tempfile
import time
from collections import OrderedDict, deque, namedtuple
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctrl_harness.execution.executor import Run
from ctrl_harness.execution.guest import Reporter, _Encoder
from ctrl_harness.execution.wire import (
    Array,
    Fingerprint,
    Iterated,
    Opaque,
    Payload,
    WireError,
    decode_value,
    refuse_collisions,
)

COLLIDING = [{"i": hex(k * (2**61 - 1))} for k in range(1, 50_001)]


def through(value: Any) -> Any:
    return decode_value(json.dumps(_Encoder(1 << 24).encode(value)).encode())


def deep(levels: int, wrap: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**63), 2**63, 10**5000, 0.1, float("inf"), -0.0, 1 - 2j, "", "\ud800é\0",
        b"", b"\0\xff", [], [[]], (), ((1,),), {}, {1: [2], "a": {"b": ()}, (1, 2): None}, set(),
        {1, "a", (2,)}, frozenset({1}), {frozenset({1})}, Decimal("0.10"), Decimal("1E+400"),
        Fraction(-1, 3),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_plain_values_come_back(value: Any) -> None:
    assert through(value) == value
    assert type(through(value)) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(2**63), 2**63 - 1, 2**63, -(2**63) - 1, 1.5, "", "a b", 'a"b',
        "a\\b", "a\nb", "\x7f", "é", "x" * 1000, "x" * 1001, [], [[]], [[], [1]], [1, 2], [True, 1],
        [1.0],
        [2**63], [[1, 2], [3]], [[1], [True]], [[1], [2**64]], [[1], 2], [(1,)], [[[1]]],
        [0] * 1000, [0] * 1001, [[0] * 1000 + [True]], [[0]] * 1001, (1,), {"a": 1},
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_result_is_reported_as_it_is(value: Any) -> None:
    """The most usual ones take a shorter way than the encoder's."""
    with tempfile.TemporaryFile(buffering=0) as stream:
        Reporter(stream.fileno(), 1 << 20).send_result(value)
        stream.seek(0)
        told = stream.read()
    assert told[:5] == (len(told) - 4).to_bytes(4, "little") + b"R"
    assert repr(decode_value(told[5:])) == repr(value)


def test_a_list_that_holds_itself_is_not_reported() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with tempfile.TemporaryFile(buffering=0) as stream:
        Reporter(stream.fileno(), 1 << 20).send_result(endless)
        stream.seek(4)
        assert stream.read(1) == b"E"


def test_types_of_a_program_s_own_come_back_plain() -> None:
    class Lying(int):
        def __repr__(self) -> str:
            return "8"

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    pair = namedtuple("pair", "a b")
    assert through([Lying(7), pair(1, 2), OrderedDict(a=1), bytearray(b"x")]) == [
        7, (1, 2), {"a": 1}, b"x",
    ]  # fmt: skip
    assert type(through(Lying(7))) is int


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (iter([1, 2]), Iterated((1, 2))),
        (range(2), Iterated((0, 1))),
        ({"a": 1}.values(), Iterated((1,))),
        (deque([1]), Iterated((1,))),
        (zip("a", "b", strict=True), Iterated((("a", "b"),))),
    ],
)
def test_what_only_yields_is_told_apart_from_a_list(value: Any, read: Any) -> None:
    assert through(value) == read != list(read.items)


def test_the_keys_of_a_dict_are_a_set() -> None:
    assert through({"a": 1}.keys()) == {"a"}


def test_objects_are_opaque_and_equal_nothing() -> None:
    seen = through(object())
    assert isinstance(seen, Opaque) and seen.type_name == "object"
    assert seen != seen and seen != Opaque("object")
    assert isinstance(through(Decimal("sNaN")), Opaque)  # it raises wherever it is compared


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {1: v}])
def test_nesting_as_deep_as_the_guest_allows_comes_back(wrap: Any) -> None:
    assert through(deep(195, wrap)) == deep(195, wrap)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"[1,", b"\xff", b'{"x": 1}', b"{}", b'{"t": [], "s": []}', b'{"t": 5}',
        b'{"i": 5}', b'{"i": "0xg"}', b'{"f": "one"}', b'{"f": []}', b'{"b": "0"}', b'{"c": [1]}',
        b'{"D": "one"}', b'{"D": {}}', b'{"F": ["1", "0x0"]}', b'{"F": ["1"]}', b'{"d": [1]}',
        b'{"d": [[[], 1]]}', b'{"s": [[]]}', b'{"fs": [{"d": []}]}', b'{"s": [{"nd": [1]}]}',
        b"1" * 5_000, b"[" * 100_000, b'{"nd":' * 300 + b"1" + b"}" * 300,
        json.dumps(deep(211, lambda v: [v])).encode(),
        json.dumps(deep(300, lambda v: {"it": [v]})).encode(),
    ],
    ids=lambda payload: repr(payload[:20]),
)  # fmt: skip
def test_what_no_honest_guest_sends_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError, match="malformed"):
        decode_value(payload)


@pytest.mark.parametrize(
    "data",
    [
        {"s": COLLIDING},
        {"fs": COLLIDING},
        {"d": [[key, 0] for key in COLLIDING]},
        [{"s": [{"t": [key]} for key in COLLIDING]}],
        {"F": ["0x" + "7" * 1_000_000, "0x" + "3" * 1_000_001]},
    ],
    ids=["set", "frozenset", "dict", "set of tuples", "fraction"],
)
def test_messages_made_to_take_long_are_refused_at_once(data: Any) -> None:
    payload = json.dumps(data).encode()
    start = time.monotonic()
    with pytest.raises(WireError):
        decode_value(payload)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "value",
    [
        {2**i for i in range(7_000)},
        {2**i: i for i in range(7_000)},
        frozenset(Fraction(1, 2**i) for i in range(3_000)),
        {(2**i, 2**j) for i in range(0, 610, 61) for j in range(0, 1220, 61)},
    ],
    ids=["powers of two", "as keys", "fractions", "tuples"],
)
def test_honest_values_may_share_hashes(value: Any) -> None:
    start = time.monotonic()
    assert through(value) == value
    assert time.monotonic() - start < 3


def test_members_that_are_equal_are_no_collision() -> None:
    refuse_collisions([-1, -2, 0.5, "a", (1, 2), -1.0, Decimal("0.5")] * 20_000)


@pytest.mark.parametrize(
    "members",
    [
        [k * (2**61 - 1) for k in range(1, 1_500)] * 40,
        [(0,) * 2_500 + (k * (2**61 - 1),) for k in range(1, 2_000)],
        [(1 << 40_000) * (2**61 - 1) + k * (2**61 - 1) for k in range(1, 3_000)],
    ],
    ids=["fewer, but again and again", "long tuples", "long integers"],
)
def test_members_made_to_compare_slowly_are_refused_at_once(members: list[Any]) -> None:
    start = time.monotonic()
    with pytest.raises(WireError, match="share one hash"):
        refuse_collisions(members)
    assert time.monotonic() - start < 3


def test_large_honest_values_are_read() -> None:
    assert through(set(range(100_000))) == set(range(100_000))
    assert through({str(n): n for n in range(50_000)})["49999"] == 49_999


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["i", "f", "t", "d", "s", "fs", "b", "c", "D", "F", "it", "nd", "o"]),
            inner | st.lists(st.lists(inner, min_size=2, max_size=2), max_size=2),
            min_size=1,
            max_size=1,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(json_like.map(lambda data: json.dumps(data).encode()) | st.binary(max_size=20))
def test_any_bytes_are_a_value_or_refused(payload: bytes) -> None:
    try:
        value = decode_value(payload)
    except WireError:
        return
    plain = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, Decimal)
    assert value is None or isinstance(
        value, (*plain, Fraction, Array, Fingerprint, Iterated, Opaque)
    )


@settings(deadline=None)
@given(st.text(' \t\n\r\x0b\xa0\ufeff[]{}":,-0123456789.eNaltrufsI', max_size=12))
@example("\xa0[1]")
@example("\ufeff1")
@example("1 1")
@example("\n[1]\t")
def test_what_is_json_is_read_as_the_json_module_reads_it(text: str) -> None:
    try:
        wanted = repr(json.loads(text))
    except ValueError:
        with pytest.raises(WireError):
            Payload(text.encode()).read()
        return
    if "{" not in text:  # which would be a tag
        assert repr(Payload(text.encode()).read()) == wanted


@pytest.mark.parametrize("wide", ["", ",[]" * 300], ids=["narrow", "wide"])
def test_plain_lists_are_read_as_deep_as_tagged_values(wide: str) -> None:
    for levels, is_read in ((210, True), (211, True), (212, False)):
        payload = f"{'[' * levels}{']' * (levels - 1)}{wide}]".encode()
        if is_read:
            assert Payload(payload).read() == json.loads(payload)
        else:
            with pytest.raises(WireError, match="nested too deeply"):
                Payload(payload).read()


def test_a_run_without_outputs_keeps_all_else() -> None:
    run = Run("time_limit", "out", 1, "why", 2.5, 30.0, "err", -9, (("name", b"data"),))
    assert all(getattr(run, each.name) != each.default for each in fields(run))
    kept = replace(run, stdout="", value=None, stderr="", files=())
    assert run.without_outputs() == kept

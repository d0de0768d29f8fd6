"""Reads what a guest reports of a result: JSON to plain Python values, bounded and inert.

The bytes come from a hostile process, so nothing here can run code or build an object of a type
the program chose, and reading takes time linear in them. The format is guest.py's `_Encoder`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import repeat
from typing import Any

from ctrl_harness.execution.unhashed import LongInteger, Members, Pairs

_MAX_DEPTH = 210
"""The guest sends nothing deeper than 200; a forged message could exhaust the stack of a reader."""
_MAX_FRACTION_DIGITS = 10_000
"""Hexadecimal; reducing a fraction takes time quadratic in them."""
_MAX_SAME_HASH = 100
_MAX_COMPARISONS = 10_000_000
"""Of members that share a hash; about a second."""
_LONG_DIGITS = 4_096
"""Hexadecimal; from there on an integer is a LongInteger."""
_HASHING = 4_000_000
"""Comparisons of small integers that the sets of one result may cost: about 0.1 s. Those that could
cost more are not hashed."""
_SHOWN_CHARS = 200
_DIGEST_CHARS = 64
_TEXTS = frozenset((str, bytes, bool, type(None)))
"""Types whose hashes a program cannot choose, or that have few values."""
_WHITE_SPACE = " \t\n\r"
"""JSON's, which is less than Python's."""
_DECODER = json.JSONDecoder()
_NESTED = frozenset((list, dict))
"""What JSON is read as where it may hold further values; all else stands for itself."""


class WireError(ValueError):
    """Bytes that no honest guest would send."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A result without a plain form (a match object, a user's class); equal to nothing."""

    type_name: str
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Iterated:
    """What an iterator, a view, a range or a deque yielded: not a list, but good for a set."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A numpy array, as nested lists."""

    items: Any


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """sha256 of a result too large to be sent; equal only to another fingerprint."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Payload:
    """A result as it came of a program, not read yet."""

    data: bytes

    def read(self) -> Any:
        """The value, its sets and dicts as Members and Pairs where hashing them may take long.

        Raises WireError.
        """
        return _read(self.data, hashes_all=False)


def decode_value(payload: bytes) -> Any:
    """The value a call returned.

    Raises WireError for anything malformed: unknown tags, unhashable members of sets, nesting
    deeper than the guest allows, values made to take long.
    """
    return _read(payload, hashes_all=True)


def _read(payload: bytes, *, hashes_all: bool) -> Any:
    try:
        data = _json(payload.decode("utf-8", "surrogatepass"))
        # the usual result holds no tag, and not the brackets to be nested too deeply
        if payload.find(b"{") < 0 and payload.count(b"[") <= _MAX_DEPTH:
            return data
        return _Reader(hashes_all=hashes_all)._decode(data, 0)
    except (ValueError, TypeError, KeyError, RecursionError, InvalidOperation,
            ZeroDivisionError, OverflowError) as error:  # fmt: skip
        # its text may hold all that was sent
        why = str(error)[:_SHOWN_CHARS]
        raise WireError(f"a result is malformed: {why}") from None


def _json(text: str) -> Any:
    """As json.loads, in half of its time where little is to be read. Raises ValueError."""
    text = text.strip(_WHITE_SPACE)
    data, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return data


class _Reader:
    """Makes the values of a message. hashes_all: a set and a dict of each, or refuses it."""

    def __init__(self, *, hashes_all: bool) -> None:
        self._hashes_all = hashes_all
        self._hashing = _HASHING

    def _decode(self, data: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise WireError("it is nested too deeply")
        if isinstance(data, list):
            return self._decode_all(data, depth)
        if not isinstance(data, dict):
            return data
        if len(data) != 1:
            raise WireError("a tagged value has exactly one tag")
        ((tag, body),) = data.items()
        match tag:
            case "i":
                number = int(body, 16)
                is_long = len(body) >= _LONG_DIGITS and not self._hashes_all
                return LongInteger(number) if is_long else number
            case "f":
                return {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}[body]
            case "t":
                return tuple(self._decode_all(body, depth))
            case "d":
                pairs = [(self._decode(k, depth + 1), self._decode(v, depth + 1)) for k, v in body]
                return dict(pairs) if self._can_hash([key for key, _ in pairs]) else Pairs(pairs)
            case "s":
                members = self._decode_all(body, depth)
                return set(members) if self._can_hash(members) else Members(members)
            case "fs":
                members = self._decode_all(body, depth)
                return frozenset(members) if self._can_hash(members) else Members(members)
            case "b":
                return bytes.fromhex(body)
            case "c":
                real, imag = body
                return complex(float(real), float(imag))
            case "D":
                decimal = Decimal(body)
                # a signalling nan raises wherever it is compared; like an object, it equals nothing
                return Opaque("Decimal") if decimal.is_snan() else decimal
            case "F":
                numerator, denominator = body
                if len(numerator) + len(denominator) > _MAX_FRACTION_DIGITS:
                    raise WireError("a fraction of too many digits")
                return Fraction(int(numerator, 16), int(denominator, 16))
            case "it":
                return Iterated(tuple(self._decode_all(body, depth)))
            case "nd":
                return Array(self._decode(body, depth + 1))
            case "big":
                return Fingerprint(str(body)[:_DIGEST_CHARS])
            case "o":
                return Opaque(str(body)[:_SHOWN_CHARS])
        raise WireError(f"unknown tag {tag[:_SHOWN_CHARS]!r}")

    def _decode_all(self, body: Iterable[Any], depth: int) -> list[Any]:
        if depth < _MAX_DEPTH and isinstance(body, list) and _NESTED.isdisjoint(map(type, body)):
            return body
        return list(map(self._decode, body, repeat(depth + 1)))

    def _can_hash(self, members: Sequence[Any]) -> bool:
        """Whether hashing these takes little time. Raises TypeError for what has no hash."""
        if self._hashes_all:
            refuse_collisions(members)
            return True
        if _TEXTS.issuperset(map(type, members)):
            return True
        cost = len(members) * sum(map(_weight, members))
        if cost <= self._hashing and not any(map(_holds_unhashed, members)):
            self._hashing -= cost
            return True
        for member in members:
            _refuse_unhashable(member)
        return False


def can_hash(members: Sequence[Any]) -> bool:
    """Whether a set of these, which come of a program, takes little time to make.

    Raises TypeError for what has no hash.
    """
    return _Reader(hashes_all=False)._can_hash(members)


def _holds_unhashed(member: object) -> bool:
    if isinstance(member, (Members, Pairs)):
        return True
    return isinstance(member, tuple) and any(map(_holds_unhashed, member))


def _refuse_unhashable(member: object) -> None:
    """Raises TypeError for a list and its like."""
    if isinstance(member, (tuple, Iterated)):
        for each in member if isinstance(member, tuple) else member.items:
            _refuse_unhashable(each)
    elif isinstance(member, (list, dict, set, Pairs, Array)):
        raise TypeError(f"a {type(member).__name__} is no member of a set")


def refuse_collisions(members: Iterable[Hashable]) -> None:
    """Raises WireError where so many different members share a hash that a set takes long.

    Integers a multiple of 2**61 - 1 apart do; a program that returns 100,000 of them would keep
    the reader busy for minutes. Members that are equal count once, and some hashes in common are
    ordinary: the powers of two have 61. Raises TypeError for what cannot be a member of a set: in
    a message, that can only be a forgery.
    """
    members = list(members)
    crowded = {
        value: list[Hashable]()
        for value, count in Counter(map(hash, members)).items()
        if count > _MAX_SAME_HASH
    }
    left = _MAX_COMPARISONS
    for member in members if crowded else ():
        rivals = crowded.get(hash(member))
        if rivals is None:
            continue
        if len(rivals) > 1:
            left -= len(rivals) * _weight(member)
        if left < 0:
            raise WireError("members of a set or keys of a dict share one hash")
        if member not in rivals:
            rivals.append(member)


def _weight(member: Hashable) -> int:
    """About how many small integers take as long to compare."""
    if isinstance(member, (tuple, frozenset)):
        return 1 + sum(map(_weight, member))
    if isinstance(member, int):
        return 1 + member.bit_length() // 2_048
    if isinstance(member, (str, bytes)):
        return 1 + len(member) // 2_048
    if isinstance(member, Decimal):
        return 8 + member.__sizeof__() // 16
    return 1 if isinstance(member, float) else 8

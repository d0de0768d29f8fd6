"""Reads what a guest reports of a result: JSON to plain Python values, bounded and inert.

The bytes come from a hostile process, so nothing here can run code or build an object of a type
the program chose. The format is guest.py's `_Encoder`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import repeat
from typing import Any

_MAX_DEPTH = 210
"""The guest sends nothing deeper than 200; a forged message could exhaust the stack of a reader."""
_MAX_FRACTION_DIGITS = 10_000
"""Hexadecimal; reducing a fraction takes time quadratic in them."""
_MAX_SAME_HASH = 100
_MAX_COMPARISONS = 10_000_000
"""Of members that share a hash; about a second."""
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


def decode_value(payload: bytes) -> Any:
    """The value a call returned.

    Raises WireError for anything malformed: unknown tags, unhashable members of sets, nesting
    deeper than the guest allows, values made to take long.
    """
    try:
        return _decode(json.loads(payload.decode("utf-8", "surrogatepass")), 0)
    except (ValueError, TypeError, KeyError, RecursionError, InvalidOperation, ZeroDivisionError,
            OverflowError) as error:
        raise WireError(f"a result is malformed: {error}") from None


def _decode(data: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise WireError("it is nested too deeply")
    if isinstance(data, list):
        return _decode_all(data, depth)
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise WireError("a tagged value has exactly one tag")
    ((tag, body),) = data.items()
    match tag:
        case "i":
            return int(body, 16)
        case "f":
            return {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}[body]
        case "t":
            return tuple(_decode_all(body, depth))
        case "d":
            pairs = [(_decode(k, depth + 1), _decode(v, depth + 1)) for k, v in body]
            refuse_collisions(key for key, _ in pairs)
            return dict(pairs)
        case "s":
            return _decode_set(body, depth)
        case "fs":
            return frozenset(_decode_set(body, depth))
        case "b":
            return bytes.fromhex(body)
        case "c":
            real, imag = body
            return complex(float(real), float(imag))
        case "D":
            number = Decimal(body)
            # a signalling nan raises wherever it is compared; like an object, it equals nothing
            return Opaque("Decimal") if number.is_snan() else number
        case "F":
            numerator, denominator = body
            if len(numerator) + len(denominator) > _MAX_FRACTION_DIGITS:
                raise WireError("a fraction of too many digits")
            return Fraction(int(numerator, 16), int(denominator, 16))
        case "it":
            return Iterated(tuple(_decode_all(body, depth)))
        case "nd":
            return Array(_decode(body, depth + 1))
        case "big":
            return Fingerprint(str(body))
        case "o":
            return Opaque(str(body))
    raise WireError(f"unknown tag {tag!r}")


def _decode_all(body: Iterable[Any], depth: int) -> list[Any]:
    if depth < _MAX_DEPTH and isinstance(body, list) and _NESTED.isdisjoint(map(type, body)):
        return body
    return list(map(_decode, body, repeat(depth + 1)))


def _decode_set(body: Iterable[Any], depth: int) -> set[Any]:
    members = _decode_all(body, depth)
    refuse_collisions(members)
    return set(members)


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
    return 1 if isinstance(member, float) else 8

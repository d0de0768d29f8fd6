"""Sets and dicts of a program that are compared with Python's own without being hashed.

A set takes time quadratic in members whose hashes lead to the same places, and a program can choose
its integers so. What a program sent is therefore kept in the order in which it came, and looked up
in the expected set, whose members nobody chose to collide: that takes time linear in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class LongInteger(int):
    """An integer of thousands of digits, which equals no Decimal.

    Python compares those two by writing the integer as a Decimal: 20 s a million digits.
    """

    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        return not isinstance(other, Decimal) and int.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """A set, or what is to be looked at as one: members may be there several times."""

    items: Sequence[Any]

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        """Whether it holds the members of this set. Not for two of a program's."""
        if not isinstance(other, AbstractSet):
            return False
        positions = {member: position for position, member in enumerate(other)}
        found = bytearray(len(positions))
        for item in self.items:
            try:
                position = positions.get(item)
            except TypeError:  # it holds another one of these, which no expected set does
                return False
            if position is None:
                return False
            found[position] = True
        return all(found)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """A dict."""

    items: Sequence[tuple[Any, Any]]

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        """Whether it has the keys of this dict with equal values. Not for two of a program's."""
        return (
            isinstance(other, dict)
            and (beside := self.beside(other)) is not None
            and all(got == want for got, want in beside)
        )

    def __len__(self) -> int:
        return len(self.items)

    def beside(self, other: Mapping[Any, Any]) -> list[tuple[Any, Any]] | None:
        """Its values with the other's of the same keys; None where the keys are not the same."""
        if len(self.items) != len(other):
            return None
        positions = {key: position for position, key in enumerate(other)}
        wanted = list(other.values())
        found = bytearray(len(wanted))
        values = []
        for key, value in self.items:
            try:
                position = positions.get(key)
            except TypeError:
                return None
            if position is None or found[position]:
                return None
            found[position] = True
            values.append((value, wanted[position]))
        return values

"""Random hostile results, read and compared with a clock on each.

A script: `python fuzz_payloads.py SECONDS [SEED]` prints how many it judged, the slowest and the
peak of this process's memory; it fails where one took longer than a second of processor time.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ctrl_harness.execution.executor import Run
from ctrl_harness.execution.wire import Payload
from ctrl_harness.problems.problem import CallCase, OracleKind
from ctrl_harness.verification.case_results import CaseResults
from ctrl_harness.verification.comparators import COMPARATORS

_MOST_S = 1.0
_MOST_BYTES = 500_000
_PRIME = (1 << 61) - 1
_SIZES = (1, 2, 30, 1_000, 20_000)
_EXPECTED: tuple[Any, ...] = (
    3, "x", 1.5, [], [1, 2], (1, 2), {1, 2}, {1: 2}, {Decimal(5)}, [Fraction(1, 3)], True, None,
    set(range(20_000)), list(range(20_000)), {n: [n] for n in range(20_000)}, 10**5_000, 1j, b"x",
    [float(n) for n in range(20_000)], [{n} for n in range(5_000)],
)  # fmt: skip
_ORACLES: tuple[OracleKind, ...] = ("equal", "set", "truth", "is_not_none", "within", "isclose")


class _Maker:
    """Makes JSON of results, of about a number of leaves."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._leaves: tuple[Callable[[], Any], ...] = (
            lambda: chance.randrange(-(1 << chance.choice((2, 8, 63))), 1 << 62),
            lambda: {"i": hex(chance.randrange(1 << 40) * _PRIME + 5)},
            lambda: {"i": "0x" + "f" * chance.choice((20, 4_100, 30_000))},
            lambda: {"D": str(5 + chance.randrange(1 << 40) * _PRIME)},
            lambda: {"D": "1e" + "9" * chance.randrange(1, 18)},
            lambda: {"F": [hex(5 + chance.randrange(1 << 40) * _PRIME), "0x1"]},
            lambda: {"F": ["0x" + "7" * 4_900, "0x" + "3" * 4_900]},
            lambda: {"f": chance.choice(("nan", "inf", "-inf", "a" * 1_000))},
            lambda: chance.random(),
            lambda: "a" * chance.choice((1, 30, 2_000)),
            lambda: {"b": "00" * chance.choice((1, 2_000))},
            lambda: {"c": ["1.5", "nan"]},
            lambda: {"o": "T" * chance.choice((1, 2_000))},
            lambda: {"big": "0" * 64},
            lambda: int("1" * 4_000),
            list,
        )

    def make(self, leaves: int, room: int = _MOST_BYTES, depth: int = 0) -> Any:
        """room: bytes that the JSON may have, about."""
        if leaves <= 1 or depth > 100:
            leaf = self._chance.choice(self._leaves)()
            return leaf if len(json.dumps(leaf)) <= room else self._chance.randrange(9)
        tag = self._chance.choice(("", "t", "s", "fs", "it", "nd", "d", "one"))
        if tag == "one":
            return {self._chance.choice(("t", "s", "it")): [self.make(leaves - 1, room, depth + 1)]}
        leaf = self._chance.choice(self._leaves)
        width = self._chance.choice((2, 7, leaves))
        if width == leaves:
            width = leaves = max(1, min(leaves, room // len(json.dumps(leaf()))))
        items = [
            leaf() if width == leaves else self.make(leaves // width, room // width, depth + 1)
            for _ in range(width)
        ]
        if tag == "d":
            return {"d": [[item, 0] for item in items]}
        return {tag: items} if tag else items


def fuzz(seconds: float, seed: int) -> tuple[int, float, str]:
    """How many results were judged, the seconds of the slowest, and what it was."""
    chance = random.Random(seed)
    maker = _Maker(chance)
    count, slowest, what = 0, 0.0, ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = json.dumps(maker.make(chance.choice(_SIZES))).encode()
        rule = chance.choice(list(COMPARATORS.values()))
        case = CallCase("f", (), chance.choice(_EXPECTED), oracle=chance.choice(_ORACLES))
        start = time.process_time()
        result = CaseResults(rule).of(0, case, Run("ok", value=Payload(data)))
        took = time.process_time() - start
        assert len(result.error) + len(result.output) < 5_000
        count += 1
        if took > slowest:
            slowest, what = took, f"{rule.name}, {case.oracle}, {len(data)} bytes: {data[:80]!r}"
    return count, slowest, what


def main(seconds: float, seed: int = 0) -> int:
    count, slowest, what = fuzz(seconds, seed)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} results, slowest {slowest:.3f} s ({what}), peak {peak_mb} MB")
    return slowest > _MOST_S


if __name__ == "__main__":
    sys.set_int_max_str_digits(0)
    sys.exit(main(float(sys.argv[1]), *map(int, sys.argv[2:3])))

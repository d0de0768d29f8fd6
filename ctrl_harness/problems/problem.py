"""What is asked: a problem, its test cases and its limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ctrl_harness.errors import UserError
from ctrl_harness.integers import readable

OracleKind = Literal[
    "equal", "set", "is_not_none", "any_of", "returns", "identical", "truth", "within", "isclose"
]
"""How a call's result relates to the expected value.

equal: by the comparator. set, is_not_none: two further relations of MBPP+ rows. any_of: equal to
one of the values in `expected`. returns: to nothing, the call need only return. The others are what
asserts say, whatever the comparator: identical, `f(x) is True`; truth, `f(x)` or `not f(x)`;
within, `abs(f(x) - expected) <= atol`; isclose, `math.isclose` with rtol and atol.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test case may use.

    time_s: wall seconds a case; memory_mb: MiB resident at most, of calls MiB of address space;
    output_mb: MiB of standard output, or of a serialised result, in which each value counts for 8
    bytes at least. Judging raises output_mb where an expected output needs more.
    """

    time_s: float = 4.0
    memory_mb: float = 1024.0
    output_mb: float = 16.0

    def __post_init__(self) -> None:
        for name in ("time_s", "memory_mb", "output_mb"):
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not 0 < value < 1e6:
                shown = readable(value)[:80]
                raise UserError(f"limit {name} is {shown}; give a number above 0 and below 1e6")

    def as_json(self) -> dict[str, float]:
        return {
            "time_s": float(self.time_s),
            "memory_mb": float(self.memory_mb),
            "output_mb": float(self.output_mb),
        }


class _FromReference:
    """The type of :data:`FROM_REFERENCE`."""

    def __repr__(self) -> str:
        return "FROM_REFERENCE"

    def __reduce__(self) -> str:
        return "FROM_REFERENCE"


FROM_REFERENCE = _FromReference()
"""Stands for an expected value that the problem's reference program has to compute."""


@dataclass(frozen=True, slots=True)
class StdioCase:
    """Text on standard input, text expected on standard output."""

    stdin: str
    stdout: str

    def as_json(self) -> dict[str, Any]:
        return {"stdin": self.stdin, "stdout": self.stdout}


@dataclass(frozen=True, slots=True)
class CallCase:
    """A call of `function` (top level, or a method of `class Solution`) and the value it returns.

    `args` are positional and, like `expected`, plain Python values: None, bool, int, float,
    complex, str, bytes, list, tuple, dict, set, frozenset. `atol` is the row's own absolute
    tolerance, `rtol` the relative one of an `isclose`; of the comparators only `evalplus` reads
    atol.
    """

    function: str
    args: tuple[Any, ...]
    expected: Any
    oracle: OracleKind = "equal"
    atol: float = 0.0
    rtol: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "function": self.function,
            "args_repr": _stable_repr(self.args),
            "expected_repr": _stable_repr(self.expected),
            "oracle": self.oracle,
            "atol": self.atol,
            **({"rtol": self.rtol} if self.rtol else {}),
        }


@dataclass(frozen=True, slots=True)
class ScriptCase:
    """Test code that cannot be read as calls; it runs in the program's own namespace.

    The only kind of case whose expected values meet the program. It is accepted when it ran to its
    end and its assertions, of which there was at least one, held.
    """

    script: str

    def as_json(self) -> dict[str, Any]:
        return {"script": self.script}


TestCase = StdioCase | CallCase | ScriptCase


_ATOMS = frozenset({bool, int, float, complex, str, bytes, type(None)})
_ROWS = frozenset({list, tuple})


def _stable_repr(value: Any) -> str:
    """`repr` with the members of sets in a fixed order, so that digests survive hash seeds."""
    kind = type(value)
    if kind in _ATOMS or (kind in _ROWS and _ATOMS.issuperset(map(type, value))):
        try:
            return repr(value)  # the same text as below, sooner
        except ValueError:  # an integer beyond Python's limit of decimal digits
            if kind in _ATOMS:
                return hex(value)
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}({sorted(_stable_repr(v) for v in value)})"
    if isinstance(value, list):
        return "[" + ", ".join(map(_stable_repr, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_stable_repr, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        pairs = (f"{_stable_repr(k)}: {_stable_repr(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    return repr(value)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Problem:
    """A task as asked.

    id: the data set's own id. dataset: name of the loader. statement: what the generator reads.
    cases: what decides. public_cases: what a critic may see executed. prelude: code run in the
    program's namespace before it. reference: a program that computes the expected value of the
    cases marked FROM_REFERENCE. time_reference: a right program; a case that runs into the time
    limit gets 4 × this program's time if that is longer (EvalPlus's rule). comparator: the data
    set's default comparator. metadata: small, JSON-ready facts (difficulty, date), never tests.
    """

    id: str
    dataset: str
    statement: str
    cases: tuple[TestCase, ...]
    public_cases: tuple[TestCase, ...] = ()
    limits: Limits = field(default_factory=Limits)
    starter_code: str = ""
    prelude: str = ""
    reference: str | None = None
    time_reference: str | None = None
    comparator: str = "default"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def with_cases(self, cases: tuple[TestCase, ...]) -> Problem:
        """The same problem judged on other cases."""
        return replace(self, cases=cases)

    def digest(self) -> str:
        """sha256 over everything that is asked or judged; logs carry it in place of the tests."""
        # fed piece by piece: a problem can hold 100 MB of tests
        sha = hashlib.sha256()
        head = (self.id, self.dataset, self.statement, self.starter_code, self.prelude,
                self.reference, self.time_reference, self.comparator, self.limits.as_json())
        sha.update(repr(head).encode("utf-8", "surrogatepass"))
        for group in (self.cases, self.public_cases):
            sha.update(b"\x00cases\x00")
            for case in group:
                sha.update(repr(case.as_json()).encode("utf-8", "surrogatepass"))
        return sha.hexdigest()

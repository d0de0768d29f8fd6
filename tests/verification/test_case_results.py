"""What a program returned is read and compared in time and memory that it cannot choose."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest

from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Program, Run, StdinInput
from ctrl_harness.execution.guest import _Encoder
from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import Payload
from ctrl_harness.problems.problem import CallCase, Limits, Problem, StdioCase
from ctrl_harness.verification.case_results import CaseResults
from ctrl_harness.verification.comparators import COMPARATORS, get_comparator
from ctrl_harness.verification.preview import preview
from ctrl_harness.verification.verify import verify

M = (1 << 61) - 1


def payload(value: Any) -> Payload:
    """As a guest sends it."""
    return Payload(json.dumps(_Encoder(1 << 24).encode(value), separators=(",", ":")).encode())


def status_of(sent: Payload | Any, expected: Any, rule: str = "default", **case: Any) -> str:
    results = CaseResults(get_comparator(rule))
    return results.of(0, CallCase("f", (), expected, **case), Run("ok", value=sent)).status


def hexes(count: int) -> list[dict[str, str]]:
    return [{"i": hex(k * M)} for k in range(1, count)]


def probes(count: int) -> list[int]:
    """Integers that a set of this size puts one behind the other."""
    places, place = [], 1
    size = 1 << (count * 5).bit_length()
    for _ in range(count):
        places.append(place)
        place = (5 * place + 1) % size
    return places


LONG_INTEGER = {"i": hex(((1 << 400_000) // M) * M + 5)}
HOSTILE: dict[str, Any] = {
    "an integer and a Decimal of one hash": {"s": [LONG_INTEGER, {"D": "5"}]},
    "integers of one hash": {"s": hexes(8_000)},
    "frozen": {"fs": hexes(8_000)},
    "keys of one hash": {"d": [[key, 0] for key in hexes(8_000)]},
    "tuples of one hash": {"s": [{"t": [key]} for key in hexes(7_000)]},
    "small ones that meet": {"s": probes(30_000)},
    "in many small sets": [{"s": hexes(200)} for _ in range(45)],
    "Decimals of one hash": {"s": [{"D": str(5 + k * M)} for k in range(8_000)]},
    "fractions": {"s": [{"F": [hex(5 + k * M), "0x1"]} for k in range(6_000)]},
    "tuples in tuples": [{"t": [{"t": [{"t": [k]}]}]} for k in range(9_000)],
    "brackets": [[]] * 80_000,
    "an exponent": {"D": "1e999999999"},
    "a text where none is meant": {"f": "a" * 250_000},
    "a name": {"o": "a" * 250_000},
    "a tag": {"a" * 250_000: 1},
    "digits": [int("1" * 4_200)] * 55,
}


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        pytest.param(rule, times, marks=[] if (rule, times) == ("default", 1) else pytest.mark.slow)
        for rule in sorted(COMPARATORS)
        for times in (1, 70)
    ],
)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_results_are_read_at_once(name: str, rule: str, times: int) -> None:
    data = HOSTILE[name]
    sent = Payload(json.dumps(data if times == 1 else [data] * times).encode())
    start = time.process_time()
    for expected, case in (
        (3, {}),
        ({1, Decimal(5)}, {}),
        ({5: 1}, {}),
        ([{1, 2}], {"oracle": "set"}),
        (True, {"oracle": "truth"}),
    ):
        results = CaseResults(get_comparator(rule))
        if case.get("oracle") == "set":
            expected = [1, 2]
        result = results.of(0, CallCase("f", (), expected, **case), Run("ok", value=sent))
        assert result.status in ("wrong_answer", "runtime_error", "output_limit", "accepted")
        assert len(result.error) + len(result.output) < 5_000
    assert time.process_time() - start < 4


def test_an_integer_and_a_decimal_of_one_hash_are_a_wrong_answer() -> None:
    sent = json.dumps(HOSTILE["an integer and a Decimal of one hash"]).encode()
    assert status_of(Payload(sent), 3) == "wrong_answer"


BIG = 40_000


@pytest.mark.parametrize(
    ("got", "expected", "right"),
    [
        (set(range(BIG)), set(range(BIG)), True),
        (set(range(BIG)), set(range(1, BIG + 1)), False),
        (set(range(BIG)), set(range(BIG + 1)), False),
        (frozenset(range(BIG)), set(range(BIG)), True),
        ({float(n) for n in range(BIG)}, set(range(BIG)), True),
        ({n + 1e-9 for n in range(BIG)}, {float(n) for n in range(BIG)}, True),
        ({n: [n] for n in range(BIG)}, {n: [n] for n in range(BIG)}, True),
        ({n: (n,) for n in range(BIG)}, {n: [n] for n in range(BIG)}, True),
        ({n: n + 1e-9 for n in range(BIG)}, {n: float(n) for n in range(BIG)}, True),
        ({n: [n] for n in range(BIG)}, {n: [1] for n in range(BIG)}, False),
        ({(n, -n) for n in range(BIG)}, {(n, -n) for n in range(BIG)}, True),
        ([{n, n + 1} for n in range(BIG)], [{n, n + 1} for n in range(BIG)], True),
        ({2**n for n in range(5_000)}, {2**n for n in range(5_000)}, True),
        ({str(n) for n in range(BIG)}, {str(n) for n in range(BIG)}, True),
        (10**20_000, 10**20_000, True),
        (10**20_000, 10**20_000 + 1, False),
        ([10**20_000], [Decimal(10)], False),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_large_results_are_compared_as_python_does(got: Any, expected: Any, right: bool) -> None:
    assert status_of(payload(got), expected) == ("accepted" if right else "wrong_answer")


@pytest.mark.parametrize(
    ("got", "right"),
    [
        (list(range(BIG)) * 2, True),
        (tuple(range(BIG)), True),
        ([float(n) for n in range(BIG)], True),
        (list(range(BIG - 1)), False),
        ([[1]] * BIG, False),
        ([*range(BIG), [1]], False),
    ],
)
def test_a_list_stands_for_its_set(got: Any, right: bool) -> None:
    status = status_of(payload(got), list(range(BIG)), oracle="set")
    assert status == ("accepted" if right else "wrong_answer")


@pytest.mark.parametrize(
    ("oracle", "expected", "status"),
    [
        ("truth", True, "accepted"),
        ("truth", False, "wrong_answer"),
        ("is_not_none", True, "accepted"),
        ("is_not_none", False, "wrong_answer"),
        ("returns", None, "accepted"),
        ("equal", [1], "wrong_answer"),
        ("identical", None, "wrong_answer"),
        ("set", [1], "output_limit"),
    ],
)
def test_of_a_large_result_no_more_is_read_than_is_needed(
    oracle: str, expected: Any, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Payload, "read", lambda self: pytest.fail("it was read"))
    assert status_of(payload([1] * 1_200_000), expected, oracle=oracle) == status


def test_many_cases_have_one_budget() -> None:
    results = CaseResults(get_comparator("default"))
    case, run = CallCase("f", (), 3), Run("ok", value=payload([0] * 100_000))
    statuses = [results.of(n, case, run).status for n in range(60)]
    assert set(statuses[:40]) == {"wrong_answer"} and statuses[-1] == "output_limit"
    assert results.exceeded


def test_right_answers_cost_nothing_however_many_and_large() -> None:
    results = CaseResults(get_comparator("default"))
    value = list(range(30_000))
    case, run = CallCase("f", (), value), Run("ok", value=payload(value))
    assert {results.of(n, case, run).status for n in range(80)} == {"accepted"}


def test_a_program_beyond_its_budget_is_ended(executor: EmbeddedExecutor) -> None:
    cases = tuple(CallCase("f", (n,), n) for n in range(100))
    limits = Limits(time_s=10)
    problem = Problem("p", "d", "", cases, limits=limits)

    async def judged() -> Any:
        source = "def f(n): return [0] * 100_000"
        return await verify(problem, source, executor=executor, all_cases=True)

    verdict = anyio.run(judged)
    assert verdict.status == "wrong_answer" and verdict.cases[-1] is None
    assert {case.status for case in verdict.cases if case} == {"wrong_answer", "output_limit"}


@pytest.fixture(scope="module")
def executor() -> Any:
    executor = EmbeddedExecutor(jobs=1)
    yield executor
    anyio.run(executor.aclose)


def test_outputs_are_not_kept(executor: EmbeddedExecutor) -> None:
    seen: list[str] = []

    async def runs() -> list[Run]:
        program = Program("print(input())", keeps_outputs=False)
        inputs = [StdinInput("a"), StdinInput("b")]
        return await executor.execute(program, inputs, Limits(), lambda r: seen.append(r.stdout))

    assert [run.stdout for run in anyio.run(runs)] == ["", ""]
    assert seen == ["a\n", "b\n"]


def test_output_that_is_much_larger_than_expected_counts() -> None:
    results = CaseResults(get_comparator("default"))
    run = Run("ok", stdout="1 " * 8_000_000)
    statuses = [results.of(n, StdioCase("", "1"), run).status for n in range(20)]
    assert statuses[0] == "wrong_answer" and statuses[-1] == "output_limit"


@pytest.mark.parametrize(
    "value",
    [
        None, True, 5, 2.5, "a'b", b"x", [], [1, [2]], (), (1,), (1, 2), {}, {1: "a", "b": [2]},
        set(), {1}, frozenset(), frozenset({1}), 10**5_000, Decimal("1.5"), "x" * 5_000,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_preview_is_the_beginning_of_what_python_shows(value: Any) -> None:
    from ctrl_harness.integers import readable

    assert preview(value, 300) == readable(value)[:300]


@pytest.mark.parametrize(
    "sent",
    [
        b"0", b"-0", b"[]", b"[1,-2,[3]]", b"[-0]", b"[1, 2]", b" [1]", b"[1.50,1e2]", b"[NaN]",
        b"null", b"[true]", b'"a"', b'"[1,2]"', b'["a\'b"]', b'[{"t":[1]}]', b'"{"',
        b"1" * 2_000, b"[" + b"1" * 1_900 + b"]", b"1" * 4_000, b"[" + b"1," * 999 + b"1]",
        b"[" + b"1," * 2_000 + b"1]", b"[" * 200 + b"]" * 200,
    ],
    ids=lambda sent: sent[:12].decode(),
)  # fmt: skip
def test_a_preview_of_what_was_read_from_json_is_the_same(sent: bytes) -> None:
    value = Payload(sent).read()
    assert preview(value, 2_000, sent) == preview(value, 2_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [[]] * 2_000_000,
        lambda: {n: n for n in range(1_000_000)},
        lambda: 1 << 8_000_000,
        lambda: Members([0] * 2_000_000),
        lambda: Pairs([(0, 0)] * 2_000_000),
    ],
)
def test_a_preview_of_a_large_value_takes_no_time(make: Callable[[], Any]) -> None:
    value = make()
    start = time.process_time()
    assert len(preview(value, 2_000)) <= 2_000
    assert time.process_time() - start < 0.1

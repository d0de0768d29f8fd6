"""EvalPlus's relations on MBPP+ that its rows lack: a right and a wrong answer to each."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.evalplus_relations import with_evalplus_relations
from ctrl_harness.problems.mbppplus import load
from ctrl_harness.problems.problem import FROM_REFERENCE, CallCase
from ctrl_harness.verification.comparators import get_comparator
from ctrl_harness.verification.verify import verify


def is_right(case: CallCase, value: Any) -> bool:
    return get_comparator("evalplus").value_equal(value, case)


@pytest.mark.parametrize(
    ("function", "args", "expected", "right", "wrong"),
    [
        ("surface_Area", (3, 4), 33, [33, 35], [34, 35.5]),
        ("digit_distance_nums", (12345, 9), 8, [8, 14], [9, 0]),
        ("sum_div", (7,), 1, [1, 0], [2, None]),
        ("are_equivalent", (36, 57), False, [False, True, 5], []),
        ("intersection_array", ([1, 2], [1, 2]), [1, 2], [[2, 1], {1, 2}, (1, 2, 2)], [[1], 5]),
        ("similar_elements", ((4, 5), (4, 5)), (4, 5), [{4, 5}, [5, 4]], [(4,)]),
        ("find_char_long", ("Jing Tech",), ["Jing", "Tech"], [["Tech", "Jing"]], ["Jing"]),
        ("Diff", ([1], [2]), [1, 2], [[2, 1]], [[1, 2, 3]]),
        ("some_other", ([1],), [1, 2], [[1, 2]], [[2, 1], (1, 2)]),
    ],
)
def test_more_than_one_answer_is_right(
    function: str, args: tuple[Any, ...], expected: Any, right: list[Any], wrong: list[Any]
) -> None:
    (case,) = with_evalplus_relations([CallCase(function, args, expected)], 1)
    assert [value for value in right if not is_right(case, value)] == []
    assert [value for value in wrong if is_right(case, value)] == []


def tolerances(n_base: int, *expected: Any, atol: float = 0.0) -> list[float]:
    cases = [CallCase("f", (), value, atol=atol) for value in expected]
    return [case.atol for case in with_evalplus_relations(cases, n_base)]


def test_the_tolerance_for_floats_sticks_to_the_rest_of_a_run() -> None:
    assert tolerances(2, 1, 2.0, 3, [], [4.0, 5.0], 6, "x") == [0, 1e-6, 0, 0, 1e-6, 1e-6, 1e-6]
    assert tolerances(0, (1.0, 2), (), ()) == [0, 0, 0]
    assert tolerances(1, 1, 2.0, 3, atol=1e-4) == [1e-4] * 3


def test_it_makes_a_large_integer_next_to_the_right_one_right() -> None:
    cases = [CallCase("f", (), 0.5), CallCase("f", (), 10**9)]
    _, later = with_evalplus_relations(cases, 0)
    assert is_right(later, 10**9 + 1) and not is_right(later, 1e9 + 1)
    assert not is_right(cases[1], 10**9 + 1)


def test_a_relation_that_the_row_states_and_a_value_to_be_computed_are_left_alone() -> None:
    stated = CallCase("Diff", (), True, "is_not_none")
    unknown = CallCase("surface_Area", (1, 2), FROM_REFERENCE)
    asserted = CallCase("Diff", (1,), 2.0, "isclose", 0.0, 0.001)
    assert with_evalplus_relations([stated, unknown, asserted], 1) == (stated, unknown, asserted)


ANOTHER = (
    "{code}\n_known = {name}\ndef {name}(*args):\n    known = _known(*args)\n    return {value}\n"
)
OTHERWISE_ORDERED = ("[*reversed([*known])] * 2", "[*known, 'one more']")
SOMETHING = ("None if known is None else 'something'", "'something' if known is None else None")
PYRAMID = (
    "round(args[0] ** 2 + 2 * args[0] * ((args[0] / 2) ** 2 + args[1] ** 2) ** 0.5)", "known + 1",
)  # fmt: skip
PADDED = (
    "sum(abs(int(a) - int(b)) for a, b in zip(*(str(n).zfill(40) for n in args)))", "known + 1",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "right", "wrong"),
    [
        *((n, *OTHERWISE_ORDERED) for n in (2, 7, 111, 140, 232, 579, 769)),
        *((n, *SOMETHING) for n in (737, 787, 794)),
        (581, *PYRAMID),
        (558, *PADDED),
    ],
)
def test_programs_of_real_rows(real_data: Any, task: int, right: str, wrong: str) -> None:
    problem = load(real_data / "mbppplus" / "MbppPlus-OriginFmt.jsonl.gz")[f"Mbpp/{task}"]
    name, code = problem.metadata["function"], problem.time_reference

    def passes(value: str) -> bool:
        program = ANOTHER.format(code=code, name=name, value=value)
        verdict = anyio.run(lambda: verify(problem, program, executor=ProcessExecutor(1)))
        return verdict.passed

    assert passes("known")
    assert passes(right)
    assert not passes(wrong)

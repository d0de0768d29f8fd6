"""Somebody else's critic: whatever it does wrong is one sentence, and is never a judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.contract import played
from ctrl_harness.critique.critic import (
    Comparing,
    Comparison,
    CriticContext,
    Critique,
    Draft,
    Pair,
    feedback_from,
    on_public_cases,
)
from ctrl_harness.critique.guard import MAX_CHARS, TIMEOUT, guarded, timeout_s
from ctrl_harness.critique.messages import Usage
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import CriticError, JudgeError, UserError
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge

PROBLEM = Problem("p", "codecontests", "Add.", ())
DRAFT = Draft("```python\nprint(1)\n```", "print(1)")
FINE = Critique("Fine.", "correct")


def context() -> CriticContext:
    judge = Judge(ProcessExecutor(1))
    return CriticContext(
        played(None),
        on_public_cases(judge, PROBLEM),
        PromptSet("default", "codecontests"),
        feedback_from(judge, PROBLEM, "public"),
    )


def said_of(answer: Callable[[], Any], **options: Any) -> Critique:
    """What comes of a critic that does this."""

    async def criticise(problem: Problem, draft: Draft) -> Critique:
        found: Critique = answer()
        return found

    critic = guarded(lambda _: criticise, "mine", **options)(context())
    return anyio.run(critic, PROBLEM, DRAFT)


def failing(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (failing(ZeroDivisionError("division by zero")),
         "critic mine failed: ZeroDivisionError: division by zero"),
        (failing(OSError("two\nlines")), "critic mine failed: OSError: two lines"),
        (lambda: None, "critic mine returned None, not a Critique"),
        (lambda: "<html>", "critic mine returned of type str, not a Critique"),
        (lambda: Critique(None, "correct"), "critic mine: the text is None, not a string"),
        (lambda: Critique(b"Fine.", "correct"), "the text is of type bytes, not a string"),
        (lambda: Critique("a\udcffb", "correct"), "character 1 is half of one"),
        (lambda: Critique("Fine.", "Correct"), "the judgement is 'Correct', not correct, incorr"),
        (lambda: Critique("Fine.", []), "the judgement is [], not correct"),
        (lambda: Critique("Fine.", "correct", votes=("yes",)), "the vote is 'yes'"),
        (lambda: Critique("Fine.", "correct", cut_off=1), "cut_off is 1, not true or false"),
        (lambda: Critique("Fine.", "correct", usage={}), "usage is of type dict, not a Usage"),
        (lambda: Critique("Fine.", "correct", usage=Usage(0.5, 1)), "usage counts 0.5 tokens"),
    ],
)  # fmt: skip
def test_what_is_no_critique_is_an_error_with_the_reason(
    answer: Callable[[], Any], says: str
) -> None:
    with pytest.raises(CriticError) as caught:
        said_of(answer)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_usable_critique_comes_through_as_it_is() -> None:
    assert said_of(lambda: FINE) is FINE


def test_a_critique_of_a_million_characters_is_malformed_and_no_lost_sample() -> None:
    critique = said_of(lambda: Critique("x" * (MAX_CHARS + 1), "correct"))
    assert (len(critique.text), critique.malformed) == (MAX_CHARS, "too_long")
    assert said_of(lambda: Critique("x" * MAX_CHARS, "correct")).malformed is None
    with pytest.raises(CriticError, match="the malformed is 'odd', not too_long or"):
        said_of(lambda: Critique("Fine.", "correct", malformed="odd"))  # type: ignore[arg-type]


def test_our_own_errors_and_those_of_the_framework_come_through() -> None:
    for error in (JudgeError("no sandbox"), UserError("no file"), CriticError("service down")):
        with pytest.raises(type(error), match=str(error)):
            said_of(failing(error))
    with pytest.raises(LookupError):
        said_of(failing(LookupError("a limit")), passing=(LookupError,))


def test_a_critic_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT, "0.2")

    async def hang(problem: Problem, draft: Draft) -> Critique:
        await anyio.sleep_forever()
        return FINE

    critic = guarded(lambda _: hang, "mine")(context())
    with pytest.raises(CriticError, match=r"gave no answer within 0.2 s \(CTRL_HARNESS_CRITIC"):
        anyio.run(critic, PROBLEM, DRAFT)


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(TIMEOUT, text)
    with pytest.raises(UserError, match="give a number of seconds above 0"):
        timeout_s()


def test_a_factory_can_fail_too() -> None:
    def broken(_: CriticContext) -> Any:
        return {}["weights"]

    with pytest.raises(CriticError, match="critic mine could not be made: KeyError: 'weights'"):
        guarded(broken, "mine")(context())
    with pytest.raises(CriticError, match="is None, not a function of problem, draft"):
        guarded(lambda _: None, "mine")(context())  # type: ignore[arg-type, return-value]


class Both:
    """Reads drafts and pairs."""

    def __init__(self, said: Any) -> None:
        self.said = said

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        return FINE

    async def compare(self, pair: Pair) -> Comparison:
        answer: Comparison = self.said
        return answer


def test_a_critic_that_compares_still_does() -> None:
    pair = Pair("p", "?", "a", "b")
    guard = guarded(lambda _: Both(Comparison("A>B")), "mine")(context())
    assert isinstance(guard, Comparing)
    assert anyio.run(guard.compare, pair) == Comparison("A>B")
    wrong = guarded(lambda _: Both(Comparison("a")), "mine")(context())  # type: ignore[arg-type]
    assert isinstance(wrong, Comparing)
    with pytest.raises(CriticError, match="the decision is 'a', not A>B, B>A, A=B or missing"):
        anyio.run(wrong.compare, pair)


def test_one_that_does_not_compare_is_not_said_to() -> None:
    async def criticise(problem: Problem, draft: Draft) -> Critique:
        return FINE

    assert not isinstance(guarded(lambda _: criticise, "mine")(context()), Comparing)

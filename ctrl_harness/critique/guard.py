"""What keeps a critic of somebody else's from spoiling more than its own sample.

Whatever it does wrong becomes a CriticError with the reason: it raises, it hangs, what it returns
is no Critique, or holds what no log and no model could take.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import get_args

import anyio

from ctrl_harness.critique.critic import (
    Comparing,
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Decision,
    Draft,
    Malformed,
    Pair,
)
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.messages import Usage
from ctrl_harness.errors import CriticError, CtrlHarnessError, UserError
from ctrl_harness.problems.problem import Problem

MAX_CHARS = 1_000_000
"""A critique's text; no model reads more, and what is longer is malformed."""
TIMEOUT = "CTRL_HARNESS_CRITIC_TIMEOUT"
"""The environment variable: seconds a critique may take."""
DEFAULT_TIMEOUT_S = 600.0


def timeout_s() -> float:
    """Seconds that one critique may take. Raises UserError for what is no such number."""
    text = os.environ.get(TIMEOUT, "")
    try:
        seconds = float(text) if text else DEFAULT_TIMEOUT_S
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UserError(f"{TIMEOUT} is {text!r}; give a number of seconds above 0")
    return seconds


def guarded(
    factory: CriticFactory,
    name: str,
    *,
    critiques: int = 1,
    passing: tuple[type[Exception], ...] = (),
) -> CriticFactory:
    """The same critic, whose faults are CriticErrors.

    critiques: how many one call stands for, of which each has its time. passing: exceptions that
    are no fault of the critic's and get through as they are, beside our own.
    """
    seconds = timeout_s() * critiques
    let_through: tuple[type[Exception], ...] = (CtrlHarnessError, *passing)

    def make(context: CriticContext) -> Critic:
        try:
            critic = factory(context)
        except let_through:
            raise
        except Exception as error:
            raise CriticError(f"critic {name} could not be made: {_told(error)}") from error
        if not callable(critic):
            raise CriticError(f"critic {name} is {_kind(critic)}, not a function of problem, draft")
        kind = _GuardedComparing if isinstance(critic, Comparing) else _Guarded
        return kind(critic, name, seconds, let_through)

    return make


class _Guarded:
    def __init__(
        self,
        critic: Critic,
        name: str,
        seconds: float,
        passing: tuple[type[Exception], ...],
    ) -> None:
        self._critic = critic
        self._name = name
        self._seconds = seconds
        self._passing = passing

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        return check_critique(await self._within(self._critic, problem, draft), self._name)

    async def _within(self, ask: object, *arguments: object) -> object:
        answer: object = None
        try:
            with anyio.move_on_after(self._seconds) as scope:
                answer = await ask(*arguments)  # type: ignore[operator]
        except self._passing:
            raise
        except Exception as error:
            raise CriticError(f"critic {self._name} failed: {_told(error)}") from error
        if scope.cancelled_caught:
            raise CriticError(
                f"critic {self._name} gave no answer within {self._seconds:g} s ({TIMEOUT})"
            )
        return answer


class _GuardedComparing(_Guarded):
    async def compare(self, pair: Pair) -> Comparison:
        assert isinstance(self._critic, Comparing)
        return check_comparison(await self._within(self._critic.compare, pair), self._name)


def check_critique(answer: object, name: str) -> Critique:
    """What a critic returned. Raises CriticError for what is no usable Critique."""
    if not isinstance(answer, Critique):
        raise CriticError(f"critic {name} returned {_kind(answer)}, not a Critique")
    check_text(answer.text, name)
    _check_one_of(answer.judgement, get_args(Judgement), "judgement", name)
    for vote in answer.votes:
        _check_one_of(vote, get_args(Judgement), "vote", name)
    _check_usage(answer.usage, name)
    if not isinstance(answer.cut_off, bool):
        raise CriticError(f"critic {name}: cut_off is {answer.cut_off!r:.80}, not true or false")
    if answer.malformed is not None:
        _check_one_of(answer.malformed, get_args(Malformed), "malformed", name)
    if len(answer.text) > MAX_CHARS:
        # its own fault, and no failure: a critic must not choose its samples by its length
        return replace(answer, text=answer.text[:MAX_CHARS], malformed="too_long")
    return answer


def check_comparison(answer: object, name: str) -> Comparison:
    """What a critic said of a pair. Raises CriticError for what is no usable Comparison."""
    if not isinstance(answer, Comparison):
        raise CriticError(f"critic {name} returned {_kind(answer)}, not a Comparison")
    check_text(answer.text, name)
    _check_one_of(answer.decision, get_args(Decision), "decision", name)
    _check_usage(answer.usage, name)
    return replace(answer, text=answer.text[:MAX_CHARS])


def check_text(text: object, name: str) -> None:
    """Raises CriticError for what no log can hold and no model can read."""
    if not isinstance(text, str):
        raise CriticError(f"critic {name}: the text is {_kind(text)}, not a string")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CriticError(
            f"critic {name}: the text is no Unicode, character {error.start} is half of one "
            "(a lone surrogate)"
        ) from None


def _check_one_of(value: object, choices: tuple[str, ...], what: str, name: str) -> None:
    if value not in choices:
        raise CriticError(
            f"critic {name}: the {what} is {value!r:.80}, not {', '.join(choices[:-1])} "
            f"or {choices[-1]}"
        )


def _check_usage(usage: object, name: str) -> None:
    if not isinstance(usage, Usage):
        raise CriticError(f"critic {name}: usage is {_kind(usage)}, not a Usage")
    for tokens in (usage.input_tokens, usage.output_tokens):
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            raise CriticError(f"critic {name}: usage counts {tokens!r:.80} tokens")


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]

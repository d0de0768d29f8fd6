"""Tries a critic out: what its contract asks, one check each, on a problem of two lines.

The critic works as in an eval, with a real judge; the model it may ask is played, unless a real one
is given, so that a check knows what came back. What a critic may do is in critic.py.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn, TypeVar

import anyio

from ctrl_harness.critique.critic import (
    Comparing,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    Pair,
    feedback_from,
    on_public_cases,
)
from ctrl_harness.critique.guard import MAX_CHARS, check_comparison, check_critique
from ctrl_harness.critique.messages import Call, Completion, Generate, Message, Usage
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.errors import CtrlHarnessError, JudgeError, UserError
from ctrl_harness.problems.problem import Limits, Problem, StdioCase
from ctrl_harness.verification.judge import Judge

T = TypeVar("T")
Reply = Callable[[Sequence[Message]], str]
"""What the played model answers."""

AT_ONCE = 8
HUGE_CHARS = 1_000_000
BLOCKED_S = 1.0
"""How long a critic may keep everything else in the process from going on."""
_CANCELLED_AFTER_S = 0.3
_PROMPTLY_S = 2.0

_CASES = (StdioCase("1 2\n", "3\n"), StdioCase("40 2\n", "42\n"))
PROBLEM = Problem(
    "contract/sum",
    "codecontests",
    "Two whole numbers stand on one line. Print their sum.",
    _CASES,
    _CASES,
    limits=Limits(time_s=2.0, memory_mb=256.0, output_mb=1.0),
)
_WITHOUT_TESTS = replace(PROBLEM, cases=(), public_cases=())
_RIGHT = "print(sum(map(int, input().split())))"
_WRONG = "print(input().split()[0])"


@dataclass(frozen=True, slots=True)
class Bench:
    """What the critic is tried out with.

    model: makes a Generate of a reply, or of None: the model to be tried with, where there is one,
    else one that plays `ordinary_reply`. pairs, pair_prompts: for critics that compare. timeout_s:
    of one call of the critic.
    """

    judge: Judge
    prompts: Prompts
    model: Callable[[Reply | None], Generate]
    pairs: Sequence[Pair] = ()
    pair_prompts: Prompts | None = None
    timeout_s: float = 60.0


class Finding(NamedTuple):
    """What came of a check. failure: what fails, None where it holds. skipped: why it says nothing
    about this critic."""

    check: str
    failure: str | None = None
    skipped: str | None = None


class Check(NamedTuple):
    """A demand of the contract, and how it is tried."""

    name: str
    about: str
    run: Callable[[_Trial], Awaitable[None]]


class _Broken(Exception):
    """The demand is not met; the text says how."""


class _Skipped(Exception):
    """The demand is none of this critic's."""


def ordinary_reply(messages: Sequence[Message]) -> str:
    """A verdict, and a text that differs with the question."""
    asked = "\0".join(message.content for message in messages)
    mark = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"Analysis {mark}: one line is never read.\n\nOverall judgment: Incorrect\n\n[[A>B]]"


def played(reply: Reply | None) -> Generate:
    """A model that is played without any framework; it runs no agents."""
    say = reply or ordinary_reply

    async def generate(call: Call) -> Completion:
        if call.agent is not None:
            raise UserError("this trial runs no agents; use `ctrl-harness critics check`")
        await anyio.sleep(0)
        return Completion(say(call.messages), usage=Usage(20, 10))

    return generate


async def try_out(factory: CriticFactory, bench: Bench) -> AsyncIterator[Finding]:
    """A finding a check, in their order. Where the critic reads no drafts, only pairs, or gives no
    usable answer to ordinary ones, the other checks over drafts are skipped."""
    trial = _Trial(factory, bench)
    for check in CHECKS:
        if trial.no_drafts is not None and check.run is not _pairs:
            yield Finding(check.name, skipped=trial.no_drafts)
            continue
        try:
            await check.run(trial)
        except _Broken as broken:
            yield Finding(check.name, str(broken))
            if check.run is _answers:
                trial.no_drafts = "it gives no usable answer to an ordinary draft"
        except _Skipped as skipped:
            yield Finding(check.name, skipped=str(skipped))
        else:
            yield Finding(check.name)


@dataclass(slots=True)
class _Use:
    """What a critic made use of: the tokens of its calls, and how often it had programs judged."""

    asked: list[Usage] = field(default_factory=list)
    judged: int = 0

    @property
    def tokens(self) -> int:
        return sum(usage.total_tokens for usage in self.asked)


class _Trial:
    """One critic on the bench. no_drafts: why there is no sense in trying it on drafts."""

    def __init__(self, factory: CriticFactory, bench: Bench) -> None:
        self.bench = bench
        self.no_drafts: str | None = None
        self.repeats_itself = False
        self._factory = factory

    def context(
        self,
        use: _Use,
        problem: Problem = PROBLEM,
        *,
        reply: Reply | None = None,
        instead: Callable[[], Awaitable[NoReturn]] | None = None,
    ) -> CriticContext:
        """instead: what happens in place of every answer and every verdict."""
        generate = self.bench.model(reply)
        verify = on_public_cases(self.bench.judge, problem)
        run_tests = feedback_from(self.bench.judge, problem, "public")

        async def ask(call: Call) -> Completion:
            use.asked.append(Usage())
            if instead is not None:
                await instead()
            answer = await generate(call)
            use.asked[-1] = answer.usage
            return answer

        async def judge(judged: Callable[[str | None], Awaitable[T]], program: str | None) -> T:
            use.judged += 1
            if instead is not None:
                await instead()
            return await judged(program)

        return CriticContext(
            ask,
            lambda program: judge(verify, program),
            self.bench.prompts,
            lambda program: judge(run_tests, program),
        )

    def critic(self, context: CriticContext) -> Critic:
        critic = self._factory(context)
        if not callable(critic):
            raise _Broken(f"the factory gives a {type(critic).__name__}, which cannot be called")
        return critic

    async def ask(
        self, draft: Draft, context: CriticContext, problem: Problem = PROBLEM
    ) -> Critique:
        """A usable critique; _Broken otherwise. UserError gets through."""
        async with self._in_time():
            try:
                answer: object = await self.critic(context)(problem, draft)
            except (UserError, _Broken):
                raise
            except Exception as error:
                raise _Broken(f"it raises {_told(error)}") from error
        try:
            critique = check_critique(answer, "")
        except CtrlHarnessError as error:
            raise _Broken(_unnamed(error)) from error
        if critique.malformed == "too_long":
            raise _Broken(f"the text is too long; {MAX_CHARS:,} characters are the most")
        return critique

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        with anyio.move_on_after(self.bench.timeout_s) as scope:
            yield
        if scope.cancelled_caught:
            raise _Broken(f"it gives no answer within {self.bench.timeout_s:g} s")

    def judge_of_pairs(self) -> Critic:
        """The critic as JudgeBench has it: with words for pairs, and nothing to run."""
        context = self.context(_Use(), _WITHOUT_TESTS)
        return self.critic(replace(context, prompts=self.bench.pair_prompts or context.prompts))

    async def compare(self, pair: Pair) -> str:
        """The decision."""
        critic = self.judge_of_pairs()
        assert isinstance(critic, Comparing)
        async with self._in_time():
            try:
                answer: object = await critic.compare(pair)
            except UserError:
                raise
            except Exception as error:
                raise _Broken(f"it raises {_told(error)} of the pair {pair.id}") from error
        try:
            return check_comparison(answer, "").decision
        except CtrlHarnessError as error:
            raise _Broken(_unnamed(error)) from error


def _draft(program: str | None, turn: int = 0) -> Draft:
    text = "I have no idea." if program is None else f"Here it is.\n\n```python\n{program}\n```\n"
    return Draft(text, program, turn)


# -- the checks


async def _answers(trial: _Trial) -> None:
    for draft in (_draft(_RIGHT), _draft(_WRONG), _draft(None), _draft(_WRONG, turn=3)):
        try:
            critique = await trial.ask(draft, trial.context(_Use()))
        except UserError as error:
            if isinstance(trial.critic(trial.context(_Use())), Comparing):
                trial.no_drafts = str(error)
                raise _Skipped(str(error)) from error
            raise _Broken(f"it refuses an ordinary draft: {error}") from error
        if not critique.text.strip():
            raise _Broken("the text is empty, so there is nothing for the generator to read")


async def _silent_model(trial: _Trial) -> None:
    use = _Use()
    context = trial.context(use, reply=lambda _: "")
    critique = await _asked(trial, _draft(_WRONG), context)
    if not use.asked:
        raise _Skipped("it asks no model")
    if not use.judged and critique.judgement != "missing":
        raise _Broken(
            f"the model said nothing, and the judgement is {critique.judgement!r}; it is missing"
        )


async def _empty_draft(trial: _Trial) -> None:
    critique = await _asked(trial, Draft("", None), trial.context(_Use()))
    if critique.judgement == "correct":
        raise _Broken("an empty draft, of which the model says Incorrect, is judged correct")


async def _huge_draft(trial: _Trial) -> None:
    filler = "# " + "x" * 97 + "\n"
    program = filler * (HUGE_CHARS // len(filler)) + _WRONG
    await _asked(trial, _draft(program), trial.context(_Use()))


async def _odd_characters(trial: _Trial) -> None:
    odd = "print('\udcff\ud800', '\u202e', '\x1b[31m', '\ufeff')\r\n# \x00 \u2028 \U0010ffff"
    await _asked(trial, _draft(odd), trial.context(_Use()))


async def _no_tests(trial: _Trial) -> None:
    context = trial.context(_Use(), _WITHOUT_TESTS)
    await _asked(trial, _draft(_WRONG), context, _WITHOUT_TESTS)


async def _same_again(trial: _Trial) -> None:
    first, *others = [
        await _asked(trial, _draft(_WRONG), trial.context(_Use())) for _ in range(3)
    ]
    for other in others:
        if (other.text, other.judgement) != (first.text, first.judgement):
            raise _Broken(
                "asked again of the same draft, with the same answers of the model, it says "
                f"something else ({first.judgement}, then {other.judgement}; "
                f"{_difference(first.text, other.text)})"
            )
    trial.repeats_itself = True


async def _at_once(trial: _Trial) -> None:
    drafts = [_draft(f"{_WRONG}  # {n}") for n in range(AT_ONCE)]
    together: list[Critique | None] = [None] * AT_ONCE
    broken: list[_Broken] = []

    async def ask(number: int) -> None:
        try:
            together[number] = await _asked(trial, drafts[number], trial.context(_Use()))
        except _Broken as error:
            broken.append(error)

    async with _without_holding_up(), anyio.create_task_group() as tasks:
        for number in range(AT_ONCE):
            tasks.start_soon(ask, number)
    if broken:
        raise _Broken(f"{len(broken)} of {AT_ONCE} drafts at once: {broken[0]}")
    if not trial.repeats_itself:
        return
    for number, critique in enumerate(together):
        alone = await _asked(trial, drafts[number], trial.context(_Use()))
        assert critique is not None
        if (critique.text, critique.judgement) != (alone.text, alone.judgement):
            raise _Broken(
                f"of a draft among {AT_ONCE} at once it says something else than of the same one "
                f"alone ({_difference(critique.text, alone.text)})"
            )


@asynccontextmanager
async def _without_holding_up() -> AsyncIterator[None]:
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await anyio.sleep(0.02)
            longest = max(longest, time.monotonic() - before)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await anyio.sleep(0)
        yield
        await anyio.sleep(0.05)  # the last gap is measured too
        tasks.cancel_scope.cancel()
    if longest > BLOCKED_S:
        raise _Broken(
            f"it holds up everything else for {longest:.1f} s; have a thread do what takes long "
            "(anyio.to_thread.run_sync)"
        )


async def _cancelled(trial: _Trial) -> None:
    async def never() -> NoReturn:
        await anyio.sleep_forever()
        raise AssertionError("nobody waits that long")

    use = _Use()
    critic = trial.critic(trial.context(use, instead=never))
    start = time.monotonic()
    ended = False
    async with trial._in_time():
        with anyio.move_on_after(_CANCELLED_AFTER_S) as scope:
            try:
                await critic(PROBLEM, _draft(_WRONG))
            except UserError as error:
                raise _Skipped(str(error)) from error
            except Exception as error:
                raise _Broken(f"it raises {_told(error)}") from error
            ended = True
    late = time.monotonic() - start - _CANCELLED_AFTER_S
    if scope.cancel_called and ended and late > 0:
        raise _Broken("cancelled while it waits, it goes on and answers; let the exception through")
    if late > _PROMPTLY_S:
        raise _Broken(f"cancelled while it waits, it ends {late:.1f} s later")


async def _failures(trial: _Trial) -> None:
    """Whatever fails behind the critic is not its verdict."""

    async def fail() -> NoReturn:
        raise JudgeError("made to fail by the contract's check")

    use = _Use()
    critic = trial.critic(trial.context(use, instead=fail))
    try:
        async with trial._in_time():
            critique = await critic(PROBLEM, _draft(_WRONG))
    except JudgeError:
        return
    except Exception as error:
        if use.asked or use.judged:
            raise _Broken(
                f"a JudgeError of what it asks comes out as {_told(error)}; let it through"
            ) from error
        raise _Broken(f"it raises {_told(error)}") from error
    if use.asked or use.judged:
        judgement = getattr(critique, "judgement", None)
        raise _Broken(
            f"what it asks fails with a JudgeError, and it still answers ({judgement}); let the "
            "error through"
        )
    raise _Skipped("it asks nothing that could fail")


async def _tokens(trial: _Trial) -> None:
    use = _Use()
    critique = await _asked(trial, _draft(_WRONG), trial.context(use))
    if not use.asked:
        raise _Skipped("it asks no model")
    if critique.usage.total_tokens < use.tokens:
        raise _Broken(
            f"usage says {critique.usage.total_tokens} tokens; its calls took {use.tokens}"
        )


async def _pairs(trial: _Trial) -> None:
    if trial.bench.pair_prompts is None or not trial.bench.pairs:
        raise _Skipped("there are no pairs to try it on")
    if not isinstance(trial.judge_of_pairs(), Comparing):
        raise _Skipped("it has no method `compare`; it judges JudgeBench with mode=pointwise")
    try:
        for pair in trial.bench.pairs:
            swapped = replace(
                pair, response_a=pair.response_b, response_b=pair.response_a, swapped=True
            )
            for shown in (pair, swapped):
                first, again = await trial.compare(shown), await trial.compare(shown)
                if first != again:
                    raise _Broken(f"of the pair {pair.id} it says {first}, then {again}")
    except UserError as error:
        raise _Skipped(str(error)) from error


async def _asked(
    trial: _Trial, draft: Draft, context: CriticContext, problem: Problem = PROBLEM
) -> Critique:
    try:
        return await trial.ask(draft, context, problem)
    except UserError as error:
        raise _Broken(f"it refuses the draft: {error}") from error


CHECKS = (
    Check("answers", "a usable Critique, with a text, of ordinary drafts", _answers),
    Check("missing verdict", "a model that says nothing gives no verdict", _silent_model),
    Check("empty draft", "nothing at all to read", _empty_draft),
    Check("huge draft", f"a program of {HUGE_CHARS:,} characters", _huge_draft),
    Check("odd characters", "what is no UTF-8, control characters", _odd_characters),
    Check("no tests", "a problem without public tests", _no_tests),
    Check("determinism", "the same of the same, the model's answers being the same", _same_again),
    Check("concurrency", f"{AT_ONCE} drafts at once, none held up, none mixed up", _at_once),
    Check("cancellation", "ends when it is cancelled", _cancelled),
    Check("failures", "a JudgeError of what it asks gets through", _failures),
    Check("usage", "counts the tokens of its calls", _tokens),
    Check("pairs", "compares two responses, in both orders", _pairs),
)


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _unnamed(error: CtrlHarnessError) -> str:
    """The guard's sentence, without the name that stands before it."""
    text = str(error).removeprefix("critic ").strip()
    return text.removeprefix(":").strip()


def _difference(one: str, other: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return "texts of different length" if len(one) != len(other) else "the same text"
    return f"{one[at : at + 40]!r} and {other[at : at + 40]!r}"

"""The contract's checks: what keeps it passes all, and each way to break it fails its own."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.contract import CHECKS, HUGE_CHARS, Bench, Finding, played, try_out
from ctrl_harness.critique.critic import (
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    Pair,
    find_critic,
)
from ctrl_harness.critique.messages import Call, Usage
from ctrl_harness.critique.pair_prompts import PairPrompts
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.judge import Judge

PAIRS = [Pair("p1", "What is 1 + 1?", "2", "3"), Pair("p2", "And 2 + 2?", "5", "4")]
TIMEOUT_S = 2.5


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(ProcessExecutor(2))


@pytest.fixture(scope="module")
def findings(judge: Judge) -> Callable[[CriticFactory], dict[str, Finding]]:
    @cache  # a trial takes a second
    def run(factory: CriticFactory) -> dict[str, Finding]:
        prompts = PromptSet("default", "codecontests")
        words = PairPrompts("default", "pairwise")
        bench = Bench(judge, prompts, played, PAIRS, words, TIMEOUT_S)

        async def collect() -> list[Finding]:
            return [finding async for finding in try_out(factory, bench)]

        return {finding.check: finding for finding in anyio.run(collect)}

    return run


def failing(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.failure is not None}


# -- what keeps it


@pytest.mark.parametrize(
    "name", ["model", "execution", "model+execution", "{root}/examples/my_critic/{source}:make"]
)
def test_these_keep_the_contract(findings: Any, root: Path, name: str) -> None:
    source = "src/my_critic/critic.py"
    found = findings(find_critic(name.format(root=root, source=source)))
    assert list(found) == [check.name for check in CHECKS]
    assert failing(found) == set()
    held = [finding for finding in found.values() if finding.skipped is None]
    assert len(held) >= 9


# -- ways to break it, each with the checks that must see it


async def relay(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    """A right critic, for the others to spoil."""
    messages = context.prompts.critique(problem, draft)
    answer = await context.generate(Call("critic", draft.turn + 1, messages))
    told, judgement = context.prompts.read(answer.text)
    return Critique(told, judgement, answer.cut_off, answer.usage)


def spoiled(
    criticise: Callable[[CriticContext, Problem, Draft], Any],
) -> CriticFactory:
    def make(context: CriticContext) -> Critic:
        async def critic(problem: Problem, draft: Draft) -> Critique:
            answer: Critique = await criticise(context, problem, draft)
            return answer

        return critic

    return make


async def raises(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    raise KeyError("weights")


async def returns_nothing(context: CriticContext, problem: Problem, draft: Draft) -> None:
    await relay(context, problem, draft)


async def has_words_of_its_own(context: CriticContext, problem: Problem, draft: Draft) -> Any:
    return Critique((await relay(context, problem, draft)).text, "wrong")  # type: ignore[arg-type]


async def says_nothing(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    return Critique("  ", "incorrect")


async def hangs(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    await anyio.sleep_forever()
    raise AssertionError


async def holds_everything_up(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    time.sleep(0.2)
    return await relay(context, problem, draft)


async def will_not_be_cancelled(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    try:
        return await relay(context, problem, draft)
    except BaseException:  # noqa: BLE001 - this is what must not be done
        return Critique("Interrupted.", "missing")


async def ends_late(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    try:
        return await relay(context, problem, draft)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await anyio.sleep(2.4)
        raise


async def throws_dice(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    said = await relay(context, problem, draft)
    return Critique(f"{said.text} {random.random()}", said.judgement, usage=said.usage)


async def turns_faults_into_verdicts(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    try:
        verdict = await context.verify(draft.program)
    except JudgeError:
        return Critique("It could not be run.", "incorrect")
    return Critique("It ran.", "correct" if verdict.passed else "incorrect")


async def takes_silence_for_consent(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    said = await relay(context, problem, draft)
    judgement = "correct" if said.judgement == "missing" else said.judgement
    return Critique(said.text or "Fine.", judgement, usage=said.usage)  # type: ignore[arg-type]


async def praises_nothing_at_all(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    if not draft.completion:
        return Critique("No fault to be found.", "correct")
    return await relay(context, problem, draft)


async def needs_words(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    return Critique(f"It begins with {draft.completion[0]!a}.", "incorrect")


async def quotes_the_whole_draft(
    context: CriticContext, problem: Problem, draft: Draft
) -> Critique:
    said = await relay(context, problem, draft)
    return Critique(said.text + draft.completion, said.judgement, usage=said.usage)


async def needs_public_tests(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    first = problem.public_cases[0]
    return Critique(f"On {first} it fails.", "incorrect")


async def keeps_no_account(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
    said = await relay(context, problem, draft)
    return Critique(said.text, said.judgement)


def synchronous(context: CriticContext) -> Any:
    return lambda problem, draft: Critique("Fine.", "correct")


def shared_state() -> CriticFactory:
    """Keeps the draft under review where the next one writes its own."""
    under_review: list[str] = [""]

    async def criticise(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
        under_review[0] = draft.completion
        said = await relay(context, problem, draft)
        return Critique(f"{len(said.text)} {under_review[0]!a}"[:500], said.judgement,
                        usage=said.usage)  # fmt: skip

    return spoiled(criticise)


def no_factory(context: CriticContext) -> Any:
    return "a critic"


BROKEN: dict[str, tuple[CriticFactory, set[str]]] = {
    "raises": (spoiled(raises), {"answers"}),
    "returns nothing": (spoiled(returns_nothing), {"answers"}),
    "words of its own": (spoiled(has_words_of_its_own), {"answers"}),
    "empty text": (spoiled(says_nothing), {"answers"}),
    "hangs": (spoiled(hangs), {"answers"}),
    "no coroutine": (synchronous, {"answers"}),
    "no critic": (no_factory, {"answers"}),
    "holds everything up": (spoiled(holds_everything_up), {"concurrency"}),
    "will not be cancelled": (spoiled(will_not_be_cancelled), {"cancellation"}),
    "ends late": (spoiled(ends_late), {"cancellation"}),
    "throws dice": (spoiled(throws_dice), {"determinism"}),
    "shares state": (shared_state(), {"concurrency"}),
    "faults become verdicts": (spoiled(turns_faults_into_verdicts), {"failures"}),
    "silence is consent": (spoiled(takes_silence_for_consent), {"missing verdict"}),
    "praises nothing": (spoiled(praises_nothing_at_all), {"empty draft"}),
    "needs words": (spoiled(needs_words), {"empty draft"}),
    "quotes everything": (spoiled(quotes_the_whole_draft), {"huge draft", "odd characters"}),
    "needs public tests": (spoiled(needs_public_tests), {"no tests"}),
    "keeps no account": (spoiled(keeps_no_account), {"usage"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_of_these_fails(findings: Any, name: str) -> None:
    factory, checks = BROKEN[name]
    found = findings(factory)
    assert checks <= failing(found), found
    for check in checks:
        failure = found[check].failure
        assert failure and "\n" not in failure


def test_a_critic_fails_where_it_is_wrong_and_nowhere_else(findings: Any) -> None:
    for name in ("throws dice", "silence is consent"):
        factory, checks = BROKEN[name]
        assert failing(findings(factory)) == checks
    assert set(itertools.chain(*(checks for _, checks in BROKEN.values()))) | {"pairs"} == {
        check.name for check in CHECKS
    }  # every check can fail


def test_the_reasons_say_what_is_wrong(findings: Any) -> None:
    def reason(name: str) -> str:
        factory, (check, *_) = BROKEN[name]
        failure = findings(factory)[sorted([check, *_])[0]].failure
        assert failure is not None
        return str(failure)

    assert reason("raises") == "it raises KeyError: 'weights'"
    assert reason("returns nothing") == "returned None, not a Critique"
    assert "'wrong', not correct, incorrect or missing" in reason("words of its own")
    assert f"within {TIMEOUT_S:g} s" in reason("hangs")
    assert "holds up everything else for 1" in reason("holds everything up")
    assert "goes on and answers" in reason("will not be cancelled")
    assert f"{HUGE_CHARS:,} characters are the most" in reason("quotes everything")


# -- pairs


class Judging:
    """Compares by a rule; of drafts it says nothing."""

    def __init__(self, decide: Callable[[Pair], Any]) -> None:
        self._decide = decide

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        raise UserError("this one reads pairs alone")

    async def compare(self, pair: Pair) -> Comparison:
        answer: Comparison = self._decide(pair)
        return answer


def judging(decide: Callable[[Pair], Any]) -> CriticFactory:
    return lambda context: Judging(decide)


def test_a_judge_of_pairs_is_tried_on_pairs_alone(findings: Any) -> None:
    shown: list[Pair] = []

    def longer(pair: Pair) -> Comparison:
        shown.append(pair)
        return Comparison("A>B" if len(pair.response_a) > len(pair.response_b) else "A=B")

    found = findings(judging(longer))
    assert failing(found) == set()
    assert found["pairs"] == Finding("pairs")
    skipped = {name for name, finding in found.items() if finding.skipped}
    assert skipped == set(found) - {"pairs"}
    assert found["huge draft"].skipped == "this one reads pairs alone"
    first, _, swapped, _ = shown[:4]
    assert (swapped.response_a, swapped.response_b) == (first.response_b, first.response_a)
    assert (first.swapped, swapped.swapped) == (False, True)


def counting() -> Iterator[str]:
    return itertools.cycle(["A>B", "B>A"])


def a_judge_that_wavers() -> CriticFactory:
    turns = counting()
    return judging(lambda pair: Comparison(next(turns)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (judging(lambda pair: None), "returned None, not a Comparison"),
        (judging(lambda pair: Comparison("A")), "'A', not A>B, B>A, A=B or missing"),  # type: ignore[arg-type]
        (judging(lambda pair: {}["decision"]), "it raises KeyError: 'decision' of the pair p1"),
        (a_judge_that_wavers(), "of the pair p1 it says A>B, then B>A"),
        (judging(lambda pair: Comparison("A>B", usage=Usage(-1, 0))), "counts -1 tokens"),
    ],
)
def test_a_judge_of_pairs_can_fail(findings: Any, factory: CriticFactory, says: str) -> None:
    found = findings(factory)
    assert failing(found) == {"pairs"}
    assert says in str(found["pairs"].failure)


def test_a_critic_that_refuses_drafts_and_judges_no_pairs_is_none(findings: Any) -> None:
    async def refuses(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
        raise UserError("not today")

    found = findings(spoiled(refuses))
    assert found["answers"].failure == "it refuses an ordinary draft: not today"


def test_a_thread_may_take_its_time(findings: Any) -> None:
    """What blocks is fine where it blocks no event loop."""
    alive = threading.active_count()

    async def patient(context: CriticContext, problem: Problem, draft: Draft) -> Critique:
        await anyio.to_thread.run_sync(time.sleep, 0.1)
        return await relay(context, problem, draft)

    assert failing(findings(spoiled(patient))) == set()
    assert threading.active_count() >= alive

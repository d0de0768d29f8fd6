"""The loop of draft, critique and revision, with models whose words are written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.critic import (
    CriticContext,
    Critique,
    Draft,
    feedback_from,
    on_public_cases,
)
from ctrl_harness.critique.critics import model_critic
from ctrl_harness.critique.messages import Call, Completion, Message, Usage
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.critique.revise import Chain, Loop
from ctrl_harness.errors import ContextOverflow, JudgeError
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Problem, StdioCase
from ctrl_harness.verification.judge import Judge

PROMPTS = PromptSet("default", "codecontests")
PUBLIC = StdioCase("1 2\n", "3\n")
HIDDEN = StdioCase("secret input\n", "secret output\n")
PROBLEM = Problem(
    "p", "codecontests", "Add two numbers.", cases=(PUBLIC, HIDDEN), public_cases=(PUBLIC,)
)


def program(number: int) -> str:
    return f"Version {number}:\n```python\nprint({number})\n```"


class Model:
    """Answers each role from a list, in order, and remembers what it was asked."""

    def __init__(self, generator: Sequence[str], critic: Sequence[str] = ()) -> None:
        self.answers = {"generator": list(generator), "critic": list(critic)}
        self.calls: list[Call] = []

    async def __call__(self, call: Call) -> Completion:
        self.calls.append(call)
        return Completion(self.answers[call.role].pop(0), usage=Usage(10, 5))


def run(model: Model, *, critic: Any = None, problem: Problem = PROBLEM, **options: Any) -> Chain:
    judge = Judge(ProcessExecutor(1))
    tests = feedback_from(judge, problem, "public")
    context = CriticContext(model, on_public_cases(judge, problem), PROMPTS, tests)
    critic = critic or model_critic(context)
    return anyio.run(Loop(model, critic, PROMPTS, judge, **options).run, problem)


def verdict(word: str, text: str = "Look again.") -> str:
    return f"Analysis: {text}\n\nOverall judgment: {word}"


def test_a_turn_is_a_critique_and_the_revision_it_caused() -> None:
    model = Model([program(0), program(1)], [verdict("Incorrect")])
    chain = run(model)
    assert [(call.role, call.turn) for call in model.calls] == [
        ("generator", 0), ("critic", 1), ("generator", 1),
    ]  # fmt: skip
    assert [draft.program for draft in chain.programs] == ["print(0)\n", "print(1)\n"]
    assert [draft.turn for draft in chain.programs] == [0, 1]
    (turn,) = chain.turns
    assert (turn.critique.judgement, turn.critique.usage) == ("incorrect", Usage(10, 5))
    assert turn.revision.completion == program(1)
    assert chain.closing is None


def test_the_history_is_the_problem_the_latest_program_and_the_latest_critique() -> None:
    critiques = [verdict("Incorrect", f"mistake {n}") for n in range(3)]
    model = Model([program(n) for n in range(4)], critiques)
    chain = run(model, turns=3)
    question = PROMPTS.ask("draft", statement="Add two numbers.", starter_code="")
    asked = [call.messages for call in model.calls if call.role == "generator"]
    assert asked == [
        question,
        *(
            (
                *question,
                Message("assistant", program(n)),
                *PROMPTS.ask("revision", critique=critiques[n]),
            )
            for n in range(3)
        ),
    ]
    reviewed = [call for call in model.calls if call.role == "critic"]
    assert [call.turn for call in reviewed] == [1, 2, 3]
    for n, call in enumerate(reviewed):
        assert f"print({n})" in call.messages[-1].content
        assert f"print({n - 1})" not in call.messages[-1].content
    assert len(chain.turns) == 3


def test_no_turn_is_a_draft_alone() -> None:
    model = Model([program(0)])
    chain = run(model, turns=0)
    assert chain.programs == (Draft(program(0), "print(0)\n", 0),)
    assert len(model.calls) == 1


def test_the_loop_goes_on_after_correct_unless_told_otherwise() -> None:
    model = Model([program(0), program(1)], [verdict("Correct")])
    chain = run(model)
    assert chain.turns[0].critique.judgement == "correct"
    assert len(chain.programs) == 2


def test_the_loop_stops_at_correct_where_told() -> None:
    model = Model([program(0), program(1)], [verdict("Incorrect"), verdict("Correct")])
    chain = run(model, turns=5, stop_at_correct=True)
    assert chain.closing is not None
    assert chain.closing.judgement == "correct"
    assert [draft.turn for draft in chain.programs] == [0, 1]
    assert model.answers == {"generator": [], "critic": []}


@pytest.mark.parametrize("word", ["Incorrect", "Correct/Incorrect", "unclear"])
def test_nothing_but_correct_stops_the_loop(word: str) -> None:
    model = Model([program(0), program(1)], [verdict(word)])
    assert run(model, stop_at_correct=True).closing is None


def test_a_completion_without_code_is_a_draft_without_program() -> None:
    model = Model(["I do not know.", program(1)], [verdict("Incorrect")])
    chain = run(model)
    assert [draft.program for draft in chain.programs] == [None, "print(1)\n"]
    assert "I do not know." in model.calls[1].messages[-1].content


def test_reasoning_of_the_critic_is_not_told_to_the_generator() -> None:
    thought = f"<think>{verdict('Correct')} hush</think>\n{verdict('Incorrect')}"
    model = Model([program(0), program(1)], [thought])
    chain = run(model)
    assert chain.turns[0].critique.text == verdict("Incorrect")
    assert "hush" not in model.calls[-1].messages[-1].content


def test_hidden_cases_never_reach_a_critic() -> None:
    seen: list[Problem] = []

    async def nosy(problem: Problem, draft: Draft) -> Critique:
        seen.append(problem)
        return Critique(f"Hm: {draft.program}", "missing")

    model = Model([program(0), program(1), program(2)])
    run(model, critic=nosy, turns=2)
    assert [problem.cases for problem in seen] == [(PUBLIC,)] * 2
    assert all("secret" not in repr(problem) for problem in seen)
    assert all("secret" not in message.content for call in model.calls for message in call.messages)


def test_a_judge_that_fails_ends_the_loop_and_is_no_critique() -> None:
    async def failing(problem: Problem, draft: Draft) -> Critique:
        raise JudgeError(f"the sandbox is gone ({problem.id}, {draft.turn})")

    with pytest.raises(JudgeError, match="the sandbox is gone"):
        run(Model([program(0)]), critic=failing)


# -- what the generator sees of the past


def test_a_critique_that_the_generator_cannot_read_has_an_empty_revision() -> None:
    class Small(Model):
        async def __call__(self, call: Call) -> Completion:
            if call.role == "generator" and "Endless" in call.messages[-1].content:
                raise ContextOverflow("no room")
            return await super().__call__(call)

    model = Small([program(0), program(2)], [verdict("Incorrect", "Endless."), verdict("Correct")])
    chain = run(model, turns=2)
    assert [draft.completion for draft in chain.programs] == [program(0), "", program(2)]
    assert [turn.critique.malformed for turn in chain.turns] == ["context_overflow", None]
    assert chain.turns[0].critique.judgement == "incorrect"


def test_a_draft_that_does_not_fit_ends_the_loop() -> None:
    class Tiny(Model):
        async def __call__(self, call: Call) -> Completion:
            raise ContextOverflow("no room")

    with pytest.raises(ContextOverflow, match="no room"):
        run(Tiny([]))


def test_a_malformed_critique_is_not_sent_to_the_generator() -> None:
    async def critic(problem: Problem, draft: Draft) -> Critique:
        return Critique("x", "incorrect", malformed="too_long")

    model = Model([program(0)])
    chain = run(model, critic=critic)
    assert chain.programs[1].program is None
    assert len(model.calls) == 1


def revisions(model: Model) -> list[list[str]]:
    """The messages of each revision's request, after the problem."""
    asked = [call for call in model.calls if call.role == "generator" and call.turn > 0]
    return [[message.content for message in call.messages[1:]] for call in asked]


def told(critique: str) -> str:
    (message,) = PROMPTS.ask("revision", critique=critique)
    return message.content


def test_a_full_history_holds_every_program_and_critique_so_far() -> None:
    critiques = [verdict("Incorrect", f"mistake {n}") for n in range(3)]
    model = Model([program(n) for n in range(4)], critiques)
    run(model, turns=3, history="full")
    turns = [[program(n), told(critiques[n])] for n in range(3)]
    assert revisions(model) == [turns[0], turns[0] + turns[1], turns[0] + turns[1] + turns[2]]
    reviews = [call.messages for call in model.calls if call.role == "critic"]
    assert {len(messages) for messages in reviews} == {2}  # the critic sees the latest alone


def test_code_alone_may_stand_for_the_generator_s_answer() -> None:
    model = Model([program(0), "I give up.", program(2)], [verdict("Incorrect")] * 2)
    run(model, turns=2, replay="code")
    assert [shown[0] for shown in revisions(model)] == ["```python\nprint(0)\n```", "I give up."]


def test_full_history_and_code_go_together() -> None:
    model = Model([program(n) for n in range(3)], [verdict("Incorrect")] * 2)
    run(model, turns=2, history="full", replay="code")
    blocks = [f"```python\nprint({n})\n```" for n in range(2)]
    review = told(verdict("Incorrect"))
    assert revisions(model)[-1] == [blocks[0], review, blocks[1], review]

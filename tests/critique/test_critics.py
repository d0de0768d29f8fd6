"""The critics that come along, and one of somebody else's, with real runs behind them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from ctrl_harness.critique.critic import (
    CriticContext,
    Critique,
    Draft,
    as_critics_see_it,
    feedback_from,
    find_critic,
    on_public_cases,
)
from ctrl_harness.critique.critics import CRITICS
from ctrl_harness.critique.feedback import describe
from ctrl_harness.critique.messages import Call, Completion, Usage
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import (
    CallCase,
    Limits,
    Problem,
    ScriptCase,
    StdioCase,
    TestCase,
)
from ctrl_harness.verification.judge import Judge

ADD = (StdioCase("1 2\n", "3\n"), StdioCase("5 5\n", "10\n"))
RIGHT = "print(sum(map(int, input().split())))"
REVIEW = "Analysis: hm.\n\nOverall judgment: Incorrect"


@pytest.fixture(scope="module")
def executor() -> ProcessExecutor:
    return ProcessExecutor(1)


@pytest.fixture
def criticise(executor: ProcessExecutor) -> Callable[..., tuple[Critique, list[Call]]]:
    def run(
        name: str,
        program: str | None,
        cases: tuple[TestCase, ...] = ADD,
        *,
        answer: str = REVIEW,
        completion: str | None = None,
        **options: Any,
    ) -> tuple[Critique, list[Call]]:
        calls: list[Call] = []

        async def generate(call: Call) -> Completion:
            calls.append(call)
            return Completion(answer, cut_off=True, usage=Usage(7, 3))

        problem = Problem(
            "p", "codecontests", "Add.", cases, limits=Limits(0.5, 256, 2), **options
        )
        whole = replace(problem, public_cases=cases)
        context = CriticContext(
            generate,
            on_public_cases(Judge(executor), whole),
            PromptSet("default", "codecontests"),
            feedback_from(Judge(executor), whole, "public"),
        )
        text = completion if completion is not None else f"```python\n{program}\n```"
        draft = Draft(text, program, turn=2)
        return anyio.run(find_critic(name)(context), problem, draft), calls

    return run


# -- execution


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print(3)", ["passed 1 of 2", "5 5", "10", "3"]),
        ("print('no')", ["none of the 2", "1 2", "3", "no"]),
        ("x = 1\nprint(undefined)", ["error", "0 of 2", "1 2", "line 2", "NameError"]),
        ("print(3", ["error", "SyntaxError"]),
        ("while True: pass", ["time limit", "0 of 2", "1 2"]),
        ("x = [0] * 10**10", ["memory limit"]),
        ("print('x' * 3_000_000)", ["output limit"]),
        (None, ["no program"]),
    ],
)
def test_execution_tells_what_the_public_cases_showed(
    criticise: Any, program: str | None, told: list[str]
) -> None:
    critique, calls = criticise("execution", program)
    assert critique.judgement == "incorrect"
    assert all(part in critique.text for part in told)
    assert (calls, critique.usage) == ([], Usage())


def test_execution_calls_correct_what_passes(criticise: Any) -> None:
    critique, _ = criticise("execution", RIGHT)
    assert critique.judgement == "correct"
    assert "passed all 2" in critique.text


def test_execution_without_public_cases_says_so(criticise: Any) -> None:
    critique, _ = criticise("execution", RIGHT, ())
    assert critique == Critique("There were no test cases to run.", "missing")


def test_execution_shows_calls_and_scripts(criticise: Any) -> None:
    called, _ = criticise(
        "execution", "def f(a, b): return [a]", (CallCase("f", (1, "x"), [1, "x"]),)
    )
    for part in ("f(1, 'x')", "[1, 'x']", "Got:\n```\n[1]\n```"):
        assert part in called.text
    asserted, _ = criticise("execution", "def f(): return 1", (ScriptCase("assert f() == 2"),))
    assert "assert f() == 2" in asserted.text


def test_long_texts_are_cut(criticise: Any) -> None:
    given = StdioCase("a" + "1" * 9_000 + "z\n", "b" + "2" * 9_000 + "y\n")
    critique, _ = criticise("execution", "print('c' + '3' * 9_000 + 'x')", (given,))
    assert len(critique.text) < 5_000
    for start, end in ("az", "by"):
        assert f"```\n{start}" in critique.text and f"{end}\n```" in critique.text
    assert "characters left out" in critique.text
    assert critique.text.endswith("3\n[... cut off here ...]\n```")


def test_a_judge_that_fails_is_no_critique(criticise: Any) -> None:
    for name in ("execution", "model+execution"):
        with pytest.raises(JudgeError):
            criticise(name, RIGHT, prelude="import no_such_module")


# -- the model


def test_the_model_is_asked_once_as_the_critic_of_the_next_turn(criticise: Any) -> None:
    critique, (call,) = criticise("model", RIGHT)
    assert (call.role, call.turn) == ("critic", 3)
    assert [message.role for message in call.messages] == ["system", "user"]
    assert RIGHT in call.messages[1].content and "Add." in call.messages[1].content
    assert "test run" not in call.messages[1].content
    assert critique == Critique(REVIEW, "incorrect", cut_off=True, usage=Usage(7, 3))


def test_the_model_alone_runs_nothing(criticise: Any) -> None:
    critique, _ = criticise("model", RIGHT, prelude="import no_such_module")
    assert critique.judgement == "incorrect"


def test_a_critic_of_a_draft_without_code_reads_its_text(criticise: Any) -> None:
    _, (call,) = criticise("model", None, completion="I cannot do it.")
    assert "I cannot do it." in call.messages[1].content


@pytest.mark.parametrize(
    ("answer", "judgement"),
    [("Overall judgment: **Correct**", "correct"), ("All is well.", "missing"), ("", "missing")],
)
def test_the_model_s_judgement_is_read_from_its_words(
    criticise: Any, answer: str, judgement: str
) -> None:
    critique, _ = criticise("model", RIGHT, answer=answer)
    assert (critique.judgement, critique.text) == (judgement, answer)


# -- the model, told what running showed


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (RIGHT, ["passed all 2"]),
        ("print(3)", ["passed 1 of 2", "5 5", "10"]),
        ("1 / 0", ["ZeroDivisionError"]),
        (None, ["no program to run"]),
    ],
)
def test_the_hint_stands_in_the_question(
    criticise: Any, program: str | None, told: list[str]
) -> None:
    critique, (call,) = criticise("model+execution", program)
    assert "## What a test run showed" in call.messages[1].content
    assert all(part in call.messages[1].content for part in told)
    assert critique.judgement == "incorrect"  # the model's word, whatever the run showed


def test_without_public_cases_there_is_no_hint(criticise: Any) -> None:
    _, (call,) = criticise("model+execution", RIGHT, ())
    assert "test run" not in call.messages[1].content


# -- feedback


def test_critics_see_every_case(executor: ProcessExecutor) -> None:
    problem = Problem("p", "d", "s", ADD, public_cases=ADD)
    judge = Judge(executor)
    second = "input()\nprint(10)"
    told = anyio.run(feedback_from(judge, problem, "judged"), second)
    verdict = anyio.run(on_public_cases(judge, problem), second)
    assert told is not None and (told.n_passed, told.kind) == (1, "wrong_answer")
    assert [case and case.status for case in verdict.cases] == ["wrong_answer", "accepted"]


def test_feedback_counts_and_keeps_the_first_failure(executor: ProcessExecutor) -> None:
    problem = Problem("p", "d", "s", (*ADD, StdioCase("7 7\n", "14\n")))
    judge = Judge(executor, all_cases=True)
    verdict = anyio.run(judge.verify, problem, "print(10 if '5' in input() else 0)")
    feedback = describe(problem, verdict)
    assert (feedback.kind, feedback.n_passed, feedback.n_cases) == ("wrong_answer", 1, 3)
    assert (feedback.input, feedback.expected, feedback.actual) == ("1 2", "3", "0")
    assert not feedback.passed


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("print(0)", "none_passed"),
        ("print(0 if '1' in input() else 1 / 0)", "none_passed"),
        ("print(1 / 0 if '1' in input() else 0)", "error"),
        ("1 / 0", "error"),
        ("given = input()\nwhile '1' in given: pass", "time_limit"),
        ("print(3 if '1' in input() else 1 / 0)", "error"),
        ("print(3)", "wrong_answer"),
    ],
)
def test_nothing_passed_is_told_where_the_first_case_gave_a_wrong_answer(
    executor: ProcessExecutor, program: str, kind: str
) -> None:
    problem = Problem("p", "d", "s", ADD, limits=Limits(0.5, 256, 2))
    verdict = anyio.run(Judge(executor).verify, problem, program)
    assert describe(problem, verdict).kind == kind


def test_one_failing_case_alone_is_not_none_of_several(executor: ProcessExecutor) -> None:
    problem = Problem("p", "d", "s", ADD[:1])
    verdict = anyio.run(Judge(executor).verify, problem, "print(0)")
    assert describe(problem, verdict).kind == "wrong_answer"


# -- somebody else's


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Installs a distribution with a critic's entry point and, with source, its module."""

    def install(target: str, source: str) -> None:
        info = tmp_path / "my_critics-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-critics\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[ctrl_harness.critics]\nkind = {target}\n")
        (tmp_path / "my_kind_critic.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "my_kind_critic", raising=False)

    return install


KIND = """
    from ctrl_harness.critique.critic import Critique

    def make(context):
        async def criticise(problem, draft):
            verdict = await context.verify(draft.program)
            return Critique(f"Lovely, {verdict.n_passed} passed.", "correct")
        return criticise
    """


def test_a_plug_in_is_found_by_its_name(criticise: Any, installed: Any) -> None:
    installed("my_kind_critic:make", KIND)
    critique, calls = criticise("kind", "print(3)")
    assert critique == Critique("Lovely, 1 passed.", "correct")
    assert calls == []


def test_an_unknown_critic_is_a_sentence_with_all_choices(installed: Any) -> None:
    installed("my_kind_critic:make", KIND)
    with pytest.raises(UserError) as caught:
        find_critic("harsh")
    said = str(caught.value)
    assert said.startswith("unknown critic 'harsh'; choose one of model, execution, model+exec")
    assert "kind" in said and "or name a file: path/file.py:NAME" in said and "\n" not in said


@pytest.mark.parametrize(
    ("target", "source", "reason"),
    [
        ("my_kind_critic:make", "import no_such_module", "no_such_module"),
        ("my_kind_critic:other", KIND, "other"),
        ("no_such_module:make", KIND, "no_such_module"),
        ("my_kind_critic:make", "make = 5", "is not a function"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_a_sentence(
    installed: Any, target: str, source: str, reason: str
) -> None:
    installed(target, source)
    with pytest.raises(UserError, match="critic 'kind'") as caught:
        find_critic("kind")
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_a_plug_in_cannot_take_the_name_of_one_of_ours(installed: Any, tmp_path: Path) -> None:
    installed("my_kind_critic:make", KIND)
    entry = tmp_path / "my_critics-1.0.dist-info" / "entry_points.txt"
    entry.write_text("[ctrl_harness.critics]\nmodel = my_kind_critic:make\n")
    assert find_critic("model") is CRITICS["model"]


def test_nothing_that_gives_the_answer_away_reaches_a_critic() -> None:
    hidden, public = StdioCase("9 9\n", "18\n"), ADD[0]
    problem = Problem(
        "p", "mbppplus", "Add.", (public, hidden), (public,), reference=RIGHT, time_reference=RIGHT
    )
    seen = as_critics_see_it(problem)
    assert seen.cases == seen.public_cases == (public,)
    assert RIGHT not in repr(seen)
    assert "18" not in repr(seen)

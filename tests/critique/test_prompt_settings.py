"""A prompt set's `settings.toml`: how critiques are read, and which system texts are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem

PROBLEM = Problem("p", "mbppplus", "Add.", (), starter_code="def add(a, b):")
DRAFT = Draft("Here:\n```python\nx = 1\n```\nDone.", "x = 1\n")


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    """A minimal set in a folder of one's own."""
    for name in ("draft", "critique", "revision", "hint"):
        (tmp_path / f"{name}.txt").write_text(f"the {name}")
    return tmp_path


def read(folder: Path, answer: str) -> tuple[str, str]:
    return tuple(PromptSet(str(folder), "mbppplus").read(answer))


# -- reading


def test_without_the_file_critiques_are_read_as_everywhere(own_set: Path) -> None:
    answer = "<think>Overall judgment: Incorrect</think>\n**Overall Judgement:** correct\n"
    assert read(own_set, answer) == ("**Overall Judgement:** correct", "correct")


def test_patterns_decide_the_verdict_and_the_first_goes_first(own_set: Path) -> None:
    (own_set / "settings.toml").write_text(
        "[critique]\ncorrect = 'grade: [A-C]'\nincorrect = 'grade: [D-F]'\n"
    )
    assert read(own_set, "grade: B")[1] == "correct"
    assert read(own_set, "grade: F")[1] == "incorrect"
    assert read(own_set, "grade: F, or grade: A")[1] == "correct"
    assert read(own_set, "Overall judgment: Correct")[1] == "missing"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("hm <a> one <b> hm", "one"),
        ("<a> one", "<a> one"),
        ("one <b>", "one <b>"),
        ("<a><b>", ""),
        ("between <b> and <b>: <a> one <b>", "one"),
        ("<b> one <a>", "<b> one <a>"),
        ("no marks", "no marks"),
    ],
)
def test_the_generator_gets_what_stands_between_the_marks(
    own_set: Path, answer: str, told: str
) -> None:
    (own_set / "settings.toml").write_text("[critique]\nbetween = ['<a>', '<b>']\n")
    assert read(own_set, f" {answer}\n")[0] == told


def test_the_verdict_may_stand_outside_the_marks(own_set: Path) -> None:
    (own_set / "settings.toml").write_text("[critique]\nbetween = ['<a>', '<b>']\n")
    assert read(own_set, "<a>one<b> Overall judgment: Correct") == ("one", "correct")


def test_a_data_set_may_have_settings_of_its_own(own_set: Path) -> None:
    (own_set / "mbppplus").mkdir()
    (own_set / "settings.toml").write_text("[critique]\nbetween = ['<a>', '<b>']\n")
    (own_set / "mbppplus" / "settings.toml").write_text("")
    assert read(own_set, "<a>one<b>")[0] == "<a>one<b>"
    assert PromptSet(str(own_set), "codecontests").read("<a>one<b>").text == "one"


def test_the_set_ctrl_reads_as_the_paper_s_code_does() -> None:
    prompts = PromptSet("ctrl", "mbppplus")
    assert prompts.read("<format>\nOverall judgment: Correct\n</format>") == (
        "Overall judgment: Correct", "correct",
    )  # fmt: skip
    assert prompts.read("Overall judgment: **Correct**").judgement == "missing"


# -- system texts: absent, empty or some


def test_a_system_text_is_absent_empty_or_some(own_set: Path) -> None:
    def roles() -> list[Message]:
        return list(PromptSet(str(own_set), "mbppplus").draft(PROBLEM))

    user = Message("user", "the draft")
    assert roles() == [user]
    (own_set / "draft_system.txt").write_text("")
    assert roles() == [Message("system", ""), user]
    (own_set / "draft_system.txt").write_text("You program.")
    assert roles() == [Message("system", "You program."), user]
    (own_set / "settings.toml").write_text("no_system = ['draft']\n")
    assert roles() == [user]


# -- fields


def test_templates_get_the_answer_the_bare_and_the_fenced_program(own_set: Path) -> None:
    (own_set / "critique.txt").write_text(
        "{{ statement }}|{{ starter_code }}|{{ response }}|{{ program }}|{{ fenced }}|{{ hint }}"
    )
    (own_set / "revision.txt").write_text("{{ critique }}|{{ program }}|{{ statement }}")
    (own_set / "hint.txt").write_text("{{ feedback.n_passed }}")
    prompts = PromptSet(str(own_set), "mbppplus")
    (asked,) = prompts.critique(PROBLEM, DRAFT, Feedback("error", 3, 4))
    block = "```python\nx = 1\n```"
    assert asked.content == f"Add.|def add(a, b):|{DRAFT.completion}|x = 1|{block}|3"
    (asked,) = prompts.critique(PROBLEM, Draft("I give up.", None))
    assert asked.content == "Add.|def add(a, b):|I give up.||I give up.|"
    (asked,) = prompts.revision(PROBLEM, DRAFT, "Hm.")
    assert asked.content == "Hm.|x = 1|Add."


def test_the_digest_follows_every_word_in_use(own_set: Path) -> None:
    def digest(dataset: str = "mbppplus") -> str:
        return PromptSet(str(own_set), dataset).digest

    seen = [digest()]
    for name, text in [
        ("draft.txt", "another draft"),
        ("critique_system.txt", ""),
        ("settings.toml", "no_system = []"),
        ("mbppplus/hint.txt", "the hint!"),
    ]:
        (own_set / name).parent.mkdir(exist_ok=True)
        (own_set / name).write_text(text)
        seen.append(digest())
    assert len(set(seen)) == 5
    assert digest() == seen[-1] != digest("codecontests")


# -- what is wrong is one line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("critique = [", "Invalid"),
        ("critique = 1", "critique is not a table"),
        ("verdict = 'x'", "holds verdict, but all there is is no_system, critique"),
        ("[critique]\nright = 'x'", "holds right, but all there is is correct, incorrect, between"),
        ("[critique]\ncorrect = 'x'", "critique.correct and critique.incorrect need each other"),
        ("[critique]\ncorrect = '('\nincorrect = 'x'", "critique.correct is no regular expression"),
        ("[critique]\ncorrect = 1\nincorrect = 'x'", "critique.correct is not a text"),
        ("[critique]\nbetween = ['a']", "critique.between is not two marks"),
        ("[critique]\nbetween = ['a', '']", "critique.between is not two marks"),
        ("[critique]\nbetween = 'ab'", "critique.between is not a list of texts"),
        ("no_system = [1]", "no_system is not a list of texts"),
    ],
)
def test_settings_that_cannot_be_used(own_set: Path, text: str, says: str) -> None:
    (own_set / "settings.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        PromptSet(str(own_set), "mbppplus")
    line = str(caught.value)
    assert line.startswith(f"prompt settings {own_set / 'settings.toml'} cannot be used: ")
    assert says in line and "\n" not in line

"""Prompt sets: ours, a user's own, and every way in which one of them can be wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompts import BUILT_IN, REQUIRED, PromptSet
from ctrl_harness.errors import UserError


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    """A minimal set in a folder of one's own."""
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "draft.txt").write_text("Solve: {{ statement }}\n")
    (folder / "critique.txt").write_text("{{ program }} {{ hint }}")
    (folder / "revision.txt").write_text("Revise: {{ critique }}")
    (folder / "hint.txt").write_text("{{ feedback.n_passed }}/{{ feedback.n_cases }}")
    return folder


def refusal(source: str | Path, dataset: str = "codecontests") -> str:
    with pytest.raises(UserError) as caught:
        PromptSet(str(source), dataset)
    return str(caught.value)


# -- our set


@pytest.mark.parametrize("dataset", ["codecontests", "livecodebench", "mbppplus", "other"])
def test_the_default_set_asks_for_what_the_loop_needs(dataset: str) -> None:
    prompts = PromptSet("default", dataset)
    (asked,) = prompts.ask("draft", statement="Add two numbers.", starter_code="")
    assert asked.role == "user"
    assert "Add two numbers." in asked.content and "```python" in asked.content
    system, review = prompts.ask(
        "critique",
        statement="Add two numbers.",
        starter_code="",
        program="print(1)",
        response="",
        hint="It failed.",
    )
    assert system.role == "system"
    for part in ("Add two numbers.", "```python\nprint(1)\n```", "It failed."):
        assert part in review.content
    for heading in ("Analysis:", "Improvement suggestions:", "Overall judgment:"):
        assert heading in review.content
    (told,) = prompts.ask("revision", critique="Off by one.")
    assert "Off by one." in told.content


def test_a_critique_without_a_program_shows_the_response() -> None:
    *_, review = PromptSet("default", "codecontests").ask(
        "critique", statement="s", starter_code="", program="", response="I give up.", hint=""
    )
    assert "I give up." in review.content and "test run" not in review.content


def test_a_data_set_may_have_templates_of_its_own() -> None:
    general = PromptSet("default", "codecontests").render("draft", statement="s", starter_code="")
    own = PromptSet("default", "mbppplus").render("draft", statement="s", starter_code="")
    assert general != own


def test_starter_code_is_shown_where_there_is_some() -> None:
    prompts = PromptSet("default", "livecodebench")
    with_code = prompts.render("draft", statement="s", starter_code="class Solution: ...")
    assert "class Solution: ..." in with_code
    assert "standard input" not in with_code
    assert "standard input" in prompts.render("draft", statement="s", starter_code="")


def test_judgebench_has_a_template_for_pairs() -> None:
    prompts = PromptSet("default", "judgebench", required=("pairwise",))
    system, question = prompts.ask("pairwise", question="Q?", response_a="One.", response_b="Two.")
    assert system.role == "system"
    assert question.content.index("One.") < question.content.index("Two.")


@pytest.mark.parametrize(
    "statement", ["{{ 7 * 7 }}", "{% if x %}", "{# gone #}", "<b>&amp;</b>", "${x} %s {x}"]
)
def test_a_statement_is_text_and_never_a_template(statement: str) -> None:
    prompts = PromptSet("default", "codecontests")
    assert statement in prompts.render("draft", statement=statement, starter_code="")


@pytest.mark.parametrize(
    ("feedback", "told"),
    [
        (Feedback("all_passed", 3, 3), ["passed all 3"]),
        (Feedback("no_code", 0, 3), ["no program"]),
        (
            Feedback("none_passed", 0, 3, "1 2", "3", "4"),
            ["none of the 3", "```\n1 2\n```", "```\n3\n```", "```\n4\n```"],
        ),
        (Feedback("wrong_answer", 1, 3, "in", "out", "got"), ["1 of 3", "in", "out", "got"]),
        (Feedback("error", 1, 3, "in", error="KeyError: 5"), ["error", "in", "KeyError: 5"]),
        (Feedback("time_limit", 1, 3, "in"), ["time limit", "1 of 3", "in"]),
        (Feedback("memory_limit", 1, 3), ["memory limit"]),
        (Feedback("output_limit", 1, 3), ["output limit"]),
    ],
)
def test_hints_tell_what_running_showed(feedback: Feedback, told: list[str]) -> None:
    text = PromptSet("default", "codecontests").render("hint", feedback=feedback)
    assert all(part in text for part in told)


# -- a user's own


def test_a_folder_replaces_the_set(own_set: Path) -> None:
    prompts = PromptSet(str(own_set), "codecontests")
    assert prompts.ask("draft", statement="x", starter_code="") == (Message("user", "Solve: x"),)
    assert prompts.render("hint", feedback=Feedback("error", 1, 2)) == "1/2"
    assert prompts.name == str(own_set)


def test_byte_order_marks_of_an_editor_are_no_part_of_a_set(own_set: Path) -> None:
    plain = PromptSet(str(own_set), "other").render("draft", statement="s", starter_code="")
    for file in own_set.glob("*.txt"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    settings = "[critique]\ncorrect = 'grade: A'\nincorrect = 'grade: F'\n"
    (own_set / "settings.toml").write_text(settings, encoding="utf-8-sig")
    marked = PromptSet(str(own_set), "other")
    assert marked.render("draft", statement="s", starter_code="") == plain
    assert marked.read("grade: A")[1] == "correct"


def test_a_system_text_and_a_data_set_s_own_template_are_optional(own_set: Path) -> None:
    (own_set / "draft_system.txt").write_text("You program.")
    (own_set / "mbppplus").mkdir()
    (own_set / "mbppplus" / "draft.txt").write_text("Function: {{ statement }}")
    fields = {"statement": "x", "starter_code": ""}
    assert PromptSet(str(own_set), "codecontests").ask("draft", **fields) == (
        Message("system", "You program."),
        Message("user", "Solve: x"),
    )
    assert PromptSet(str(own_set), "mbppplus").render("draft", **fields) == "Function: x"


def test_our_set_can_be_copied_and_changed(tmp_path: Path) -> None:
    shutil.copytree(BUILT_IN / "default", tmp_path / "mine")
    (tmp_path / "mine" / "revision.txt").write_text("Again: {{ critique }}")
    prompts = PromptSet(str(tmp_path / "mine"), "codecontests")
    assert prompts.render("revision", critique="x") == "Again: x"


def test_a_set_in_the_working_folder_can_be_named_by_a_dot(
    own_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_set)
    assert PromptSet(".", "codecontests").render("revision", critique="x") == "Revise: x"


# -- what is wrong is one line


@pytest.mark.parametrize("source", ["terse", "no/such/folder", "", "default/draft.txt"])
def test_an_unknown_set(source: str) -> None:
    line = refusal(source)
    assert line == (
        f"unknown prompt set {source!r}; give a folder of templates or one of: ctrl, default"
    )


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_template(own_set: Path, name: str) -> None:
    (own_set / f"{name}.txt").unlink()
    line = refusal(own_set)
    assert f"has no template {name}.txt; add {own_set / name}.txt" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("draft", "{{ statment }}", "uses statment, but all there is is statement, starter_code"),
        ("draft", "{{ critique }}", "uses critique"),
        ("draft", "{% if starter_code %}{{ language }}{% endif %}", "uses language"),
        ("draft", "{% if not starter_code %}{{ language }}{% endif %}", "uses language"),
        ("draft", "{{ statement", "line 1"),
        ("draft", "a\n{% if %}\nb", "line 2"),
        ("draft", "{% endif %}", "line 1"),
        ("draft", "{{ statement | shout }}", "shout"),
        ("draft", "{{ statement.words }}", "words"),
        ("draft", "{{ statement + 1 }}", "cannot be used"),
        ("draft", "{{ 1 / 0 }}", "division by zero"),
        ("draft", "{% include 'other.txt' %}", "cannot be used"),
        ("hint", "{{ feedback.stdin }}", "stdin"),
        ("hint", "{% if feedback.kind == 'time_limit' %}{{ feedback.seconds }}{% endif %}",
         "seconds"),
        ("hint", "{% if feedback.error %}{{ feedback.line }}{% endif %}", "line"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used(own_set: Path, name: str, text: str, reason: str) -> None:
    (own_set / f"{name}.txt").write_text(text)
    line = refusal(own_set)
    assert str(own_set / f"{name}.txt") in line and reason in line
    assert "\n" not in line


def test_a_system_text_is_checked_too(own_set: Path) -> None:
    (own_set / "critique_system.txt").write_text("{{ role }}")
    assert "uses role" in refusal(own_set)


def test_a_template_that_is_no_text(own_set: Path) -> None:
    (own_set / "draft.txt").write_bytes(b"\xff\xfe\x00")
    assert "draft.txt cannot be used" in refusal(own_set)


def test_what_jinja_brings_along_may_be_used(own_set: Path) -> None:
    (own_set / "draft.txt").write_text(
        "{% set shown = statement | upper %}{% for n in range(2) %}{{ shown }}{{ loop.index }}"
        "{% endfor %}"
    )
    text = PromptSet(str(own_set), "codecontests").render("draft", statement="a", starter_code="")
    assert text == "A1A2"

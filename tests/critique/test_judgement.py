"""Which verdict is read out of a critique."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.critique.judgement import parse_judgement

CORRECT = [
    "Overall judgment: Correct",
    "Overall judgement: Correct",
    "overall judgment: correct",
    "OVERALL JUDGMENT: CORRECT",
    "Overall judgment: Correct.",
    "Overall judgment: Correct!",
    "Overall judgment - Correct",
    "Overall judgment – Correct",
    "Overall judgment is Correct",
    "Overall judgment:\nCorrect",
    "Overall judgment:\n\nCorrect",
    "Overall judgment:\r\n\r\nCorrect\r\n",
    "**Overall judgment:** Correct",
    "**Overall judgment**: **Correct**",
    "**Overall Judgment: Correct**",
    "__Overall judgment__: _Correct_",
    "Overall **judgment**: Correct",
    "Overall_judgment: Correct",
    "## Overall judgment\n\nCorrect",
    "### Overall Judgment:\n**Correct**",
    "# **Overall judgment**\n> Correct",
    "- Overall judgment: `Correct`",
    "3. Overall judgment: Correct",
    "Overall judgment: 'Correct'",
    'Overall judgment: "Correct"',
    "Overall judgment: ✅ Correct",
    "Overall judgment: \\boxed{Correct}",
    "Overall judgment: [Correct]",
    "Overall judgment: Correct (all cases pass)",
    "Overall judgment: The program is correct.",
    "Overall judgment: The attempt is correct, not wrong.",
    "Overall judgment: The code does not crash and is correct.",
    "Overall judgment: It is not incorrect. Correct.",
    "Overall judgment: not only correct, but fast.",
    "Overall judgment: Correct. Nothing is wrong with it, and it never gives a wrong answer.",
    "Overall judgment: Correct\nImprovement suggestions: an incorrect input could be refused.",
    "Overall judgment: Correct\n## Analysis\nIncorrect at first sight.",
    "Overall judgment: Correct\n  \nIt was incorrect before.",
    "Overall judgment: Correct\n\nOverall judgment: Correct",
    "Overall judgment: **Correct**\n\n**Overall Judgement:** correct.",
    "Analysis: the loop is incorrect at first sight.\n\nOverall judgment: Correct",
    "Overall judgment: Correct\n\nNote: an incorrect input would break it.",
    "My overall judgment is that the code is correct.",
    "Overall judgment (Correct/Incorrect): Correct",
    "Overall judgment [Correct or Incorrect]: Correct",
    "Overall judgment: Correct/Incorrect\n\nOverall judgment: Correct",
    "<think>Overall judgment: Incorrect</think>Overall judgment: Correct",
    "Incorrect, I thought. Overall judgment: Incorrect</think>\nOverall judgment: Correct",
]
INCORRECT = [
    "Overall judgment: Incorrect",
    "overall judgement: INCORRECT",
    "Overall judgment: **Incorrect**.",
    "**Overall judgment:**\n\n**Incorrect**",
    "## Overall judgment\nIncorrect, the answer is off by one.",
    "Overall judgment: Incorrect. The correct answer is 5.",
    "Overall judgment: Incorrect, correct it as said above.",
    "Overall judgment: Wrong",
    "Overall judgment: ❌ Incorrect",
    "Overall judgment: not correct",
    "Overall judgment: Not Correct",
    "Overall judgment: not **correct**",
    "Overall judgment: not entirely correct",
    "Overall judgment: The program isn't correct.",
    "Overall judgment: The program isn’t correct.",
    "Overall judgment: It does not produce the correct output.",
    "Overall judgment: It doesn't give correct results.",
    "Overall judgment: It cannot be correct.",
    "Overall judgment: It never returns the correct value.",
    "Overall judgment: far from correct",
    "Overall judgment: Partially correct",
    "Overall judgment: mostly correct",
    "Overall judgment: almost correct",
    "Overall judgment: partly incorrect",
    "Overall judgment: It does not crash but is wrong.",
    "Overall judgment: Incorrect, not correct.",
    "Overall judgment: Incorrect. It is correct for most inputs.",
    "Overall judgment: The program is incorrect.",
    "Overall judgment: Incorrect\nOverall judgment: incorrect",
    "Overall judgment (Correct/Incorrect): Incorrect",
    "Overall judgment: Correct/Incorrect: Incorrect",
    "The parser is correct.\n\nOverall judgment: Incorrect",
    "<think>\nOverall judgment: Correct\n</think>\n\nOverall judgment: Incorrect",
]
MISSING = [
    "",
    "The program is correct.",
    "Correct",
    "Judgment: Correct",
    "Overall: Correct",
    "Overall judgment",
    "Overall judgment:",
    "Overall judgment: None",
    "Overall judgment: I am not sure.",
    "Overall judgment: The correctness cannot be told.",
    "Overall judgment: It works correctly.",
    "Overall judgment: Correct/Incorrect",
    "Overall judgment: Incorrect/Correct",
    "Overall judgment: Correct / Incorrect",
    "Overall judgment: **Correct** / **Incorrect**",
    "Overall judgment: Correct or Incorrect",
    "Overall judgment: Correct, or Incorrect",
    "Overall judgment: Correct | Incorrect",
    "Overall judgment: Correct, Incorrect",
    "Overall judgment: [Correct/Incorrect]",
    "Overall judgment: `Correct`/`Incorrect`",
    "Overall judgment: one word, Correct if the attempt solves the problem for every valid input,"
    " otherwise Incorrect.",
    "Overall judgment: Correct\n\nOverall judgment: Incorrect",
    "Overall judgment: Incorrect\nOn second thought, overall judgement: Correct",
    "Overall judgment: see above.\n\nThe code is correct.",
    "Overall judgment: Correct. However it is Incorrect on n=0",
    "Overall judgment: Correct idea, but Incorrect",
    "Overall judgment: The program is correct for most inputs but incorrect for n=0.",
    "Overall judgment: It is logically correct, but it has bugs. Incorrect",
    "Overall judgment: Correct, but not correct for n=0.",
    "Overall judgment: **Correct**, though the last line is **wrong**.",
    "Overall judgment: Correct. " + "It sorts first. " * 20 + "Incorrect for n=0.",
    "Overall judgment: Correct, or is it? Incorrect.\n\nOverall judgment: Incorrect",
    "Overall judgment: not incorrect",
    "Overall judgment: It isn't wrong.",
    "Overall judgment: " + "it depends on very many things, " * 5 + "so correct",
    "<think>Overall judgment: Correct</think>",
    "<think>Overall judgment: Correct",
    "Overall judgment: Correct</think>That was it.",
    "Overall judgment: <think>Correct</think>",
]


@pytest.mark.parametrize("critique", CORRECT)
def test_correct(critique: str) -> None:
    assert parse_judgement(critique) == "correct"


@pytest.mark.parametrize("critique", INCORRECT)
def test_incorrect(critique: str) -> None:
    assert parse_judgement(critique) == "incorrect"


@pytest.mark.parametrize("critique", MISSING)
def test_missing(critique: str) -> None:
    assert parse_judgement(critique) == "missing"


@pytest.mark.parametrize("word", ["Correct", "Incorrect"])
def test_the_format_we_ask_for_is_read(word: str) -> None:
    critique = (
        "Analysis: The attempt sorts and takes the middle. The correct index is n // 2.\n\n"
        "Improvement suggestions: None; an incorrect n cannot occur.\n\n"
        f"Overall judgment: {word}"
    )
    assert parse_judgement(critique) == word.lower()


@settings(deadline=None)
@given(st.text(), st.sampled_from(["", "Overall judgment:", "overall judgement", "Correct"]))
def test_any_text_has_one_of_three_answers(text: str, between: str) -> None:
    critique = f"{text}{between}{text}"
    assert parse_judgement(critique) in ("correct", "incorrect", "missing")


PIECES = [
    "Overall judgment:", "correct", "incorrect", "wrong", "not", "the code", "it", "is", "no",
    "for", "all", "inputs", "but", "and", "so", "if", "of course", "errors", "neither", "nor",
    "far from", "3/4", "100%", "12", ".", ",", "?", "!", ":", "(", ")", "-", "->", "...", "\n",
    "\n\n", "\n- ", "\n# ", "```", "**", "`", "<b>", "~~", "✅", "❌", "i", "do not think",
    "does not", "produce",
]  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=15))
def test_words_of_the_grammar_in_any_order_have_one_of_three_answers(pieces: list[str]) -> None:
    critique = "Overall judgment: " + " ".join(pieces)
    assert parse_judgement(critique) in ("correct", "incorrect", "missing")


@pytest.mark.parametrize(
    "critique",
    ["Overall judgment: Correct\n" * 10_000, "overall " * 125_000, "overall" + "*" * 1_000_000,
     "Overall judgment: " + "not " * 50_000, "Overall judgment: Correct" + " not a" * 50_000,
     "Overall judgment: Correct" + "\n" * 1_000_000 + "x",
     "Overall judgment:" + " correct" * 50_000,
     "Overall judgment: x" + ", so" * 50_000,
     "Overall judgment: Correct. " + "so the code. " * 9_999,
     "Overall judgment: Correct\n\n" + "prints " * 50_000,
     "Overall judgment: Correct\n\n" + "must 5 expected " * 50_000,
     "<s>" * 300_000, "```\n" * 250_000, "\\" * 1_000_000, "_" * 1_000_000, "a-" * 500_000],
    ids=["repeated", "overall", "stars", "not", "not later", "lines", "form", "so", "sentences",
         "results", "obliged", "tags", "fences", "escapes", "underscores", "hyphens"],
)  # fmt: skip
def test_a_critic_that_repeats_itself_is_read_in_time_proportional_to_the_text(
    critique: str,
) -> None:
    start = time.monotonic()
    parse_judgement(critique)
    assert time.monotonic() - start < 60  # seconds; a square would take hours

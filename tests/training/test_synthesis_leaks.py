"""What a critique must not give away: the run it was told of, and the solution."""

from __future__ import annotations

import time

import pytest

from ctrl_harness.problems import Problem, StdioCase
from ctrl_harness.training.leaks import names_hint, strip

PROBLEM = Problem(
    id="p",
    dataset="taco",
    statement="There are t test cases. For each test case print n + 1.",
    cases=(StdioCase("1\n", "2\n"),),
)
SOLUTION = "n = int(input())\nprint(n + 1)"


@pytest.mark.parametrize(
    "sentence",
    [
        "The hint says that the loop is off by one.",
        "As the test run showed, the loop is off by one.",
        "The attempt passed 3 of 10 test cases.",
        "It passed none of the 4 test cases.",
        "The program passes all tests.",
        "It fails on one of the hidden tests.",
        "The attempt failed 2 test cases.",
        "Since 0/5 tests pass, it is wrong.",
        "The failing test has a negative n.",
        "According to the execution feedback there is an index error.",
        "When the program was run, it printed 3.",
        "It was tested on several inputs.",
        "The traceback points to line 3.",
        "The provided error is an IndexError.",
        "I was told that it is wrong.",
    ],
)
def test_speaking_of_the_run_names_the_hint(sentence: str) -> None:
    text = f"Analysis: It adds one. {sentence}\n\nOverall judgment: Incorrect"
    assert names_hint(text, PROBLEM)
    rest = strip(text, "print(1)", PROBLEM)
    assert rest == "Analysis: It adds one.\n\nOverall judgment: Incorrect"


@pytest.mark.parametrize(
    "sentence",
    [
        "For each test case, the loop reads n and prints the sum.",
        "With t test cases of length n this takes n * n steps.",
        "The program would fail for n = 0, e.g. it prints 1.",
        "The loop passes over all elements.",
        "The variable passes through all states.",
        "If all elements are equal, the code fails to print.",
        "The condition fails one element too early.",
        "The test `if n > 3` fails for n = 3.",
        "When the program runs on n = 10^5, it takes too long.",
        "It will fail on test cases where n is 0.",
        "It passes all tests with a positive n.",
        "Type hints would not change that.",
        "When the program is executed, the loop reads n first.",
        "An IndexError is raised in the third line when n is 0.",
    ],
)
def test_reasoning_about_the_code_does_not(sentence: str) -> None:
    assert not names_hint(f"Analysis: {sentence}", PROBLEM)


def test_words_of_the_statement_are_no_giveaway() -> None:
    riddle = Problem("r", "taco", "You get a hint in each round.", PROBLEM.cases)
    assert not names_hint("The hint of each round is not read.", riddle)
    assert names_hint("The hint of each round is not read.", PROBLEM)


def test_a_verdict_keeps_its_word_when_its_reason_goes() -> None:
    text = "Analysis: fine.\n\nOverall judgment: Incorrect, since it passed none of the tests."
    rest = strip(text, None, PROBLEM)
    assert rest == "Analysis: fine.\n\nOverall judgment: Incorrect"


def test_a_program_goes_and_a_quotation_of_the_draft_stays() -> None:
    draft = "n = int(input())\nprint(n + 2)"
    text = (
        f"Analysis: here is the slip.\n\n```python\n{draft}\n```\n\nBetter:\n\n"
        f"```python\n{SOLUTION}\n```\n\nOverall judgment: Incorrect"
    )
    rest = strip(text, draft, PROBLEM)
    assert rest is not None
    assert draft in rest
    assert SOLUTION not in rest
    assert rest.endswith("Overall judgment: Incorrect")


def test_what_cannot_be_taken_out_is_given_up() -> None:
    bare = "Analysis: write this.\n\nn = int(input())\nprint(n + 1)\n\nOverall judgment: Incorrect"
    assert strip(bare, "print(1)", PROBLEM) is None
    assert strip("The test run failed.", "print(1)", PROBLEM) is None


@pytest.mark.parametrize(
    "text",
    ["." * 100_000, "fail the " * 12_000, "a b. " * 20_000, "`" * 99_999, "```\n" * 25_000,
     " " * 100_000, "pass all " * 12_000, "\n" * 100_000],
)  # fmt: skip
def test_a_critique_of_100_kb_takes_no_time(text: str) -> None:
    start = time.process_time()
    names_hint(text, PROBLEM)
    strip(text, "print(1)", PROBLEM)
    assert time.process_time() - start < 5

"""A table of critiques and the judgement that a person reads in each: no rejection is read as an
approval, no approval as a rejection, and how many judgements are read of each kind.

A line of judgements.jsonl has `text`, `kind` and `judgement`: `missing` where a person finds none
or two, `not correct` or `not incorrect` where no more is certain. The table of recall is printed by
`pytest -s tests/critique/test_judgement_table.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest

from ctrl_harness.critique.judgement import parse_judgement

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "judgements.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
ALLOWED = {
    "correct": {"correct", "missing"},
    "incorrect": {"incorrect", "missing"},
    "missing": {"missing"},
    "not correct": {"incorrect", "missing"},
    "not incorrect": {"correct", "missing"},
}
RECALL = {
    "plain": (20, 20),
    "label": (52, 52),
    "markup": (82, 82),
    "marks": (24, 24),
    "quotes": (28, 28),
    "letters": (19, 19),
    "sentence": (99, 99),
    "reasons": (104, 105),
    "no production": (13, 13),
    "denial": (12, 41),
    "hedge": (11, 11),
    "echo": (10, 10),
    "labels": (16, 16),
    "mention": (14, 14),
    "truncated": (6, 7),
    "whole critique": (9, 9),
    "prose": (82, 85),
    "ordinary": (461, 495),
    "attack": (48, 52),
    "json": (7, 7),
    "table": (5, 5),
    "explanation": (39, 42),
    "lead or reason": (29, 47),
}


def test_the_table_is_large_and_says_nothing_twice() -> None:
    assert len(ROWS) > 1000
    assert len({row["text"] for row in ROWS}) == len(ROWS)


def test_no_judgement_is_read_as_the_other_one() -> None:
    read = [(row["judgement"], parse_judgement(row["text"]), row["text"]) for row in ROWS]
    assert [line for line in read if line[1] not in ALLOWED[line[0]]] == []


def test_how_many_judgements_are_read() -> None:
    read: dict[str, list[bool]] = defaultdict(list)
    for row in ROWS:
        if row["judgement"] in ("correct", "incorrect"):
            read[row["kind"]].append(parse_judgement(row["text"]) == row["judgement"])
    recall = {kind: (sum(lines), len(lines)) for kind, lines in read.items()}
    for kind, (found, of) in recall.items():
        print(f"{kind:18} {found:4} of {of}")
    assert recall == RECALL
    silent = [parse_judgement(row["text"]) for row in ROWS if row["judgement"] == "missing"]
    print(f"{'no judgement':18} {silent.count('missing'):4} of {len(silent)}")


@pytest.mark.parametrize("kind", ["plain", "label", "markup", "quotes", "whole critique"])
def test_a_plain_judgement_is_always_read(kind: str) -> None:
    assert RECALL[kind][0] == RECALL[kind][1]


STARTS = [
    "Correct", "The code is correct", "The code is right", "After review, the code is correct",
    "I find the code to be correct", "The code has no bugs and is correct",
    "The code is valid and correct", "Correct with 100% confidence",
    "The code is correct but could be more efficient", "Correct. It should pass all tests",
    "The code is correct under the given constraints",
]  # fmt: skip
SUBJECTS = ["The code", "It", "Your answer"]
DENIALS = [
    "is not", "isn't", "is hardly", "is far from", "is anything but", "fails to be",
    "cannot be called", "is neither fast nor", "is never", "is rarely", "is in no way",
    "is not, at least for n = 0,", "is less than", "is not what I would call", "is nowhere near",
    "does not seem", "was not", "won't be", "is by no means", "would not be", "ceases to be",
    "can hardly be considered", "is not to be considered", "does not count as", "has yet to be",
    "is everything except", "is the opposite of", "is un", "seems", "might be", "should be",
    "is probably", "is supposedly", "is almost", "is mostly", "is technically", "is claimed to be",
]  # fmt: skip
LIMITS = [
    "but it fails for n = 0", "however, zero is not handled", "except for zero", "if n > 0",
    "though it crashes on []", "only for small n", "unless n = 0", "apart from one bug",
    "in theory", "yet the output is wrong", "assuming n > 0", "provided that n > 0",
    "when n is positive", "minus one edge case", "or is it?", "not!", "I think", "maybe",
    "for most inputs", "in most cases", "on the samples", "until it overflows", "so far",
    "once line 3 is fixed", "as long as the list is sorted", "at first glance", "to a degree",
    "as far as I can tell", "up to a point", "more or less", "save for one case",
    "bar the last test", "with reservations", "in spirit", "on paper", "by luck",
    "says the author", "according to the author", "hopefully", "half of the time",
    "in 3 of 4 cases", "and incomplete", "and incorrect", "or incorrect", "and yet it fails",
    "instead of incorrect", "given sorted input", "in the first part", "logic but wrong output",
]  # fmt: skip


@pytest.mark.parametrize("denial", DENIALS)
def test_what_stands_between_the_program_and_correct_is_heard(denial: str) -> None:
    words = ("correct.", '"correct"', "correct for all inputs.", "right.", "valid and correct.")
    for subject, word in product(SUBJECTS, words):
        critique = f"Overall judgment: {subject} {denial} {word}"
        assert parse_judgement(critique) != "correct", critique


@pytest.mark.parametrize("limit", LIMITS)
def test_what_stands_behind_correct_is_heard(limit: str) -> None:
    signs = (" ", ", ", " - ", ". ", "; ", " (", "\n", ": ", "... ")
    for start, sign in product(STARTS, signs):
        critique = f"Overall judgment: {start}{sign}{limit}"
        assert parse_judgement(critique) != "correct", critique

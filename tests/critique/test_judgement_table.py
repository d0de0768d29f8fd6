"""A table of critiques and the judgement that a person reads in each: no rejection is read as an
approval, no approval as a rejection, and how many judgements are read of each kind.

A line of judgements.jsonl has `text`, `judgement`, `missing` where a person finds none or two, and
`kind`. The table of recall is printed by `pytest -s tests/critique/test_judgement_table.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from ctrl_harness.critique.judgement import parse_judgement

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "judgements.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
RECALL = {
    "plain": (20, 20),
    "label": (52, 52),
    "markup": (82, 82),
    "marks": (15, 15),
    "quotes": (27, 27),
    "letters": (19, 19),
    "sentence": (99, 99),
    "reasons": (104, 105),
    "no production": (13, 13),
    "denial": (12, 41),
    "hedge": (11, 11),
    "echo": (10, 10),
    "labels": (15, 15),
    "mention": (14, 14),
    "truncated": (6, 7),
    "whole critique": (9, 9),
}


def test_the_table_is_large_and_says_nothing_twice() -> None:
    assert len(ROWS) > 1000
    assert len({row["text"] for row in ROWS}) == len(ROWS)


def test_no_judgement_is_read_as_the_other_one() -> None:
    read = [(row["judgement"], parse_judgement(row["text"]), row["text"]) for row in ROWS]
    assert [line for line in read if line[1] not in (line[0], "missing")] == []


def test_how_many_judgements_are_read() -> None:
    read: dict[str, list[bool]] = defaultdict(list)
    for row in ROWS:
        if row["judgement"] != "missing":
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

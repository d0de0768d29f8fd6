"""Copies of evaluation statements are found however they are printed; unrelated statements are not.

`pytest -s` shows the recall on planted copies and the false alarms that docs/data.md tells.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.decontamination import THRESHOLD, EvaluationIndex, Match, Statement
from ctrl_harness.training.decontamination_sets import (
    NAMES,
    EvaluationSet,
    parse_against,
    read_evaluation_set,
    read_evaluation_sets,
)
from ctrl_harness.training.decontamination_text import normalise
from ctrl_harness.training.taco import SAMPLES

REAL = {
    "codecontests": "code_contests/code_contests_test165_reassembled.jsonl",
    "livecodebench": "livecodebench/questions_v6.jsonl.gz",
    "mbppplus": "mbppplus/MbppPlus-OriginFmt.jsonl.gz",
    "judgebench": "judgebench/dataset=judgebench,response_model=gpt-4o-2024-05-13.jsonl.gz",
}
FRAME = (
    "Chef's corner, round {0}. This task was set for the pupils of the evening class and is worth"
    " {0} points, half of which are given for small inputs.\n\n{1}\n\nGood luck to everybody, and"
    " remember that the librarian wants the borrowed pencils back before the lights go out."
)


# -- how a statement may be printed anew


def white_space(text: str, rng: random.Random) -> str:
    return "\n  " + re.sub(r"\s+", lambda _: rng.choice([" ", "\n", "\r\n", "\t ", "\u00a0"]), text)


def case(text: str, rng: random.Random) -> str:
    return rng.choice([str.upper, str.lower, str.title])(text)


def latex(text: str, rng: random.Random) -> str:
    text = re.sub(r"\b([A-Za-z])\b", r"$\1$", text)
    text = text.replace("≤", "\\leq").replace("<=", "\\le").replace("...", "\\ldots")
    text = re.sub(r"10\^?\{?(\d)\b\}?", r"$10^{\1}$", text)
    return re.sub(r"(?m)^(Input|Output|Note|Constraints)\b", r"\\textbf{\1}", text)


def punctuation(text: str, rng: random.Random) -> str:
    text = text.replace("'", "’").replace('"', "“").replace(" - ", " — ").replace(". ", " . ")
    return "<p>" + text.replace("\n\n", "</p>\n<p>").replace("&", "&amp;") + "</p>"


def variables(text: str, rng: random.Random) -> str:
    """Single letters, what stands in back ticks, and usual names of arrays get other names; every
    number of the samples another value."""
    names = set(re.findall(r"\b[A-Za-z]\b", text)) - {"a", "A", "I"}
    names |= set(re.findall(r"`([A-Za-z_]\w*)`", text))
    names |= set(re.findall(r"\b(?:nums|words|grid|arr|queries|edges|array|string)\b", text))
    new = {
        name: "".join(rng.choices("bcdfghjklmpqrstvwxyz", k=1 if len(name) == 1 else 6))
        for name in sorted(names)
    }
    text = re.sub(r"\b[A-Za-z_]\w*\b", lambda word: new.get(word[0], word[0]), text)
    return re.sub(r"\b\d{1,4}\b", lambda number: str(int(number[0]) + rng.randint(1, 9)), text)


def embedded(text: str, rng: random.Random) -> str:
    return FRAME.format(rng.randint(100, 900), text)


FORMS: dict[str, Callable[[str, random.Random], str]] = {
    "white space": white_space,
    "case": case,
    "LaTeX": latex,
    "punctuation and tags": punctuation,
    "renamed variables, other numbers": variables,
    "inside a longer text": embedded,
    "all of it": lambda text, rng: embedded(
        white_space(case(latex(variables(text, rng), rng), rng), rng), rng
    ),
}


def recall(index: EvaluationIndex, found_in: list[EvaluationSet]) -> dict[str, dict[str, float]]:
    """By form and data set, the share of planted copies that are found as copies of the right one.
    """
    shares: dict[str, dict[str, float]] = {}
    for form, printed in FORMS.items():
        rng = random.Random(form)
        found: Counter[str] = Counter()
        planted: Counter[str] = Counter()
        for statements in found_in:
            name = statements.reference.dataset
            every = 1 if len(statements.statements) < 100 else 4  # of many, a quarter will do
            for statement in statements.statements[::every]:
                match = index.find(printed(statement.text, rng))
                planted[name] += 1
                found[name] += match is not None and same(match, statement, index)
        shares[form] = {name: found[name] / planted[name] for name in planted}
    return shares


def same(match: Match, statement: Statement, index: EvaluationIndex) -> bool:
    """Whether the match is the statement, or one that is its copy in the sets themselves."""
    if (match.dataset, match.id) == (statement.dataset, statement.id):
        return True
    original = index.find(statement.text)
    assert original is not None
    return (match.dataset, match.id) == (original.dataset, original.id) or any(
        (other.dataset, other.id) == (match.dataset, match.id) and other.score >= THRESHOLD
        for other in index.overlaps(statement.text)
    )


def show(title: str, shares: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}")
    for form, by_set in shares.items():
        print(f"  {form:34}", "  ".join(f"{name} {share:.3f}" for name, share in by_set.items()))


def index_of(sets: list[EvaluationSet]) -> EvaluationIndex:
    return EvaluationIndex(statement for found in sets for statement in found.statements)


def questions(path: Path, field: str) -> Iterator[str]:
    opened = gzip.open(path, "rt") if path.name.endswith(".gz") else path.open(encoding="utf-8")
    with opened as lines:
        for line in lines:
            if text := json.loads(line)[field]:
                yield str(text)


# -- recall and false alarms


@pytest.fixture(scope="module")
def samples() -> list[EvaluationSet]:
    return read_evaluation_sets(parse_against(["samples"]))


def test_planted_copies_of_the_samples_are_found(samples: list[EvaluationSet]) -> None:
    shares = recall(index_of(samples), samples)
    show("recall on planted copies of the samples", shares)
    for form, by_set in shares.items():
        for name, share in by_set.items():
            assert share >= (0.9 if name == "mbppplus" else 1.0), (form, name)


def test_unrelated_samples_raise_no_alarm(samples: list[EvaluationSet]) -> None:
    index = index_of(samples)
    rows = list(questions(SAMPLES, "question"))
    alarms = [(row[:60], match) for row in rows if (match := index.find(row)) is not None]
    pairs = len(rows) * len(index)
    scores = [match.score for row in rows for match in index.overlaps(row)]
    print(f"\nsamples: {len(alarms) - 1} false alarms in {pairs - 1} unrelated pairs")
    assert pairs > 1_000
    # the one row that is meant to be found, planted among the samples
    assert [(match.dataset, match.id) for _, match in alarms] == [
        ("codecontests", "sample_egg_cartons")
    ]
    assert sorted(scores)[-2:][0] < 0.25


@pytest.mark.slow
def test_planted_copies_of_real_problems_are_found(real_data: Path) -> None:
    sets = [read_evaluation_set(name, str(real_data / path)) for name, path in REAL.items()]
    shares = recall(index_of(sets), sets)
    show("recall on planted copies of real problems", shares)
    for form, by_set in shares.items():
        renamed = form in ("renamed variables, other numbers", "all of it")
        floors = {
            "codecontests": 1.0 if not renamed else 0.99,
            "livecodebench": 0.99 if not renamed else 0.98,
            # questions of few words, many of them about numbers and names alone
            "mbppplus": 0.97 if not renamed else 0.85,
            "judgebench": 0.97 if not renamed else 0.93,
        }
        for name, share in by_set.items():
            assert share >= floors[name], (form, name)


def test_unrelated_real_problems_raise_no_alarm(real_data: Path) -> None:
    sets = [read_evaluation_set(name, str(real_data / path)) for name, path in REAL.items()]
    index = index_of(sets)
    training = [
        *questions(real_data / "apps" / "mapcoder_selected150.jsonl", "description"),
        *questions(real_data / "apps" / "coderl_apps_train_5.jsonl", "question"),
        str(json.loads((real_data / "taco" / "taco_card_rows.jsonl").read_text().splitlines()[0])[
            "question"]),
        *questions(SAMPLES, "question"),
    ]  # fmt: skip
    alarms = [(text[:80], match) for text in training if (match := index.find(text)) is not None]
    pairs = len(training) * len(index)
    best = max(match.score for text in training for match in index.overlaps(text))
    print(f"\nAPPS, TACO and samples: {len(alarms)} false alarms in {pairs} unrelated pairs;"
          f" the highest overlap is {best:.2f}")  # fmt: skip
    assert pairs > 1_000
    assert alarms == []


@pytest.mark.slow
def test_unrelated_problems_of_different_sets_raise_no_alarm(real_data: Path) -> None:
    """JudgeBench stays out: its coding questions are LiveCodeBench's."""
    sets = {
        name: read_evaluation_set(name, str(real_data / path))
        for name, path in REAL.items()
        if name != "judgebench"
    }
    pairs = 0
    alarms = []
    for one, other in combinations(sets.values(), 2):
        for indexed, asked in ((one, other), (other, one)):
            index = index_of([indexed])
            pairs += len(asked.statements) * len(index)
            alarms += [
                (statement.id, match)
                for statement in asked.statements
                if (match := index.find(statement.text)) is not None
            ]
    print(f"\nevaluation sets: {len(alarms)} false alarms in {pairs} pairs across sets")
    assert pairs > 1_000
    assert len(alarms) / pairs < 1e-5


def test_judgebenchs_coding_questions_are_found_in_livecodebench(real_data: Path) -> None:
    path = real_data / REAL["judgebench"]
    index = index_of([read_evaluation_set("livecodebench", str(real_data / REAL["livecodebench"]))])
    rows = [json.loads(line) for line in gzip.open(path, "rt")]
    coding = [row for row in rows if row["source"].startswith("livecodebench")]
    found = [row for row in rows if index.find(row["question"]) is not None]
    print(f"\n{len(found)} of {len(coding)} coding questions of JudgeBench are LiveCodeBench's")
    assert all(row["source"].startswith("livecodebench") for row in found)
    assert len(found) >= 0.9 * len(coding)


# -- the parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$a_{i} \\le 10^{5}$", "ai ≤ 10^5"),
        ("10⁵ people", "$10^5$ PEOPLE"),
        ("the <b>first</b> line", "The first line"),
        ("x &lt; y &amp; z", "x < y, z"),
        ("\\textbf{Input} `n`", "Input: n"),
        ("it’s", "it's"),
        ("see [the note](https://example.org/a_b)", "see the note"),
        ("ﬁnd the ｗａｙ", "find the way"),
    ],
)  # fmt: skip
def test_one_statement_in_two_prints_has_the_same_letters(one: str, other: str) -> None:
    assert normalise(one).letters == normalise(other).letters


def test_different_numbers_are_different_letters_but_the_same_words() -> None:
    one = normalise("Print the sum of 3 numbers n")
    other = normalise("print the sum of 4 numbers m")
    assert one.letters != other.letters
    assert one.words == other.words


def test_a_match_says_where_how_much_and_how() -> None:
    words = [f"word{chr(97 + i)}{chr(97 + j)}".replace("word", "w") for i in range(5)
             for j in range(20)]  # fmt: skip
    text = " ".join(words)
    index = EvaluationIndex([Statement("codecontests", "A", text)])
    assert index.find(text.upper()) == Match("codecontests", "A", 1.0, "exact")
    half = index.find(" ".join(words[:60] + [f"other{word}" for word in words[:60]]))
    assert half is not None
    assert (half.kind, round(half.score, 2)) == ("overlap", 0.59)
    assert half.as_json() == {
        "dataset": "codecontests", "id": "A", "score": round(half.score, 4), "kind": "overlap",
    }  # fmt: skip
    assert index.find("Something else, with no more than a word of it.") is None
    assert index.find("") is None


def test_the_threshold_decides() -> None:
    words = [f"{a}{b}x" for a in "abcdefghij" for b in "klmnop"]
    statement = Statement("codecontests", "A", " ".join(words))
    near = " ".join(words[:40] + [word[::-1] for word in words])
    assert EvaluationIndex([statement], 0.6).find(near) is not None
    assert EvaluationIndex([statement], 0.7).find(near) is None
    for wrong in (0, -1, 1.1, float("nan")):
        with pytest.raises(UserError, match="is no share"):
            EvaluationIndex([], wrong)


def test_turns_of_phrase_that_many_statements_have_tell_nothing() -> None:
    phrase = (
        "Each test contains multiple test cases. The first line contains the number of test cases."
        " The description of the test cases follows."
    )
    index = EvaluationIndex(
        Statement("codecontests", str(number), f"{phrase} {'abcdefghijkl'[number] * 3} "
                  + " ".join("abcdefghijkl"[number] * 4 + letter for letter in "mnopqrst"))
        for number in range(12)
    )  # fmt: skip
    assert index.find(f"{phrase} Print how many cows there are.") is None


# -- the evaluation sets


def test_against_names_sources() -> None:
    assert parse_against(["samples"]) == dict.fromkeys(NAMES, "samples")
    assert parse_against(["none"]) == parse_against([]) == {}
    assert parse_against(["hub", "mbppplus=a=b"]) == {
        **dict.fromkeys(NAMES, "hub"), "mbppplus": "a=b",
    }  # fmt: skip
    for wrong in (["none", "hub"], ["apps=hub"], ["here"], [""]):
        with pytest.raises(UserError):
            parse_against(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_an_evaluation_set_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n')
    for source in (str(tmp_path / "none.jsonl"), str(tmp_path / "rows.jsonl")):
        with pytest.raises(UserError, match=name):
            read_evaluation_set(name, source)


def test_rows_whose_tests_cannot_be_used_have_a_statement_still(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"question_id": "1", "question_content": "Count cows.", "private_test_cases": "broken"},
        {"question_id": "2", "question_content": None},
    ]
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_evaluation_set("livecodebench", str(path))
    assert found.statements == (Statement("livecodebench", "1", "Count cows."),)
    assert len(found.unusable) == 1


def test_a_folder_laid_out_like_the_hubs_gives_the_split_that_is_evaluated_on(
    tmp_path: Path,
) -> None:
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.jsonl").write_text(
            json.dumps({"name": split, "description": "d"}) + "\n"
        )
    found = read_evaluation_set("codecontests", str(tmp_path))
    assert [statement.id for statement in found.statements] == ["test"]

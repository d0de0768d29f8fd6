"""Which problems are kept, and why the others are not; and on which side of the split they are."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems import Problem, StdioCase
from ctrl_harness.training.filters import (
    NAMES,
    Duplicates,
    Length,
    filter_names,
    make_filters,
)
from ctrl_harness.training.splits import DEFAULT, Shares
from ctrl_harness.training.taco import TacoProblem

FACTS = {"pictures": 0, "tests_left_out": {}, "special_judge": False, "function": None}


def item(question: str = "Count the cows.", tests: int = 3, **facts: Any) -> TacoProblem:
    cases = tuple(StdioCase(str(number), str(number)) for number in range(tests))
    problem = Problem("train/0", "taco", question, cases, metadata=FACTS | facts)
    return TacoProblem(problem, question)


def kept(name: str, *items: TacoProblem) -> list[bool]:
    ((_, reason),) = make_filters([name], None)
    return [reason(one) is None for one in items]


class Words:
    """As much of a tokenizer as is asked for."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


# -- filters


def test_ctrl_keeps_statements_of_more_than_64_and_fewer_than_2048_tokens() -> None:
    length = Length(Words())
    reasons = {n: length(item("w " * n)) for n in (1, 64, 65, 2047, 2048, 5000)}
    assert [n for n, reason in reasons.items() if reason is None] == [65, 2047]
    assert reasons[64] == "the statement has 64 tokens or fewer"
    assert reasons[2048] == "the statement has 2048 tokens or more"


def test_tokens_of_the_example_that_was_added_do_not_count() -> None:
    one = item("w " * 64)
    longer = replace(one, problem=replace(one.problem, statement=one.question + "w w w"))
    assert Length(Words())(longer) is not None


@pytest.mark.parametrize(
    "question",
    ["See <image> below.", 'A map: <img src="m.png">', "![map](https://example.org/m.png)"],
)
def test_statements_with_pictures_are_dropped(question: str) -> None:
    assert kept("pictures", item(question), item(pictures=2), item("An image of cows.")) == [
        False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "question",
    ['<span class="x">n</span> cows', "a </div> b", "cows \ufffd bulls", "x &lt; y",
     '<script type="math/tex">n</script>'],
)  # fmt: skip
def test_statements_with_broken_markup_are_dropped(question: str) -> None:
    sound = item("Is a < b and b > c? The life span of <n> cows & bulls.")
    assert kept("markup", item(question), sound) == [False, True]


def test_one_of_several_equal_statements_is_kept() -> None:
    first, again = item("Count $n$ cows."), item("count  n\ncows")
    assert kept("duplicates", first, again, item("Count m cows."), first) == [
        True, False, True, False,
    ]  # fmt: skip
    assert Duplicates()(again) is None


def test_stricter_filters() -> None:
    assert kept("two-tests", item(tests=1), item(tests=2)) == [False, True]
    assert kept("all-tests", item(tests_left_out={"x": 1}), item()) == [False, True]
    assert kept("no-special-judge", item(special_judge=True), item()) == [False, True]
    assert kept("no-calls", item(function="f"), item()) == [False, True]


def test_ctrl_keeps_rows_of_a_single_test_and_those_with_several_answers() -> None:
    names = [name for name in filter_names("ctrl") if name != "length"]
    for one in (item(tests=1), item(special_judge=True), item(function="f")):
        assert [reason(one) for _, reason in make_filters(names, None)] == [None] * 3


def test_filters_are_named_alone_and_in_presets() -> None:
    assert filter_names("ctrl") == ("length", "pictures", "markup", "duplicates")
    assert filter_names(" two-tests, markup,markup ") == ("markup", "two-tests")
    assert filter_names("none") == ()
    assert set(filter_names("strict")) > set(filter_names("ctrl"))
    assert filter_names("duplicates,no-calls,ctrl")[-1] == "duplicates"
    assert set(filter_names(",".join(NAMES))) == set(NAMES)
    for wrong in ("ctr", "", "ctrl;markup"):
        with pytest.raises(UserError, match=r"choose among|is empty"):
            filter_names(wrong)


# -- tokenizers


def test_without_a_tokenizer_the_length_filter_is_one_sentence() -> None:
    with pytest.raises(UserError, match="--tokenizer NAME_OR_FOLDER"):
        make_filters(["length"], None)
    with pytest.raises(UserError, match=r"no folder \./none"):
        make_filters(["length"], "./none")


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"ctrl-harness\[training\]"):
        make_filters(["length"], "gpt2")


def test_any_tokenizer_of_transformers_counts(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "cow": 1}, unk_token="[UNK]")
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]")
    made.save_pretrained(tmp_path / "tiny")
    ((_, length),) = make_filters(["length"], str(tmp_path / "tiny"))
    assert [length(item("cow ox " * n)) is None for n in (32, 33, 1023, 1024)] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("files", [{}, {"tokenizer.json": "{"}, {"tokenizer_config.json": "[]"}])
def test_a_folder_without_a_tokenizer_is_one_sentence(
    tmp_path: Path, files: dict[str, str]
) -> None:
    pytest.importorskip("transformers")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        make_filters(["length"], str(tmp_path))
    assert "\n" not in str(caught.value)


# -- splits


def test_a_problems_split_follows_from_its_id_and_the_seed_alone() -> None:
    shares = Shares.parse(DEFAULT)
    ids = [f"train/{number}" for number in range(20_000)]
    first = {name: shares.of(name, 7) for name in ids}
    assert {name: shares.of(name, 7) for name in reversed(ids)} == first
    counts = Counter(split for (split,) in first.values())
    assert {name: round(count / len(ids), 2) for name, count in counts.items()} == {
        "sft": 0.4, "rl": 0.55, "val": 0.05,
    }  # fmt: skip
    moved = sum(shares.of(name, 8) != first[name] for name in ids)
    assert 0.4 < moved / len(ids) < 0.6


def test_val_stays_the_same_when_sft_and_rl_share_their_problems() -> None:
    apart, together = Shares(0.4, 0.5, 0.1), Shares(0.45, 0.45, 0.1, overlap=True)
    for name in map(str, range(2_000)):
        assert (apart.of(name, 0) == ("val",)) == (together.of(name, 0) == ("val",))
        assert together.of(name, 0) in (("val",), ("sft", "rl"))


def test_shares_may_leave_a_split_empty() -> None:
    shares = Shares.parse("rl=1")
    assert {shares.of(str(number), 0) for number in range(100)} == {("rl",)}


@pytest.mark.parametrize("text", ["", "sft=0.5", "sft=1,rl=0.5", "sft=2,rl=-1", "a=1", "sft=x",
                                  "sft=0.5,sft=0.5", "sft=nan,rl=1"])  # fmt: skip
def test_shares_that_are_none_are_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"sft=0\.4,rl=0\.55,val=0\.05"):
        Shares.parse(text)


def test_facts_asked_for_are_those_that_rows_have() -> None:
    from ctrl_harness.training.taco import SAMPLES, problem_of

    row = json.loads(SAMPLES.read_text(encoding="utf-8").splitlines()[0])
    assert FACTS.keys() <= problem_of("a", row).problem.metadata.keys()

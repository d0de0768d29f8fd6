"""Frozen drafts: what is read is what was written, to the byte, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.critique.critic import Critique, Draft
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.frozen import (
    Frozen,
    FrozenDrafts,
    draft_digest,
    read_drafts,
    watched,
    write_drafts,
)
from ctrl_harness.problems.problem import Problem

TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)


@given(st.dictionaries(st.tuples(st.text(max_size=5), st.integers(1, 9)), TEXTS, min_size=1))
@settings(max_examples=60, deadline=None)
def test_drafts_come_back_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[tuple[str, int], str]
) -> None:
    path = tmp_path_factory.mktemp("drafts") / "drafts.jsonl"
    drafts = FrozenDrafts("mbppplus", {"model": "m"}, (Frozen(*k, v) for k, v in texts.items()))
    write_drafts(path, drafts)
    again = read_drafts(path)
    assert list(again) == list(drafts)
    assert (again.digest, again.origin) == (drafts.digest, {"model": "m"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "drafts.jsonl"
    drafts = [Frozen("a", 1, "one", "digest"), Frozen("a", 2, "two"), Frozen("b", 1, "three")]
    write_drafts(found, FrozenDrafts("mbppplus", {}, drafts))
    return found


def test_a_draft_is_found_by_problem_and_epoch(path: Path) -> None:
    drafts = read_drafts(path)
    assert (drafts.problems, drafts.epochs, len(drafts)) == (["a", "b"], 2, 3)
    assert drafts.of("a", 1, "digest").completion == "one"
    assert drafts.of("a", 2, "whatever").completion == "two"
    with pytest.raises(UserError, match="no draft of b, epoch 2, was frozen"):
        drafts.of("b", 2, "digest")
    with pytest.raises(UserError, match="was written for other rows or tests"):
        drafts.of("a", 1, "another")


def test_a_cut_or_changed_file_is_refused(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[:-20])
    with pytest.raises(UserError, match="was cut off"):
        read_drafts(path)
    path.write_text("".join(text.splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match="should hold 3 drafts and holds 2"):
        read_drafts(path)
    path.write_text(text.replace("three", "threw"))
    with pytest.raises(UserError, match=r"the draft of b in .* was changed"):
        read_drafts(path)
    path.write_text(json.dumps({"some": "json"}))
    with pytest.raises(UserError, match="holds no frozen drafts"):
        read_drafts(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_drafts(path.with_name("none"))


def test_two_drafts_of_one_place_and_none_at_all_are_refused() -> None:
    with pytest.raises(UserError, match="two drafts of a, epoch 1"):
        FrozenDrafts("mbppplus", {}, [Frozen("a", 1, "x"), Frozen("a", 1, "y")])
    with pytest.raises(UserError, match="no draft to freeze"):
        FrozenDrafts("mbppplus", {}, [])


def test_what_a_critic_is_handed_is_recorded() -> None:
    seen: dict[str, str] = {}

    async def critic(problem: Problem, draft: Draft) -> Critique:
        return Critique("…", "missing")

    problem = Problem("p", "codecontests", "Echo.", cases=(), public_cases=())
    first, second = Draft("text", "program", 0), Draft("other", None, 1)
    anyio.run(watched(critic, seen), problem, first)
    anyio.run(watched(critic, seen), problem, second)
    assert seen == {"ctrl_harness:draft_seen": draft_digest(first)}
    assert draft_digest(first) != draft_digest(Draft("text", "Program", 0))

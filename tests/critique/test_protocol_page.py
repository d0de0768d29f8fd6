"""docs/protocols.md and the protocols agree, and what it says of the paper's numbers adds up."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.protocol import (
    PROTOCOLS,
    Sampling,
    Settings,
    describe,
    identity,
    protocol,
    refuse_mixture,
    stage_of,
)
from ctrl_harness.errors import UserError
from ctrl_harness.problems.catalog import CATALOG, EXECUTABLE


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "protocols.md").read_text(encoding="utf-8")


def table_after(page: str, header: str) -> list[list[str]]:
    """The cells of the table whose first line this is, without the marks of code."""
    lines = page.split("\n")
    start = lines.index(header) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def as_said(value: Any) -> str:
    """A setting's value as the page writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- the page


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("dataset", EXECUTABLE)
def test_the_page_states_every_setting(page: str, name: str, dataset: str) -> None:
    shared = table_after(page, "| setting | `default` | `ctrl` |")
    own = table_after(page, "| task | setting | `default` | `ctrl` |")
    column = {"default": 0, "ctrl": 1}[name]
    stated = {setting: values[column] for setting, *values in shared}
    stated |= {setting: values[column] for task, setting, *values in own if task == dataset}
    assert stated == {key: as_said(v) for key, v in protocol(name, dataset).as_json().items()}


def test_the_page_states_how_each_call_is_sampled(page: str) -> None:
    header = (
        "| call | messages | temperature | top_p | max_tokens | repetition_penalty |"
    )
    rows = {stage: values for stage, _, *values in table_after(page, header)}
    for stage in ("draft", "critique", "revision"):
        expected = protocol("ctrl", "codecontests").sampling(stage)  # type: ignore[arg-type]
        assert rows[stage] == [as_said(value) for value in expected]


def test_the_number_of_calls_adds_up(page: str) -> None:
    settings = protocol("ctrl", "codecontests")
    calls = settings.epochs * (1 + 2 * settings.turns)
    told = (
        f"{settings.epochs} epochs × (1 draft + {settings.turns} critiques + {settings.turns} "
        f"revisions) = {calls} calls"
    )
    assert told in page
    assert f"165 problems × {calls} calls = {165 * calls:,} calls" in page


# -- the paper's Table 1: Pass@1, Δ↑ and Δ↓ in per cent of 165 problems × 5 seeds

TABLE_1 = (
    (7.88, 0.00, 0.00), (8.97, 2.42, 1.33), (11.76, 3.88, 0.00), (8.36, 2.30, 1.82),
    (8.36, 3.52, 3.03), (11.76, 4.73, 0.85), (14.18, 7.27, 0.97), (15.15, 8.12, 0.85),
)  # fmt: skip


def test_the_paper_s_shares_are_shares_of_all_pairs(page: str) -> None:
    zero_shot = TABLE_1[0][0]
    for passed, up, down in TABLE_1:
        assert passed == pytest.approx(zero_shot + up - down, abs=0.0101)
    counts = [round(passed * 825 / 100) for passed, _, _ in TABLE_1]
    assert [round(100 * count / 825, 2) for count in counts] == [row[0] for row in TABLE_1]
    *first, last = map(str, counts)
    assert f"{', '.join(first)} and {last} of 825" in re.sub(r"\s+", " ", page)


# -- protocols


def test_a_protocol_names_what_its_loader_takes() -> None:
    for by_dataset in PROTOCOLS.values():
        assert tuple(by_dataset) == EXECUTABLE
        for dataset, settings in by_dataset.items():
            assert {*settings.rows, "revision"} == set(CATALOG[dataset].options)


def test_a_protocol_is_frozen() -> None:
    settings = protocol("ctrl", "mbppplus")
    with pytest.raises(FrozenInstanceError):
        settings.turns = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.rows["tests"] = "public"  # type: ignore[index]
    with pytest.raises(TypeError):
        PROTOCOLS["ctrl"]["mbppplus"] = settings  # type: ignore[index]


def test_an_unknown_protocol_is_a_sentence_with_the_choices() -> None:
    with pytest.raises(UserError, match=r"^unknown protocol 'paper'; choose .* default, ctrl$"):
        protocol("paper", "mbppplus")


def test_revisions_are_sampled_apart() -> None:
    settings = Settings({}, temperature=0.7, revision_temperature=0.0, top_p=0.8)
    assert settings.sampling("draft") == settings.sampling("critique") == Sampling(0.7, 0.8)
    assert settings.sampling("revision") == Sampling(0.0, 0.8)
    calls = [Call("generator", 0, ()), Call("critic", 1, ()), Call("generator", 1, ())]
    assert [stage_of(call) for call in calls] == ["draft", "critique", "revision"]


def test_what_was_changed_is_told_by_name() -> None:
    settings = protocol("ctrl", "mbppplus").changed({"tests": "public", "turns": 1, "top_p": 0.8})
    facts = describe("ctrl", "mbppplus", settings)
    assert facts["changed"] == {"tests": "public", "turns": 1}
    assert (facts["turns"], facts["temperature"]) == (1, 0.7)
    assert "tests" not in facts and "epochs" not in facts  # the reference, and Inspect, say these


def test_logs_of_one_protocol_agree_whatever_their_arm() -> None:
    def told(**given: Any) -> str:
        settings = protocol("ctrl", "mbppplus").changed(given)
        return identity(describe("ctrl", "mbppplus", settings))

    assert told() == told(critic="execution", turns=2, votes=3) == "ctrl"
    assert told(top_p=0.9, history="full") == "ctrl with history=full, top_p=0.9"
    assert identity({}) == "none (made without protocols)"


def facts(name: str, dataset: str = "mbppplus", **given: Any) -> dict[str, Any]:
    """A log's metadata, as far as it tells of the protocol."""
    settings = protocol(name, dataset).changed(given)
    return {"problem_set": {"dataset": dataset}, **describe(name, dataset, settings)}


@pytest.mark.parametrize(
    "logs",
    [
        [facts("ctrl")] * 2,
        [facts("ctrl"), facts("ctrl", critic="execution", turns=1)],
        [facts("default", "mbppplus"), facts("default", "livecodebench", start="2024-08-01")],
        [{}, {}],
        [],
    ],
)
def test_logs_of_one_protocol_go_together(logs: list[dict[str, Any]]) -> None:
    refuse_mixture(logs)


@pytest.mark.parametrize(
    ("logs", "told"),
    [
        ([facts("ctrl"), facts("default")], "ctrl; default"),
        ([facts("ctrl", "mbppplus"), facts("default", "codecontests")], "ctrl; default"),
        ([facts("ctrl"), facts("ctrl", top_p=1.0)], "ctrl; ctrl with top_p=1.0"),
        ([facts("default"), {}], "default; none (made without protocols)"),
    ],
)
def test_logs_of_two_protocols_do_not(logs: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(UserError) as caught:
        refuse_mixture(logs)
    assert f"({told})" in str(caught.value)
    assert "--mix-protocols" in str(caught.value)


def test_logs_whose_prompt_set_was_edited_in_between_are_refused() -> None:
    facts = {**describe("ctrl", "mbppplus", protocol("ctrl", "mbppplus")), "prompts_digest": "a"}
    refuse_mixture([facts, facts])
    with pytest.raises(UserError, match="different words"):
        refuse_mixture([facts, {**facts, "prompts_digest": "b"}])

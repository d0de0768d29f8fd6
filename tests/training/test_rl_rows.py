"""One row of the RL parquet: what goes in comes out, whatever Arrow, numpy and verl do between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pytest

from ctrl_harness.critique.critic import Draft, as_critics_see_it
from ctrl_harness.errors import UserError
from ctrl_harness.problems import CallCase, Limits, Problem, ScriptCase, StdioCase
from ctrl_harness.training.rl_rows import (
    DraftVerdict,
    Episode,
    EpisodeSettings,
    arrow_schema,
    prompts_of,
)

PROBLEM = Problem(
    id="sum",
    dataset="taco",
    statement="Add two numbers. Zwei Zahlen, größer als 0.",
    cases=(
        StdioCase("1 2\n", "3\n"),
        CallCase("f", ((1, 2), {"a": {3}}, float("inf")), (b"x", None), oracle="set", atol=0.5),
        ScriptCase("assert f(1) == 2"),
    ),
    public_cases=(StdioCase("1 2\n", "3\n"),),
    limits=Limits(time_s=2.5),
    starter_code="def f(): ...",
    reference="def f(*a): return 1",
    comparator="taco",
    metadata={"difficulty": "EASY"},
)
EPISODE = Episode(
    PROBLEM,
    Draft("Here:\n```python\nprint(1)\n```", "print(1)"),
    DraftVerdict("wrong_answer", 1, 3, "d" * 64),
    EpisodeSettings("default", "last_fence", "default", "row*2", output_mb="64"),
    split="val",
    index=7,
    draft_number=2,
)


def through_parquet(rows: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    table = pyarrow.Table.from_pylist(rows, schema=arrow_schema())
    pyarrow.parquet.write_table(table, path)
    read: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return read


def test_an_episode_comes_back_from_parquet_with_every_digest(tmp_path: Path) -> None:
    (row,) = through_parquet([EPISODE.to_row()], tmp_path / "rl.parquet")
    episode = Episode.from_extra_info(row["extra_info"])
    assert episode == EPISODE
    assert episode.problem.digest() == PROBLEM.digest()


def test_a_row_that_was_written_before_output_limits_has_the_problem_s_own() -> None:
    info = EPISODE.to_row()["extra_info"]
    settings = json.loads(info["settings"])
    assert settings.pop("output_mb") == "64"
    old = Episode.from_extra_info({**info, "settings": json.dumps(settings)})
    assert old.settings == EPISODE.settings._replace(output_mb="row")


def test_numpy_types_and_keys_that_verl_adds_change_nothing() -> None:
    info = dict(EPISODE.to_row()["extra_info"])
    info = {key: numpy.str_(v) if isinstance(v, str) else numpy.int64(v) for key, v in info.items()}
    info |= {"global_steps": 3, "num_turns": numpy.int32(2), "tools_kwargs": {}}
    episode = Episode.from_extra_info(info)
    assert episode == EPISODE
    assert type(episode.split) is str
    assert type(episode.index) is int


def test_the_prompt_is_what_a_critic_is_asked_in_an_evaluation() -> None:
    seen = prompts_of("default", "taco").critique(as_critics_see_it(PROBLEM), EPISODE.draft)
    asked = [{"role": message.role, "content": message.content} for message in seen]
    assert EPISODE.to_row()["prompt"] == asked


def test_rows_of_one_problem_share_it_once_read() -> None:
    info = EPISODE.to_row()["extra_info"]
    first, second = (Episode.from_extra_info(dict(info)) for _ in range(2))
    assert first.problem is second.problem


def test_lone_surrogates_in_tests_survive_and_in_the_prompt_are_refused() -> None:
    odd = Problem(id="p", dataset="taco", statement="ok", cases=(StdioCase("\ud800", "\udfff"),))
    episode = Episode(odd, EPISODE.draft, EPISODE.verdict)
    assert Episode.from_extra_info(episode.to_row()["extra_info"]).problem == odd
    broken = Episode(
        Problem(id="p", dataset="taco", statement="\ud800", cases=odd.cases),
        EPISODE.draft,
        EPISODE.verdict,
    )
    with pytest.raises(UserError, match="not Unicode"):
        broken.to_row()


@pytest.mark.parametrize(
    "change",
    [
        {"problem": None},
        {"problem": "{}"},
        {"draft": "[1]"},
        {"draft_verdict": '{"status": "fine", "n_passed": 0, "n_cases": 1, "digest": "d"}'},
        {"settings": '{"extraction": "psychic"}'},
        {"settings": '{"output_mb": "much"}'},
        {"settings": '{"unknown": 1}'},
        {"index": "first"},
    ],
)
def test_another_row_is_refused_in_one_sentence(change: dict[str, Any]) -> None:
    info = {**EPISODE.to_row()["extra_info"], **change}
    with pytest.raises(UserError, match="ctrl-harness synthesize"):
        Episode.from_extra_info(info)
    with pytest.raises(UserError, match="KeyError"):
        Episode.from_extra_info({"index": 1})

"""The scripted model of the demonstration: GRPO has something to learn from it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

STATEMENT = "Print twice the number."
RIGHT, WRONG = "print(2 * int(input()))", "print(3 * int(input()))"
DRAFT = [{"role": "user", "content": f"Solve this.\n\n{STATEMENT}\n"}]


@pytest.fixture(scope="module")
def scripted(root: Path) -> ModuleType:
    path = root / "examples" / "train_demo" / "scripted_model.py"
    spec = importlib.util.spec_from_file_location("scripted_model", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(scripted: ModuleType) -> Any:
    return scripted.ScriptedModel([scripted.Known(STATEMENT, (RIGHT,), (WRONG,))])


def revision(program: str, critique: str) -> list[dict[str, str]]:
    return [
        *DRAFT,
        {"role": "assistant", "content": f"```python\n{program}\n```"},
        {"role": "user", "content": f"A reviewer wrote:\n\n{critique}"},
    ]


def test_its_drafts_are_right_for_some_seeds_and_wrong_for_others(model: Any) -> None:
    drafts = [model.answer("generator", DRAFT, seed) for seed in range(20)]
    assert {RIGHT in draft for draft in drafts} == {True, False}
    assert drafts == [model.answer("generator", DRAFT, seed) for seed in range(20)]


@pytest.mark.parametrize("program", [RIGHT, WRONG])
@pytest.mark.parametrize("judgement", ["Correct", "Incorrect"])
def test_its_revision_is_right_just_where_the_critique_is(
    model: Any, program: str, judgement: str
) -> None:
    critique = f"Analysis: read.\n\nOverall judgment: {judgement}"
    revised = model.answer("generator", revision(program, critique), 0)
    assert (RIGHT in revised) == ((judgement == "Correct") == (program == RIGHT))


def test_a_critique_without_a_judgement_changes_nothing(model: Any) -> None:
    assert WRONG in model.answer("generator", revision(WRONG, "Hm."), 0)


def test_as_a_critic_it_knows_right_from_wrong(scripted: ModuleType, model: Any) -> None:
    for program, said in ((RIGHT, scripted.RIGHT), (WRONG, scripted.WRONG)):
        question = f"{STATEMENT}\n\n## Attempt\n\n```python\n{program}\n```"
        assert model.answer("critic", [{"role": "user", "content": question}], 0) == said


def test_it_answers_behind_a_port(scripted: ModuleType, model: Any) -> None:
    with scripted.served(model) as url:
        names = {entry["id"] for entry in httpx.get(f"{url}/models").json()["data"]}
        body = {"model": "generator", "messages": DRAFT, "seed": 3}
        answer = httpx.post(f"{url}/chat/completions", json=body).json()
    assert names == {"generator", "critic"}
    message = answer["choices"][0]["message"]["content"]
    assert message == model.answer("generator", DRAFT, 3)

"""Each call has a seed and a cache entry of its own, and the next run has the same ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, get_model

from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.seeds import call_seed
from ctrl_harness.evaluation.gguf import gguf
from ctrl_harness.evaluation.named_models import MODELS
from ctrl_harness.evaluation.weights import model_path
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.mbppplus import mbppplus

assert gguf, "importing it registers the provider"

ID = "Mbpp/9001"
EPOCHS = 5


# -- the seed of a call


def test_a_seed_depends_on_all_that_tells_calls_apart():
    draft, critique = Call("generator", 0, ()), Call("critic", 1, ())
    seeds = [
        call_seed(1, "a", 1, draft),
        call_seed(2, "a", 1, draft),
        call_seed(1, "b", 1, draft),
        call_seed(1, "a", 2, draft),
        call_seed(1, "a", 1, replace(draft, turn=1)),
        call_seed(1, "a", 1, critique),
        call_seed(1, "a", 1, replace(critique, vote=1)),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 - 1 for seed in seeds)


def test_a_seed_is_the_same_in_every_version():
    # sha256 of [1, "a", 1, 0, "generator", 0], its first 8 bytes, modulo 2^31 - 1
    assert call_seed(1, "a", 1, Call("generator", 0, ())) == 10941869


def calls(log: EvalLog) -> list[Any]:
    assert log.status == "success", log.error
    events = [event for sample in log.samples for event in sample.events]
    return [event for event in events if event.event == "model"]


@pytest.fixture
def script(new_script) -> str:
    chains = new_script()
    chains.chain(ID, ["print(1)"] * 3, ["incorrect"] * 2)
    name: str = chains.save()
    return name


def test_every_call_of_a_run_has_its_own_and_a_rerun_the_same(script, run_eval, executor):
    def seeds(seed: int) -> list[int]:
        task = mbppplus(source="samples", executor=executor, turns=2, epochs=2)
        return [call.config.seed for call in calls(run_eval(task, script, seed=seed, sample_id=ID))]

    first = seeds(1)
    assert len(set(first)) == len(first) == 2 * 5
    assert seeds(1) == first
    assert not set(seeds(2)) & set(first)


def test_a_role_may_have_a_seed_of_its_own(script, run_eval, executor):
    critic = get_model(script, config=GenerateConfig(seed=7))
    task = mbppplus(source="samples", executor=executor)
    log = run_eval(task, script, sample_id=ID, model_roles={"critic": critic})
    draft, critique, revision = (call.config.seed for call in calls(log))
    assert (draft, revision) == (None, None)
    assert critique == call_seed(7, ID, 1, Call("critic", 1, ()))


# -- the cache


@pytest.fixture
def own_answers(tmp_path, monkeypatch) -> None:
    """A cache of answers of this test's own."""
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "answers"))


def critiques(log: EvalLog) -> list[str]:
    (sample,) = log.samples
    return [critique["text"] for critique in sample.metadata["ctrl_harness:chain"]["critiques"]]


@pytest.mark.usefixtures("own_answers")
def test_the_same_question_in_another_turn_is_another_answer(new_script, run_eval, executor):
    script = new_script()
    script.chain(ID, ["print(1)"] * 3)  # the same program each time, so the same question
    script.line(ID, "critic", 1, "The first look. Overall judgment: Incorrect")
    script.line(ID, "critic", 2, "The second look. Overall judgment: Incorrect")
    model = script.save()

    def run() -> EvalLog:
        task = mbppplus(source="samples", executor=executor, turns=2)
        log: EvalLog = run_eval(task, model, sample_id=ID, cache=True)
        return log

    first = run()
    assert [text[:9] for text in critiques(first)] == ["The first", "The secon"]
    assert [call.cache for call in calls(first)] == ["write"] * 5
    again = run()
    assert critiques(again) == critiques(first)
    assert [call.cache for call in calls(again)] == ["read"] * 5


# -- a server that honours seeds


def drafts(log: EvalLog) -> list[str]:
    assert log.status == "success", log.error
    ordered = sorted(log.samples, key=lambda sample: sample.epoch)
    return [sample.metadata["ctrl_harness:chain"]["completions"][0] for sample in ordered]


def run_twice(
    run_eval: Any, executor: str, model: str, arguments: dict[str, int], **given: Any
) -> tuple[EvalLog, EvalLog]:
    logs = []
    for _ in range(2):
        opened = get_model(model, memoize=False, parallel=1, **arguments)
        task = codecontests(
            source="samples", protocol="ctrl", executor=executor, epochs=EPOCHS, **given
        )
        logs.append(run_eval(task, opened, sample_id="sample_egg_cartons", seed=3))
        opened.api.close()
    return logs[0], logs[1]


@pytest.mark.usefixtures("own_cache")
def test_five_epochs_give_five_drafts_and_a_rerun_gives_them_again(
    tiny_gguf: Path, run_eval, executor
):
    small = {"threads": 1, "n_ctx": 2048}
    first, again = run_twice(
        run_eval, executor, f"gguf/{tiny_gguf}", small, turns=1, max_tokens=24
    )
    assert len(set(drafts(first))) == EPOCHS
    assert drafts(again) == drafts(first)
    written = [[call.output.completion for call in calls(log)] for log in (first, again)]
    assert len(written[0]) == EPOCHS * 3
    assert sorted(written[1]) == sorted(written[0])
    said = [call.output.completion for call in calls(first) if call.role == "critic"]
    assert len(set(said)) == EPOCHS


@pytest.mark.slow
def test_the_named_model_writes_five_drafts_and_the_same_ones_again(run_eval, executor):
    name = "qwen2.5-coder-0.5b"
    if not model_path(MODELS[name]).exists():
        pytest.skip(f"run `ctrl-harness models pull {name}` first")
    first, again = run_twice(run_eval, executor, f"gguf/{name}", {}, turns=0, max_tokens=160)
    assert len(set(drafts(first))) == EPOCHS
    assert drafts(again) == drafts(first)

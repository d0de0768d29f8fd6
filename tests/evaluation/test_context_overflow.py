"""A critique that the generator's context has no room for: its own loss, and no lost sample.

Against a server on a real port that refuses long requests as llama.cpp's does, in words that
Inspect's provider does not know, or as OpenAI's does, which Inspect turns into an answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import get_model

from ctrl_harness.analysis.logs import read_chains
from ctrl_harness.evaluation.record import ChainRecord
from ctrl_harness.tasks.mbppplus import mbppplus

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from json_service import JsonService, chat_completion, serving

ID = "Mbpp/9001"
OPENAI = {"code": "context_length_exceeded", "type": "invalid_request_error",
          "message": "Your input exceeds the context window of this model."}  # fmt: skip
LLAMA = {
    "code": 400,
    "type": "exceed_context_size_error",
    "message": "request (4476 tokens) exceeds the available context size (4096 tokens)",
}
LONG = "Look at line one again. " * 2_000


class _Service(JsonService):
    """A generator and a critic, whose next programs and critiques stand in lists.

    error: what it refuses requests with that have more than `room` characters.
    """

    error: dict[str, Any]
    room: int
    room_of_critic: int
    critiques: list[str]
    programs: list[str]
    asked: list[str]

    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        messages = [message["content"] for message in body["messages"]]
        role = "critic" if body["model"] == "critic" else "generator"
        self.asked.append(role)
        room = self.room if role == "generator" else self.room_of_critic
        if sum(map(len, messages)) > room:
            return 400, {"error": self.error}
        if role == "critic":
            text = self.critiques.pop(0)
        else:
            text = f"```python\n{self.programs.pop(0)}\n```"
        return 200, chat_completion(text)


@pytest.fixture
def service() -> Iterator[Any]:
    handler = type(
        "Handler",
        (_Service,),
        {"room": 20_000, "room_of_critic": 90_000, "asked": [], "error": LLAMA},
    )
    with serving(handler) as url:
        handler.address = f"{url}/v1"
        yield handler


def models(service: Any) -> dict[str, Any]:
    pytest.importorskip("openai", reason="the provider openai-api needs it")
    generator, critic = (
        get_model(f"openai-api/here/{name}", base_url=service.address, api_key="none",
                  memoize=False)
        for name in ("generator", "critic")
    )  # fmt: skip
    return {"model": generator, "model_roles": {"critic": critic}}


@pytest.fixture
def programs(sample_programs) -> Any:
    (found,) = (one for one in sample_programs("mbppplus") if one.id == ID)
    return found


@pytest.mark.parametrize("error", [LLAMA, OPENAI], ids=["llama.cpp", "openai"])
def test_its_revision_counts_as_failed_and_the_chain_goes_on(
    run_eval, executor, service, programs, error
):
    service.error = error
    service.programs = [programs.right[0], programs.right[0]]
    service.critiques = [f"{LONG}\n\nOverall judgment: Incorrect", "Overall judgment: Incorrect"]
    task = mbppplus(source="samples", executor=executor, turns=2)
    log = run_eval(task, sample_id=ID, **models(service))
    assert log.status == "success", log.error
    (sample,) = log.samples
    score = sample.scores["chain_verdicts"]
    assert [score.value[f"turn_{turn}"] for turn in range(3)] == [1, 0, 1]
    assert [verdict["status"] for verdict in score.metadata["verdicts"]] == [
        "accepted", "no_code", "accepted",
    ]  # fmt: skip
    assert score.metadata["malformed"] == ["context_overflow", None]
    assert "in a critique that no generator can read (context_overflow)" in score.explanation
    metrics = log.results.scores[0].metrics
    assert metrics["malformed_critiques"].value == 1
    assert metrics["delta_down_turn_1"].value == 1
    # the calls that were answered are told apart as ever
    (logged,) = read_chains(Path(log.location))
    assert [call.role for call in logged.calls] == ["generator", "critic", "critic", "generator"]


def test_the_critique_and_its_judgement_stay_in_the_record(run_eval, executor, service, programs):
    service.programs = [programs.wrong[0]]
    service.critiques = [f"{LONG}\n\nOverall judgment: Incorrect"]
    log = run_eval(mbppplus(source="samples", executor=executor), sample_id=ID, **models(service))
    record = ChainRecord.read(log.samples[0].metadata)
    (critique,) = record.critiques
    assert (critique.judgement, critique.malformed) == ("incorrect", "context_overflow")
    assert critique.text.startswith("Look at line one")
    assert record.completions[1] == ""


def test_a_draft_without_room_is_nobody_s_critique(run_eval, executor, service):
    service.room = 10
    task = mbppplus(source="samples", executor=executor)
    log = run_eval(task, sample_id=ID, fail_on_error=False, **models(service))
    (sample,) = log.samples
    assert sample.error is not None and not sample.scores
    assert "does not fit into the context of here/generator" in sample.error.message
    assert "serve it with a longer context" in sample.error.message
    assert service.asked == ["generator"]


def test_a_critic_without_room_for_the_draft_has_said_nothing(
    run_eval, executor, service, programs
):
    service.programs = [programs.wrong[0], programs.right[0]]
    service.room_of_critic = 10
    log = run_eval(mbppplus(source="samples", executor=executor), sample_id=ID, **models(service))
    assert log.status == "success", log.error
    (critique,) = ChainRecord.read(log.samples[0].metadata).critiques
    assert (critique.text, critique.judgement, critique.cut_off) == ("", "missing", True)
    assert critique.malformed is None
    assert log.samples[0].scores["chain_verdicts"].value["turn_1"] == 1


def test_a_branch_of_a_tree_is_lost_alone(run_eval, executor, service, programs):
    service.programs = [programs.wrong[0], programs.right[0]]
    service.critiques = [f"{LONG}\n\nOverall judgment: Incorrect", "Overall judgment: Incorrect"]
    task = mbppplus(source="samples", executor=executor, branches="2")
    log = run_eval(task, sample_id=ID, max_connections=1, **models(service))
    assert log.status == "success", log.error
    value = log.samples[0].scores["chain_verdicts"].value
    assert (value["turn_1"], value["branch_1:turn_1"]) == (0, 1)
    assert log.results.scores[0].metrics["malformed_critiques"].value == 1
    calls = [call.role for chain in read_chains(Path(log.location)) for call in chain.calls]
    assert calls == ["generator", "critic", "critic", "generator"]

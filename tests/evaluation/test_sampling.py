"""How each call is asked: the protocol before a role before the command; what is left out, and
that it is said."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, get_model

from ctrl_harness.evaluation import sampling
from ctrl_harness.tasks.mbppplus import mbppplus

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from json_service import JsonService, chat_completion, serving

ID, OTHER = "Mbpp/9001", "Mbpp/9002"
STAGES = ("draft", "critique", "revision")


@pytest.fixture
def script(new_script) -> str:
    chains = new_script()
    for name in (ID, OTHER):
        chains.chain(name, ["print(1)", "print(2)"], ["incorrect"])
    name: str = chains.save()
    return name


@pytest.fixture
def ask(script, run_eval, executor, caplog) -> Any:
    """One turn under `protocol=ctrl`; the log, and the warnings of its sampling."""

    def run(
        model: Any = None, given: dict[str, Any] | None = None, **settings: Any
    ) -> tuple[EvalLog, list[str]]:
        changed = {"turns": 1, "epochs": 1, **(given or {})}
        task = mbppplus(source="samples", protocol="ctrl", executor=executor, **changed)
        with caplog.at_level(logging.WARNING, logger=sampling.__name__):
            log = run_eval(task, model or script, **{"sample_id": ID, **settings})
        assert log.status == "success", log.error
        records = [record for record in caplog.records if record.name == sampling.__name__]
        # Inspect puts the sample on a line before the message
        told = [record.getMessage().rpartition("\n")[2] for record in records]
        return log, told

    return run


def configs(log: EvalLog) -> list[GenerateConfig]:
    """Of the first sample's answered calls, in order."""
    return [
        event.config
        for event in log.samples[0].events
        if event.event == "model" and event.error is None
    ]


def kept(log: EvalLog, key: str) -> Any:
    return log.samples[0].metadata.get(key)


# -- who is heard


def test_the_protocol_goes_before_the_command_and_says_so_once(ask):
    log, told = ask(temperature=0.2, max_tokens=77, sample_id=[ID, OTHER])
    assert [config.temperature for config in configs(log)] == [0.7, 0.7, 0.0]
    assert [config.max_tokens for config in configs(log)] == [1024] * 3
    asked = {"temperature": 0.2, "max_tokens": 77}
    assert kept(log, sampling.OVERRULED) == dict.fromkeys(STAGES, asked)
    assert len(told) == len(set(told)) == 6  # a setting, a kind of call; not a sample
    assert "the protocol asks each revision with temperature 0.0, not 0.2" in "\n".join(told)
    assert "-T revision_temperature=0.2 changes the protocol" in "\n".join(told)
    assert log.plan.config.temperature == 0.2  # what the command said stands in the header too


def test_the_protocol_goes_before_a_role_s_own(ask, script):
    critic = get_model(script, config=GenerateConfig(temperature=0.1))
    log, told = ask(model_roles={"critic": critic})
    assert [config.temperature for config in configs(log)] == [0.7, 0.7, 0.0]
    assert kept(log, sampling.OVERRULED) == {"critique": {"temperature": 0.1}}
    assert len(told) == 1


def test_agreement_is_nothing_to_speak_of(ask):
    log, told = ask(max_tokens=1024, top_p=0.8)
    assert (told, kept(log, sampling.OVERRULED)) == ([], None)


def test_null_leaves_a_setting_to_role_and_command(ask, script):
    critic = get_model(script, config=GenerateConfig(temperature=0.1))
    log, told = ask(
        given={"temperature": None, "repetition_penalty": None},
        temperature=0.2,
        model_roles={"critic": critic},
    )
    assert [config.temperature for config in configs(log)] == [0.2, 0.1, 0.0]
    assert [config.extra_body for config in configs(log)] == [None] * 3
    assert len(told) == 1  # the revision's


def test_what_else_the_command_puts_into_the_body_stays(ask):
    log, _ = ask(extra_body={"min_p": 0.1})
    assert configs(log)[0].extra_body == {"min_p": 0.1, "repetition_penalty": 1.05}


# -- the repetition penalty


def test_a_provider_without_the_penalty_gets_one_warning(ask, script, monkeypatch):
    monkeypatch.setattr(sampling, "_WITHOUT_PENALTY", frozenset({"scripted"}))
    log, told = ask(sample_id=[ID, OTHER])
    assert [config.extra_body for config in configs(log)] == [None] * 3
    assert told == [
        f"{script} is asked without the protocol's repetition_penalty: scripted takes none"
    ]
    assert kept(log, sampling.LEFT_OUT) == {script: ["repetition_penalty"]}


class _Service(JsonService):
    """An OpenAI-compatible service that knows no penalty, or refuses for another reason."""

    bodies: list[dict[str, Any]]
    always = False

    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.bodies.append(body)
        if "repetition_penalty" in body or self.always:
            reason = "no such thing" if self.always else "unknown field: repetition_penalty"
            return 400, {"error": {"message": reason, "type": "invalid_request_error"}}
        return 200, chat_completion("```python\nprint(1)\n```")


@pytest.fixture
def service() -> Iterator[type[_Service]]:
    handler = type("Handler", (_Service,), {"bodies": []})
    with serving(handler) as url:
        handler.address = f"{url}/v1"
        yield handler


def open_model(service: Any) -> Any:
    pytest.importorskip("openai", reason="the provider openai-api needs it")
    return get_model(
        "openai-api/here/m", base_url=service.address, api_key="none", memoize=False
    )


def test_a_service_that_refuses_the_penalty_is_asked_without_it(ask, service):
    log, told = ask(open_model(service), sample_id=[ID, OTHER], max_samples=1)
    sent = ["repetition_penalty" in body for body in service.bodies]
    assert sent == [True] + [False] * 6  # refused once; the second sample does not try again
    assert service.bodies[1]["temperature"] == 0.7 and service.bodies[3]["temperature"] == 0
    assert told == [
        "openai-api/here/m is asked without the protocol's repetition_penalty: "
        "its service refuses it"
    ]
    assert kept(log, sampling.LEFT_OUT) == {"openai-api/here/m": ["repetition_penalty"]}


def test_another_refusal_is_an_error(run_eval, executor, service):
    service.always = True
    task = mbppplus(source="samples", protocol="ctrl", executor=executor, turns=0, epochs=1)
    log = run_eval(task, open_model(service), sample_id=ID)
    assert log.status == "error"
    assert "no such thing" in log.error.message
    assert len(service.bodies) == 1

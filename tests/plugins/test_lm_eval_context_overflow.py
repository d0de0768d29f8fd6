"""lm-eval's models behind an API, whose server has no room for some requests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")
for package in ("aiohttp", "tenacity"):
    pytest.importorskip(package, reason="lm-eval asks servers through it")

from lm_eval.api.instance import Instance  # noqa: E402

from ctrl_harness.errors import ContextOverflow  # noqa: E402
from ctrl_harness.plugins.lm_eval.chain_text import turns_of  # noqa: E402
from ctrl_harness.plugins.lm_eval.critic_lm import CriticLM  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from json_service import JsonService, serving  # noqa: E402

ROOM = 6_000


class _Server(JsonService):
    """Completes a prompt with `answer N`; the critic, asked about the longest, says much of it."""

    prompts: list[str]

    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        self.prompts += prompts
        if body["model"] == "generator" and max(map(len, prompts)) > ROOM:
            said = "This model's maximum context length is 512 tokens. Please reduce the length."
            return 400, {"object": "error", "message": said, "code": 400}
        if body["model"] == "critic":
            texts = ["Again. " * (1_000 if "endless" in p else 1) for p in prompts]
        else:
            texts = [f"answer to {p.split('?')[0]}" for p in prompts]
        return 200, {"choices": [{"index": n, "text": text} for n, text in enumerate(texts)]}


@pytest.fixture
def server() -> Iterator[Any]:
    handler = type("Handler", (_Server,), {"prompts": []})
    with serving(handler) as url:
        handler.url = f"{url}/v1/completions"
        yield handler


def critic_lm(server: Any, **arguments: Any) -> CriticLM:
    def model(name: str) -> dict[str, Any]:
        return {
            "model": name, "base_url": server.url, "tokenizer_backend": None,
            "tokenized_requests": False, "max_retries": 1, **of_both,
        }  # fmt: skip

    of_both = arguments.pop("of_both", {})
    return CriticLM(
        generator="local-completions", generator_args=model("generator"),
        critic_model="local-completions", critic_model_args=model("critic"), **arguments,
    )  # fmt: skip


def requests(*questions: str) -> list[Instance]:
    return [
        Instance("generate_until", {}, (question, {"until": [], "max_gen_toks": 64}), n,
                 metadata=("sums", n, 1))
        for n, question in enumerate(questions)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "of_both",
    [{"num_concurrent": 1}, {"num_concurrent": 4}, {"batch_size": 3},
     {"num_concurrent": 4, "batch_size": 3}],
    ids=["one by one", "side by side", "a batch", "batches side by side"],
)  # fmt: skip
def test_only_the_chain_whose_critique_is_too_long_has_an_empty_revision(
    server: Any, tmp_path: Path, of_both: dict[str, int]
) -> None:
    trace = tmp_path / "chains.jsonl"
    lm = critic_lm(server, of_both=of_both, trace=str(trace), cache=str(tmp_path / "cache"))
    asked = requests("one?", "endless?", "three?")
    answers = lm.generate_until(asked)
    assert [turns_of(answer) for answer in answers] == [
        ("answer to one", "answer to one"),
        ("answer to endless", ""),
        ("answer to three", "answer to three"),
    ]
    chains = [json.loads(line) for line in trace.read_text().splitlines()]
    found = {chain["doc_id"]: chain["critiques"][0].get("malformed") for chain in chains}
    assert found == {0: None, 1: "context_overflow", 2: None}
    before = len(server.prompts)
    assert [str(answer) for answer in lm.generate_until(asked)] == [str(a) for a in answers]
    assert len(server.prompts) == before, "what was refused is kept with the answers"


def test_a_draft_without_room_ends_the_run_with_a_sentence(server: Any) -> None:
    with pytest.raises(ContextOverflow, match="does not fit into the generator's context") as error:
        critic_lm(server).generate_until(requests("one?", "x" * (ROOM + 1)))
    assert "maximum context length is 512" in str(error.value)

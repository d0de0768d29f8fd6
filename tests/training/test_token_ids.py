"""One (problem, draft) is told in the same tokens in fine-tuning, in GRPO and in an evaluation.

Otherwise the critic would be trained on prompts that it never sees when it is used.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("verl", reason="the extra `training`")
pytest.importorskip("openai", reason="Inspect's provider for a served model")

import pyarrow
import pyarrow.parquet
from inspect_ai.model import GenerateConfig, get_model

from ctrl_harness.critique.critic import Critique, Draft
from ctrl_harness.plugins.verl.tiny_model import make_tiny_model
from ctrl_harness.problems import Problem, open_dataset
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.training.leaks import Leaks
from ctrl_harness.training.pretrained import load_tokenizer
from ctrl_harness.training.rl_rows import DraftVerdict, Episode, arrow_schema
from ctrl_harness.training.sft_data import IGNORED, read_examples
from ctrl_harness.training.sft_rows import Selection, SftRows
from ctrl_harness.training.synthesize import Drafted, Outcome, Reviewed
from ctrl_harness.verification.verdict import Verdict

SAMPLE = "sample_egg_cartons"
ANSWER = "I count in dozens – größer.\n```python\nprint(int(input()) // 12)\n```\nDone.\n"
CRITIQUE = "Analysis: the rest is lost.\n\nOverall judgment: Incorrect"

BEGIN = "<|endoftext|>"
TEMPLATES = {
    "as it came": None,
    # as Llama's: the template writes the token that its tokenizer would put first by itself, too
    "with a first token": f"{{{{ '{BEGIN}' }}}}",
    # as Qwen2.5's: a chat without a system text gets one
    "with a system text": (
        "{% if messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    ),
}


@pytest.fixture(scope="module")
def problem() -> Problem:
    return open_dataset("codecontests", source="samples")[SAMPLE]


@pytest.fixture(scope="module")
def draft() -> Draft:
    return Draft(ANSWER, "print(int(input()) // 12)\n")


@pytest.fixture(scope="module", params=TEMPLATES)
def model(
    request: pytest.FixtureRequest, problem: Problem, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A tiny model's folder."""
    folder = tmp_path_factory.mktemp("tiny")
    make_tiny_model(folder, [problem.statement, ANSWER, CRITIQUE])
    before = TEMPLATES[request.param]
    if before is not None:
        template = folder / "chat_template.jinja"
        template.write_text(before + template.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def generator_server() -> ModuleType:
    path = Path(__file__).with_name("generator_server.py")
    spec = importlib.util.spec_from_file_location("generator_server", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for it
    spec.loader.exec_module(module)
    return module


def answered(messages: list[dict[str, str]]) -> dict[str, Any]:
    """A completion as OpenAI's client wants it, whatever is asked."""
    message = {"role": "assistant", "content": CRITIQUE}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "critic",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def ids_of_the_sft_row(model: Path, problem: Problem, draft: Draft, folder: Path) -> list[int]:
    """What is read and not learnt of the row that synthesis writes."""
    failed = Verdict("wrong_answer", (None,), "d" * 64)
    critique = Critique(CRITIQUE, "incorrect")
    reviewed = Reviewed(critique, Leaks(), revision=draft, verdict=failed)
    drafted = Drafted(0, draft, failed, reviewed)
    episode = Episode(problem, draft, DraftVerdict.of(failed))
    rows = SftRows(Selection())
    rows.add(Outcome(problem, (drafted,), ()), {0: episode.critic_messages()})
    file = folder / "sft.jsonl"
    file.write_text("".join(rows.lines()), encoding="utf-8")
    tokenizer = load_tokenizer(str(model))
    (example,) = read_examples(file, tokenizer, 100_000, "refuse").examples
    learnt = [label for label in example.labels if label != IGNORED]
    assert tokenizer.decode(learnt) == CRITIQUE + tokenizer.eos_token
    return example.input_ids[: -len(learnt)]


def ids_of_the_rollout(model: Path, problem: Problem, draft: Draft, folder: Path) -> list[int]:
    """What verl's agent loop makes of the row that its own data set reads."""
    from omegaconf import OmegaConf
    from transformers import AutoConfig
    from verl.utils.dataset.rl_dataset import RLHFDataset
    from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

    failed = Verdict("wrong_answer", (None,), "d" * 64)
    row = Episode(problem, draft, DraftVerdict.of(failed)).to_row()
    file = folder / "rl.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row], schema=arrow_schema()), file)
    tokenizer = load_tokenizer(str(model))
    config = OmegaConf.create(
        {
            "max_prompt_length": 100_000,
            "filter_overlong_prompts": True,
            "cache_dir": str(folder / "cache"),
        }
    )
    (read,) = list(RLHFDataset(str(file), tokenizer, config))
    kind = AutoConfig.from_pretrained(model).model_type
    builder = create_continuous_token_builder(tokenizer, hf_model_type=kind)
    ids: list[int] = builder.build_initial_tokens(list(read["raw_prompt"]))
    return ids


def ids_of_the_served_request(model: Path, messages: list[dict[str, Any]]) -> list[int]:
    """What a server of chats (vLLM, SGLang) makes of a request: text by the template, then ids.

    The template writes every special token there is, so the tokenizer adds none.
    """
    tokenizer = load_tokenizer(str(model))
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def test_training_and_a_served_critic_read_the_same_tokens(
    model: Path,
    problem: Problem,
    draft: Draft,
    generator_server: ModuleType,
    new_script: Callable[..., Any],
    run_eval: Callable[..., Any],
    executor: str,
    tmp_path: Path,
) -> None:
    script = new_script()
    script.line(SAMPLE, "generator", 0, ANSWER)
    script.line(SAMPLE, "generator", 1, ANSWER)
    generator = generator_server.Generator(answered)
    with generator_server.served(generator) as served:
        critic = get_model(
            "openai-api/local/critic", base_url=served.url, api_key="none", memoize=False
        )
        log = run_eval(
            codecontests(source="samples", executor=executor),
            script.save(),
            model_roles={"critic": critic},
            sample_id=SAMPLE,
        )
    assert log.status == "success", log.error
    (request,) = served.requests

    asked = ids_of_the_served_request(model, request["messages"])

    assert ids_of_the_sft_row(model, problem, draft, tmp_path) == asked
    assert ids_of_the_rollout(model, problem, draft, tmp_path) == asked


def test_training_and_a_critic_in_this_process_read_the_same_tokens(
    model: Path,
    problem: Problem,
    draft: Draft,
    new_script: Callable[..., Any],
    run_eval: Callable[..., Any],
    executor: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = new_script()
    script.line(SAMPLE, "generator", 0, ANSWER)
    script.line(SAMPLE, "generator", 1, ANSWER)
    # by its path: Inspect would look for another name on the Hub
    critic = get_model(f"hf/{model}", memoize=False, config=GenerateConfig(max_tokens=2))
    read: list[list[int]] = []
    generate = critic.api.model.generate

    def listening(input_ids: Any, **rest: Any) -> Any:
        read.append(input_ids[0].tolist())
        return generate(input_ids=input_ids, **rest)

    monkeypatch.setattr(critic.api.model, "generate", listening)
    log = run_eval(
        codecontests(source="samples", executor=executor),
        script.save(),
        model_roles={"critic": critic},
        sample_id=SAMPLE,
    )
    assert log.status == "success", log.error

    assert read == [ids_of_the_sft_row(model, problem, draft, tmp_path)]

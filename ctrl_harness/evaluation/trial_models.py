"""Models for trying critics out (critique/contract.py): played by Inspect's mock, or real ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    Model,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.model._model import init_active_model, init_sample_model_usage
from inspect_ai.tool import ToolChoice, ToolInfo

from ctrl_harness.critique.contract import Reply, ordinary_reply
from ctrl_harness.critique.messages import Call, Completion, Generate, Message
from ctrl_harness.evaluation.calls import ModelCalls

_PLAYED = "mockllm/critic"
_CONFIG = GenerateConfig(temperature=0.0, seed=1, max_tokens=512)
_TOOL, _PROGRAM = "run_tests", "print(3)"
"""What the played model makes use of, where it is offered."""


def trial_models(name: str | None) -> Callable[[Reply | None], Generate]:
    """Makes the Generates of a trial. name: Inspect's of a model to be asked wherever a check does
    not need a certain answer; None plays all."""
    real = None if name is None else get_model(name, config=_CONFIG)

    def make(reply: Reply | None) -> Generate:
        if reply is None and real is not None:
            return _generate(real)
        play = partial(_play, reply or ordinary_reply)
        return _generate(get_model(_PLAYED, custom_outputs=play, memoize=False))

    return make


def _generate(model: Model) -> Generate:
    async def generate(call: Call) -> Completion:
        # as an eval sets them up for each of its samples
        init_active_model(model, _CONFIG)
        init_sample_model_usage()
        return await ModelCalls("contract", 1)(call)

    return generate


def _play(
    reply: Reply,
    input: list[ChatMessage],
    tools: list[ToolInfo],
    tool_choice: ToolChoice,
    config: GenerateConfig,
) -> ModelOutput:
    """Runs a program once where it can, then answers; hands in where that is asked for."""
    offered = {tool.name for tool in tools}
    text = reply([Message("user", message.text) for message in input])
    if _TOOL in offered and not any(message.role == "tool" for message in input):
        output = ModelOutput.for_tool_call(_PLAYED, _TOOL, {"program": _PROGRAM})
    elif "submit" in offered:
        output = ModelOutput.for_tool_call(_PLAYED, "submit", {"answer": text})
    else:
        output = ModelOutput.from_content(_PLAYED, text)
    # or Inspect counts with a tokenizer that it would have to fetch
    output.usage = ModelUsage(input_tokens=20, output_tokens=10, total_tokens=30)
    return output

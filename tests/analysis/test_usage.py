"""Tokens of a call: what a provider's cache held counts too."""

from __future__ import annotations

from types import SimpleNamespace

from inspect_ai.model import ModelOutput, ModelUsage

from ctrl_harness.analysis.logs import _cost
from ctrl_harness.analysis.usage import input_tokens
from ctrl_harness.evaluation.calls import as_completion

CACHED = ModelUsage(
    input_tokens=3, output_tokens=5, total_tokens=1008, input_tokens_cache_read=990,
    input_tokens_cache_write=10,
)  # fmt: skip


def test_cached_tokens_are_tokens_that_went_in() -> None:
    assert input_tokens(CACHED) == 1003
    assert input_tokens(None) == 0


def test_a_control_counts_a_call_as_the_arm_s_log_does() -> None:
    output = ModelOutput.from_content("any", "said")
    output.usage = CACHED
    event = SimpleNamespace(output=output)
    assert as_completion(output).usage.total_tokens == 1008
    assert _cost(event, "generator", 0).tokens == 1008

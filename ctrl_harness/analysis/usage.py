"""How many tokens went into a call and came out of it, as Inspect tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput, ModelUsage


def input_tokens(usage: ModelUsage | None) -> int:
    """All of them. Inspect's own `input_tokens` leaves out those that a provider had in its cache
    or put there; a control that draws one prompt again and again would seem to cost nothing."""
    if usage is None:
        return 0
    cached = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
    return usage.input_tokens + cached


def is_unanswered(output: ModelOutput) -> bool:
    """Whether the request did not fit into the model's context: Inspect's providers then give the
    service's refusal as if it were an answer, for which no token was drawn. An answer that ran into
    the end of the context is one."""
    if not output.choices or output.stop_reason != "model_length":
        return False
    return output.usage is None or output.usage.output_tokens == 0

"""Chats as lm-eval's requests carry them: by the model's chat template, or as plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ctrl_harness.critique.messages import Message

ChatTemplate = Callable[..., Any]
"""`LM.apply_chat_template`: dicts of role and content, `add_generation_prompt` by keyword."""


def as_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages as lm-eval and chat templates take them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def as_text(messages: Sequence[Message]) -> str:
    """The messages for a model that only completes text: paragraphs, and a blank line to go on."""
    return "".join(f"{message.content}\n\n" for message in messages)


def render(
    messages: Sequence[Message], template: ChatTemplate | None, prefix: str | None = None
) -> Any:
    """What a request asks; prefix: how the answer begins, which the model goes on from."""
    if template is None:
        return as_text(messages) + (prefix or "")
    if prefix:
        messages = (*messages, Message("assistant", prefix))
    return template(as_dicts(messages), add_generation_prompt=not prefix)

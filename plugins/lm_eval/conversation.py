"""A task's request as the opening of a chat: what a draft, a critique and a revision go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompt_settings import Reading
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.errors import UserError
from ctrl_harness.plugins.lm_eval.chats import ChatTemplate, as_text, render
from ctrl_harness.problems.problem import Problem


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one request asks.

    context: as lm-eval made it. messages: the same as a chat; without a chat template one message
    with all of the context. prefix: how the task begins the answer (`gen_prefix`), where a chat
    template shows it. chat: whether there is one.
    """

    context: Any
    messages: tuple[Message, ...]
    prefix: str
    chat: bool

    @property
    def question(self) -> str:
        """What the critic is told of the task: the last thing the user says."""
        asked = [message.content for message in self.messages if message.role == "user"]
        return asked[-1] if asked else self.messages[-1].content

    def generator_context(self, messages: Sequence[Message], template: ChatTemplate) -> Any:
        """The context of a draft, which is the task's own, or of a revision."""
        later = messages[len(self.messages) :]
        if not later:
            return self.context
        if self.chat:
            return render(messages, template, self.prefix)
        return f"{self.context}{as_text(later)}"


class Conversations:
    """The chats that a model's template rendered, to be found again by what came of them."""

    def __init__(self) -> None:
        self._chats: dict[str, tuple[tuple[Message, ...], str]] = {}

    def remember(
        self, context: Any, history: Sequence[Mapping[str, str]], begun: bool
    ) -> None:
        """begun: the last message is the beginning of the answer."""
        messages = tuple(Message(turn["role"], turn["content"]) for turn in history)  # type: ignore[arg-type]
        prefix = messages[-1].content if begun else ""
        self._chats[_key(context)] = (messages[:-1] if begun else messages, prefix)

    def of(self, context: Any, *, chat: bool) -> Conversation:
        """Raises UserError for a chat that came out of lm-eval's cache of requests."""
        if not chat:
            return Conversation(context, (Message("user", str(context)),), "", False)
        if _key(context) not in self._chats:
            raise UserError(
                "ctrl-critic has to see each chat before the template renders it; leave "
                "--cache_requests out"
            )
        messages, prefix = self._chats[_key(context)]
        return Conversation(context, messages, prefix, True)


def _key(context: Any) -> str:
    return context if type(context) is str else json.dumps(context)


class RequestPrompts:
    """A prompt set whose chats open as a task's request does."""

    def __init__(self, prompts: Prompts, opening: tuple[Message, ...]) -> None:
        self.name = prompts.name
        self._prompts = prompts
        self._opening = opening

    @property
    def digest(self) -> str:
        return self._prompts.digest

    def draft(self, problem: Problem) -> tuple[Message, ...]:
        return self._opening

    def critique(
        self, problem: Problem, draft: Draft, feedback: Feedback | None = None
    ) -> tuple[Message, ...]:
        return self._prompts.critique(problem, draft, feedback)

    def revision(self, problem: Problem, draft: Draft, critique: str) -> tuple[Message, ...]:
        return self._prompts.revision(problem, draft, critique)

    def fenced(self, draft: Draft) -> str:
        return self._prompts.fenced(draft)

    def hint(self, feedback: Feedback) -> str:
        return self._prompts.hint(feedback)

    def read(self, answer: str) -> Reading:
        return self._prompts.read(answer)

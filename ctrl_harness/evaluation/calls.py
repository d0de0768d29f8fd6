"""Asks Inspect's models for the loop, and says in which call of which sample we are."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import cast

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.model._model import ModelGenerateError
from inspect_ai.solver import TaskState

from ctrl_harness.analysis.usage import input_tokens, is_unanswered
from ctrl_harness.critique.context_length import is_context_overflow
from ctrl_harness.critique.messages import Branch, Call, Completion, Message, Role, Usage
from ctrl_harness.critique.protocol import Sampling, Stage
from ctrl_harness.errors import ContextOverflow, JudgeError
from ctrl_harness.evaluation.agents import MakeAgent, run_agent
from ctrl_harness.evaluation.sampling import PENALTY, CallConfigs, Notices

logger = logging.getLogger(__name__)

_SHOWN_CHARS = 300


@dataclass(frozen=True, slots=True)
class CallPosition:
    """Which call of which sample a request belongs to."""

    sample_id: str
    epoch: int
    role: Role
    turn: int
    vote: int = 0
    branch: Branch = ()


current_call: ContextVar[CallPosition | None] = ContextVar("ctrl_harness_call", default=None)
"""Set around each of the loop's requests; read by the `scripted` provider."""

_MESSAGES: dict[str, type[ChatMessageSystem | ChatMessageUser | ChatMessageAssistant]] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}


def as_chat_message(message: Message) -> ChatMessage:
    """The same message as Inspect's type."""
    return _MESSAGES[message.role](content=message.content)


def role_model(role: Role) -> Model:
    """The model of a role; the critic is the generator where no critic was named."""
    generator = get_model()
    return get_model(role="critic", default=generator) if role == "critic" else generator


class ModelCalls:
    """A `Generate` that asks this eval's models for one sample.

    sampling: how each kind of call is sampled; what is not said there is the role's and the
    command's. last: for each role, the messages of its latest call and what came of it. configs:
    what was asked with which settings.

    A request that is longer than the model's context raises ContextOverflow where the generator was
    asked; a critic that cannot read its question has said nothing, and was cut off.
    """

    def __init__(
        self,
        sample_id: str,
        epoch: int,
        sampling: Mapping[Stage, Sampling] | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.configs = CallConfigs(sample_id, epoch, sampling or {}, notices or Notices())
        self.last: dict[Role, tuple[list[ChatMessage], ModelOutput]] = {}
        self._sample_id = sample_id
        self._epoch = epoch
        self._models: dict[Role, Model] = {}
        # a message that comes again (the problem, the system text) is the same one to Inspect,
        # which gives each an id and logs each once
        self._known: dict[Message, ChatMessage] = {}

    async def __call__(self, call: Call) -> Completion:
        messages = [self._chat_message(message) for message in call.messages]
        if call.role not in self._models:
            self._models[call.role] = role_model(call.role)
        position = CallPosition(
            self._sample_id, self._epoch, call.role, call.turn, call.vote, call.branch
        )
        token = current_call.set(position)
        try:
            model = self._models[call.role]
            usage: Usage | None = None
            if call.agent is None:
                output = await self._generate(model, messages, call)
            else:
                config = self.configs.of(model, call)
                make = cast(MakeAgent, call.agent)
                with _overflow_named(model):
                    output, usage = await run_agent(make, model, config, messages)
            if is_unanswered(output):
                raise _overflow(model, output.completion)
            completion = as_completion(output)
            if usage is not None:
                completion = replace(completion, usage=usage)
        except ContextOverflow as error:
            if call.role == "generator":
                raise
            logger.warning("%s; its critique is empty", error)
            return Completion("", cut_off=True)
        finally:
            current_call.reset(token)
        self.last[call.role] = (messages, output)
        return completion

    async def _generate(
        self, model: Model, messages: list[ChatMessage], call: Call
    ) -> ModelOutput:
        config = self.configs.of(model, call)
        with _overflow_named(model):
            try:
                return await model.generate(messages, config=config)
            except ModelGenerateError as error:
                if PENALTY not in (config.extra_body or {}) or not _names_penalty(error):
                    raise
            self.configs.refuse_penalty(model)
            return await model.generate(messages, config=self.configs.of(model, call))

    def show(self, state: TaskState, role: Role) -> None:
        """Makes the role's latest call the sample's conversation, where it was asked anything; the
        events hold all calls."""
        if role in self.last:
            messages, output = self.last[role]
            state.messages = [*messages, output.message]
            state.output = output
        state.completed = True

    def _chat_message(self, message: Message) -> ChatMessage:
        if message not in self._known:
            self._known[message] = as_chat_message(message)
        return self._known[message]


@contextmanager
def _overflow_named(model: Model) -> Iterator[None]:
    """Raises ContextOverflow for a service's refusal whose words the provider does not know."""
    try:
        yield
    except ModelGenerateError as error:
        # the error's own text holds the request as well
        said = error.provider_message or ""
        if not is_context_overflow(said, error.status_code):
            raise
        raise _overflow(model, said) from error


def _overflow(model: Model, said: str) -> ContextOverflow:
    return ContextOverflow(
        f"the request does not fit into the context of {model.name} "
        f"({' '.join(said.split())[:_SHOWN_CHARS]}); serve it with a longer context, or ask for "
        "fewer tokens (--max-tokens)"
    )


def _names_penalty(error: ModelGenerateError) -> bool:
    """Whether a service says that it knows no such field."""
    return error.status_code in (400, 422) and PENALTY in (error.provider_message or "")


def as_completion(output: ModelOutput) -> Completion:
    """Raises JudgeError for an output without a choice: the service failed, not the model."""
    if not output.choices:
        raise JudgeError(f"the model {output.model} answered without any text: {output.error}")
    usage = output.usage
    return Completion(
        output.completion,
        cut_off=output.stop_reason in ("max_tokens", "model_length"),
        usage=Usage(input_tokens(usage), usage.output_tokens) if usage else Usage(),
    )

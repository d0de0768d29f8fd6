"""Inspect agents as critics: any `@agent`, by its registry name or out of a file.

The agent is told what a model in its place would be told, works with the model of the role `critic`
(its `get_model()`), and its last answer is read as that model's would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import NamedTuple, cast

from inspect_ai._util.registry import is_registry_object, registry_info, registry_lookup
from inspect_ai.agent import Agent, run
from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput
from inspect_ai.model._generate_config import active_generate_config_context_var
from inspect_ai.model._model import active_model_context_var, sample_model_usage

from ctrl_harness.analysis.usage import input_tokens
from ctrl_harness.critique.critic import (
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    Pair,
)
from ctrl_harness.critique.finding import add_adapter
from ctrl_harness.critique.messages import Call, Message, Usage
from ctrl_harness.critique.pair_prompts import compare_by_asking
from ctrl_harness.errors import CriticError, UserError
from ctrl_harness.problems.problem import Problem

MakeAgent = Callable[[], Agent]


class AgentAnswer(NamedTuple):
    """What an agent came to, and the tokens of all its calls."""

    output: ModelOutput
    usage: Usage


async def run_agent(
    make: MakeAgent, model: Model, config: GenerateConfig, messages: Sequence[ChatMessage]
) -> AgentAnswer:
    """Runs a new agent on these messages, the model and its settings being the current ones."""
    before = _tokens()
    with _current_model(model, config):
        state = await run(make(), list(messages))
    if not state.output.choices:
        raise CriticError("the agent ended without an answer")
    after = _tokens()
    usage = Usage(
        after.input_tokens - before.input_tokens, after.output_tokens - before.output_tokens
    )
    return AgentAnswer(state.output, usage)


@contextmanager
def _current_model(model: Model, config: GenerateConfig) -> Iterator[None]:
    """What an agent's `get_model()` gives: the same model, asked as this call is to be asked."""
    active = active_generate_config_context_var.get()
    config_token = active_generate_config_context_var.set(active.merge(config))
    # a copy, since what is active for an agent of the main model's is not so for the main model
    model_token = active_model_context_var.set(copy(model))
    try:
        yield
    finally:
        active_model_context_var.reset(model_token)
        active_generate_config_context_var.reset(config_token)


def _tokens() -> Usage:
    """Of this sample so far; calls of one sample come one after the other."""
    used = sample_model_usage().values()
    return Usage(sum(map(input_tokens, used)), sum(u.output_tokens for u in used))


class AgentCritic:
    """Reads what an agent writes, of a draft or of a pair."""

    def __init__(self, context: CriticContext, make: MakeAgent) -> None:
        self._context = context
        self._make = make

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        messages = self.asked(problem, draft)
        call = Call("critic", draft.turn + 1, messages, agent=self._make)
        answer = await self._context.generate(call)
        told, judgement = self._context.prompts.read(answer.text)
        return Critique(told, judgement, answer.cut_off, answer.usage)

    def asked(self, problem: Problem, draft: Draft) -> tuple[Message, ...]:
        """What the agent is told at first."""
        return self._context.prompts.critique(problem, draft)

    async def compare(self, pair: Pair) -> Comparison:
        return await compare_by_asking(self._context, pair, self._make)


class _InspectAgents:
    """Finds agents for critique/finding.py."""

    def find(self, name: str) -> CriticFactory | None:
        found = registry_lookup("agent", name)
        return None if found is None else _factory(name, cast(MakeAgent, found))

    def adapt(self, target: object) -> CriticFactory | None:
        if not is_registry_object(target, type="agent"):
            return None
        return _factory(registry_info(target).name, cast(MakeAgent, target))


def _factory(name: str, make: MakeAgent) -> CriticFactory:
    """Raises UserError for an agent that cannot be made without arguments."""
    try:
        make()
    except TypeError as error:
        raise UserError(
            f"the agent {name!r} cannot be made without arguments ({error}); give them defaults"
        ) from error

    def criticise(context: CriticContext) -> Critic:
        return AgentCritic(context, make)

    return criticise


add_adapter(_InspectAgents())

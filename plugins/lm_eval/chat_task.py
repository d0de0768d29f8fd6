"""What our lm-eval tasks share: documents from our loaders, chats from our prompt sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import datasets
from lm_eval.api.filter import FilterEnsemble
from lm_eval.api.instance import Instance
from lm_eval.api.metrics import mean
from lm_eval.api.task import ConfigurableTask

from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.errors import UserError
from ctrl_harness.plugins.lm_eval.chats import ChatTemplate, render
from ctrl_harness.plugins.lm_eval.documents import Document

MAX_TOKENS = 1024
"""New tokens an answer gets unless --gen_kwargs or a protocol says otherwise; CTRL's number."""
_SPLIT = "test"
_VERSION = 1


class ChatTask(ConfigurableTask):  # type: ignore[misc]
    """A task whose requests are chats without examples, and which scores answers itself.

    Every answer to a request is kept (`repeats`), where lm-eval's default looks at the first alone.
    A subclass sets `docs` before it calls this constructor.
    """

    docs: Sequence[Document]
    runs_code = False

    def __init__(
        self, config: Mapping[str, Any], *, sampling: Sampling, facts: Mapping[str, Any]
    ) -> None:
        """config: what lm-eval made of the task's file. facts: what its results record."""
        given = {key: value for key, value in config.items() if key != "class"}
        if given.get("num_fewshot"):
            raise UserError(f"{given['task']} takes no examples; leave num_fewshot out")
        metadata = {"version": _VERSION, **(given.get("metadata") or {}), "ctrl_harness": facts}
        super().__init__(
            config={
                "test_split": _SPLIT,
                "num_fewshot": 0,
                **given,
                # lm-eval would look the metrics up before `process_results` is ours
                "metric_list": [],
                "output_type": "generate_until",
                "generation_kwargs": {
                    **generation_kwargs(sampling),
                    **(given.get("generation_kwargs") or {}),
                },
                "unsafe_code": self.runs_code,
                "metadata": metadata,
            }
        )
        self._filters = [FilterEnsemble(name="none", filters=[])]

    @abstractmethod
    def chats(self, doc: Document) -> list[tuple[Message, ...]]:
        """The chats that a document's requests open with, one a request."""

    @abstractmethod
    def score(self, doc: Document, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        """A value a metric. answers: for each request in order, all answers to it."""

    @property
    def only_predicts(self) -> bool:
        """Whether the user asked for answers alone (--predict_only)."""
        return "bypass" in self._metric_fn_list

    def download(self, *args: Any, **kwargs: Any) -> None:
        """Called by lm-eval's constructor; nothing is left to be fetched."""
        self.dataset = {_SPLIT: datasets.Dataset.from_list([dict(doc) for doc in self.docs])}

    def doc_to_text(self, doc: Document, doc_to_text: Any = None) -> str:
        return self.chats(doc)[0][-1].content

    def fewshot_context(
        self,
        doc: Document,
        num_fewshot: int,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,
        chat_template: ChatTemplate | None = None,
        gen_prefix: str | None = None,
    ) -> list[Any]:
        template = chat_template if apply_chat_template else None
        return [
            render(_instructed(messages, system_instruction), template, gen_prefix)
            for messages in self.chats(doc)
        ]

    def construct_requests(self, doc: Document, ctx: list[Any], **kwargs: Any) -> list[Instance]:
        return [
            Instance(
                "generate_until",
                doc,
                (context, deepcopy(self.config.generation_kwargs)),
                idx=number,
                metadata=kwargs["metadata"],
            )
            for number, context in enumerate(ctx)
        ]

    def process_results(self, doc: Document, results: Sequence[Any]) -> dict[str, Any]:
        if self.only_predicts:
            given: dict[str, Any] = super().process_results(doc, results)
            return given
        values = self.score(doc, results)
        for metric in values:
            self._aggregation_list.setdefault(metric, mean)
            self._higher_is_better.setdefault(metric, True)
        return values


def generation_kwargs(sampling: Sampling) -> dict[str, Any]:
    """A protocol's settings in lm-eval's words; greedy where it leaves the temperature open."""
    hot = sampling.temperature or 0.0
    asked = {
        "until": [],  # an answer ends where the model ends it
        "do_sample": hot > 0,
        "temperature": hot,
        "max_gen_toks": sampling.max_tokens or MAX_TOKENS,
        "top_p": sampling.top_p,
        "repetition_penalty": sampling.repetition_penalty,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _instructed(messages: tuple[Message, ...], instruction: str | None) -> tuple[Message, ...]:
    """With the user's system text before ours, in one message: many templates take one alone."""
    if not instruction:
        return messages
    if messages[0].role == "system":
        own, *rest = messages
        return (Message("system", f"{instruction}\n\n{own.content}"), *rest)
    return (Message("system", instruction), *messages)

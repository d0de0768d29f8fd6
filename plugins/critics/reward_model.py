"""`reward_model:PATH`: a Hugging Face reward model, which gives a response one number.

PATH is a folder or the Hub's name of a sequence classifier with one output. On JudgeBench the
response with the higher number is the better one; each response is read alone, so that the order in
which two are shown changes nothing. As a critic of drafts it calls correct what scores above a
threshold, `reward_model:PATH@THRESHOLD`, 0 without one; such numbers have no natural zero, so that
a threshold wants to be chosen on drafts whose outcome is known.

Models that need code of their own (`trust_remote_code`) are not run.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio.to_thread

from ctrl_harness.critique.critic import (
    Comparison,
    Critic,
    CriticContext,
    CriticFactory,
    Critique,
    Draft,
    Pair,
    takes_argument,
)
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.errors import CriticError, UserError
from ctrl_harness.problems.problem import Problem

if TYPE_CHECKING:
    import torch

_KEPT = 4096
"""Scores that are kept, since a pair is shown twice."""


@takes_argument("PATH")
def reward_model(argument: str) -> CriticFactory:
    """A Hugging Face reward model: the higher number wins, or passes a threshold.

    Raises UserError for what cannot be loaded or gives more than one number.
    """
    path, threshold = _parse(argument)
    scorer = _load(path)

    def make(context: CriticContext) -> Critic:  # noqa: ARG001
        return RewardModelCritic(scorer, threshold)

    return make


class RewardModelCritic:
    """Judges by a number alone; it says nothing of why."""

    def __init__(self, scorer: RewardModel, threshold: float) -> None:
        self._scorer = scorer
        self._threshold = threshold

    async def __call__(self, problem: Problem, draft: Draft) -> Critique:
        if not draft.completion.strip():  # a number of nothing would depend on the question alone
            return Critique("There is no answer at all.", "incorrect")
        score, told = await self._score(problem.statement, draft.completion)
        judgement: Judgement = "correct" if score > self._threshold else "incorrect"
        relation = "above" if score > self._threshold else "not above"
        return Critique(
            f"A reward model gives this answer {told}, {relation} its threshold of "
            f"{self._threshold:g}.\n\nOverall judgment: {judgement.capitalize()}",
            judgement,
        )

    async def compare(self, pair: Pair) -> Comparison:
        a, told_a = await self._score(pair.question, pair.response_a)
        b, told_b = await self._score(pair.question, pair.response_b)
        text = f"A: {told_a}; B: {told_b}"
        if a == b:
            return Comparison("A=B", text)
        return Comparison("A>B" if a > b else "B>A", text)

    async def _score(self, question: str, response: str) -> Score:
        ask = partial(self._scorer.score, question, response)
        return await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)


class Score(NamedTuple):
    """A response's number, and how to tell it."""

    value: float
    told: str


class RewardModel:
    """A model with its tokenizer. One response at a time: padding would change its number.

    max_tokens: what the model can read, None where it does not say; of a longer text the end is
    left out, and the score says so.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._lock = Lock()
        self._known: dict[tuple[str, str], Score] = {}
        self.max_tokens = _longest(model, tokenizer)

    def score(self, question: str, response: str) -> Score:
        """Blocks while it computes. Raises CriticError for what is no number."""
        with self._lock:
            key = (question, response)
            if key not in self._known:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[key] = self._compute(question, response)
            return self._known[key]

    def _compute(self, question: str, response: str) -> Score:
        import torch

        tokens = self._tokens(question, response)
        cut = self.max_tokens is not None and len(tokens) > self.max_tokens
        ids = torch.tensor([tokens[: self.max_tokens]], device=self._model.device)
        with torch.inference_mode():
            logits: torch.Tensor = self._model(
                input_ids=ids, attention_mask=torch.ones_like(ids)
            ).logits
        value = float(logits.float().reshape(-1)[0])
        if math.isnan(value):
            raise CriticError("the reward model gave no number (nan)")
        return Score(value, f"{value:.6g}{' (its end was cut off)' if cut else ''}")

    def _tokens(self, question: str, response: str) -> list[int]:
        # in UTF-8 there is no half of a character, and tokenizers work on UTF-8
        question, response = (
            text.encode("utf-8", "replace").decode("utf-8") for text in (question, response)
        )
        if self._tokenizer.chat_template:
            chat = [
                {"role": "user", "content": question},
                {"role": "assistant", "content": response},
            ]
            text = self._tokenizer.apply_chat_template(chat, tokenize=False)
            found = self._tokenizer(text, add_special_tokens=False)
        else:
            found = self._tokenizer(f"{question}\n\n{response}")
        return list(found["input_ids"])


def _longest(model: Any, tokenizer: Any) -> int | None:
    said = [
        getattr(model.config, "max_position_embeddings", None),
        getattr(tokenizer, "model_max_length", None),
    ]
    # a tokenizer that knows no limit says 10^30
    limits = [n for n in said if isinstance(n, int) and 0 < n < 10**9]
    return min(limits, default=None)


def _parse(argument: str) -> tuple[str, float]:
    """The path, and the threshold behind the last @."""
    path, at, number = argument.rpartition("@")
    if not at:
        return argument, 0.0
    try:
        threshold = float(number)
    except ValueError:
        return argument, 0.0  # an @ of the path's own
    if not math.isfinite(threshold):
        raise UserError(f"reward_model:{argument} has no threshold; give a number behind the @")
    return path, threshold


@lru_cache(maxsize=2)
def _load(path: str) -> RewardModel:
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise UserError(
            f"reward_model needs {error.name}; install ctrl-harness[training]"
        ) from error
    folder = Path(path).expanduser()
    name = str(folder) if folder.is_dir() else path
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(
            f"the reward model {path} has no tokenizer that can be loaded ({_first_line(error)}); "
            "put its tokenizer's files beside it"
        ) from error
    try:
        model = AutoModelForSequenceClassification.from_pretrained(name, dtype="auto")
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"the reward model {path} cannot be loaded ({_first_line(error)}); give a folder or a "
            "name on the Hub of a sequence classifier"
        ) from error
    if model.config.num_labels != 1:
        raise UserError(
            f"{path} gives {model.config.num_labels} numbers a text; a reward model gives one"
        )
    model.eval()
    if torch.cuda.is_available():
        model.to("cuda")
    return RewardModel(model, tokenizer)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

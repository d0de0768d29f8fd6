"""`ctrl_judgebench`: pairs of responses, told apart pairwise or pointwise."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ctrl_harness.analysis.judgebench import PairOutcome
from ctrl_harness.analysis.votes import VotedPair
from ctrl_harness.critique.decision import parse_decision
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.judge_pairs import label_of
from ctrl_harness.evaluation.judgebench import settings_of
from ctrl_harness.evaluation.samples import report_rows
from ctrl_harness.plugins.lm_eval.chat_task import ChatTask
from ctrl_harness.plugins.lm_eval.documents import Document
from ctrl_harness.plugins.lm_eval.options import REVISION, options_of
from ctrl_harness.problems.catalog import open_pairs
from ctrl_harness.problems.judgebench import CATEGORIES
from ctrl_harness.problems.rows import NAMED_SOURCES

logger = logging.getLogger(__name__)

_OWN = ("source", REVISION, "split", "protocol")
_OF_PROTOCOL = ("mode", "votes", "prompts")
_LOWER_IS_BETTER = ("tied", "inconsistent", "missing_decisions", "position_bias")


class JudgeBench(ChatTask):
    """ScalerLab/JudgeBench: the model is the judge; no program runs.

    Pairwise, a document has two requests, the second with the responses swapped; pointwise one for
    each response, with as many answers as there are votes (`repeats`), where sampling is up to
    --gen_kwargs or protocol=ctrl.
    """

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        config = config or {}
        name = parameters.name("task", config.get("task"))
        options = options_of(name, config, (*_OWN, *_OF_PROTOCOL))
        own = {key: options.pop(key) for key in _OWN if key in options}
        protocol = parameters.name("protocol", own.get("protocol", "default"))
        self.settings = settings_of(protocol, options)
        self.templates = PromptSet(
            self.settings.prompts, "judgebench", required=(self.settings.mode,)
        )
        pairs = open_pairs(
            parameters.path_or_name(own.get("source", "hub"), NAMED_SOURCES),
            revision=own.get(REVISION),
            split=own.get("split", "gpt"),
        )
        self.docs = [asdict(pair) for pair in pairs]
        self._categories = tuple(c for c in CATEGORIES if any(p.category == c for p in pairs))
        logger.info("%s: %d pairs, %s", name, len(pairs), pairs.reference)
        facts = {
            **report_rows(pairs),
            "protocol": protocol,
            **asdict(self.settings),
            "prompts_digest": self.templates.digest,
        }
        super().__init__(
            {"repeats": self.settings.votes or 1, **config},
            sampling=self.settings.sampling,
            facts=facts,
        )
        for metric in _LOWER_IS_BETTER:
            self._higher_is_better[metric] = False

    def chats(self, doc: Document) -> list[tuple[Message, ...]]:
        first, second = doc["response_A"], doc["response_B"]
        if self.settings.mode == "pointwise":
            return [
                self.templates.ask("pointwise", question=doc["question"], response=response)
                for response in (first, second)
            ]
        return [
            self.templates.ask("pairwise", question=doc["question"], response_a=a, response_b=b)
            for a, b in ((first, second), (second, first))
        ]

    def doc_to_target(self, doc: Document, doc_to_target: Any = None) -> str:
        label: str = doc["label"]
        return label

    def score(self, doc: Document, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        """One number a metric; a category's own is None for the pairs of the others."""
        judge = self._pointwise if self.settings.mode == "pointwise" else self._pairwise
        scores = judge(doc, answers)
        for category in self._categories:
            metric = f"accuracy_{category}"
            self._aggregation_list[metric] = mean_of_its_own
            scores[metric] = scores["accuracy"] if doc["category"] == category else None
        return scores

    def _pairwise(self, doc: Document, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        prefix = self.doc_to_prefix(doc) or ""
        firsts, seconds = ([parse_decision(prefix + a) for a in said] for said in answers)
        outcomes = [
            PairOutcome(doc["category"], label_of(doc["label"]), decisions)
            for decisions in zip(firsts, seconds, strict=True)
        ]
        return {
            "accuracy": _mean([o.right for o in outcomes]),
            "accuracy_ties_half": _mean([0.5 if o.net == 0 else o.right for o in outcomes]),
            "tied": _mean([o.net == 0 for o in outcomes]),
            "inconsistent": _mean([not o.consistent for o in outcomes]),
            "position_bias": _mean([o.position / 2 for o in outcomes]),
            "missing_decisions": _mean([o.decisions.count("missing") / 2 for o in outcomes]),
        }

    def _pointwise(self, doc: Document, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        if any(len(said) % 2 == 0 for said in answers):
            raise UserError(f"repeats is {len(answers[0])}; give an odd number of votes")
        prefix = self.doc_to_prefix(doc) or ""
        votes_a, votes_b = (
            tuple(self.templates.read(prefix + answer).judgement for answer in said)
            for said in answers
        )
        pair = VotedPair(doc["category"], label_of(doc["label"]), votes_a, votes_b)
        better, other = pair.counts()
        votes = (*votes_a, *votes_b)
        return {
            "accuracy": float(better > other),
            "accuracy_ties_half": 0.5 if better == other else float(better > other),
            "tied": float(better == other),
            "missing_decisions": votes.count("missing") / len(votes),
        }


def mean_of_its_own(values: Sequence[float | None]) -> float:
    """The mean over the pairs of one category, NaN without any (--limit)."""
    own = [value for value in values if value is not None]
    return sum(own) / len(own) if own else float("nan")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

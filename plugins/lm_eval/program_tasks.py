"""`ctrl_codecontests`, `ctrl_livecodebench`, `ctrl_mbppplus`: programs, judged by `verify`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ctrl_harness.critique.choice import get_prompts
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.protocol import protocol
from ctrl_harness.errors import JudgeError
from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.roles import open_judge
from ctrl_harness.evaluation.samples import report_rows
from ctrl_harness.evaluation.settings import with_given
from ctrl_harness.plugins.lm_eval.chain_text import ChainText, failure_of, turns_of
from ctrl_harness.plugins.lm_eval.chat_task import ChatTask
from ctrl_harness.plugins.lm_eval.documents import (
    Document,
    as_asked,
    documents,
    problem_of,
)
from ctrl_harness.plugins.lm_eval.judging import Answer, Judged, judge_answers, open_sync
from ctrl_harness.plugins.lm_eval.options import REVISION, options_of
from ctrl_harness.problems.catalog import open_dataset
from ctrl_harness.problems.problem import Problem
from ctrl_harness.problems.rows import NAMED_SOURCES

logger = logging.getLogger(__name__)

JUDGE_ERRORS = "judge_errors"
CRITIC_ERRORS = "critic_errors"
_OWN = ("source", REVISION, "protocol", "executor", "unsafe_no_isolation", "packages",
        "all_cases")  # fmt: skip
_OF_PROTOCOL = ("prompts", "extraction", "comparator", "time_limit", "output_mb")


class ProgramTask(ChatTask):
    """A data set of programs: prompt, extraction and judge are those of the Inspect task.

    Metrics: a Pass@1 for each of `judged_on`; where the answers come from the LM `ctrl-critic`,
    Pass@1 of each turn, Δ↑ and Δ↓; and the counts `judge_errors` and, with a critic,
    `critic_errors`: answers on which one of them failed, whose problems are in no other metric.
    """

    runs_code = True
    dataset_name: ClassVar[str]
    judged_on: ClassVar[Mapping[str, str]] = {"all": "pass_at_1"}
    """The name of each verdict and of its metric; the first is the one that turns are told by."""
    fixed_rows: ClassVar[Mapping[str, str]] = {}
    """What of the rows' settings is not the user's to choose."""

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        config = config or {}
        name = parameters.name("task", config.get("task"))
        rows = protocol("default", self.dataset_name).rows
        free = tuple(row for row in rows if row not in self.fixed_rows)
        options = options_of(name, config, (*_OWN, *free, *_OF_PROTOCOL, "epochs"))
        own = {key: options.pop(key) for key in _OWN if key in options}
        protocol_name = parameters.name("protocol", own.get("protocol", "default"))
        settings = with_given(
            protocol(protocol_name, self.dataset_name), {**self.fixed_rows, **options}
        )
        self.prompts = get_prompts(settings.prompts, self.dataset_name)
        judge = open_judge(
            extraction=settings.extraction,
            comparator=settings.comparator,
            executor=own.get("executor"),
            unsafe_no_isolation=own.get("unsafe_no_isolation", False),
            packages=parameters.names("packages", own.get("packages")),
            time_limit=settings.time_limit,
            output_mb=settings.output_mb,
            all_cases=parameters.flag("all_cases", own.get("all_cases", False)),
        )
        problems = open_dataset(
            self.dataset_name,
            parameters.path_or_name(own.get("source", "hub"), NAMED_SOURCES),
            revision=own.get(REVISION),
            **settings.rows,
        )
        self._problems = problems
        self._judge = open_sync(judge)
        self.judged = Judged({}, {})  # what came of this run's answers
        self.docs = documents(problems)
        self._docs_by_id = {doc["id"]: doc for doc in self.docs}
        logger.info("%s: %d problems, %s", name, len(problems), problems.reference)
        facts = {
            **report_rows(problems),
            "protocol": protocol_name,
            # the loop's settings are the model's here, if it is ctrl-critic
            **{key: value for key, value in settings.as_json().items() if key in _OF_PROTOCOL},
            "prompts_digest": self.prompts.digest,
            "judge": judge.settings(),
        }
        super().__init__(
            {"repeats": settings.epochs, **config},
            sampling=settings.sampling("draft"),
            facts=facts,
        )

    def cases_of(self, problem: Problem) -> Mapping[str, Problem]:
        """The problem with the cases of each verdict of `judged_on`."""
        return {"all": problem}

    def chats(self, doc: Document) -> list[tuple[Message, ...]]:
        return [self.prompts.draft(as_asked(self._problems, doc["id"]))]

    def doc_to_target(self, doc: Document, doc_to_target: Any = None) -> str:
        """What stands for the tests in lm-eval's logs."""
        digest: str = doc["digest"]
        return digest

    def apply_filters(self) -> Any:
        """Judges every answer, side by side, before lm-eval asks for scores one by one."""
        filtered = super().apply_filters()
        if not self.only_predicts:
            answers = [
                Answer(instance.doc["id"], completion)
                for instance in self.instances
                for response in instance.resps
                for completion in self._completions(instance.doc, response)
            ]
            self.judged = self._judge_all(answers)
        return filtered

    def score(self, doc: Document, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        (responses,) = answers
        chains = [self._completions(doc, response) for response in responses]
        asked = {Answer(doc["id"], completion) for chain in chains for completion in chain}
        if not asked <= self.judged.verdicts.keys() | self.judged.failed.keys():
            self.judged = self._judge_all(asked)
        errors = {JUDGE_ERRORS: [self.judged.failed[a] for a in asked if a in self.judged.failed]}
        if any(isinstance(response, ChainText) for response in responses):
            errors[CRITIC_ERRORS] = [why for why in map(failure_of, responses) if why is not None]
        counts = {name: len(reasons) for name, reasons in errors.items()}
        self._aggregation_list.update(dict.fromkeys(counts, sum))
        self._higher_is_better.update(dict.fromkeys(counts, False))
        reasons = [reason for found in errors.values() for reason in found]
        if reasons:
            # left out and counted, and the command's exit status says so: what the model wrote may
            # have cost a day, and is not lost as it would be with an exception here
            logger.error("%s is in no number: %s", doc["id"], reasons[0])
            failures.append(f"{doc['id']}: {reasons[0]}")
            return counts
        return {**self._scores(doc, chains), **counts}

    def _scores(self, doc: Document, chains: Sequence[Sequence[str]]) -> dict[str, float]:
        """The mean over the answers to this problem."""
        scores: dict[str, float] = {}
        for verdict, metric in self.judged_on.items():
            passed = [self._passed(doc, chain[-1], verdict) for chain in chains]
            scores[metric] = _mean(passed)
        last = len(chains[0]) - 1
        if last > 0:
            first = next(iter(self.judged_on))
            turns = [[self._passed(doc, text, first) for text in chain] for chain in chains]
            for turn in range(last + 1):
                scores[f"pass_at_1_turn_{turn}"] = _mean([chain[turn] for chain in turns])
            scores["delta_up"] = _mean([not chain[0] and chain[-1] for chain in turns])
            scores["delta_down"] = _mean([chain[0] and not chain[-1] for chain in turns])
            self._higher_is_better["delta_down"] = False
        return scores

    def _passed(self, doc: Document, completion: str, verdict: str) -> bool:
        return self.judged.verdicts[Answer(doc["id"], completion)][verdict].passed

    def _completions(self, doc: Document, response: str) -> list[str]:
        """What each turn wrote, from its first character: `gen_prefix` is the task's."""
        prefix = self.doc_to_prefix(doc) or ""
        return [prefix + completion for completion in turns_of(response)]

    def _judge_all(self, answers: Any) -> Judged:
        def read(name: str) -> Problem:
            return problem_of(self._docs_by_id[name])

        return judge_answers(self._judge, answers, read, self.cases_of)


failures: list[str] = []
"""What the judge failed on in this process; the command line ends with it."""


def raise_failures() -> None:
    """Raises JudgeError where an answer went unjudged since the last call."""
    found, failures[:] = list(failures), []
    if found:
        raise JudgeError(f"{len(found)} problems are in no number; the first was {found[0]}")


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


class CodeContests(ProgramTask):
    """deepmind/code_contests, on stdin and stdout."""

    dataset_name = "codecontests"


class LiveCodeBench(ProgramTask):
    """livecodebench/code_generation_lite, on stdin and stdout and by calls."""

    dataset_name = "livecodebench"


class MbppPlus(ProgramTask):
    """evalplus/mbppplus: EvalPlus's two numbers.

    plus: every call of the row's `test` program, which has MBPP's own inputs among them; what the
    Inspect task calls passing. base: the asserts of `test_list`, which are MBPP's own.
    """

    dataset_name = "mbppplus"
    judged_on: ClassVar[Mapping[str, str]] = {
        "plus": "pass_at_1_plus",
        "base": "pass_at_1_base",
    }
    fixed_rows: ClassVar[Mapping[str, str]] = {"tests": "all"}

    def cases_of(self, problem: Problem) -> Mapping[str, Problem]:
        return {"plus": problem, "base": problem.with_cases(problem.public_cases)}

"""Work that is done once: what the store has is taken from it, the rest is the engine's.

A call's key is a hash of all that determines its answer: model, messages, sampling, seed, and where
in which problem it belongs (models that take no seed would else give every draft one answer). A
judgement's key is its digest (verification/digest.py). What fails is not kept, so that the next run
tries it again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from ctrl_harness.critique.messages import Completion, Usage
from ctrl_harness.critique.protocol import Sampling, stage_of
from ctrl_harness.critique.seeds import call_seed
from ctrl_harness.errors import ContextOverflow, CtrlHarnessError, JudgeError, UserError
from ctrl_harness.training.engine import (
    Engine,
    ModelFailed,
    Question,
    Submission,
    WorkSpec,
    with_cases,
)
from ctrl_harness.training.store import Store
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import CaseResult, Verdict

FORMAT = 1
"""Part of every key; raised when the same work could come to something else than before."""
_OVERFLOW = "context_overflow"
MAX_FAILURES_IN_A_ROW = 50
"""After that a run ends: what fails this often fails for all that is left."""


class NotDone(CtrlHarnessError):
    """The store does not have it, and there is no engine to do it."""


@dataclass(slots=True)
class WorkCounts:
    """What was done in this run, and what was there already."""

    asked: int = 0
    judged: int = 0
    found: int = 0
    models_failed: int = 0
    judge_failed: int = 0


class StoredWork:
    """Does each piece of work once, whoever asks for it and however often.

    engine: None takes everything from the store and raises NotDone for the rest.
    """

    def __init__(self, spec: WorkSpec, store: Store, engine: Engine | None) -> None:
        self.judge: Judge = spec.open_judge()
        self.counts = WorkCounts()
        self._spec = spec
        self._store = store
        self._engine = engine
        self._flights: dict[str, anyio.Event] = {}
        self._failures = 0

    async def ask(self, question: Question) -> Completion:
        """Raises ModelFailed; ContextOverflow where the generator has no room for the question,
        which is kept of a revision; UserError where nothing can be asked at all."""
        call = question.call
        key = _call_key(self._spec, question)
        place = {
            "problem": question.problem_id,
            "draft": question.draft_number,
            "stage": stage_of(call),
        }
        async with self._alone(key) as payload:
            if payload is None:
                started = time.monotonic()
                try:
                    answer = await self._working_engine().ask(question)
                except ModelFailed as error:
                    self.counts.models_failed += 1
                    self._failed(f"the model failed ({error})")
                    raise
                except ContextOverflow as error:
                    if not call.turn:
                        self.counts.models_failed += 1
                        self._failed(f"the model failed ({error})")
                        raise
                    payload = {_OVERFLOW: str(error)}
                else:
                    payload = _completion_as_json(answer)
                self.counts.asked += 1
                self._keep(key, "call", payload, place, started)
        if _OVERFLOW in payload:
            raise ContextOverflow(payload[_OVERFLOW])
        return _completion_from_json(payload)

    async def verify(self, submission: Submission, **place: Any) -> Verdict:
        """The verdict, with the error and output of its first failing case alone.

        Raises JudgeError.
        """
        problem, program, bare, all_cases = submission
        key = with_cases(self.judge, all_cases).digest(problem, program, bare=bare)
        async with self._alone(key) as payload:
            if payload is None:
                started = time.monotonic()
                try:
                    verdict = await self._working_engine().judge(submission)
                except JudgeError as error:
                    self.counts.judge_failed += 1
                    self._failed(f"the judge failed ({error})")
                    raise
                self.counts.judged += 1
                payload = _verdict_as_json(verdict)
                self._keep(key, "verdict", payload, {"problem": problem.id, **place}, started)
        return _verdict_from_json(payload)

    def _working_engine(self) -> Engine:
        if self._engine is None:
            raise NotDone("this was not done in the run before")
        return self._engine

    def _failed(self, what: str) -> None:
        """Raises UserError where nothing but failures has come for long."""
        self._failures += 1
        if self._failures >= MAX_FAILURES_IN_A_ROW:
            raise UserError(
                f"{what}, like the {self._failures - 1} pieces of work before it; what was made so"
                " far is kept, mend it and run again to go on"
            )

    def _keep(
        self,
        key: str,
        kind: str,
        payload: Mapping[str, Any],
        place: Mapping[str, Any],
        start: float,
    ) -> None:
        self._failures = 0
        measured = {"at": round(time.time(), 3), "seconds": round(time.monotonic() - start, 3)}
        self._store.put(key, kind, payload, place=place, measured=measured)

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[Mapping[str, Any] | None]:
        """What is kept under the key; where nothing is, nobody else works on it meanwhile."""
        while key not in self._store and key in self._flights:
            await self._flights[key].wait()
        payload = self._store.get(key)
        if payload is not None:
            self.counts.found += 1
            yield payload
            return
        landed = self._flights[key] = anyio.Event()
        try:
            yield None
        finally:
            del self._flights[key]
            landed.set()


def _call_key(spec: WorkSpec, question: Question) -> str:
    call = question.call
    epoch = question.draft_number + 1
    model = spec.critic if call.role == "critic" and spec.critic else spec.generator
    seed = spec.seed
    parts = {
        "format": FORMAT,
        "model": model.name,
        "model_args": dict(model.args),
        "messages": [list(message) for message in call.messages],
        "sampling": spec.sampling.get(stage_of(call), Sampling())._asdict(),
        "seed": None if seed is None else call_seed(seed, question.problem_id, epoch, call),
        "place": [question.problem_id, epoch, call.role, call.turn, call.vote],
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _completion_as_json(answer: Completion) -> dict[str, Any]:
    return {
        "text": answer.text,
        "cut_off": answer.cut_off,
        "input_tokens": answer.usage.input_tokens,
        "output_tokens": answer.usage.output_tokens,
    }


def _completion_from_json(data: Mapping[str, Any]) -> Completion:
    usage = Usage(data["input_tokens"], data["output_tokens"])
    return Completion(data["text"], data["cut_off"], usage)


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    """Without times and memory, which no second run repeats."""
    failure = verdict.first_failure
    return {
        "status": verdict.status,
        "cases": [None if case is None else case.status for case in verdict.cases],
        "digest": verdict.digest,
        "failure": None
        if failure is None
        else {"index": failure.index, "error": failure.error, "output": failure.output},
    }


def _verdict_from_json(data: Mapping[str, Any]) -> Verdict:
    failure = data["failure"] or {"index": None}
    cases = []
    for index, status in enumerate(data["cases"]):
        told = failure if failure["index"] == index else {"error": "", "output": ""}
        cases.append(
            None
            if status is None
            else CaseResult(index, status, 0.0, None, told["error"], told["output"])
        )
    return Verdict(data["status"], tuple(cases), data["digest"])

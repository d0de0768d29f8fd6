"""What a critique earns: the frozen generator revises after it, the judge decides, and it is paid.

The one path behind verl's `compute_score`, TRL's reward function and a plain call in Python.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from ctrl_harness.critique.critic import Critique
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.critique.leakage import Leak, find_leak
from ctrl_harness.critique.messages import Call, Completion, Generate
from ctrl_harness.critique.revise import Turn
from ctrl_harness.errors import CtrlHarnessError, UserError
from ctrl_harness.training.faults import FaultShare, RunStopped
from ctrl_harness.training.frozen_generator import FrozenGenerator, GeneratorError
from ctrl_harness.training.leaks import strip
from ctrl_harness.training.pretrained import load_tokenizer
from ctrl_harness.training.revision import revise
from ctrl_harness.training.reward_judge import RewardJudge
from ctrl_harness.training.reward_settings import RewardSettings
from ctrl_harness.training.rewards import score
from ctrl_harness.training.rl_rows import DraftVerdict, Episode
from ctrl_harness.training.trace import TraceError, TraceWriter
from ctrl_harness.training.trace_record import record_of
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict

Malformed = Literal["no_verdict", "cut_off", "too_long", "empty", "leak", "context_overflow"]
"""Why there is no revision: nothing after "Overall judgment", the token limit, more characters than
any critique has, nothing to read, a program that the settings do not forgive, or no room for the
critique in the generator's context."""

_MOST_FITTING = 4096
"""Drafts known to fit into the generator's context, of which this many are remembered."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision and its verdict. cut_off: it ended at the token limit."""

    text: str
    cut_off: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rewarded:
    """What a critique earned, and why.

    judgement: what the critic says of the draft. malformed: why it is rewarded as one whose
    revision failed; None where it is not. revisions: empty where none was asked for. retries: how
    often the generator had to be asked again.
    """

    score: float
    draft: DraftVerdict
    judgement: Judgement
    malformed: Malformed | None = None
    leak: Leak = "none"
    revisions: tuple[Revision, ...] = ()
    retries: int = 0
    generator_s: float = 0.0
    judge_s: float = 0.0

    @property
    def said_right(self) -> bool:
        return self.judgement == ("correct" if self.draft.passed else "incorrect")


class CritiqueReward:
    """Rewards critiques; one for each process, made once.

    Reentrant: any number of calls may be in flight, from any event loop of any thread; each loop
    has its own limits (`generator_in_flight`, `judge_jobs`). router_address: "host:port" of verl's
    reward router, asked where the settings name no generator. Raises UserError, TraceError.
    """

    def __init__(self, settings: RewardSettings, router_address: str | None = None) -> None:
        self.settings = settings
        self._reward = settings.function
        self._judge = RewardJudge(settings)
        self._generator = (
            FrozenGenerator(settings.generator(router_address)) if settings.revises else None
        )
        self._count_tokens = _token_counter(settings)
        self._faults = FaultShare(
            settings.max_fault_share, settings.fault_window, settings.least_faults_seen
        )
        self._trace = TraceWriter(settings.trace) if settings.trace is not None else None
        self._stopped: str | None = None
        self._fitting: OrderedDict[object, None] = OrderedDict()

    async def __call__(
        self,
        episode: Episode,
        critique: str,
        *,
        cut_off: bool | None = None,
        place: Mapping[str, Any] | None = None,
    ) -> Rewarded:
        """The reward of a critique of the episode's draft.

        critique: the critic's answer as it came. cut_off: whether it ended at its token limit,
        where the caller knows. place: JSON-ready facts for the trace (`step`).

        Raises JudgeError (GeneratorError, TraceError among them) where nothing is known of the
        critique, after the retries; RunStopped where too many were lost; UserError for a row or a
        machine that cannot be used. None of them is a reward: leave the sample out.
        """
        self._refuse_if_stopped()
        call = UnderWay(uuid.uuid4().hex, episode, critique, dict(place or {}))
        try:
            done = await self._rewarded(call, cut_off)
            self._write(call, done, None)
        except CtrlHarnessError as error:
            call.retries = getattr(error, "retries", call.retries)
            self._lose(call, error)
            raise
        self._faults.count(lost=False)
        return done

    def lose_row(self, error: UserError, place: Mapping[str, Any]) -> None:
        """Traces and counts a row that is no episode. Raises RunStopped once they are too many."""
        self._refuse_if_stopped()
        self._lose(UnderWay(uuid.uuid4().hex, None, "", dict(place)), error)

    async def aclose(self) -> None:
        """Ends the judge's processes and this event loop's connections, and closes the trace."""
        await self._judge.executor.aclose()
        if self._generator is not None:
            await self._generator.aclose()
        if self._trace is not None:
            self._trace.close()

    # -- one critique

    async def _rewarded(self, call: UnderWay, cut_off: bool | None) -> Rewarded:
        episode, settings = call.known_episode, self.settings
        draft, problem = episode.draft, episode.problem
        judge = self._judge.of(episode.settings)
        if len(call.critique) > settings.max_critique_chars:
            return self._failed(call, "missing", "too_long")
        reading = episode.prompts.read(call.critique)
        if cut_off is None:
            cut_off = self._is_cut_off(call.critique)
        leak = await find_leak(reading.text, draft.program, problem, self._passes(judge, episode))
        call.leak = leak
        if cut_off:
            return self._failed(call, "missing", "cut_off")
        if not reading.text.strip():
            return self._failed(call, "missing", "empty")
        if reading.judgement == "missing":
            return self._failed(call, "missing", "no_verdict")
        text: str | None = reading.text
        if leak != "none" and settings.leak != "report":
            text = strip(reading.text, draft.program, problem) if settings.leak == "strip" else None
            if text is None:
                return self._failed(call, reading.judgement, "leak")
        assert text is not None
        given = Critique(text, reading.judgement)
        revisions = []
        for number in range(settings.revisions if settings.revises else 0):
            revision = await self._revision(call, judge, given, number)
            if revision is None:
                await self._require_room(call, judge, given)
                return self._failed(call, reading.judgement, "context_overflow")
            revisions.append(revision)
        verdicts = [revision.verdict for revision in revisions]
        return Rewarded(
            score(self._reward, episode.verdict, verdicts, reading.judgement),
            episode.verdict,
            reading.judgement,
            None,
            leak,
            tuple(revisions),
            call.retries,
            call.generator_s,
            call.judge_s,
        )

    def _failed(self, call: UnderWay, judgement: Judgement, why: Malformed) -> Rewarded:
        """What is paid for a critique that no revision is asked for: a failed revision's reward."""
        verdict = call.known_episode.verdict
        # whatever it said: half a critique's judgement earns nothing either
        paid = score(self._reward, verdict, (), "missing")
        return Rewarded(
            paid, verdict, judgement, why, call.leak, (), 0, call.generator_s, call.judge_s
        )

    async def _revision(
        self, call: UnderWay, judge: Judge, critique: Critique, number: int
    ) -> Revision | None:
        """None where the generator's context has no room for the critique."""
        episode = call.known_episode
        answers: list[Completion] = []

        async def generate(asked: Call) -> Completion:
            assert self._generator is not None
            seed = number if self.settings.revisions > 1 else None
            began = time.perf_counter()
            call.asked = True
            answer = await self._generator.ask(asked.messages, seed=seed)
            call.generator_s += time.perf_counter() - began
            call.retries += answer.retries
            answers.append(answer.completion)
            return answer.completion

        turn = await _turn(episode, judge, critique, generate)
        if turn.critique.malformed is not None:
            return None
        revised = turn.revision
        call.revised = True
        began = time.perf_counter()
        verdict = await self._judge.verify(judge, episode.problem, revised.program)
        call.judge_s += time.perf_counter() - began
        return Revision(revised.completion, answers[0].cut_off, verdict)

    async def _require_room(self, call: UnderWay, judge: Judge, critique: Critique) -> None:
        """Raises GeneratorError where the generator has no room for an empty critique either:
        that is no critique's fault."""
        episode = call.known_episode
        place = (episode.problem.id, episode.split, episode.index, episode.draft_number)
        if place in self._fitting:
            return

        async def generate(asked: Call) -> Completion:
            assert self._generator is not None
            return (await self._generator.ask(asked.messages)).completion

        turn = await _turn(episode, judge, replace(critique, text=""), generate)
        if turn.critique.malformed is not None:
            assert self._generator is not None
            raise GeneratorError(
                f"the generator at {self._generator.name} has no room for {episode.problem.id} and "
                "its draft, whatever the critique; serve it with a longer context, or give "
                "generator_max_tokens a smaller value",
                call.retries,
            )
        self._fitting[place] = None
        while len(self._fitting) > _MOST_FITTING:
            self._fitting.popitem(last=False)

    def _passes(self, judge: Judge, episode: Episode) -> Callable[[str], Any]:
        """Whether a program that stands in a critique solves the problem."""
        quick = replace(judge, all_cases=False)

        async def passes(program: str) -> bool:
            return (await self._judge.verify(quick, episode.problem, program, bare=True)).passed

        return passes

    def _is_cut_off(self, critique: str) -> bool:
        limit = self.settings.max_critique_tokens
        return (
            limit is not None
            and self._count_tokens is not None
            and self._count_tokens(critique) >= limit
        )

    # -- what is lost

    def _refuse_if_stopped(self) -> None:
        if self._stopped is None and self._trace is not None:
            self._stopped = self._trace.stopped()
        if self._stopped is not None:
            raise RunStopped(self._stopped)

    def _lose(self, call: UnderWay, error: CtrlHarnessError) -> None:
        trouble: CtrlHarnessError | None = None
        try:
            self._write(call, None, error)
        except CtrlHarnessError as unwritten:
            trouble = unwritten
        said = self._faults.count(lost=True)
        if said is not None:
            where = f"; the trace is in {self.settings.trace}" if self.settings.trace else ""
            self._stopped = f"the run is stopped: {said}. The last: {trouble or error}{where}"
            if self._trace is not None:
                with suppress(TraceError):  # then each worker finds out by itself
                    self._trace.stop(self._stopped)
            raise RunStopped(self._stopped) from error
        if trouble is not None:
            raise trouble from error

    def _write(
        self, call: UnderWay, done: Rewarded | None, error: CtrlHarnessError | None
    ) -> None:
        if self._trace is not None:
            self._trace.write(record_of(call, done, error, self.settings))


@dataclass
class UnderWay:
    """One critique under way, as far as it came."""

    id: str
    episode: Episode | None
    critique: str
    place: dict[str, Any]
    leak: Leak = "none"
    asked: bool = False
    revised: bool = False
    retries: int = 0
    generator_s: float = 0.0
    judge_s: float = 0.0

    @property
    def known_episode(self) -> Episode:
        assert self.episode is not None
        return self.episode


def _token_counter(settings: RewardSettings) -> Callable[[str], int] | None:
    """Counts a text's tokens. Raises UserError where the tokenizer is not there."""
    if settings.tokenizer is None:
        return None
    tokenizer = _tokenizer(settings.tokenizer)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


_tokenizer = lru_cache(maxsize=4)(load_tokenizer)


async def _turn(episode: Episode, judge: Judge, critique: Critique, generate: Generate) -> Turn:
    """The generator's answer to a critique of the episode's draft."""
    return await revise(
        episode.problem,
        episode.draft,
        critique,
        generate=generate,
        prompts=episode.prompts,
        judge=judge,
        replay=episode.settings.replay,
    )

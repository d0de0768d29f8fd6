"""What the trace says of one reward. Fields are only ever added; docs/reward.md lists them."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from ctrl_harness.errors import CtrlHarnessError
from ctrl_harness.training.frozen_generator import GeneratorError
from ctrl_harness.training.reward_settings import RewardSettings
from ctrl_harness.training.trace import TraceError

if TYPE_CHECKING:
    from ctrl_harness.training.critique_reward import Revision, Rewarded, UnderWay

_SHOWN_CHARS = 2_000


def record_of(
    call: UnderWay,
    done: Rewarded | None,
    error: CtrlHarnessError | None,
    settings: RewardSettings,
) -> dict[str, Any]:
    """One line. done: None where the reward is lost, then error says to what."""
    record: dict[str, Any] = {
        "id": call.id,
        "time": round(time.time(), 3),
        "step": None,
        **call.place,
        **_row(call),
        "reward": settings.reward,
        "score": None if done is None else done.score,
        "critique_sha256": _sha256(call.critique),
        "judgement": None if done is None else done.judgement,
        "malformed": None if done is None else done.malformed,
        "leak": call.leak,
        "asked": call.asked,
        "revised": call.revised,
        "judged": done is not None and bool(done.revisions),
        "retries": call.retries,
        "generator_s": round(call.generator_s, 4),
        "judge_s": round(call.judge_s, 4),
        "fault": None if error is None else _fault(error),
    }
    texts = settings.trace_texts
    if texts:
        record["critique"] = call.critique
    if done is not None:
        record["revisions"] = [_revision(revision, texts) for revision in done.revisions]
    return record


def _row(call: UnderWay) -> dict[str, Any]:
    episode = call.episode
    if episode is None:
        return {}
    return {
        "data_source": episode.problem.dataset,
        "task_id": episode.problem.id,
        "split": episode.split,
        "index": episode.index,
        "draft_number": episode.draft_number,
        "draft": {"passed": episode.verdict.passed, **episode.verdict._asdict()},
    }


def _revision(revision: Revision, texts: bool) -> dict[str, Any]:
    verdict = revision.verdict
    told: dict[str, Any] = {
        "status": verdict.status,
        "passed": verdict.passed,
        "n_passed": verdict.n_passed,
        "n_cases": verdict.n_cases,
        "digest": verdict.digest,
        "cut_off": revision.cut_off,
    }
    return {**told, "text": revision.text} if texts else told


def _fault(error: CtrlHarnessError) -> dict[str, str]:
    match error:
        case GeneratorError():
            kind = "generator"
        case TraceError():
            kind = "trace"
        case RuntimeError():
            kind = "judge"
        case _:
            kind = "input"
    return {"kind": kind, "message": str(error)[:_SHOWN_CHARS]}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

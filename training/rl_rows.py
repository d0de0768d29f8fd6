"""The row of the RL parquet: one (problem, draft), which is one group of critiques in training.

The schema is verl's (`utils/dataset/rl_dataset.py` of 0.9.1): `prompt`, what the critic is asked as
chat messages; `data_source`; `reward_model`; and `extra_info`, which alone reaches the reward. All
that the reward needs stands there, the whole problem among it. What is nested is JSON text, since
Arrow wants the same fields in every row. This module is the one place that knows the layout:
synthesis writes rows with `Episode.to_row`, the reward reads them with `Episode.from_extra_info`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Self, get_args

from ctrl_harness.critique.choice import get_prompts
from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompts import Prompts
from ctrl_harness.critique.revise import Replay
from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem
from ctrl_harness.training.problem_json import problem_as_json, problem_from_json
from ctrl_harness.verification.comparators import get_comparator
from ctrl_harness.verification.extraction import get_extraction
from ctrl_harness.verification.output_limit import OutputLimit
from ctrl_harness.verification.time_limit import TimeLimit
from ctrl_harness.verification.verdict import STATUSES, Status, Verdict

REWARD_STYLE = "rule"
"""What verl's rows carry as `reward_model.style`; nothing of ours reads it."""

_KEPT_PROBLEMS = 16


class DraftVerdict(NamedTuple):
    """What the judge said of the draft. n_passed: of all cases, where a reward looks at the share.
    digest: the judgement's, as in logs and traces."""

    status: Status
    n_passed: int
    n_cases: int
    digest: str

    @property
    def passed(self) -> bool:
        return self.status == "accepted"

    @property
    def fraction(self) -> float:
        """Share of the cases that are accepted, 0 to 1."""
        return self.n_passed / self.n_cases

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        return cls(verdict.status, verdict.n_passed, verdict.n_cases, verdict.digest)


class EpisodeSettings(NamedTuple):
    """How the draft was judged, and so how its revisions are.

    prompts: a built-in set, a folder of templates, or critic-rl:PATH. comparator: None for the
    problem's own. time_limit: as verification/time_limit.py writes it. replay: what stands for the
    draft in the generator's chat (`code` in CTRL's RL, `raw` in its evaluation). output_mb: as
    verification/output_limit.py writes it.
    """

    prompts: str = "default"
    extraction: str = "first_fence"
    comparator: str | None = None
    time_limit: str = "row"
    replay: Replay = "raw"
    output_mb: str = "row"

    def checked(self) -> Self:
        """Raises UserError, naming the choices, for a name that is none."""
        get_extraction(self.extraction)
        if self.comparator is not None:
            get_comparator(self.comparator)
        TimeLimit.parse(self.time_limit)
        OutputLimit.parse(self.output_mb)
        if self.replay not in get_args(Replay):
            raise UserError(f"replay is {self.replay!r}; give {' or '.join(get_args(Replay))}")
        return self


@dataclass(frozen=True, slots=True)
class Episode:
    """A draft to be criticised, and everything that is needed to reward what is said of it.

    index: the row's number in its file. split: `train` or `val`. draft_number: which of the
    problem's drafts this is, from 0.
    """

    problem: Problem
    draft: Draft
    verdict: DraftVerdict
    settings: EpisodeSettings = field(default_factory=EpisodeSettings)
    split: str = "train"
    index: int = 0
    draft_number: int = 0

    @property
    def prompts(self) -> Prompts:
        """Raises UserError where the prompt set is not there."""
        return prompts_of(self.settings.prompts, self.problem.dataset)

    def critic_messages(self) -> tuple[Message, ...]:
        """What the critic is asked, in training and in evaluation."""
        return self.prompts.critique(self.problem, self.draft)

    def to_row(self) -> dict[str, Any]:
        """The row, in plain Python types that fit `arrow_schema`.

        Raises UserError for a problem without a plain form and for text that is not Unicode.
        """
        problem = _dump(problem_as_json(self.problem))
        digest = self.problem.digest()
        truth = {"problem": digest, "draft": self.verdict.digest, "passed": self.verdict.passed}
        return {
            "prompt": [_chat_row(message) for message in self.critic_messages()],
            "data_source": self.problem.dataset,
            "reward_model": {"style": REWARD_STYLE, "ground_truth": _dump(truth)},
            "extra_info": {
                "index": self.index,
                "split": self.split,
                "task_id": self.problem.id,
                "draft_number": self.draft_number,
                "problem": problem,
                "problem_digest": digest,
                "draft": _dump(
                    {
                        "completion": self.draft.completion,
                        "program": self.draft.program,
                        "turn": self.draft.turn,
                    }
                ),
                "draft_verdict": _dump(self.verdict._asdict()),
                "settings": _dump(self.settings._asdict()),
            },
        }

    @classmethod
    def from_extra_info(cls, extra_info: Mapping[str, Any]) -> Self:
        """The episode that `to_row` wrote, whatever verl has added to it or made of its types.

        Problems read last are kept, since the critiques of a group come one after the other.
        Raises UserError for a mapping that `to_row` did not write.
        """
        try:
            draft = _load(extra_info["draft"])
            return cls(
                problem=_problem(_text(extra_info["problem"])),
                draft=Draft(
                    _text(draft["completion"]),
                    None if draft["program"] is None else _text(draft["program"]),
                    int(draft["turn"]),
                ),
                verdict=_verdict(_load(extra_info["draft_verdict"])),
                settings=EpisodeSettings(**_load(extra_info["settings"])).checked(),
                split=_text(extra_info["split"]),
                index=int(_plain(extra_info["index"])),
                draft_number=int(_plain(extra_info["draft_number"])),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UserError(
                f"extra_info is not that of a row by `ctrl-harness synthesize` ({reason:.300}); "
                "make the parquet with it"
            ) from None


def arrow_schema() -> Any:
    """The parquet's pyarrow.Schema."""
    import pyarrow  # type: ignore[import-untyped]

    text = pyarrow.string()
    message = pyarrow.struct([("role", text), ("content", text)])
    info = [
        ("index", pyarrow.int64()),
        ("split", text),
        ("task_id", text),
        ("draft_number", pyarrow.int64()),
        ("problem", text),
        ("problem_digest", text),
        ("draft", text),
        ("draft_verdict", text),
        ("settings", text),
    ]
    return pyarrow.schema(
        [
            ("prompt", pyarrow.list_(message)),
            ("data_source", text),
            ("reward_model", pyarrow.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pyarrow.struct(info)),
        ]
    )


@lru_cache(maxsize=64)
def prompts_of(source: str, dataset: str) -> Prompts:
    """As `get_prompts`, read once a process."""
    return get_prompts(source, dataset)


@lru_cache(maxsize=_KEPT_PROBLEMS)
def _problem(stored: str) -> Problem:
    # one object for one problem: the digests of its judgements are begun once, too
    return problem_from_json(json.loads(stored))


def _verdict(data: Mapping[str, Any]) -> DraftVerdict:
    verdict = DraftVerdict(**data)
    if verdict.status not in STATUSES or not 0 <= verdict.n_passed <= verdict.n_cases:
        raise ValueError(f"the draft's verdict is {dict(data)}")
    return verdict


def _chat_row(message: Message) -> dict[str, str]:
    try:
        message.content.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError("the critic's prompt holds characters that are not Unicode") from None
    return message._asdict()


def _dump(data: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data)  # pure ASCII, so that any text whatever survives Arrow
    except (RecursionError, ValueError) as error:
        raise UserError(f"the problem has no form in JSON ({error})") from None


def _load(value: Any) -> Mapping[str, Any]:
    data = json.loads(_text(value))
    if not isinstance(data, dict):
        raise TypeError(f"{data!r:.80} is no JSON object")
    return data


def _text(value: Any) -> str:
    plain = _plain(value)
    if isinstance(plain, str):
        return str(plain)
    raise TypeError(f"{plain!r:.80} is not text")


def _plain(value: Any) -> Any:
    """What a numpy scalar holds, anything else as it is."""
    return value.item() if hasattr(value, "item") else value

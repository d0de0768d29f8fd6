"""Protocols: named, complete sets of settings, which move the numbers more than critics do.

A setting is called as its `-T` parameter is. `ctrl` is what made the tables of arXiv 2502.03492, by
its appendix C.4 and its released code where the text is silent or differs; `default` is what we
think right. docs/protocols.md states both, setting by setting, and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ctrl_harness.critique.critic import FeedbackTests
from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.revise import History, Replay
from ctrl_harness.errors import UserError

Stage = Literal["draft", "critique", "revision"]
"""The three kinds of calls; each may be sampled in a way of its own."""


class Sampling(NamedTuple):
    """What a kind of call is asked with; None leaves it to the role, the command and the model."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    repetition_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what is asked, of whom, how often, and how it is judged.

    rows: parameters of the data set's loader (tests, split, release, start, end). temperature:
    of drafts and critiques; revision_temperature: of revisions. max_tokens: new tokens a call.
    branches: critiques and revisions that each program gets, turn by turn; None for one.
    comparator: None for each problem's own. time_limit: as verification/time_limit.py writes it;
    output_mb: as verification/output_limit.py does.
    """

    rows: Mapping[str, str | None]
    epochs: int = 1
    turns: int = 1
    branches: tuple[int, ...] | None = None
    critic: str = "model"
    votes: int = 1
    feedback_tests: FeedbackTests = "public"
    stop_at_correct: bool = False
    prompts: str = "default"
    history: History = "latest"
    replay: Replay = "raw"
    extraction: str = "first_fence"
    comparator: str | None = None
    time_limit: str = "row"
    output_mb: str = "row"
    temperature: float | None = None
    revision_temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    repetition_penalty: float | None = None

    def sampling(self, stage: Stage) -> Sampling:
        hot = self.revision_temperature if stage == "revision" else self.temperature
        return Sampling(hot, self.top_p, self.max_tokens, self.repetition_penalty)

    def as_json(self) -> dict[str, Any]:
        """Every setting by its `-T` name, the rows' among them."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        del own["rows"]
        return {**self.rows, **own}

    def changed(self, given: Mapping[str, Any]) -> Settings:
        """With the given values of `-T` names, which must be among `as_json`'s."""
        rows = {name: given.get(name, value) for name, value in self.rows.items()}
        own = {name: value for name, value in given.items() if name not in self.rows}
        return replace(self, rows=MappingProxyType(rows), **own)


def stage_of(call: Call) -> Stage:
    """Which kind of call it is."""
    if call.role == "critic":
        return "critique"
    return "draft" if call.turn == 0 else "revision"


def _rows(**options: str | None) -> Mapping[str, str | None]:
    return MappingProxyType(options)


def _ctrl(
    rows: Mapping[str, str | None],
    time_limit: str = "30",
    comparator: str = "sandbox_fusion",
) -> Settings:
    return Settings(
        rows=rows,
        epochs=5,
        turns=5,
        prompts="ctrl",
        extraction="sandbox_fusion",
        comparator=comparator,
        time_limit=time_limit,
        temperature=0.7,
        revision_temperature=0.0,
        top_p=0.8,
        max_tokens=1024,
        repetition_penalty=1.05,
    )


PROTOCOLS: Mapping[str, Mapping[str, Settings]] = MappingProxyType(
    {
        "default": MappingProxyType(
            {
                "codecontests": Settings(_rows(split="test", tests="all")),
                "livecodebench": Settings(_rows(release=None, start=None, end=None, tests="all")),
                "mbppplus": Settings(_rows(tests="all")),
            }
        ),
        "ctrl": MappingProxyType(
            {
                "codecontests": _ctrl(_rows(split="test", tests="first10")),
                "livecodebench": _ctrl(
                    _rows(
                        release="release_v4",
                        start="2024-08-01",
                        end="2024-11-01",
                        tests="private",
                    ),
                    time_limit="30/total",
                    comparator="sandbox_fusion_livecodebench",
                ),
                "mbppplus": _ctrl(_rows(tests="all"), time_limit="30/program"),
            }
        ),
    }
)
"""By name and data set."""


def protocol(name: str, dataset: str) -> Settings:
    """A protocol's settings for a data set. Raises UserError, naming the choices."""
    if name not in PROTOCOLS:
        raise UserError(f"unknown protocol {name!r}; choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name][dataset]


# -- protocols in logs

ARMS = frozenset(
    {"critic", "votes", "feedback_tests", "turns", "branches", "epochs", "split"}
)
"""What may differ between results that are compared under one protocol: the arms, and how many."""


def describe(name: str, dataset: str, settings: Settings) -> dict[str, Any]:
    """What a log says of its protocol: the name, what was changed of it, and every setting.

    The rows' settings stand among what was changed only: what they came to, with source and
    commit, is the problem set's reference. Epochs stand in Inspect's own part, where --epochs
    overrules them.
    """
    of_name = protocol(name, dataset).as_json()
    resolved = settings.as_json()
    changed = {key: value for key, value in resolved.items() if value != of_name[key]}
    own = {key: value for key, value in resolved.items() if key not in (*settings.rows, "epochs")}
    return {"protocol": name, "changed": changed, **own}


def identity(facts: Mapping[str, Any]) -> str:
    """The protocol that a log's metadata tells of, in one line; logs of one protocol agree in it.

    What was changed counts, unless it only tells arms apart (critic, turns, epochs, …).
    """
    name = facts.get("protocol")
    if name is None:
        return "none (made without protocols)"
    changed = {k: v for k, v in sorted((facts.get("changed") or {}).items()) if k not in ARMS}
    listed = ", ".join(f"{key}={value}" for key, value in changed.items())
    return f"{name} with {listed}" if changed else str(name)


def refuse_mixture(logs: Sequence[Mapping[str, Any]]) -> None:
    """Raises UserError where the metadata of some logs tells of several protocols.

    Logs of one data set must agree in everything but their arm; logs of different ones in the
    name, since what was changed (dates, say) may have no meaning in the other. A prompt set that
    was edited between two logs is another one under the same name.
    """
    _refuse_other_words(logs)
    names = {str(facts.get("protocol")): identity(facts) for facts in logs}
    found = list(names.values()) if len(names) > 1 else []
    of_dataset: dict[Any, list[str]] = {}
    for facts in logs:
        told = of_dataset.setdefault((facts.get("problem_set") or {}).get("dataset"), [])
        if identity(facts) not in told:
            told.append(identity(facts))
    found = found or next((told for told in of_dataset.values() if len(told) > 1), [])
    if found:
        raise UserError(
            f"the logs are of different protocols ({'; '.join(found)}), whose numbers do not "
            "compare; give logs of one, or --mix-protocols"
        )


def _refuse_other_words(logs: Sequence[Mapping[str, Any]]) -> None:
    digests: dict[tuple[Any, str], Any] = {}
    for facts in logs:
        told = identity(facts)
        digest = facts.get("prompts_digest")
        key = ((facts.get("problem_set") or {}).get("dataset"), told)
        if digests.setdefault(key, digest) != digest:
            raise UserError(
                f"the logs are of one protocol ({told}) with different words (prompts_digest), so "
                "their numbers do not compare; give logs of one, or --mix-protocols"
            )

"""The JudgeBench task: which way of judging pairs, and with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypedDict, Unpack, get_args

from inspect_ai import Task

from ctrl_harness.critique.pair_prompts import PairPrompts
from ctrl_harness.critique.prompts import built_in_sets
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.judge_pairs import MODEL, LoadPairs, pairs_task
from ctrl_harness.evaluation.pairwise import judge_both_orders, pair_decisions
from ctrl_harness.evaluation.pointwise import VOTES, judge_each_alone, pair_votes
from ctrl_harness.evaluation.samples import one_line_errors
from ctrl_harness.problems.rows import NAMED_SOURCES

Mode = Literal["pairwise", "pointwise"]


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Everything that decides what is asked of the judge, by the names of its `-T` parameters.

    votes: critiques a response gets, None for pairwise. critic: `model` is the role `critic`, else
    the model itself; any other is found as in the tasks over programs (docs/critics.md).
    """

    mode: Mode = "pairwise"
    votes: int | None = None
    critic: str = MODEL
    prompts: str = "default"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    repetition_penalty: float | None = None

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.max_tokens, self.repetition_penalty)


# CTRL states neither how many critiques vote nor which prompt it used here; both are ours
PROTOCOLS: Mapping[str, JudgeSettings] = MappingProxyType(
    {
        "default": JudgeSettings(),
        "ctrl": JudgeSettings("pointwise", VOTES, MODEL, "default", 0.7, 0.8, 1024, 1.05),
    }
)
"""default: JudgeBench's own protocol. ctrl: arXiv 2502.03492, appendix C.4."""


class Given(TypedDict, total=False):
    """What the user changes of the protocol."""

    mode: str
    votes: int
    critic: str
    prompts: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    repetition_penalty: float | None


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "mode": partial(parameters.one_of, get_args(Mode)),
    "votes": parameters.positive_number,
    "critic": parameters.critic,
    "prompts": lambda _, value: parameters.path_or_name(value, built_in_sets()),
    "temperature": partial(parameters.number_within, 0.0, 2.0),
    "top_p": partial(parameters.number_within, 0.0, 1.0),
    "max_tokens": parameters.positive_or_null,
    "repetition_penalty": partial(parameters.number_within, 0.01, 2.0),
}


def settings_of(protocol: str, given: Mapping[str, Any]) -> JudgeSettings:
    """The protocol's settings with what the user gave. Raises UserError, naming the choices."""
    if protocol not in PROTOCOLS:
        raise UserError(f"unknown protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}")
    unknown = [name for name in given if name not in _CHECKS]
    if unknown:
        names = ", ".join(_CHECKS)
        raise UserError(f"there is no setting {unknown[0]!r}; choose among protocol, {names}")
    checked = {name: _CHECKS[name](name, value) for name, value in given.items()}
    settings = replace(PROTOCOLS[protocol], **checked)
    if settings.mode == "pairwise":
        if "votes" in given:
            raise UserError(
                f"votes={settings.votes} is for mode=pointwise; pairwise decides each pair in both "
                "orders"
            )
        return replace(settings, votes=None)
    return settings if settings.votes is not None else replace(settings, votes=VOTES)


def judgebench_task(
    load: LoadPairs, *, source: str, protocol: str = "default", **given: Unpack[Given]
) -> Task:
    """JudgeBench over the pairs that `load` finds in a source.

    What the settings came to stands in the log's header. Raises Inspect's PrerequisiteError, one
    line, for anything wrong in the input.
    """
    with one_line_errors():
        settings = settings_of(parameters.name("protocol", protocol), given)
        sampling = settings.sampling._asdict()
        if settings.mode == "pairwise":
            solver = judge_both_orders(settings.prompts, sampling, settings.critic)
            scorer = pair_decisions()
        else:
            votes = settings.votes or VOTES
            solver = judge_each_alone(votes, settings.prompts, sampling, settings.critic)
            scorer = pair_votes()
        pairs = load(parameters.path_or_name(source, NAMED_SOURCES))
        of_name, resolved = asdict(PROTOCOLS[protocol]), asdict(settings)
        changed = {key: value for key, value in resolved.items() if value != of_name[key]}
        words = PairPrompts(settings.prompts, settings.mode)
        return pairs_task(
            pairs,
            solver=solver,
            scorer=scorer,
            facts={
                "protocol": protocol,
                "changed": changed,
                **resolved,
                "prompts_digest": words.digest,
            },
            continue_on_fail=settings.critic != MODEL or None,
        )

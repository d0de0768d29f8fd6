"""What `-T` may change of a protocol, checked: each setting by its name, and what it may be."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, get_args

from ctrl_harness.critique.critic import FeedbackTests
from ctrl_harness.critique.critic_rl import PREFIX
from ctrl_harness.critique.prompts import built_in_sets
from ctrl_harness.critique.protocol import Settings
from ctrl_harness.critique.revise import History, Replay
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation import parameters


class Given(TypedDict, total=False):
    """The settings of the tasks over programs. What is not given is the protocol's.

    tests, split, release, start, end: Which rows and tests, where the data set has the choice.
    epochs: Drafts a problem gets (--epochs goes first).
    turns: Critiques and revisions each draft gets.
    branches: Critiques and revisions of each program, turn by turn (3,1); null is one.
    widths: The three in one, as CTRL's code has it: 1, epochs, then the branches (1,5,1,1).
    critic: model (role `critic`, else the generator itself), execution, model+execution, or any
        other that docs/critics.md tells of: NAME, NAME:ARGUMENT, path/file.py:NAME.
    votes: Critiques of each program; above 1 the judgement is the majority's.
    feedback_tests: What the execution critics run: public, or judged, an oracle.
    stop_at_correct: End a chain once the critic judges its program correct.
    prompts: A built-in prompt set, a folder of templates, or critic-rl:PATH.
    history: latest or full: what a revision's chat holds.
    replay: raw or code: what stands there for the generator's own answer.
    extraction: first_fence, last_fence or sandbox_fusion.
    comparator: default, evalplus, livecodebench, sandbox_fusion, sandbox_fusion_livecodebench or
        taco; null is the data set's.
    time_limit: row (its own), row*K (K times that), wall seconds a test, SECONDS/total or
        SECONDS/program.
    output_mb: row (its own), or MiB that a test may print or return.
    temperature, revision_temperature, top_p, max_tokens, repetition_penalty: How models are asked;
        null leaves it to the role, the command and the model.
    """

    tests: str
    split: str
    release: str | None
    start: str | datetime.date | None
    end: str | datetime.date | None
    epochs: int
    turns: int
    branches: Sequence[int] | str | int | None
    widths: Sequence[int] | str | int
    critic: str
    votes: int
    feedback_tests: str
    stop_at_correct: bool
    prompts: str
    history: str
    replay: str
    extraction: str
    comparator: str | None
    time_limit: str | float
    output_mb: str | float
    temperature: float | None
    revision_temperature: float | None
    top_p: float | None
    max_tokens: int | None
    repetition_penalty: float | None


Check = Callable[[str, Any], Any]
"""(name, value as Inspect read it) -> the value as logs carry it; UserError for another."""


def _prompts(parameter: str, value: Any) -> str:
    text = parameters.path_or_name(value, built_in_sets())
    if not text.startswith(PREFIX):
        return text
    return PREFIX + parameters.path_or_name(text.removeprefix(PREFIX), ())


def _comparator(parameter: str, value: Any) -> str | None:
    return None if value is None else parameters.name(parameter, value)


_CHECKS: Mapping[str, Check] = {
    "epochs": parameters.positive_number,
    "turns": parameters.whole_number,
    "branches": lambda name, value: None if value is None else parameters.numbers(name, value),
    "critic": parameters.critic,
    "votes": parameters.positive_number,
    "feedback_tests": partial(parameters.one_of, get_args(FeedbackTests)),
    "stop_at_correct": parameters.flag,
    "prompts": _prompts,
    "history": partial(parameters.one_of, get_args(History)),
    "replay": partial(parameters.one_of, get_args(Replay)),
    "extraction": parameters.name,
    "comparator": _comparator,
    "time_limit": parameters.time_limit,
    "output_mb": parameters.output_mb,
    "temperature": partial(parameters.number_within, 0.0, 2.0),
    "revision_temperature": partial(parameters.number_within, 0.0, 2.0),
    "top_p": partial(parameters.number_within, 0.0, 1.0),
    "max_tokens": parameters.positive_or_null,
    "repetition_penalty": partial(parameters.number_within, 0.01, 2.0),
}


def with_given(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The protocol's settings with what the user gave. Raises UserError, naming the choices."""
    checked: dict[str, Any] = {}
    for name, value in _spelled_out(given).items():
        if name in settings.rows:
            # the loader checks it; YAML has made dates and numbers of some
            checked[name] = None if value is None else str(value)
        elif name in _CHECKS:
            checked[name] = _CHECKS[name](name, value)
        else:
            names = ", ".join([*settings.rows, "widths", *_CHECKS])
            raise UserError(f"there is no setting {name!r}; choose among protocol, {names}")
    return _checked_branches(settings.changed(checked))


def _spelled_out(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """With epochs, turns and branches in place of the widths that say them."""
    if "widths" not in given:
        return given
    widths = parameters.numbers("widths", given["widths"])
    if len(widths) < 2 or widths[0] != 1:
        told = ",".join(map(str, widths))
        raise UserError(
            f"widths={told} is not a tree; give 1, the number of drafts, and how many critiques "
            "and revisions each program gets, turn by turn: 1,5,1,1"
        )
    said = {"epochs": widths[1], "turns": len(widths) - 2, "branches": widths[2:]}
    for name in said:
        if name in given:
            raise UserError(f"widths says {name} too; leave {name} or widths out")
    return {**{name: value for name, value in given.items() if name != "widths"}, **said}


def _checked_branches(settings: Settings) -> Settings:
    """One form for each tree: a chain has no branches."""
    branches = settings.branches
    if branches is None or len(branches) == settings.turns:
        return settings if branches and max(branches) > 1 else replace(settings, branches=None)
    told = ",".join(map(str, branches))
    raise UserError(
        f"branches={told} is for {len(branches)} turns, and turns is {settings.turns}; give a "
        "number for each turn, or widths, which says both"
    )

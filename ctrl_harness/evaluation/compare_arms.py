"""What a comparison is asked for: its arms, as they are typed, and what holds for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.control import NONE

_NAME = re.compile(r"([A-Za-z0-9_.+-]+)=(.+)", re.DOTALL)
_SETTING = re.compile(r",(model|votes|feedback_tests|arm)=")
_FOLDER = re.compile(r"[^A-Za-z0-9_.+-]+")
_FORM = "[NAME=]CRITIC[,model=M][,votes=N][,feedback_tests=judged], or none[,arm=NAME]"


@dataclass(frozen=True, slots=True)
class ArmSpec:
    """One arm: a critic, or with critic `none` the control of the arm `arm`.

    model: of the role `critic`; None for the generator itself. votes, feedback_tests: the
    protocol's where None.
    """

    name: str
    critic: str
    model: str | None = None
    votes: int | None = None
    feedback_tests: str | None = None
    arm: str | None = None

    @property
    def folder(self) -> str:
        """A folder's name for its logs."""
        return _FOLDER.sub("-", self.name).strip("-.") or "arm"

    @property
    def is_control(self) -> bool:
        return self.critic == NONE

    @property
    def settings(self) -> dict[str, Any]:
        """What of the protocol it has of its own, by the names of `-T`."""
        own = {"votes": self.votes, "feedback_tests": self.feedback_tests}
        return {"critic": self.critic, **{k: v for k, v in own.items() if v is not None}}

    def as_json(self) -> dict[str, Any]:
        return {"critic": self.critic, "model": self.model, "votes": self.votes,
                "feedback_tests": self.feedback_tests, "arm": self.arm}  # fmt: skip


def parse_arms(texts: Sequence[str]) -> list[ArmSpec]:
    """The arms, the control without an `arm` being that of the first critic.

    Raises UserError for what has another form, for a name that comes twice, for a control of what
    is no critic here, and where there is no critic at all.
    """
    arms = [_parse(text) for text in texts]
    names = [arm.name for arm in arms]
    for arm in arms:
        if names.count(arm.name) > 1:
            raise UserError(
                f"two arms are called {arm.name!r}; name them: --critic ONE={arm.critic} --critic "
                f"OTHER={arm.critic}"
            )
        if sum(other.folder == arm.folder for other in arms) > 1:
            raise UserError(f"the name {arm.name!r} cannot be told from another's; give it another")
    critics = [arm.name for arm in arms if not arm.is_control]
    if not critics:
        raise UserError("there is no critic to compare; give --critic model, say")
    resolved = []
    for arm in arms:
        of = arm.arm or critics[0]
        if arm.is_control and of not in critics:
            raise UserError(f"the control's arm={of} is none of the critics {', '.join(critics)}")
        resolved.append(
            ArmSpec(arm.name, arm.critic, arm.model, arm.votes, arm.feedback_tests,
                    of if arm.is_control else None)
        )  # fmt: skip
    return resolved


def _parse(text: str) -> ArmSpec:
    named = _NAME.fullmatch(text)
    name, rest = (named[1], named[2]) if named else (None, text)
    critic, *pairs = _SETTING.split(rest)
    given = dict(zip(pairs[::2], pairs[1::2], strict=True))
    if not critic or any(not value for value in given.values()):
        raise UserError(f"--critic {text!r} is not {_FORM}")
    votes = given.get("votes")
    if votes is not None and not (votes.isdecimal() and int(votes) > 0):
        raise UserError(f"--critic {text!r}: votes is {votes!r}; give a whole number from 1")
    if (critic == NONE) != ("arm" in given) and "arm" in given:
        raise UserError(f"--critic {text!r}: arm= is for the control, --critic none,arm=NAME")
    if critic == NONE and set(given) - {"arm"}:
        raise UserError(f"--critic {text!r}: the control takes all but its arm from that arm")
    return ArmSpec(
        name or critic,
        critic,
        given.get("model"),
        None if votes is None else int(votes),
        given.get("feedback_tests"),
        given.get("arm"),
    )


@dataclass(frozen=True, slots=True)
class Request:
    """What holds for every arm.

    model: the generator, and self-critics; JudgeBench may do without. settings: `-T` parameters of
    the task, turns and epochs among them where they were given. generate: options of every call
    that are the command's (temperature, max_tokens, …). run: how much at a time, which changes no
    answer. drafts: a log or a tree to take them from.
    """

    dataset: str
    source: str
    model: str | None
    protocol: str = "default"
    settings: Mapping[str, Any] = field(default_factory=dict)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    drafts: str | None = None
    mix_protocols: bool = False

    def as_json(self) -> dict[str, Any]:
        """What must not change between runs into one folder."""
        return {
            "dataset": self.dataset,
            "source": self.source,
            "model": self.model,
            "protocol": self.protocol,
            "settings": dict(self.settings),
            "model_args": dict(self.model_args),
            "generate": dict(self.generate),
            "limit": self.limit,
            "drafts": self.drafts,
        }

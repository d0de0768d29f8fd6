"""Rewards by name: pure functions of the draft's verdict, the revision's and the critic's own.

A critique without a verdict (cut off, or in another form) counts as one whose revision failed, in
every reward alike: `score` sees to that. In a GRPO group all critiques are of one draft, and the
advantage subtracts the group's mean and divides by its deviation. So `refine`, `delta` and
`quadrant`, which for a given draft are rising straight lines of one another as long as programs
pass or fail, train alike there; they differ in plain policy gradients and in what is logged.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.errors import UserError


class Outcome(Protocol):
    """What a reward sees of a verdict."""

    @property
    def passed(self) -> bool: ...

    @property
    def fraction(self) -> float:
        """Share of the cases that are accepted, 0 to 1."""
        ...


class Failed(NamedTuple):
    """The outcome of a revision that was not, or might as well not have been, written."""

    passed: bool = False
    fraction: float = 0.0


FAILED = Failed()

Reward = Callable[[Outcome, Outcome, Judgement], float]
"""(draft, revision, judgement) → reward."""


def refine(draft: Outcome, revised: Outcome, judgement: Judgement) -> float:  # noqa: ARG001
    """1 where the revision passes, else 0: CTRL's (arXiv 2502.03492)."""
    return float(revised.passed)


def fraction(draft: Outcome, revised: Outcome, judgement: Judgement) -> float:  # noqa: ARG001
    """The share of cases that the revision passes: `refine` with partial credit."""
    return revised.fraction


def delta(
    draft: Outcome,
    revised: Outcome,
    judgement: Judgement,  # noqa: ARG001
    *,
    share: bool = False,
) -> float:
    """Revision minus draft, -1 to 1, as SCoRe's bonus for progress (arXiv 2409.12917).

    share: of the shares of cases passed, instead of passing or not.
    """
    if share:
        return revised.fraction - draft.fraction
    return float(revised.passed) - float(draft.passed)


def quadrant(
    draft: Outcome,
    revised: Outcome,
    judgement: Judgement,  # noqa: ARG001
    *,
    kept: float = 0.5,
    broken: float = -1.0,
    fixed: float = 1.0,
    left: float = 0.0,
) -> float:
    """A weight for each of right → right, right → wrong, wrong → right and wrong → wrong.

    After the transition-wise rewards of Critique-RL (arXiv 2510.24320) and ReCrit (2605.18799); the
    default weights are ours. Raises UserError where a weight would reward the worse of two ends.
    """
    if kept <= broken or fixed <= left:
        raise UserError("quadrant needs kept above broken and fixed above left; change the weights")
    if draft.passed:
        return kept if revised.passed else broken
    return fixed if revised.passed else left


def discrimination(draft: Outcome, revised: Outcome, judgement: Judgement) -> float:  # noqa: ARG001
    """1 where the critic's verdict on the draft is right, else 0; no verdict is not right.

    Critique-Coder (arXiv 2509.22824) and RefCritic (2507.15024) reward verdicts in this way.
    """
    return float(judgement == ("correct" if draft.passed else "incorrect"))


def mixed(
    draft: Outcome, revised: Outcome, judgement: Judgement, *, weight: float = 0.2
) -> float:
    """`refine` + weight × `discrimination`; Critique-RL's second stage has 0.2 (2510.24320)."""
    said = discrimination(draft, revised, judgement)
    return refine(draft, revised, judgement) + weight * said


def utility(draft: Outcome, revised: Outcome, judgement: Judgement) -> float:  # noqa: ARG001
    """1 where the revision is better than the draft, 0.5 as good, 0 worse, by share of cases.

    Meant for several sampled revisions a critique, over which `score` takes the mean: the critique
    utility of RCO (arXiv 2506.22157), with the judge for its preference model.
    """
    return 0.5 + 0.5 * ((revised.fraction > draft.fraction) - (revised.fraction < draft.fraction))


REWARDS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        function.__name__: function
        for function in (refine, fraction, delta, quadrant, discrimination, mixed, utility)
    }
)
"""By name. Options are keyword-only parameters."""

_OF_SHARES = frozenset({"fraction", "utility"})


def get_reward(name: str, options: Mapping[str, Any] | None = None) -> Reward:
    """The reward of this name with its options bound.

    Raises UserError, naming the choices, for an unknown name or option, and for a value that is
    not of the option's kind.
    """
    if name not in REWARDS:
        raise UserError(f"unknown reward {name!r}; choose one of {', '.join(REWARDS)}")
    function = REWARDS[name]
    known = {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    bound: dict[str, Any] = {}
    for option, value in (options or {}).items():
        if option not in known:
            choices = f"it has {', '.join(known)}" if known else "it has none"
            raise UserError(f"reward {name!r} has no option {option!r}; {choices}")
        kinds: tuple[type, ...] = (bool,) if isinstance(known[option], bool) else (int, float)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise UserError(f"option {option} of reward {name!r} cannot be {value!r}; give a "
                            f"{'true or false' if bool in kinds else 'number'}")  # fmt: skip
        bound[option] = value
    reward = partial(function, **bound)
    reward(FAILED, FAILED, "missing")  # weights that do not fit each other show here
    return reward


def needs_every_case(name: str, options: Mapping[str, Any] | None = None) -> bool:
    """Whether the reward looks at the share of cases passed, so that none may be left out."""
    return name in _OF_SHARES or bool((options or {}).get("share"))


def score(
    reward: Reward, draft: Outcome, revisions: Sequence[Outcome], judgement: Judgement
) -> float:
    """The mean of the reward over a critique's revisions.

    Without a verdict, or without any revision, the critique is rewarded as one whose revision
    failed.
    """
    if judgement == "missing" or not revisions:
        revisions = (FAILED,)
    return fmean(reward(draft, revised, judgement) for revised in revisions)

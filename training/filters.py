"""Which TACO problems are trained on: filters by name, each with one reason to drop a problem.

`ctrl` is what CTRL's released preprocessing does (critic-rl, scripts/data/preprocess_taco.py); the
others are stricter. Whether tests can be used at all is no filter: rows without any are unusable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ctrl_harness.errors import UserError
from ctrl_harness.training.decontamination_text import normalise
from ctrl_harness.training.pretrained import load_counter
from ctrl_harness.training.taco import TacoProblem

MORE_TOKENS_THAN, FEWER_TOKENS_THAN = 64, 2048
"""CTRL's bounds of a statement's length; neither is itself allowed, as in its code."""

_PICTURE = re.compile(r"<image>|<img\b|!\[[^\]\n]*\]\(|<svg\b", re.IGNORECASE)
_BROKEN = re.compile(
    r"</?(?:span|div|script|style|iframe|font|svg|math|mrow|annotation)\b|\ufffd|&(?:lt|gt|amp);",
    re.IGNORECASE,
)
PRESETS = {
    "none": (),
    "ctrl": ("length", "pictures", "markup", "duplicates"),
    "strict": (
        "length", "pictures", "markup", "duplicates", "two-tests", "all-tests", "no-special-judge",
    ),
}  # fmt: skip


class Filter(Protocol):
    """The reason to drop a problem, None to keep it. Some remember what they have seen."""

    def __call__(self, item: TacoProblem) -> str | None: ...


class NamedFilter(NamedTuple):
    name: str
    reason: Filter


@dataclass(slots=True)
class Length:
    """By the number of the statement's tokens, without special ones."""

    tokenizer: Any

    def __call__(self, item: TacoProblem) -> str | None:
        tokens = len(self.tokenizer.tokenize(item.question))
        if tokens <= MORE_TOKENS_THAN:
            return f"the statement has {MORE_TOKENS_THAN} tokens or fewer"
        if tokens >= FEWER_TOKENS_THAN:
            return f"the statement has {FEWER_TOKENS_THAN} tokens or more"
        return None


class Duplicates:
    """Drops a statement that was kept before, by the letters that `normalise` leaves."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __call__(self, item: TacoProblem) -> str | None:
        letters = normalise(item.question).letters
        # 64 bits are enough for 26,443 statements, which need not be held in memory for this
        key = hash(letters or item.question)
        if key in self._seen:
            return "an earlier row has the same statement"
        self._seen.add(key)
        return None


def _pictures(item: TacoProblem) -> str | None:
    if _PICTURE.search(item.question):
        return "the statement shows a picture"
    return "the row counts pictures" if item.problem.metadata["pictures"] else None


def _markup(item: TacoProblem) -> str | None:
    return "the statement has broken markup" if _BROKEN.search(item.question) else None


def _two_tests(item: TacoProblem) -> str | None:
    return "there is only one test" if len(item.problem.cases) < 2 else None


def _all_tests(item: TacoProblem) -> str | None:
    left_out = item.problem.metadata["tests_left_out"]
    return "some of the row's tests cannot be used" if left_out else None


def _no_special_judge(item: TacoProblem) -> str | None:
    special = item.problem.metadata["special_judge"]
    return "several answers may be right" if special else None


def _no_calls(item: TacoProblem) -> str | None:
    return "the tests call a function" if item.problem.metadata["function"] else None


_MAKERS: dict[str, Callable[[Any], Filter]] = {
    "length": Length,
    "pictures": lambda _: _pictures,
    "markup": lambda _: _markup,
    "duplicates": lambda _: Duplicates(),
    "two-tests": lambda _: _two_tests,
    "all-tests": lambda _: _all_tests,
    "no-special-judge": lambda _: _no_special_judge,
    "no-calls": lambda _: _no_calls,
}
NAMES = tuple(_MAKERS)
_LAST = "duplicates"
"""Asked last, so that it remembers only what the others keep."""


def filter_names(text: str) -> tuple[str, ...]:
    """`ctrl,two-tests` as names of filters, presets written out, each once, in the order they are
    asked in. Raises UserError for an unknown name."""
    given = [name.strip() for name in text.split(",") if name.strip()]
    wanted: set[str] = set()
    for name in given:
        if name not in PRESETS and name not in NAMES:
            raise UserError(
                f"filter {name!r} is unknown; choose among {', '.join(PRESETS)} and"
                f" {', '.join(NAMES)}, with commas between"
            )
        wanted.update(PRESETS.get(name, (name,)))
    if not given:
        raise UserError("--filters is empty; give none to keep every usable row")
    return tuple(sorted(wanted, key=lambda name: (name == _LAST, NAMES.index(name))))


def make_filters(names: Sequence[str], tokenizer: str | None) -> list[NamedFilter]:
    """tokenizer: a name on the Hub or a folder. Raises UserError where the length filter has none
    that can be loaded."""
    loaded = None
    if "length" in names:
        if tokenizer is None:
            raise UserError(
                "the filter length (part of ctrl) counts tokens; give --tokenizer NAME_OR_FOLDER,"
                " the critic's own for instance, or other --filters"
            )
        loaded = _tokenizer(tokenizer)
    return [NamedFilter(name, _MAKERS[name](loaded)) for name in names]


def _tokenizer(name: str) -> Any:
    is_path = name.startswith((".", "/", "~"))
    folder = os.path.expanduser(name)
    if is_path and not os.path.isdir(folder):
        raise UserError(f"there is no folder {name} with a tokenizer; give another --tokenizer")
    try:
        return load_counter(folder if is_path else name)
    except UserError as error:
        raise UserError(f"--tokenizer {name} cannot be loaded: {error}") from None

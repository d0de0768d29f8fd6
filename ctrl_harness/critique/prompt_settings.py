"""How a prompt set's critiques are read: `settings.toml`, beside the templates.

    no_system = ["critique"]             # these templates get no system text, whatever lies above
    [critique]
    correct = "Overall judgment: Correct"        # regular expressions, searched in this order
    incorrect = "Overall judgment: Incorrect"
    between = ["<format>", "</format>"]          # the generator reads what stands between

Every key may be left out. Without `correct` and `incorrect` the verdict is read as judgement.py
does, without `between` the generator reads the whole critique.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.critique.judgement import Judgement, parse_judgement
from ctrl_harness.errors import UserError
from ctrl_harness.verification.extraction import strip_reasoning

FILE = "settings.toml"


class Reading(NamedTuple):
    """What becomes of a critic's answer: the text the generator reads, and the verdict."""

    text: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """What `settings.toml` says; without the file, this as it stands.

    correct, incorrect: both or neither; where both are found, `correct` decides, as in CTRL's code.
    between: the marks of the part that the generator reads; the whole where one of them is missing.
    no_system: templates without a system text.
    """

    correct: re.Pattern[str] | None = None
    incorrect: re.Pattern[str] | None = None
    between: tuple[str, str] | None = None
    no_system: frozenset[str] = frozenset()

    def read(self, answer: str) -> Reading:
        """The verdict of the whole answer, without its reasoning, and what the generator gets."""
        text = strip_reasoning(answer).strip()
        return Reading(self._told(text), self._judgement(text))

    def _judgement(self, text: str) -> Judgement:
        if self.correct is None or self.incorrect is None:
            return parse_judgement(text)
        if self.correct.search(text):
            return "correct"
        return "incorrect" if self.incorrect.search(text) else "missing"

    def _told(self, text: str) -> str:
        if self.between is None:
            return text
        opening, closing = self.between
        _, found, rest = text.partition(opening)
        told, closed, _ = rest.partition(closing)  # one that stands before the opening is no end
        return told.strip() if found and closed else text


def read_settings(path: Path) -> PromptSettings:
    """Raises UserError, one line, for a file that cannot be used."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return _settings(data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, UserError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"prompt settings {path} cannot be used: {reason}; correct it") from None


def _settings(data: Mapping[str, Any]) -> PromptSettings:
    _only(data, ("no_system", "critique"))
    critique = data.get("critique", {})
    if not isinstance(critique, Mapping):
        raise UserError("critique is not a table")
    _only(critique, ("correct", "incorrect", "between"))
    if ("correct" in critique) != ("incorrect" in critique):
        raise UserError("critique.correct and critique.incorrect need each other")
    between = _texts("critique.between", critique.get("between", ()))
    if len(between) not in (0, 2) or not all(between):
        raise UserError("critique.between is not two marks")
    return PromptSettings(
        correct=_pattern(critique, "correct"),
        incorrect=_pattern(critique, "incorrect"),
        between=(between[0], between[1]) if between else None,
        no_system=frozenset(_texts("no_system", data.get("no_system", ()))),
    )


def _only(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise UserError(f"it holds {', '.join(unknown)}, but all there is is {', '.join(known)}")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        raise UserError(f"{name} is not a list of texts")
    return tuple(value)


def _pattern(table: Mapping[str, Any], key: str) -> re.Pattern[str] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UserError(f"critique.{key} is not a text")
    try:
        return re.compile(value)
    except re.error as error:
        raise UserError(f"critique.{key} is no regular expression: {error}") from None

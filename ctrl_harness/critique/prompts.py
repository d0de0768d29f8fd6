"""Prompt sets: folders of Jinja templates that a user can replace without touching code.

Layout of a set: `<template>.txt`, or `<dataset>/<template>.txt` where a data set needs its own.
Templates and the fields they may use:

    draft.txt            statement, starter_code
    critique.txt         statement, starter_code, response, program, fenced, hint
    revision.txt         critique, and those of critique.txt but the hint
    hint.txt             feedback (see feedback.py)
    synthesis.txt        hint, kind (feedback's); ends the critic's question when training data is
                         synthesised, and is the default set's in a set without one
    pairwise.txt         question, response_a, response_b            (JudgeBench)
    pointwise.txt        question, response                          (JudgeBench)

`response` is the generator's whole answer, `program` the bare program in it (empty without one),
`fenced` that program in a ```python block, or the answer where there is no program.

Each may have a companion `<template>_system.txt` with the system text; without one no system
message is sent, and an empty one is sent empty, which keeps a chat template from putting in a text
of its own. How critiques are read stands in `settings.toml` (see prompt_settings.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args

import jinja2
import jinja2.meta

from ctrl_harness.critique.feedback import Feedback, FeedbackKind
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompt_settings import FILE, PromptSettings, Reading, read_settings
from ctrl_harness.errors import UserError
from ctrl_harness.problems.problem import Problem

if TYPE_CHECKING:
    from ctrl_harness.critique.critic import Draft

BUILT_IN = Path(__file__).with_name("prompt_sets")
Render = Callable[[dict[str, Any]], str]
"""A template's text for the fields of one call, without trailing white space."""

REQUIRED = ("draft", "critique", "revision", "hint")
_FIELDS = {
    "draft": ("statement", "starter_code"),
    "critique": ("statement", "starter_code", "response", "program", "fenced", "hint"),
    "revision": ("critique", "statement", "starter_code", "response", "program", "fenced"),
    "hint": ("feedback",),
    "synthesis": ("hint", "kind"),
    "pairwise": ("question", "response_a", "response_b"),
    "pointwise": ("question", "response"),
}
_TEMPLATE_ERRORS = (
    jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, OSError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
"""What reading and rendering somebody's template may raise."""


class Prompts(Protocol):
    """What the loop says to its models, and how it reads the critic's answer.

    name: as the user gave it. digest: sha256 over all that decides the words, for logs.
    """

    name: str

    @property
    def digest(self) -> str: ...

    def draft(self, problem: Problem) -> tuple[Message, ...]:
        """The opening of every chat with the generator."""
        ...

    def critique(
        self, problem: Problem, draft: Draft, feedback: Feedback | None = None
    ) -> tuple[Message, ...]:
        """A chat with the critic. feedback: what running the draft showed, to be told."""
        ...

    def revision(self, problem: Problem, draft: Draft, critique: str) -> tuple[Message, ...]:
        """What follows the generator's draft in its chat."""
        ...

    def fenced(self, draft: Draft) -> str:
        """The draft's program in a code block, the whole answer where there is none."""
        ...

    def hint(self, feedback: Feedback) -> str:
        """The words for what running a program showed."""
        ...

    def read(self, answer: str) -> Reading:
        """What the generator gets of a critic's answer, and its verdict."""
        ...


def fenced(draft: Draft) -> str:
    """The program in a Python block; the whole answer where there is no program."""
    if draft.program is None:
        return draft.completion
    return "```python\n" + draft.program.strip("\n") + "\n```"


class PromptSet:
    """The templates of one data set, read from a folder and compiled once.

    source: the name of a built-in set or a folder. Raises UserError for an unknown set, a missing
    template, a template that does not compile or that uses an unknown field, or settings that
    cannot be used.
    """

    def __init__(
        self, source: str, dataset: str, required: tuple[str, ...] = REQUIRED
    ) -> None:
        self.name = source
        self.dataset = dataset
        self._folder = _find_set(source)
        self._templates: dict[str, Render] = {}
        self._sha = hashlib.sha256()
        self._settings = self._read_settings()
        # each turn's chat begins with it
        self._draft = lru_cache(maxsize=256)(self._ask_for_draft)
        for name in required:
            self._load(name, optional=False)
            if name not in self._settings.no_system:
                self._load(f"{name}_system", optional=True)

    @property
    def digest(self) -> str:
        """sha256 over the names and texts of all that was read."""
        return self._sha.hexdigest()

    def _find(self, file: str) -> Path | None:
        candidates = (self._folder / self.dataset / file, self._folder / file)
        return next((path for path in candidates if path.is_file()), None)

    def _read_settings(self) -> PromptSettings:
        path = self._find(FILE)
        if path is None:
            return PromptSettings()
        settings = read_settings(path)
        self._add_to_digest(FILE, path.read_text(encoding="utf-8-sig"))
        return settings

    def _add_to_digest(self, name: str, text: str) -> None:
        self._sha.update(f"{name}\0{text}\0".encode("utf-8", "surrogatepass"))

    def _load(self, name: str, *, optional: bool) -> None:
        path = self._find(f"{name}.txt")
        if path is None:
            if optional:
                return
            raise UserError(
                f"prompt set {self.name!r} has no template {name}.txt; add"
                f" {self._folder / name}.txt (docs/concepts.md lists the templates and their"
                " fields)"
            )
        try:
            # whatever is wrong with it shows before any model is paid for
            text = path.read_text(encoding="utf-8-sig")
            self._templates[name] = _compile(text, name)
            self._add_to_digest(name, text)
        except jinja2.TemplateSyntaxError as error:
            raise UserError(
                f"template {path}, line {error.lineno}, cannot be used: {error.message}"
            ) from None
        except _TEMPLATE_ERRORS as error:
            reason = " ".join(str(error).split())
            raise UserError(f"template {path} cannot be used: {reason}; correct it") from None

    def draft(self, problem: Problem) -> tuple[Message, ...]:
        return self._draft(problem.statement, problem.starter_code)

    def _ask_for_draft(self, statement: str, starter_code: str) -> tuple[Message, ...]:
        return self.ask("draft", statement=statement, starter_code=starter_code)

    def critique(
        self, problem: Problem, draft: Draft, feedback: Feedback | None = None
    ) -> tuple[Message, ...]:
        hint = "" if feedback is None else self.hint(feedback)
        return self.ask("critique", hint=hint, **_fields_of(problem, draft))

    def revision(self, problem: Problem, draft: Draft, critique: str) -> tuple[Message, ...]:
        return self.ask("revision", critique=critique, **_fields_of(problem, draft))

    def fenced(self, draft: Draft) -> str:
        return fenced(draft)

    def hint(self, feedback: Feedback) -> str:
        return self.render("hint", feedback=feedback)

    def read(self, answer: str) -> Reading:
        return self._settings.read(answer)

    def render(self, name: str, **fields: Any) -> str:
        """The text of one template, without trailing white space."""
        return self._templates[name](fields)

    def ask(self, name: str, **fields: Any) -> tuple[Message, ...]:
        """The opening messages of a chat: the system text, where there is one, and the question."""
        return tuple(self._ask(name, fields))

    def _ask(self, name: str, fields: dict[str, Any]) -> Iterator[Message]:
        if f"{name}_system" in self._templates:
            yield Message("system", self.render(f"{name}_system", **fields))
        yield Message("user", self.render(name, **fields))


def _fields_of(problem: Problem, draft: Draft) -> dict[str, str]:
    return {
        "statement": problem.statement,
        "starter_code": problem.starter_code,
        "response": draft.completion,
        "program": (draft.program or "").strip("\n"),
        "fenced": fenced(draft),
    }


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def built_in_sets() -> list[str]:
    """Names of the sets that come with the package."""
    return sorted(path.name for path in BUILT_IN.iterdir() if path.is_dir())


def _find_set(source: str) -> Path:
    names = built_in_sets()
    if source in names:
        return BUILT_IN / source
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        return folder
    raise UserError(
        f"unknown prompt set {source!r}; give a folder of templates or one of: {', '.join(names)}"
    )


@lru_cache(maxsize=64)
def _compile(text: str, name: str) -> Render:
    """The template, tried with every field empty and filled."""
    environment = _environment()
    known = _FIELDS[name.removesuffix("_system")]
    used = jinja2.meta.find_undeclared_variables(environment.parse(text))
    unknown = sorted(used - {*known, *environment.globals})
    if unknown:
        raise jinja2.UndefinedError(
            f"it uses {', '.join(unknown)}, but all there is is {', '.join(known)}"
        )
    template = environment.from_string(text)
    for fields in _trials(known):
        template.render(fields)
    if not used:  # one text for all: system texts mostly
        constant = template.render().rstrip()
        return lambda fields: constant
    # Jinja copies them for each call, and its chain of two maps takes longer than the rest of it
    template.globals = dict(template.globals)
    return lambda fields: template.render(fields).rstrip()


def _trials(known: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if known == _FIELDS["hint"]:
        for kind in get_args(FeedbackKind):
            for text in ("", "text"):
                yield {"feedback": Feedback(kind, 1, 2, text, text, text, text)}
    else:
        for text in ("", "text"):
            yield dict.fromkeys(known, text)

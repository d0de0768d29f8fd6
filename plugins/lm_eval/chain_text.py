"""A last answer that remembers the ones before it."""

from __future__ import annotations

from collections.abc import Sequence


class ChainText(str):
    """The text of a chain's last program, to lm-eval a text as any other.

    completions: the generator's answers, from the draft. failed: why the chain could not be ended,
    of which only our own tasks know what to make. Every other task sees the last text. Survives
    lm-eval's cache of answers, which pickles.
    """

    completions: tuple[str, ...]
    failed: str | None

    def __new__(cls, completions: Sequence[str], failed: str | None = None) -> ChainText:
        text = super().__new__(cls, completions[-1])
        text.completions = tuple(str(completion) for completion in completions)
        text.failed = failed
        return text

    def __reduce__(self) -> tuple[type[ChainText], tuple[tuple[str, ...], str | None]]:
        return (ChainText, (self.completions, self.failed))


def turns_of(answer: str) -> tuple[str, ...]:
    """The draft and the revisions; an answer without a critic is a draft alone."""
    return answer.completions if isinstance(answer, ChainText) else (answer,)


def failure_of(answer: str) -> str | None:
    """Why the chain could not be ended, None for one that was."""
    return answer.failed if isinstance(answer, ChainText) else None

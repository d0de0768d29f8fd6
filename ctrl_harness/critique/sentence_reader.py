"""A place in the tokens of a sentence, from which the grammar of judgements takes words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ctrl_harness.critique.judgement_text import LINE
from ctrl_harness.critique.judgement_words import Phrases


class Reader:
    """A place in a sentence's tokens; line ends are passed over where a word is looked for."""

    def __init__(self, words: Sequence[str], position: int) -> None:
        self.sentence = words
        self.position = position

    @property
    def next_token(self) -> str | None:
        return self.sentence[self.position] if self.position < len(self.sentence) else None

    def word(self, known: Collection[str]) -> str | None:
        """The next word, taken, where it is one of these."""
        position = self.position
        while position < len(self.sentence) and self.sentence[position] == LINE:
            position += 1
        if position < len(self.sentence) and self.sentence[position] in known:
            self.position = position + 1
            return self.sentence[position]
        return None

    def words(self, known: Collection[str]) -> bool:
        """Whether there were any, all taken."""
        found = False
        while self.word(known):
            found = True
        return found

    def skip(self, signs: Collection[str]) -> None:
        while self.next_token in signs:
            self.position += 1

    def phrase(self, *words: str) -> bool:
        """All of these words, or none is taken."""
        start = self.position
        if all(self.word((word,)) for word in words):
            return True
        self.position = start
        return False

    def one_of(self, phrases: Phrases) -> tuple[str, ...]:
        """The longest of these phrases that comes next, taken; empty without one."""
        start = self.position
        first = self.word(phrases)
        self.position = start
        for phrase in phrases[first] if first else ():
            if self.phrase(*phrase):
                return phrase
        return ()

"""The sentences that judge a program: what counts as saying that it is correct or incorrect.

    sentence  = {lead} judgement ending
    judgement = [subject copula] predicate | subject "does not produce the correct output" | …
    predicate = {degree} ("correct" | "incorrect" | "wrong") | "not" {degree} "correct" | …

A sentence judges nothing where "correct" does not describe the program itself: "the correct
output", "the approach is correct", "correct indentation".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ctrl_harness.critique.judgement_endings import ends
from ctrl_harness.critique.judgement_text import ITEM, LINE
from ctrl_harness.critique.judgement_words import (
    ACTIONS,
    ADDITIONS,
    BREAKS,
    DEGREES,
    DENIALS,
    DETERMINERS,
    FAULTS,
    FIELDS,
    FLAWED,
    GOOD_PREDICATES,
    LEADS,
    LEADS_OF_REJECTIONS,
    MARKS,
    MERITS,
    NEAR,
    NEARLY,
    NEGATED_DEGREES,
    NOUNS,
    PARTS,
    PRAISE,
    PRODUCES,
    PRONOUNS,
    RESULTS,
    REVIEWED,
    REVIEWS,
    RUNS,
    SECOND_CLAUSES,
    SIDES,
    SOUND,
    SOUND_MERITS,
    SUBORDINATES,
    UNABLE,
    VERBS,
    WRONG_DEGREES,
    Side,
)
from ctrl_harness.critique.sentence_reader import Reader

_MAX_LEADS = 6
_CLAUSE_WORDS = 30
_CLAUSE_ENDS = BREAKS | {ITEM}
_FIRST_PREDICATE = 12


class Judged(NamedTuple):
    """A judgement and where in the sentence it stands: tokens from start up to end."""

    side: Side
    start: int
    end: int


def judged(sentence: Sequence[str], start: int = 0) -> Judged | None:
    """What a sentence, or the clause that begins at `start`, says of the program; None for nothing.

    The whole has to be such a sentence, from its start to its last necessary word.
    """
    reader = Reader(sentence, start)
    marks = _marks(reader)
    if marks and reader.next_token in (None, LINE, ITEM) and len(marks) == 1:
        return Judged(marks.pop(), start, reader.position)
    leads = _leads(reader)
    guesses = bool(reader.one_of(LEADS_OF_REJECTIONS))
    reader.skip((",",) if guesses else ())
    marks |= _marks(reader)
    beginning = reader.position
    for form in _FORMS:
        reader.position = beginning
        side = form(reader)
        if side is None:
            continue
        end = reader.position
        marks |= _marks(reader)
        opposite = marks - {side} or ("no" if side == "correct" else "yes") in leads
        opposite = opposite or (guesses and side == "correct")
        if not opposite and ends(reader, side):
            return Judged(side, start, end)
    return None


def program(sentence: Sequence[str], start: int = 0) -> int | None:
    """Where a sentence goes on whose subject is the program; None for any other."""
    reader = Reader(sentence, start)
    if _subject(reader):
        return reader.position
    reader.position = start
    _leads(reader)
    return reader.position if _subject(reader) else None


def _marks(reader: Reader) -> set[Side]:
    marks: set[Side] = set()
    while mark := reader.word(MARKS):
        marks.add(MARKS[mark])
    return marks


def _leads(reader: Reader) -> set[str]:
    found: set[str] = set()
    for _ in range(_MAX_LEADS):
        start = reader.position
        if reader.phrase("based", "on") or reader.phrase("given"):
            if not (reader.words(REVIEWS) and reader.word((",", ":"))):
                reader.position = start
                break
            continue
        if _after_a_review(reader) or _merit(reader):
            continue
        lead = reader.one_of(LEADS)
        if not lead and reader.one_of(FIELDS):
            if reader.word((":",)):
                continue
            reader.position = start
        if not lead:
            break
        found.add(lead[0])
        reader.skip((",", ":", "-", "(", LINE))
    return found


def _after_a_review(reader: Reader) -> bool:
    """ "After reviewing the code,"; not "after these changes,"."""
    start = reader.position
    if reader.word(("after", "from", "upon", "considering")):
        first = reader.position
        if reader.words(REVIEWS | REVIEWED) and reader.word((",", ":")):
            said = reader.sentence[first : reader.position - 1]
            if reader.sentence[start] == "considering" or REVIEWED.intersection(said):
                return True
    reader.position = start
    return False


def _merit(reader: Reader) -> bool:
    """ "The logic is sound and", before what is said of the program itself."""
    start = reader.position
    if (
        reader.phrase("the")
        and reader.word(MERITS)
        and reader.phrase("is")
        and reader.word(SOUND_MERITS)
    ):
        reader.word((",",))
        if reader.word(("and", "so")):
            after = reader.position
            if _subject(reader):
                reader.position = after
                return True
    reader.position = start
    return False


def _subject(reader: Reader) -> bool:
    start = reader.position
    if reader.word(("it",)):
        return True
    if reader.word(PRONOUNS) and reader.word(VERBS):
        reader.position -= 1
        return True
    reader.position = start
    end = 0
    while word := reader.word(DETERMINERS | NOUNS):
        if word in NOUNS:
            end = reader.position
    if not end:
        return False
    reader.position = end
    if reader.sentence[end - 1] == "function" and "_" in (reader.next_token or ""):
        reader.position += 1
    reader.one_of(ADDITIONS)
    return True


# -- the forms of a judgement; each takes its words and says which side they are on


def _of_the_program(reader: Reader) -> Side | None:
    """ "The code is correct", "it is a correct solution"."""
    if not _subject(reader):
        return None
    if not reader.phrase("can", "be", "considered"):
        if not reader.word(("is",)):
            return None
        reader.skip((":",))
    start = reader.position
    if side := _predicate(reader):
        return side
    reader.position = start
    reader.words(WRONG_DEGREES)
    if reader.word(FLAWED) and reader.word(("and",)):
        reader.words(WRONG_DEGREES | {"therefore", "thus", "hence"})
        return "incorrect" if reader.word(("incorrect", "wrong")) else None
    reader.position = start
    denied = reader.phrase("not")
    reader.words(DEGREES)
    if reader.word(("right",)):
        return "incorrect" if denied else "correct"
    reader.position = start
    article = reader.word(("a", "an", "the"))
    word = reader.word(SIDES)
    if reader.word(("and", ",")):
        reader.words(PRAISE | SOUND | {"and", ","})
    if not word or not reader.word(NOUNS - {"response", "draft"}) or reader.next_token == ":":
        return None
    if word != "correct" or article:
        reader.one_of(ADDITIONS)
    # "the correct solution" may be another one, which is shown next
    return None if article == "the" and word == "correct" else SIDES[word]


def _disbelieved(reader: Reader) -> Side | None:
    """ "I don't think that it is correct"."""
    if not reader.phrase("i", "do", "not") or not reader.word(("think", "believe")):
        return None
    reader.word(("that",))
    if not _subject(reader) or not reader.word(("is",)):
        return None
    reader.words(NEGATED_DEGREES)
    return "incorrect" if reader.word(("correct",)) else None


def _found_to_be(reader: Reader) -> Side | None:
    """ "I find the solution to be correct"."""
    if not reader.phrase("i") or not reader.word(("find", "judge", "consider", "deem")):
        return None
    if not _subject(reader):
        return None
    reader.words(("to", "be", "as"))
    return _predicate(reader)


def _impossible(reader: Reader) -> Side | None:
    """ "It cannot be considered correct"."""
    if not (_subject(reader) and reader.phrase("can", "not", "be")):
        return None
    reader.words(NEGATED_DEGREES | {"as", "called", "judged", "deemed"})
    return "incorrect" if reader.word(("correct",)) else None


def _produces_nothing_correct(reader: Reader) -> Side | None:
    """ "It does not always produce the correct output"."""
    if not _subject(reader):
        return None
    if not reader.one_of(UNABLE):
        return None
    reader.words(("always", "consistently", "actually", "even", "reliably"))
    if not reader.word(PRODUCES | {f"{verb}s" for verb in PRODUCES}):
        return None
    reader.word(("a", "an", "the", "any"))
    return "incorrect" if reader.phrase("correct") and reader.word(RESULTS) else None


def _does_nothing_correctly(reader: Reader) -> Side | None:
    """ "It does not work correctly", "it fails to correctly handle duplicates"."""
    if not _subject(reader) or not reader.one_of(UNABLE):
        return None
    start = reader.position
    if reader.word(("work",)) and reader.next_token in _CLAUSE_ENDS | {None}:
        return "incorrect"
    reader.position = start
    clause: list[str] = []
    end = reader.position + _CLAUSE_WORDS
    while (token := reader.next_token) is not None and token not in _CLAUSE_ENDS:
        if reader.position == end:
            return None
        clause.append(token)
        reader.position += 1
    if len(clause) < 2 or (SUBORDINATES | SECOND_CLAUSES).intersection(clause):
        return None
    is_verb = clause[0] in ACTIONS
    denied = clause[0] == "correctly" or (is_verb and "correctly" in (clause[1], clause[-1]))
    return "incorrect" if denied else None


def _two_predicates(reader: Reader) -> Side | None:
    """ "It does not crash and is correct", "it contains a bug and is therefore incorrect"."""
    if not _subject(reader):
        return None
    start = reader.position
    harmless = reader.phrase("does", "not") and (reader.word(FAULTS) or _no_faults(reader))
    if (harmless or reader.word(RUNS)) and reader.phrase("and", "is"):
        return _predicate(reader)
    reader.position = start
    if reader.one_of(GOOD_PREDICATES):
        reader.word((",",))
        if reader.phrase("and"):
            reader.words(("is", "it", "therefore", "thus", "hence"))
            return _predicate(reader)
    for position in range(start, min(start + _FIRST_PREDICATE, len(reader.sentence))):
        word = reader.sentence[position]
        if word in SUBORDINATES:
            return None
        if word in ("and", "but"):
            reader.position = position + 1
            reader.words(("it", "thus", "therefore", "hence"))
            if reader.word(("is",)) or reader.sentence[position - 1] == "correct":
                return "incorrect" if _predicate(reader) == "incorrect" else None
    return None


def _no_faults(reader: Reader) -> bool:
    """ "(does not) contain any errors"."""
    return bool(
        reader.word(("contain", "have"))
        and reader.word(("any",))
        and reader.word(("errors", "bugs", "issues", "mistakes", "flaws"))
    )


def _predicate(reader: Reader) -> Side | None:
    """ "Correct", "fully correct", "not correct", "partly wrong"."""
    if reader.phrase("not", "only"):
        praised = reader.phrase("correct") and reader.words((",", "but", "also"))
        return "correct" if praised and reader.word(PRAISE) else None
    if reader.one_of(DENIALS):
        reader.words(NEGATED_DEGREES | {"being"})
        return "incorrect" if reader.word(("correct",)) else None
    if reader.phrase("neither"):
        if not reader.phrase("correct", "nor") or reader.next_token in (None, *SIDES):
            return None
        reader.position += 1
        return "incorrect"
    start = reader.position
    reader.words(WRONG_DEGREES)
    if reader.phrase("not"):
        if not reader.one_of(NEAR):
            reader.words(NEGATED_DEGREES)
        return "incorrect" if reader.word(("correct",)) else None
    reader.position = start
    if part := reader.word(PARTS | NEARLY):
        reader.words(("entirely", "fully", "completely", "totally"))
        word = reader.word(SIDES)
        return None if word is None or (part in NEARLY and word != "correct") else "incorrect"
    if reader.word(("considered", "judged", "deemed", "found", "marked", "rated")):
        reader.words(("to", "be", "as"))
    start = reader.position
    reader.words(DEGREES)
    if reader.word(("correct",)):
        return "correct"
    reader.position = start
    if reader.word(PRAISE | SOUND):
        reader.words(PRAISE | SOUND | {","})
        if reader.phrase("and"):
            reader.words(DEGREES)
            if reader.word(("correct",)):
                return "correct"
    reader.position = start
    reader.words(WRONG_DEGREES)
    return "incorrect" if reader.word(("incorrect", "wrong")) else None


_FORMS: tuple[Callable[[Reader], Side | None], ...] = (
    _predicate, _of_the_program, _disbelieved, _impossible, _produces_nothing_correct,
    _does_nothing_correctly, _found_to_be, _two_predicates,
)  # fmt: skip

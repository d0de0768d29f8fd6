"""The sentences that judge a program: what counts as saying that it is correct or incorrect.

    sentence  = {lead} judgement ending
    judgement = [subject copula] predicate | subject "does not produce the correct output" | …
    predicate = {degree} ("correct" | "incorrect" | "wrong") | "not" {degree} "correct" | …

A word of judgement that is no predicate of the program itself, as in "the correct output", "the
approach is correct" or "correct indentation", is none: the sentence then says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple

from ctrl_harness.critique.judgement_text import ITEM, LINE
from ctrl_harness.critique.judgement_words import (
    ACTIONS,
    ADDITIONS,
    ALL,
    ATTRIBUTED,
    DEGREES,
    DENIALS,
    DETERMINERS,
    FAULTS,
    FIELDS,
    GOOD_PREDICATES,
    GOOD_WORDS,
    INPUTS,
    LEADS,
    LEADS_OF_REJECTIONS,
    LIMITS,
    MERITS,
    NEAR,
    NEARLY,
    NEGATED_DEGREES,
    NOUNS,
    PARTS,
    PRAISE,
    PREPOSITIONS,
    PRODUCES,
    PRONOUNS,
    RESTRICTIVE,
    RESULTS,
    REVIEWED,
    REVIEWS,
    RUNS,
    SECOND_CLAUSES,
    SOME,
    SOUND,
    SOUND_MERITS,
    SUBORDINATES,
    THE_STATEMENT,
    THE_TASK,
    UNABLE,
    UNJUST,
    VERBS,
    WITHOUT_LIMIT,
    WRONG_DEGREES,
    Phrases,
)

Side = Literal["correct", "incorrect"]

SIDES: dict[str, Side] = {"correct": "correct", "incorrect": "incorrect", "wrong": "incorrect"}
MARKS: dict[str, Side] = {
    **dict.fromkeys("✅✔✓☑👍🎉🟢", "correct"),
    **dict.fromkeys("❌✗✘✖✕🚫👎🔴⛔", "incorrect"),
}
BREAKS = frozenset({",", ":", "-", "(", "|", "...", LINE})
"""Signs after which a sentence may go on and its judgement be complete."""


_MAX_LEADS = 6
_CLAUSE_WORDS = 30
_CLAUSE_ENDS = BREAKS | {ITEM}
_FIRST_PREDICATE = 12
_NO_REASONS = frozenset({"far", "long", "much", "if", "though", "a", "an", *SIDES})


class Judged(NamedTuple):
    """A judgement and where in the sentence it stands: tokens from start up to end."""

    side: Side
    start: int
    end: int


class _Reader:
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


def judged(sentence: Sequence[str], start: int = 0) -> Judged | None:
    """What a sentence, or the clause that begins at `start`, says of the program; None for nothing.

    The whole has to be such a sentence, from its start to its last necessary word.
    """
    reader = _Reader(sentence, start)
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
        if not opposite and _ends(reader, side):
            return Judged(side, start, end)
    return None


def program(sentence: Sequence[str], start: int = 0) -> int | None:
    """Where a sentence goes on whose subject is the program; None for any other."""
    reader = _Reader(sentence, start)
    if _subject(reader):
        return reader.position
    reader.position = start
    _leads(reader)
    return reader.position if _subject(reader) else None


def _marks(reader: _Reader) -> set[Side]:
    marks: set[Side] = set()
    while mark := reader.word(MARKS):
        marks.add(MARKS[mark])
    return marks


def _leads(reader: _Reader) -> set[str]:
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


def _after_a_review(reader: _Reader) -> bool:
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


def _merit(reader: _Reader) -> bool:
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


def _subject(reader: _Reader) -> bool:
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


def _of_the_program(reader: _Reader) -> Side | None:
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
    # "the correct solution" may be another one, which is shown next
    return None if article == "the" and word == "correct" else SIDES[word]


def _disbelieved(reader: _Reader) -> Side | None:
    """ "I don't think that it is correct"."""
    if not reader.phrase("i", "do", "not") or not reader.word(("think", "believe")):
        return None
    reader.word(("that",))
    if not _subject(reader) or not reader.word(("is",)):
        return None
    reader.words(NEGATED_DEGREES)
    return "incorrect" if reader.word(("correct",)) else None


def _found_to_be(reader: _Reader) -> Side | None:
    """ "I find the solution to be correct"."""
    if not reader.phrase("i") or not reader.word(("find", "judge", "consider", "deem")):
        return None
    if not _subject(reader):
        return None
    reader.words(("to", "be", "as"))
    return _predicate(reader)


def _impossible(reader: _Reader) -> Side | None:
    """ "It cannot be considered correct"."""
    if not (_subject(reader) and reader.phrase("can", "not", "be")):
        return None
    reader.words(NEGATED_DEGREES | {"as", "called", "judged", "deemed"})
    return "incorrect" if reader.word(("correct",)) else None


def _produces_nothing_correct(reader: _Reader) -> Side | None:
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


def _does_nothing_correctly(reader: _Reader) -> Side | None:
    """ "It does not work correctly", "it fails to correctly handle duplicates"."""
    if not _subject(reader) or not reader.one_of(UNABLE):
        return None
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


def _two_predicates(reader: _Reader) -> Side | None:
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
            if reader.word(("is",)):
                return "incorrect" if _predicate(reader) == "incorrect" else None
    return None


def _no_faults(reader: _Reader) -> bool:
    """ "(does not) contain any errors"."""
    return bool(
        reader.word(("contain", "have"))
        and reader.word(("any",))
        and reader.word(("errors", "bugs", "issues", "mistakes", "flaws"))
    )


def _predicate(reader: _Reader) -> Side | None:
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


_FORMS: tuple[Callable[[_Reader], Side | None], ...] = (
    _predicate, _of_the_program, _disbelieved, _impossible, _produces_nothing_correct,
    _does_nothing_correctly, _found_to_be, _two_predicates,
)  # fmt: skip


# -- what may follow


def _ends(reader: _Reader, side: Side) -> bool:
    """Whether the judgement is complete where the reader is."""
    result = side == "incorrect" and reader.next_token in RESULTS | NOUNS
    if result:  # "wrong answer"
        reader.position += 1
    token = reader.next_token
    if token is None or token == ITEM:
        return True
    rest = _Reader(reader.sentence, reader.position)
    if token in BREAKS:
        rest.skip(BREAKS)
        return rest.next_token is None or _goes_on_well(rest, token, side, result)
    if rest.word(("because", "since", "as", "and", "so", "due")):
        return rest.next_token is not None and not rest.word(_NO_REASONS)
    if side == "correct":
        if token in ("but", "although", "though"):  # what is a doubt takes it back
            return True
        return _holds_everywhere(rest) or rest.word(("without",)) is not None
    if token == "but" and rest.phrase("but", "close"):
        return rest.next_token in (None, *BREAKS)
    if rest.phrase("in") and rest.word(("its", "the")) and rest.word(("current", "present")):
        return rest.word(("form", "state")) is not None
    rest.position = reader.position
    if rest.phrase("at", "all"):
        return rest.next_token in (None, *BREAKS)
    where = rest.word(("for", "on", "when", "given")) or (
        rest.word(("in",)) and rest.word(ALL | SOME)
    )
    return bool(where) and not LIMITS.intersection(rest.sentence[rest.position :])


def _goes_on_well(rest: _Reader, sign: str, side: Side, result: bool) -> bool:
    """Whether what follows a comma, a colon or the like leaves the judgement what it is."""
    following = rest.next_token or ""
    if sign != LINE and following[0].isdigit():  # "Correct: 3 of 10"
        following_words = rest.sentence[rest.position : rest.position + 8]
        said = [word for word in following_words if word not in BREAKS]
        full = said in (["100%"], ["100", "%"]) or (
            len(said) == 3 and said[1] == "/" and said[0] == said[2] != "0"
        )
        return side == "correct" and full
    if following in ("none", "nothing", "zero", "false", "n") or (result and following == "no"):
        return False  # "Wrong outputs: none"
    if following == "no":  # a form's field: "Correct: No"
        rest.word(("no",))
        return rest.next_token not in (None, *BREAKS)
    if side == "correct" and following in PREPOSITIONS and not rest.phrase("of", "course"):
        return _holds_everywhere(rest)
    if side == "correct" and (following in ATTRIBUTED or (sign != LINE and _is_fragment(rest))):
        return False  # "Correct (idea)"
    return following not in (RESTRICTIVE if side == "correct" else RESTRICTIVE | UNJUST)


def _is_fragment(rest: _Reader) -> bool:
    """Whether one or two words follow that say nothing good."""
    words = [word for word in rest.sentence[rest.position :] if word not in BREAKS]
    clause = len(words) == 2 and words[0] in ("not", "it", "confidence")
    return len(words) < 3 and not clause and not GOOD_WORDS.issuperset(words)


def _holds_everywhere(rest: _Reader) -> bool:
    """ "for all inputs", "in every case", "for this problem", "according to the statement"."""
    start = rest.position
    if rest.phrase("according", "to"):
        rest.words(("the", "this", "given"))
        return (
            rest.word(("problem", "statement", "task", "specification", "requirements")) is not None
        )
    if rest.phrase("with", "respect", "to") or rest.word(("per", "under", "given")):
        return rest.words(THE_TASK | THE_STATEMENT) and rest.next_token in (None, *BREAKS)
    if rest.phrase("with") and rest.words(("100%", "100", "%", "full", "high")):
        return rest.word(("confidence", "certainty")) is not None
    rest.position = start
    if not rest.word(("for", "in", "on", "with")):
        return False
    if rest.word(ALL):
        rest.words(WITHOUT_LIMIT)
        return rest.words(INPUTS) and rest.next_token in (None, "and", "as", *BREAKS)
    return rest.words(THE_TASK | {"constraints"}) and rest.next_token in (None, *BREAKS)

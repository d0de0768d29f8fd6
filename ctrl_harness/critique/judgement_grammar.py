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

from ctrl_harness.critique.judgement_text import ITEM, LINE, word_set

Side = Literal["correct", "incorrect"]

SIDES: dict[str, Side] = {"correct": "correct", "incorrect": "incorrect", "wrong": "incorrect"}
MARKS: dict[str, Side] = {
    **dict.fromkeys("✅✔✓☑👍🎉🟢", "correct"),
    **dict.fromkeys("❌✗✘✖✕🚫👎🔴⛔", "incorrect"),
}
BREAKS = frozenset({",", ":", "-", "(", "|", "...", LINE})
"""Signs after which a sentence may go on and its judgement be complete."""

_Phrases = dict[str, list[tuple[str, ...]]]
"""Phrases by their first word, the longest first."""


def _phrases(*texts: str) -> _Phrases:
    found: _Phrases = {}
    for phrase in sorted((tuple(text.split()) for text in texts), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return found


_LEADS = _phrases(
        "overall", "in conclusion", "in summary", "in short", "to conclude", "to summarize",
        "to sum up", "finally", "therefore", "thus", "hence", "so", "as such", "yes", "no",
        "conclusion", "summary", "verdict", "final verdict", "the verdict is",
        "the final verdict is", "my verdict is", "my verdict",
        "my final verdict", "my judgment",
        "verdict is", "final judgment", "final judgement", "judgment", "judgement", "final answer",
        "it is clear that", "we can conclude that", "i conclude that", "i conclude",
        "i am confident that",
        "i am confident", "i'm confident that", "i'm confident", "my judgment is that",
        "my judgment is", "my judgement is that", "my judgement is", "the judgment is",
        "the judgement is", "the answer is",
        "this means that", "which means that", "and",
)  # fmt: skip
_FIELDS = _phrases("answer", "result", "status", "solution", "code", "the code", "the solution")
"""They lead where a colon follows."""
_LEADS_OF_REJECTIONS = _phrases(
        "unfortunately", "sadly", "i believe that", "i believe", "i think that", "i think",
        "i would say that", "i would say", "i am afraid that", "i am afraid", "in my opinion",
)  # fmt: skip
"""A rejection stays one behind them; an approval becomes a guess."""
_MAX_LEADS = 6
_REVIEWS = word_set(
    "the this my our above previous detailed careful following given provided analysis review"
    " evaluation assessment reasoning checks tests test results these observations points"
    " findings code solution of and"
)
_REVIEWED = word_set(
    "analysis review evaluation assessment reviewing analyzing analysing examining evaluating"
    " testing"
)
_MERITS = word_set("logic approach algorithm idea reasoning")
_SOUND_MERITS = word_set("sound right good fine correct valid solid")
_GOOD_PREDICATES = _phrases(
    "has no bugs", "has no errors", "has no issues", "contains no bugs", "contains no errors",
    "passes all tests", "passes all the tests", "passes all test cases",
    "passes all the test cases", "has been verified", "works as expected", "works as intended",
    "works for all inputs", "solves the problem", "meets all requirements",
    "meets all the requirements",
)  # fmt: skip
_DETERMINERS = word_set(
    "the this that your their his her student's user's a given provided submitted proposed"
    " presented above current whole entire generated draft python python3 code program source"
    " student user candidate coding overall"
)
_NOUNS = word_set(
    "solution code program attempt answer implementation submission function script response"
    " draft snippet"
)
_PRONOUNS = word_set("this that everything")
_VERBS = word_set("is does never fails can will works solves passes still crashes has contains")
_ADDITIONS = _phrases(
        "provided", "given", "above", "submitted", "presented", "shown", "you provided",
        "provided by the user", "provided above", "given above", "as written", "as it is written",
        "as given", "as it stands", "as it is", "for this problem", "for the problem",
        "for the given problem", "to the problem", "to this problem", "to the given problem",
        "in question", "itself", "as a whole",
)  # fmt: skip
_DEGREES = word_set(
    "completely fully entirely totally absolutely perfectly definitely clearly indeed"
    " certainly therefore thus hence also simply overall 100% 100 % undoubtedly still both"
)
_WRONG_DEGREES = _DEGREES | word_set(
    "fundamentally logically functionally semantically obviously plainly just very plain"
    " dead all flatly"
)
_NEGATED_DEGREES = word_set(
    "entirely fully completely quite really always totally 100% 100 % even yet actually"
    " exactly strictly wholly altogether absolutely perfectly very consistently functionally"
    " logically considered a the"
)
_PARTS = word_set("partially partly mostly")
_NEARLY = word_set("almost nearly")
_PRAISE = word_set(
    "efficient fast elegant simple clean concise readable optimal well robust also quick complete"
)
_SOUND = word_set("accurate valid sound logical clear correctly well-structured well-written")
_RESULTS = word_set("answer output outputs result results solution value values")
_PRODUCES = word_set(
    "produce return give print output compute calculate yield generate provide find get"
    " deliver implement determine display"
)
_DENIALS = _phrases(
    "far from", "anything but", "nowhere near", "by no means", "in no way", "hardly", "scarcely",
)  # fmt: skip
_NEAR = _phrases("even close to", "close to", "anywhere near", "at all", "even remotely")
_UNABLE = _phrases(
    "does not", "do not", "did not", "can not", "will not", "never", "fails to", "is not able to",
    "is unable to",
)  # fmt: skip
_CLAUSE_WORDS = 30
_CLAUSE_ENDS = BREAKS | {ITEM}
_ACTIONS = _PRODUCES | word_set(
    "work function behave handle solve process run perform read parse count sort update"
)
_SECOND_CLAUSES = word_set("and but nor while fail fails not as although though before after")
_FAULTS = word_set("crash fail raise hang loop overflow terminate compile leak")
_RUNS = word_set("runs compiles works executes terminates")
_FIRST_PREDICATE = 12
_SUBORDINATES = word_set(
    "if that which who whether unless would could should might may when where because says claims"
    " than or neither only"
)
_SOME = word_set("some many most certain several edge multiple general that")
_WITHOUT_LIMIT = word_set("the of valid possible given legal allowed specified kinds types other")
_INPUTS = word_set(
    "input inputs case cases test tests edge value values scenarios scenario constraints n numbers"
    " respect respects way aspects"
)
_PREPOSITIONS = word_set("for in on at up to under by from of until with")
_RESTRICTIVE = word_set(
    "given provided assuming save bar minus modulo when where if while more half every"
)
_ATTRIBUTED = _RESULTS | word_set(
    "approach idea usage use logic syntax reasoning style method format"
)
_GOOD_WORDS = _PRAISE | word_set(
    "well done good job great nice work excellent true yes correct ok okay final verified confirmed"
    " all passed pass passes tests cases of course thanks indeed and perfect because it no errors"
    " bugs issues 👍 ✅ ✔ 🎉 ) qed"
)
_NO_REASONS = frozenset({"far", "long", "much", "if", "though", "a", "an", *SIDES})
_LIMITS = word_set(
    "only alone merely purely solely style formatting format naming pep pep8 spelling grammar"
    " comments comment documentation docstring but"
)
"""Beside "incorrect for" and the like they limit the rejection to what does not count."""
_UNJUST = word_set("wrongly mistakenly unfairly erroneously falsely unjustly")
_ALL = word_set("all every any each")
_THE_STATEMENT = word_set("statement specification requirements constraints description")
_THE_TASK = word_set("the this given stated problem task question case")


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

    def one_of(self, phrases: _Phrases) -> tuple[str, ...]:
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
    guesses = bool(reader.one_of(_LEADS_OF_REJECTIONS))
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
            if not (reader.words(_REVIEWS) and reader.word((",", ":"))):
                reader.position = start
                break
            continue
        if _after_a_review(reader) or _merit(reader):
            continue
        lead = reader.one_of(_LEADS)
        if not lead and reader.one_of(_FIELDS):
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
        if reader.words(_REVIEWS | _REVIEWED) and reader.word((",", ":")):
            said = reader.sentence[first : reader.position - 1]
            if reader.sentence[start] == "considering" or _REVIEWED.intersection(said):
                return True
    reader.position = start
    return False


def _merit(reader: _Reader) -> bool:
    """ "The logic is sound and", before what is said of the program itself."""
    start = reader.position
    if (
        reader.phrase("the")
        and reader.word(_MERITS)
        and reader.phrase("is")
        and reader.word(_SOUND_MERITS)
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
    if reader.word(_PRONOUNS) and reader.word(_VERBS):
        reader.position -= 1
        return True
    reader.position = start
    end = 0
    while word := reader.word(_DETERMINERS | _NOUNS):
        if word in _NOUNS:
            end = reader.position
    if not end:
        return False
    reader.position = end
    if reader.sentence[end - 1] == "function" and "_" in (reader.next_token or ""):
        reader.position += 1
    reader.one_of(_ADDITIONS)
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
    reader.words(_DEGREES)
    if reader.word(("right",)):
        return "incorrect" if denied else "correct"
    reader.position = start
    article = reader.word(("a", "an", "the"))
    word = reader.word(SIDES)
    if reader.word(("and", ",")):
        reader.words(_PRAISE | _SOUND | {"and", ","})
    if not word or not reader.word(_NOUNS - {"response", "draft"}) or reader.next_token == ":":
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
    reader.words(_NEGATED_DEGREES)
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
    reader.words(_NEGATED_DEGREES | {"as", "called", "judged", "deemed"})
    return "incorrect" if reader.word(("correct",)) else None


def _produces_nothing_correct(reader: _Reader) -> Side | None:
    """ "It does not always produce the correct output"."""
    if not _subject(reader):
        return None
    if not reader.one_of(_UNABLE):
        return None
    reader.words(("always", "consistently", "actually", "even", "reliably"))
    if not reader.word(_PRODUCES | {f"{verb}s" for verb in _PRODUCES}):
        return None
    reader.word(("a", "an", "the", "any"))
    return "incorrect" if reader.phrase("correct") and reader.word(_RESULTS) else None


def _does_nothing_correctly(reader: _Reader) -> Side | None:
    """ "It does not work correctly", "it fails to correctly handle duplicates"."""
    if not _subject(reader) or not reader.one_of(_UNABLE):
        return None
    clause: list[str] = []
    end = reader.position + _CLAUSE_WORDS
    while (token := reader.next_token) is not None and token not in _CLAUSE_ENDS:
        if reader.position == end:
            return None
        clause.append(token)
        reader.position += 1
    if len(clause) < 2 or (_SUBORDINATES | _SECOND_CLAUSES).intersection(clause):
        return None
    is_verb = clause[0] in _ACTIONS
    denied = clause[0] == "correctly" or (is_verb and "correctly" in (clause[1], clause[-1]))
    return "incorrect" if denied else None


def _two_predicates(reader: _Reader) -> Side | None:
    """ "It does not crash and is correct", "it contains a bug and is therefore incorrect"."""
    if not _subject(reader):
        return None
    start = reader.position
    harmless = reader.phrase("does", "not") and (reader.word(_FAULTS) or _no_faults(reader))
    if (harmless or reader.word(_RUNS)) and reader.phrase("and", "is"):
        return _predicate(reader)
    reader.position = start
    if reader.one_of(_GOOD_PREDICATES):
        reader.word((",",))
        if reader.phrase("and"):
            reader.words(("is", "it", "therefore", "thus", "hence"))
            return _predicate(reader)
    for position in range(start, min(start + _FIRST_PREDICATE, len(reader.sentence))):
        word = reader.sentence[position]
        if word in _SUBORDINATES:
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
        return "correct" if praised and reader.word(_PRAISE) else None
    if reader.one_of(_DENIALS):
        reader.words(_NEGATED_DEGREES | {"being"})
        return "incorrect" if reader.word(("correct",)) else None
    if reader.phrase("neither"):
        if not reader.phrase("correct", "nor") or reader.next_token in (None, *SIDES):
            return None
        reader.position += 1
        return "incorrect"
    start = reader.position
    reader.words(_WRONG_DEGREES)
    if reader.phrase("not"):
        if not reader.one_of(_NEAR):
            reader.words(_NEGATED_DEGREES)
        return "incorrect" if reader.word(("correct",)) else None
    reader.position = start
    if part := reader.word(_PARTS | _NEARLY):
        reader.words(("entirely", "fully", "completely", "totally"))
        word = reader.word(SIDES)
        return None if word is None or (part in _NEARLY and word != "correct") else "incorrect"
    if reader.word(("considered", "judged", "deemed", "found", "marked", "rated")):
        reader.words(("to", "be", "as"))
    start = reader.position
    reader.words(_DEGREES)
    if reader.word(("correct",)):
        return "correct"
    reader.position = start
    if reader.word(_PRAISE | _SOUND):
        reader.words(_PRAISE | _SOUND | {","})
        if reader.phrase("and"):
            reader.words(_DEGREES)
            if reader.word(("correct",)):
                return "correct"
    reader.position = start
    reader.words(_WRONG_DEGREES)
    return "incorrect" if reader.word(("incorrect", "wrong")) else None


_FORMS: tuple[Callable[[_Reader], Side | None], ...] = (
    _predicate, _of_the_program, _disbelieved, _impossible, _produces_nothing_correct,
    _does_nothing_correctly, _found_to_be, _two_predicates,
)  # fmt: skip


# -- what may follow


def _ends(reader: _Reader, side: Side) -> bool:
    """Whether the judgement is complete where the reader is."""
    result = side == "incorrect" and reader.next_token in _RESULTS | _NOUNS
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
        rest.word(("in",)) and rest.word(_ALL | _SOME)
    )
    return bool(where) and not _LIMITS.intersection(rest.sentence[rest.position :])


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
    if side == "correct" and following in _PREPOSITIONS and not rest.phrase("of", "course"):
        return _holds_everywhere(rest)
    if side == "correct" and (following in _ATTRIBUTED or (sign != LINE and _is_fragment(rest))):
        return False  # "Correct (idea)"
    return following not in (_RESTRICTIVE if side == "correct" else _RESTRICTIVE | _UNJUST)


def _is_fragment(rest: _Reader) -> bool:
    """Whether one or two words follow that say nothing good."""
    words = [word for word in rest.sentence[rest.position :] if word not in BREAKS]
    clause = len(words) == 2 and words[0] in ("not", "it", "confidence")
    return len(words) < 3 and not clause and not _GOOD_WORDS.issuperset(words)


def _holds_everywhere(rest: _Reader) -> bool:
    """ "for all inputs", "in every case", "for this problem", "according to the statement"."""
    start = rest.position
    if rest.phrase("according", "to"):
        rest.words(("the", "this", "given"))
        return (
            rest.word(("problem", "statement", "task", "specification", "requirements")) is not None
        )
    if rest.phrase("with", "respect", "to") or rest.word(("per", "under", "given")):
        return rest.words(_THE_TASK | _THE_STATEMENT) and rest.next_token in (None, *BREAKS)
    if rest.phrase("with") and rest.words(("100%", "100", "%", "full", "high")):
        return rest.word(("confidence", "certainty")) is not None
    rest.position = start
    if not rest.word(("for", "in", "on", "with")):
        return False
    if rest.word(_ALL):
        rest.words(_WITHOUT_LIMIT)
        return rest.words(_INPUTS) and rest.next_token in (None, "and", "as", *BREAKS)
    return rest.words(_THE_TASK | {"constraints"}) and rest.next_token in (None, *BREAKS)

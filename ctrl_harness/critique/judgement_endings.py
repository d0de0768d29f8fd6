"""What may follow a judgement in its sentence: reasons and praise; no limits and conditions."""

from __future__ import annotations

from ctrl_harness.critique.judgement_text import ITEM, LINE
from ctrl_harness.critique.judgement_words import (
    ALL,
    ATTRIBUTED,
    BREAKS,
    GOOD_WORDS,
    INPUTS,
    LIMITS,
    MARKS,
    MERITS,
    NOUNS,
    PREPOSITIONS,
    RESTRICTIVE,
    RESULTS,
    SIDES,
    SOME,
    THE_STATEMENT,
    THE_TASK,
    UNJUST,
    UNSURE,
    WITHOUT_LIMIT,
    Side,
)
from ctrl_harness.critique.sentence_reader import Reader

_NO_REASONS = frozenset({"far", "long", "much", "if", "though", "a", "an", *SIDES})


def ends(reader: Reader, side: Side) -> bool:
    """Whether the judgement is complete where the reader is."""
    result = side == "incorrect" and reader.next_token in RESULTS | NOUNS | MERITS
    if result:  # "wrong answer", "incorrect logic"
        reader.position += 1
    token = reader.next_token
    if token is None or token == ITEM:
        return True
    rest = Reader(reader.sentence, reader.position)
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


def _goes_on_well(rest: Reader, sign: str, side: Side, result: bool) -> bool:
    """Whether what follows a comma, a colon or the like leaves the judgement what it is."""
    following = rest.next_token or ""
    if sign != LINE and following[0].isdigit():  # "Correct: 3 of 10"
        following_words = rest.sentence[rest.position : rest.position + 8]
        said = [word for word in following_words if word not in BREAKS]
        points = said[::2] if len(said) == 3 and said[1] == "/" else []
        if side == "incorrect":  # "(2/10)" is a mark; "Incorrect: 2/10" counts what?
            return sign == "(" and len(set(points)) == 2
        return said in (["100%"], ["100", "%"]) or (len(set(points)) == 1 and points[0] != "0")
    if side == "incorrect" and sign != LINE:
        if following in UNSURE or (sign == ":" and MARKS.get(following) == "incorrect"):
            return False  # "Incorrect (maybe)"; a box that is not ticked
        if following == "not" and rest.phrase("not", "sure"):
            return False
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


def _is_fragment(rest: Reader) -> bool:
    """Whether one or two words follow that say nothing good."""
    words = [word for word in rest.sentence[rest.position :] if word not in BREAKS]
    clause = len(words) == 2 and words[0] in ("not", "it", "confidence")
    return len(words) < 3 and not clause and not GOOD_WORDS.issuperset(words)


def _holds_everywhere(rest: Reader) -> bool:
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

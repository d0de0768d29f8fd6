"""What later sentences claim of the program, and where a writer changes their mind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile, pairwise

from ctrl_harness.critique.doubt_words import (
    ADVERBS,
    ALL_IS_WELL,
    CHANGES,
    CONTRASTS,
    DENIALS,
    ENDINGS,
    EXCESSES,
    FAILS,
    FAULTS,
    GIVES,
    GOOD,
    HYPOTHETICAL,
    KINDS_OF_FAULTS,
    LACKS,
    MAKE_IT_WORK,
    NAMES_OF_FAULTS,
    NEGLECTED,
    PLAIN_FAULTS,
    REPAIRS,
    RESTRICTIONS,
    REVERSALS,
    WORKS,
)
from ctrl_harness.critique.judgement_doubts import denied_fault
from ctrl_harness.critique.judgement_grammar import judged, program
from ctrl_harness.critique.judgement_text import ARROW, LINE, word_set
from ctrl_harness.critique.judgement_words import BREAKS

_OPENINGS = word_set("actually well ah oh ok okay indeed now no yes still in fact") | {LINE, ","}
_TWO_RESULTS = {("rather", "than"), (",", "not"), ("but", "should")}
_CLAUSE_ENDS = BREAKS | {
    "but", "however", "though", "although", "yet", "otherwise", "and", "so", "because", ARROW, "/",
}  # fmt: skip


def claims_success(sentence: Sequence[str], *, loosely: bool = False) -> bool:
    """Whether a clause says without limits that the program is right ("but it works").

    loosely: also "it is logically correct".
    """
    return any(
        _is_claim_of_success(list(dropwhile(_OPENINGS.__contains__, clause)), loosely)
        for clause in _clauses(sentence)
    )


def claims_fault(sentence: Sequence[str]) -> bool:
    """Whether a sentence says of the program that it fails ("The code crashes for n = 0")."""
    said = list(dropwhile(BREAKS.__contains__, sentence))
    if _denies_or_asks(said) or _tells_two_results(said) or _falls_short(said):
        return True
    start = program(sentence)
    if start is None:
        return _claims_a_fault_in_a_part(sentence)
    rest = [word for word in sentence[start:] if word not in (ADVERBS - {"does"}) | {LINE}]
    if rest[:1] and rest[0] in FAILS | LACKS:
        return True
    if rest[:2] == ["is", "missing"]:
        return True
    if rest[:1] == ["would"] and "if" not in rest and PLAIN_FAULTS.intersection(rest):
        return True
    if rest[:2] == ["does", "not"]:
        return not denied_fault(rest, 1)
    if rest[:1] and rest[0] in ("has", "contains", "returns", "produces", "gives", "prints"):
        return any(word in FAULTS for word in rest[1:5]) and "no" not in rest[1:3]
    return False


def _claims_a_fault_in_a_part(sentence: Sequence[str]) -> bool:
    """ "There is a bug in line 3", "the loop is off by one"."""
    words = [word for word in sentence[:12] if word != LINE]
    if HYPOTHETICAL.intersection(words):
        return False
    if words[:1] == ["there"] and words[1:2] in (["is"], ["are"]):
        return "no" not in words[2:4] and "not" not in words[2:4] and bool(FAULTS & {*words[2:7]})
    if words[:1] == ["the"] and "is" in words[2:]:
        said = words[words.index("is", 2) + 1 :][:1]
        return said[:1] in (
            [fault] for fault in ("wrong", "incorrect", "off", "missing", "broken", "too")
        )
    return False


def denies_all_faults(sentence: Sequence[str]) -> bool:
    """ "No bugs found.", "There is no bug."; not "no syntax errors", which leaves others."""
    start = 2 if sentence[:1] == ["there"] and sentence[1:2] in (["is"], ["are"]) else 0
    if len(sentence) <= start or KINDS_OF_FAULTS.intersection(sentence):
        return False
    return denied_fault(sentence, start) == len(sentence)


def _denies_or_asks(said: Sequence[str]) -> bool:
    """ "Not really.", "This is not true.", "Fix the base case.", "To make it work, sort first"."""
    if said[:1] == ["not"]:
        return not denied_fault(said, 0)
    if (said[:1] and said[0] in REPAIRS) or said[:2] == ["you", "must"]:
        return True
    if said[:1] == ["to"] and ((said[1:2] and said[1] in REPAIRS) or said[1:4] == MAKE_IT_WORK):
        return True
    if said[:1] == ["the"] and said[2:3] == ["is"] and said[1] in NAMES_OF_FAULTS:
        return not denied_fault(said, 3) and said[3:4] != ["not"]
    return said[:1] in (["this"], ["that"]) and said[1:4] == ["is", "not", "true"]


def _tells_two_results(said: Sequence[str]) -> bool:
    """ "It prints 4, but 5 is expected", "f(3) returns 5, not 6", "it prints nothing"."""
    if "expected" in said:
        if "but" in said:
            return True
        for position, word in enumerate(said):
            beside = (said[position - 2 : position][:1], said[position + 1 : position + 2])
            if word == "expected" and any(near and near[0][0].isdigit() for near in beside):
                return True
    for word, following in pairwise(said):
        if word in DENIALS:
            break
        if word in GIVES and following == "nothing":
            return True
    # the first has the most behind it, and the least before
    first = next((position for position, word in enumerate(said) if word in GIVES), len(said))
    if DENIALS.intersection(said[:first]):
        return False
    rest = said[first + 1 :]
    return "instead" in rest or any(pair in _TWO_RESULTS for pair in pairwise(rest))


def _falls_short(said: Sequence[str]) -> bool:
    """ "Empty lists are not handled", "it never terminates", "one element too early"."""
    obliged = said[said.index("must") :] if "must" in said else ()
    if "not" in obliged and "," in obliged:
        return True  # "must start at 1, not 0"
    for position, (word, following) in enumerate(pairwise(said)):
        denied = DENIALS.intersection(said[max(position - 2, 0) : position])
        if word == "too" and following in EXCESSES and not denied:
            return True
        if word == "not" and following in NEGLECTED and said[position - 1 : position] != ["need"]:
            return True
        if word == "never" and following in ENDINGS:
            return True
    return False


def supposes_changes(sentence: Sequence[str]) -> bool:
    """ "After these changes, the code is correct": of another program than the one judged."""
    return sentence[0] in ("after", "with", "once") and bool(CHANGES.intersection(sentence[1:6]))


def takes_back(words: Sequence[str]) -> bool:
    """Whether the writer changes their mind ("wait", "on second thought")."""
    for position, word in enumerate(words):
        following = list(words[position + 1 : position + 3])
        if word in REVERSALS - {"second", "update", "edit", "unless", "correction"}:
            return True
        if word == "second" and following[:1] in (["thought"], ["thoughts"]):
            return True
        if word in ("correction", "edit", "update") and following[:1] == [":"]:
            return True
        if word in ("strike", "ignore", "cancel", "forget") and following[:1] in (["that"], ["it"]):
            return True
        if word == "have" and following[:1] == ["said"]:
            return True
        if word == "i" and following in (["was", "wrong"], ["take", "that"], ["take", "it"]):
            return True
        if word in ("never", "my", "hold", "changed") and following[:1] in (
            ["mind"], ["mistake"], ["on"], ["bad"],
        ):  # fmt: skip
            return True
    return False


def begins_a_contrast(words: Sequence[str]) -> bool:
    return next((word for word in words if word not in BREAKS), "") in (
        CONTRASTS | REVERSALS | {"unfortunately", "actually", "no", "on", "that"}
    )


def _clauses(sentence: Sequence[str]) -> Iterator[list[str]]:
    clause: list[str] = []
    for word in sentence:
        if word in _CLAUSE_ENDS:
            yield clause
            clause = []
        else:
            clause.append(word)
    yield clause


def _is_claim_of_success(clause: Sequence[str], loosely: bool) -> bool:
    bare = [word for word in clause if word not in ("no", "yes", "now", "then", "rather")]
    if bare == ["correct"]:
        return True
    if clause[:1] in (["all"], ["every"], ["everything"]) and clause[-1] in ALL_IS_WELL:
        return not DENIALS.intersection(clause) and not (RESTRICTIONS - {"the", "of"}).intersection(
            clause
        )
    said = judged(clause)
    if said is not None and said.side == "correct":
        return True
    start = program(clause)
    if start is None:
        return False
    rest = list(clause[start:])
    while rest and rest[0] in ADVERBS:
        rest.pop(0)
    if rest[:1] == ["is"]:
        rest.pop(0)
        limit = 1 if loosely else 0
        while rest and (rest[0] in ADVERBS or (limit and rest[0].endswith("ly"))):
            rest.pop(0)
        return bool(rest) and rest[0] in GOOD and _is_unlimited(rest[1:])
    return bool(rest) and rest[0] in WORKS and _is_unlimited(rest[1:])


def _is_unlimited(rest: Sequence[str]) -> bool:
    """Nothing follows, or "for all inputs", "all tests", "the task"."""
    if not rest or rest[0] in ("correctly", "perfectly", "fine", "well"):
        return len(rest) < 2 or _is_unlimited(rest[1:])
    words = list(rest[1:] if rest[0] in ("for", "in", "on") else rest)
    if words and words[0] in ("all", "every", "any", "each", "everything"):
        return not any(word in RESTRICTIONS - {"the", "of"} for word in words[1:3])
    return words[:2] in (["the", "task"], ["the", "problem"], ["this", "problem"])

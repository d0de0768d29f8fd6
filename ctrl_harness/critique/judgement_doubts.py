"""What takes a judgement back: faults beside "correct", success beside "incorrect"."""

from __future__ import annotations

from collections.abc import Sequence

from ctrl_harness.critique.doubt_words import (
    ACTS,
    AVOIDS,
    BESIDE_STYLE,
    CHANGES,
    CHECKS,
    CONDITIONS,
    CONTRASTS,
    DENIALS,
    FAULT_ADJECTIVES,
    FAULT_VERBS,
    FAULTS,
    FOUND,
    GIVES,
    HEDGES,
    HOLDS,
    LABELS_OF_FAULTS,
    LIMITERS,
    NEED,
    NO,
    NUMBERS,
    OF_THE_TASK,
    OTHERS,
    PAIRS,
    PLACES,
    PLAIN_FAULTS,
    RATINGS,
    REMARKS,
    REPORTS,
    REQUESTS,
    REVERSALS,
    SENTENCE_ENDS,
    STATIVE,
    STYLE,
    SUBJECTS_OF_STYLE,
    TASKS,
    VERDICTS_OF_FAULT,
)
from ctrl_harness.critique.judgement_text import LINE
from ctrl_harness.critique.judgement_words import BREAKS, MARKS

_REJECTIONS = {mark for mark, side in MARKS.items() if side == "incorrect"}
_DOUBTS = (
    CONTRASTS | DENIALS | HEDGES | FAULTS | CHANGES | CONDITIONS | OTHERS | _REJECTIONS
    | (REVERSALS - {"second", "update"})
)  # fmt: skip

_FRAGMENT_WORDS = 5
_RATING_WORDS = 40


def speaks_of_a_fault(words: Sequence[str]) -> bool:
    """Whether a later paragraph reports a fault ("Test 3 fails.", "Score: 2/10", "Fix: use <=").

    Fewer words count than beside the judgement, since explanations stand here: "could be shorter"
    and "the missing number" do not.
    """
    if _is_low_rating(words) or list(words) == ["not"] or list(words[-2:]) == [":", "no"]:
        return True
    position = 0
    while position < len(words):
        if after := denied_fault(words, position) or _avoided_fault(words, position):
            position = after
            continue
        word = words[position]
        is_label = words[position + 1 : position + 2] == [":"]
        if word in PLAIN_FAULTS or word in _REJECTIONS or (is_label and word in LABELS_OF_FAULTS):
            return True
        if (
            tuple(words[position : position + 2]) in REPORTS
            or tuple(words[position : position + 3]) in REPORTS
        ):
            return True
        position += 1
    return False


def _avoided_fault(words: Sequence[str], start: int) -> int:
    """Behind "avoids", "prevents", "would": up to the fault that does not happen. "Was incorrect",
    "incorrect input" are none of the program either."""
    if words[start] == "incorrect" and words[start + 1 : start + 2] in (["input"], ["inputs"]):
        return start + 2
    if words[start] not in AVOIDS:
        return 0
    for position in range(start + 1, min(start + 5, len(words))):
        if words[position] in PLAIN_FAULTS:
            return position + 1
    return 0


def _is_low_rating(words: Sequence[str]) -> bool:
    """ "Score: 2/10", "Rating: 40%", "Grade: F", "Passed: 3 of 10"."""
    for position, word in enumerate(words[:_RATING_WORDS]):
        if word not in RATINGS and word != "confidence":
            continue
        rest = [w for w in words[position + 1 : position + 5] if w not in (":", "-", "=", "is")]
        if word == "confidence":
            if rest[:1] in (["low"], ["none"], ["zero"]) or _is_below_half(rest[:2]):
                return True
            continue
        if _speaks_of_a_ratio(rest) or rest[:1] in (["0"], ["d"], ["e"], ["f"]):
            return True
    return False


def _is_below_half(words: Sequence[str]) -> bool:
    number, sign, _ = "".join(words).partition("%")
    return bool(sign) and number.isdecimal() and len(number) < 3 and int(number) < 50


def doubtful(words: Sequence[str]) -> bool:
    """Whether words beside "correct" speak of a fault, a limit, a condition or a change.

    "No errors", "nothing is wrong" and "needs no changes" do not.
    """
    if _speaks_of_a_ratio(words) or _is_low_rating(words):
        return True
    position = 0
    while position < len(words):
        word = words[position]
        after = denied_fault(words, position) or _remark_on_style(words, position)
        if after:
            position = after
            continue
        doubt = (
            word in _DOUBTS
            or (word[0].isalpha() and not word.isascii())
            or word.endswith(("error", "exception"))
            or tuple(words[position : position + 2]) in PAIRS
            or _is_limiting_fragment(words, position)
            or _is_limit_to_samples(words, position)
            or (word in REQUESTS and (position == 0 or words[position - 1] in (".", ";", "•")))
        )
        if doubt and not _is_harmless(words, position):
            return True
        position += 1
    return False


def _remark_on_style(words: Sequence[str], start: int) -> int:
    """Where a remark ends that begins here and wishes for style alone ("but the names could be more
    readable"); 0 where none does."""
    position = start
    if words[position] in REMARKS:
        position += 1
        position += words[position : position + 1] == [","]
    limit = min(len(words), position + 6)
    while position < limit and words[position] in SUBJECTS_OF_STYLE:
        position += 1
    if words[position : position + 1] and words[position] not in ("could", "can", "may", "might"):
        return 0
    position += 1
    while words[position : position + 1] and words[position] in ("be", "still", "also", "further"):
        position += 1
    found = False
    limit = min(len(words), position + 12)
    while position < limit and (words[position] in STYLE or words[position] in BESIDE_STYLE):
        found = found or words[position] in STYLE
        position += 1
    ended = position >= len(words) or words[position] in {".", "!", ";", "•", ")", LINE}
    return position if found and ended else 0


def denied_fault(words: Sequence[str], start: int) -> int:
    """Where a denied fault that begins here ends; 0 where none does."""
    word = words[start]
    after = start + 1
    if word in ("could", "can") and words[after : after + 1] == ["not"]:
        return denied_fault(words, after)
    if word in ("nothing", "never", "not") or word in NO:
        position = after
        for _ in range(3):
            if position < len(words) and words[position] in FAULT_ADJECTIVES | {"is", "gives"}:
                position += 1
        fault = words[position] if position < len(words) else ""
        if word in ("not", "never") and fault in FAULT_VERBS:
            position += 1
            if fault in ("wrong", "incorrect") and position < len(words):
                position += words[position] in ("answer", "answers", "result", "results", "output")
            return position if _clause_ends(words, position) else 0
        if word == "nothing" and fault in ("wrong", "incorrect", "missing"):
            return position + 1
        if word == "nothing" and fault in NEED:
            return _denied_nouns(words, position + 1, CHANGES)
        if word == "not" and fault in NEED:
            return _denied_nouns(words, position + 1, CHANGES)
        if word == "not" and fault in HOLDS:
            return _denied_nouns(words, position + 1, FAULTS | CHANGES)
        if word in NO:
            if fault in NEED:  # "no need for changes", "no need to change"
                return _denied_nouns(words, position + 1, CHANGES)
            return _denied_nouns(words, after, FAULTS | CHANGES)
    return 0


def _denied_nouns(words: Sequence[str], position: int, nouns: frozenset[str]) -> int:
    """Behind "no": faults or changes, joined by "or" and "and", to the end of the clause."""
    found = False
    between = FAULT_ADJECTIVES | {"or", "and", "to", "for", "be", "anything"}
    limit = min(len(words), position + 12)
    while position < limit and (words[position] in nouns or words[position] in between):
        found = found or words[position] in nouns
        position += 1
    if not found or words[position - 1] in VERDICTS_OF_FAULT:  # "no bugs and incomplete"
        return 0
    while position < limit and words[position] in ("is", "are", "was", "were", "to", "be"):
        position += 1
    while position < limit and words[position] in FOUND | PLACES:
        position += 1
    return position if _clause_ends(words, position) else 0


def _clause_ends(words: Sequence[str], position: int) -> bool:
    return position >= len(words) or words[position] in BREAKS | {".", "!", ";", "•", "and", "as"}


def _is_harmless(words: Sequence[str], position: int) -> bool:
    """Whether a word that may speak of a doubt does not in its place."""
    word = words[position]
    before = words[max(position - 3, 0) : position]
    following = words[position + 1] if position + 1 < len(words) else ""
    if word == "if":
        earlier = words[max(position - 5, 0) : position]
        checks = bool(CHECKS.intersection(before)) and "all" not in earlier
        return checks or "returns" in earlier
    if word == "while":
        return following in ("loop", "loops")
    if word == "no":
        return bool({"if", "when"}.intersection(before))
    if word == "once" and following in ("", "."):
        return True
    if word in CONDITIONS:
        sentence = _sentence_before(words, position)
        return bool(ACTS.intersection(sentence)) and not STATIVE.intersection(sentence)
    if word == "should":
        return list(words[position + 1 : position + 3]) in (["pass", "all"], ["work", "for"]) and (
            "all" in words[position + 2 : position + 4]
        )
    if word == "right":
        return before[-2:-1] != [] and before[-2] in GIVES and before[-1] in ("the", "a")
    if word == "supposed":
        return list(before) in (["what", "it", "is"], ["as", "it", "is"]) and following == "to"
    if word == "to":
        return before[-1:] == ["supposed"]
    if word == "according":
        return bool(TASKS.intersection(words[position + 2 : position + 5]))
    if word == "most":
        return before[-1:] == ["the"]
    if word == "false":  # "True if …, False otherwise"
        return "true" in words[max(position - 15, 0) : position + 15]
    if word == "otherwise":
        return before[-1:] in (["false"], ["true"], ["0"], ["-1"])
    if word == "expected":
        return bool(before) and before[-1] in ("the", "as", "all")
    if word == "problem":
        return not before or before[-1] in ("the", "this", "given", "stated")
    if word in ("error", "exception", "overflow"):
        return following in ("handling", "free", "checking")
    if word == "invalid":
        return following in ("input", "inputs")
    if word == "or":
        return not any(near in ("correct", "incorrect") for near in (*before, following))
    return False


def _is_limiting_fragment(words: Sequence[str], position: int) -> bool:
    """ "On the samples.", "By luck." """
    if words[position] not in LIMITERS or (position and words[position - 1] not in SENTENCE_ENDS):
        return False
    end = position
    while (
        end < len(words) and end - position <= _FRAGMENT_WORDS and words[end] not in SENTENCE_ENDS
    ):
        end += 1
    fragment = words[position + 1 : end]
    if not fragment or OF_THE_TASK.issuperset(fragment):
        return False
    if words[position] == "every" and fragment[-1] in ("passes", "handled", "covered"):
        return "other" in fragment
    return end - position <= _FRAGMENT_WORDS and not {"all", "every"}.intersection(fragment)


def _is_limit_to_samples(words: Sequence[str], position: int) -> bool:
    """ "…, on the samples", "passes all tests on the samples"."""
    return (
        words[position] in ("on", "for")
        and words[max(position - 1, 0)] in BREAKS | {"tests", "confidence", "bugs", "answer"}
        and bool(
            {"sample", "samples", "example", "examples"}.intersection(
                words[position + 1 : position + 3]
            )
        )
        and words[position + 3 : position + 4] in ([], ["."])
    ) or tuple(words[position : position + 3]) == ("tests", "on", "the")


def _sentence_before(words: Sequence[str], position: int) -> list[str]:
    sentence: list[str] = []
    while position > 0 and words[position - 1] not in SENTENCE_ENDS and len(sentence) < 40:
        position -= 1
        sentence.append(words[position])
    return sentence


def _speaks_of_a_ratio(words: Sequence[str]) -> bool:
    """ "3/10 tests", "60 %": less than everything was achieved."""
    for position, word in enumerate(words):
        if not word[0].isdigit() and word not in NUMBERS:
            continue
        if "confidence" in words[max(position - 3, 0) : position] and (
            word.endswith("%") or words[position + 1 : position + 2] == ["%"]
        ):
            continue
        following = [w for w in words[position + 1 : position + 4] if w != "the"][:2]
        if word.endswith("%") or following[:1] == ["%"]:
            if word.rstrip("%") != "100":
                return True
        elif (
            len(following) == 2
            and following[0] in ("/", "of")
            and (following[1][0].isdigit() or following[1] in NUMBERS)
        ):
            return word != following[1]
    return False

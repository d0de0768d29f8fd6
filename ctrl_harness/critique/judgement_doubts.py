"""What takes a judgement back: faults beside "correct", success beside "incorrect"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from ctrl_harness.critique.judgement_grammar import BREAKS, MARKS, judged, program
from ctrl_harness.critique.judgement_text import ARROW, LINE, STRUCK, word_set

_CONTRASTS = word_set(
    "but however although though yet while whereas despite nevertheless nonetheless except"
    " save nope nah excepting excluding unless otherwise instead apart aside barring still"
    " only rather unfortunately sadly alas regardless conversely notwithstanding albeit"
    " without aber nicht kein keine jedoch außer sondern mais pas sauf cependant pero sino"
    " salvo excepto aunque ma però non tranne mas não exceto"
)
_DENIALS = word_set(
    "not no never neither nor none nobody nothing nowhere hardly barely scarcely rarely"
    " seldom without cannot lacks lack lacking zero false"
)
_HEDGES = word_set(
    "maybe perhaps probably possibly likely unlikely seems seem seemingly appears appear"
    " claims claim claimed says said say allegedly supposed accident luck chance hope hopes"
    " elsewhere pending subject close caveat caveats reservations reservation conditions"
    " limitation limitations restriction restrictions assumed apparently looks should would"
    " could might may must ought need needs needed guess think believe suppose supposedly"
    " assume assumes assuming assumption presumably hopefully arguably somewhat partial"
    " partially partly mostly mainly largely almost nearly some sometimes most unsure"
    " uncertain unclear doubt doubts doubtful questionable debatable depends depending"
    " provided unverified untested theoretically technically superficially ish actually rarely"
    " roughly generally usually typically often"
)
_FAULTS = word_set(
    "incorrect incorrectly wrong wrongly error errors erroneous bug bugs buggy issue issues"
    " drawback drawbacks shortcoming shortcomings weakness weaknesses gap gaps hole holes"
    " concern concerns glitch glitches quirk quirks oversight discrepancy mismatch deviation"
    " deviates differs differ raises throws forever endless endlessly too off skips skipped"
    " drops dropped lost unclosed truncated ignore forgot unsolved unsupported mistake"
    " mistakes mistaken problems problematic flaw flaws flawed fault faults faulty fail fails"
    " failed failing failure failures crash crashes crashed exception exceptions overflow"
    " overflows defect defects broken breaks typo typos miss misses missed missing omit omits"
    " omitted forgets ignores ignored overlooks overlooked neglects neglected mishandles"
    " mishandled unhandled inaccurate imprecise inefficient incomplete inconsistent"
    " insufficient inadequate unable undefined unexpected unreliable invalid impossible"
    " infinite off-by-one timeout tle timed exceed exceeds exceeded slow slower bad poor"
    " poorly weak contradicts contradict violates violate violated rejected disagree reject"
    " rejects vulnerable suboptimal deficient"
)
_CHANGES = word_set(
    "change changes changed changing modification modifications modify modified correction"
    " corrections corrected improvement improvements improve improved fix fixes fixed fixing"
    " revise revised revision rewrite rewritten adjust adjusted adjustment adjustments replace"
    " replaced debugging suggestion suggestions requires"
)
_REVERSALS = word_set(
    "wait scratch nevermind reconsider reconsidering retract hmm oops correction edit update"
    " unfair unjust harsh overstatement"
    " sorry misread misjudged apologies apologize disregard haha lol lied lying lie kidding"
    " joking second sarcasm unless"
)
_SENTENCE_ENDS = frozenset({".", "!", ";", "?", "•"})
_STATIVE = word_set("work works correct correctly pass passes succeeds fine right valid holds")
_ACTS = word_set(
    "returns return prints print stops stop ends exits raises outputs adds swaps increments updates"
    " moves yields gives appends pops resets checks handles is are uses takes"
)
_CONDITIONS = word_set("when whenever where once until till")
_OTHERS = {"or", "according", "?", "if", "expected", "problem", STRUCK, ARROW}
_REJECTIONS = {mark for mark, side in MARKS.items() if side == "incorrect"}
_DOUBTS = (
    _CONTRASTS | _DENIALS | _HEDGES | _FAULTS | _CHANGES | _CONDITIONS | _OTHERS | _REJECTIONS
    | (_REVERSALS - {"second", "update"})
)  # fmt: skip
_CHECKS = word_set(
    "check checks checking checked determine determines determining test tests see sees"
    " verify verifies verifying return returns whether true decide decides tell tells find"
    " finds"
)

_PAIRS = {
    tuple(pair.split())
    for pair in (
        "in spirit", "first part", "second part", "a degree", "a point", "some extent",
        "some degree", "minus one", "bar the", "bar one", "save for", "given sorted", "as long",
        "so long", "so far", "as far", "at least", "at most", "at first", "at times",
        "kind of", "sort of", "in part", "in parts", "in places", "left out",
        "leaves out", "times out", "time out", "runs out", "for now", "in theory", "in principle",
        "then again", "right value", "right answer", "better answer", "better solution",
        "or so", "above the", "had it", "more or", "every other", "now and", "on paper",
        "half of", "half the",
        "try again", "to do", "correct the", "correct this", "correct your", "correct line",
    )
}  # fmt: skip
_LIMITERS = word_set(
    "for in on at up to by from with given bar minus modulo under until before after more"
    " every half now when where"
)
"""A few words that begin with one of these and stand as a sentence limit the one before."""
_FRAGMENT_WORDS = 5
_GIVES = word_set("returns gives prints produces computes calculates yields outputs")
_TASKS = word_set("problem statement task specification requirements")
_OF_THE_TASK = word_set(
    "the this given stated to respect problem task question statement constraints specification"
    " requirements description 100 100% % full high confidence certainty"
)
_REQUESTS = word_set(
    "add remove handle start initialize include set insert ensure make try consider use avoid"
    " move swap check return delete"
)
"""At the beginning of a sentence they ask for a change."""

# -- wishes for style

_REMARKS = word_set("but although though however while")
_SUBJECTS_OF_STYLE = word_set(
    "it the its this code solution implementation function variable names naming readability style"
    " documentation formatting structure some of"
)
_STYLE = word_set(
    "improved optimized optimised simplified shortened refactored cleaner clearer readable concise"
    " pythonic elegant descriptive efficient documented shorter simpler"
)
_BESIDE_STYLE = word_set(
    "be made more slightly a bit little and for better readability clarity maintainability style"
    " efficiency with comments docstrings further"
)

# -- faults that are denied

_NO = word_set("no without any zero")
_FAULT_ADJECTIVES = word_set(
    "any further other logical logic syntax visible more additional known runtime functional"
    " the semantic a an obvious apparent such programming coding single compile compilation"
    " index of"
)
_FOUND = word_set(
    "found detected present observed identified needed required necessary visible apparent"
    " suggested made here there at all whatsoever"
)
_PLACES = word_set(
    "in with to for the this your it code solution program implementation logic at all"
)
_VERDICTS_OF_FAULT = word_set("incorrect wrong incomplete slow buggy broken faulty flawed")
_NEED = word_set("need needs needed require requires required")
_HOLDS = word_set("have contain see find notice spot")
_FAULT_VERBS = word_set(
    "crash crashes fail fails hang loop break overflow raise wrong incorrect miss"
)


def doubtful(words: Sequence[str]) -> bool:
    """Whether words beside "correct" speak of a fault, a limit, a condition or a change.

    "No errors", "nothing is wrong" and "needs no changes" do not.
    """
    if _speaks_of_a_ratio(words):
        return True
    position = 0
    while position < len(words):
        word = words[position]
        after = _denied_fault(words, position) or _remark_on_style(words, position)
        if after:
            position = after
            continue
        doubt = (
            word in _DOUBTS
            or (word[0].isalpha() and not word.isascii())
            or word.endswith(("error", "exception"))
            or tuple(words[position : position + 2]) in _PAIRS
            or _is_limiting_fragment(words, position)
            or _is_limit_to_samples(words, position)
            or (word in _REQUESTS and (position == 0 or words[position - 1] in (".", ";", "•")))
        )
        if doubt and not _is_harmless(words, position):
            return True
        position += 1
    return False


def _remark_on_style(words: Sequence[str], start: int) -> int:
    """Where a remark ends that begins here and wishes for style alone ("but the names could be more
    readable"); 0 where none does."""
    position = start
    if words[position] in _REMARKS:
        position += 1
        position += words[position : position + 1] == [","]
    limit = min(len(words), position + 6)
    while position < limit and words[position] in _SUBJECTS_OF_STYLE:
        position += 1
    if words[position : position + 1] and words[position] not in ("could", "can", "may", "might"):
        return 0
    position += 1
    while words[position : position + 1] and words[position] in ("be", "still", "also", "further"):
        position += 1
    found = False
    limit = min(len(words), position + 12)
    while position < limit and (words[position] in _STYLE or words[position] in _BESIDE_STYLE):
        found = found or words[position] in _STYLE
        position += 1
    ended = position >= len(words) or words[position] in {".", "!", ";", "•", ")", LINE}
    return position if found and ended else 0


def _denied_fault(words: Sequence[str], start: int) -> int:
    """Where a denied fault that begins here ends; 0 where none does."""
    word = words[start]
    after = start + 1
    if word in ("could", "can") and words[after : after + 1] == ["not"]:
        return _denied_fault(words, after)
    if word in ("nothing", "never", "not") or word in _NO:
        position = after
        for _ in range(3):
            if position < len(words) and words[position] in _FAULT_ADJECTIVES | {"is", "gives"}:
                position += 1
        fault = words[position] if position < len(words) else ""
        if word in ("not", "never") and fault in _FAULT_VERBS:
            position += 1
            if fault in ("wrong", "incorrect") and position < len(words):
                position += words[position] in ("answer", "answers", "result", "results", "output")
            return position if _clause_ends(words, position) else 0
        if word == "nothing" and fault in ("wrong", "incorrect", "missing"):
            return position + 1
        if word == "nothing" and fault in _NEED:
            return _denied_nouns(words, position + 1, _CHANGES)
        if word == "not" and fault in _NEED:
            return _denied_nouns(words, position + 1, _CHANGES)
        if word == "not" and fault in _HOLDS:
            return _denied_nouns(words, position + 1, _FAULTS | _CHANGES)
        if word in _NO:
            if fault in _NEED:  # "no need for changes", "no need to change"
                return _denied_nouns(words, position + 1, _CHANGES)
            return _denied_nouns(words, after, _FAULTS | _CHANGES)
    return 0


def _denied_nouns(words: Sequence[str], position: int, nouns: frozenset[str]) -> int:
    """Behind "no": faults or changes, joined by "or" and "and", to the end of the clause."""
    found = False
    between = _FAULT_ADJECTIVES | {"or", "and", "to", "for", "be", "anything"}
    limit = min(len(words), position + 12)
    while position < limit and (words[position] in nouns or words[position] in between):
        found = found or words[position] in nouns
        position += 1
    if not found or words[position - 1] in _VERDICTS_OF_FAULT:  # "no bugs and incomplete"
        return 0
    while position < limit and words[position] in ("is", "are", "was", "were", "to", "be"):
        position += 1
    while position < limit and words[position] in _FOUND | _PLACES:
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
        checks = bool(_CHECKS.intersection(before)) and "all" not in earlier
        return checks or "returns" in earlier
    if word == "while":
        return following in ("loop", "loops")
    if word == "no":
        return bool({"if", "when"}.intersection(before))
    if word == "once" and following in ("", "."):
        return True
    if word in _CONDITIONS:
        sentence = _sentence_before(words, position)
        return bool(_ACTS.intersection(sentence)) and not _STATIVE.intersection(sentence)
    if word == "should":
        return list(words[position + 1 : position + 3]) in (["pass", "all"], ["work", "for"]) and (
            "all" in words[position + 2 : position + 4]
        )
    if word == "right":
        return before[-2:-1] != [] and before[-2] in _GIVES and before[-1] in ("the", "a")
    if word == "supposed":
        return list(before) in (["what", "it", "is"], ["as", "it", "is"]) and following == "to"
    if word == "to":
        return before[-1:] == ["supposed"]
    if word == "according":
        return bool(_TASKS.intersection(words[position + 2 : position + 5]))
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
    if words[position] not in _LIMITERS or (position and words[position - 1] not in _SENTENCE_ENDS):
        return False
    end = position
    while (
        end < len(words) and end - position <= _FRAGMENT_WORDS and words[end] not in _SENTENCE_ENDS
    ):
        end += 1
    fragment = words[position + 1 : end]
    if not fragment or _OF_THE_TASK.issuperset(fragment):
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
    while position > 0 and words[position - 1] not in _SENTENCE_ENDS and len(sentence) < 40:
        position -= 1
        sentence.append(words[position])
    return sentence


def _speaks_of_a_ratio(words: Sequence[str]) -> bool:
    """ "3/10 tests", "60 %": less than everything was achieved."""
    for position, word in enumerate(words):
        if not word[0].isdigit() and word not in _NUMBERS:
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
            and (following[1][0].isdigit() or following[1] in _NUMBERS)
        ):
            return word != following[1]
    return False


_NUMBERS = word_set("none one two three four five six seven eight nine ten half")

# -- claims about the program that contradict a judgement

_WORKS = word_set("works work solves passes pass succeeds")
_ADVERBS = word_set(
    "still actually does really indeed now also always in fact already fully completely"
)
_GOOD = word_set("correct fine ok okay right valid good perfect accepted acceptable working")
_RESTRICTIONS = word_set("sample visible given example examples public simple basic small of the")
_FAILS = word_set("fails crashes misses mishandles ignores breaks overflows raises hangs loops")
_OPENINGS = word_set("actually well ah oh ok okay indeed now no yes still in fact") | {LINE, ","}
_ALL_IS_WELL = word_set("pass passes passed good well fine correct ok works")
_HYPOTHETICAL = word_set("if would could might unless were at")
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
    start = program(sentence)
    if start is None:
        return _claims_a_fault_in_a_part(sentence)
    rest = [word for word in sentence[start:] if word not in (_ADVERBS - {"does"}) | {LINE}]
    if rest[:1] and rest[0] in _FAILS:
        return True
    if rest[:2] == ["does", "not"]:
        return not _denied_fault(rest, 1)
    if rest[:1] and rest[0] in ("has", "contains", "returns", "produces", "gives", "prints"):
        return any(word in _FAULTS for word in rest[1:5]) and "no" not in rest[1:3]
    return False


def _claims_a_fault_in_a_part(sentence: Sequence[str]) -> bool:
    """ "There is a bug in line 3", "the loop is off by one"."""
    words = [word for word in sentence[:12] if word != LINE]
    if _HYPOTHETICAL.intersection(words):
        return False
    if words[:1] == ["there"] and words[1:2] in (["is"], ["are"]):
        return "no" not in words[2:4] and "not" not in words[2:4] and bool(_FAULTS & {*words[2:7]})
    if words[:1] == ["the"] and "is" in words[2:]:
        said = words[words.index("is", 2) + 1 :][:1]
        return said[:1] in (
            [fault] for fault in ("wrong", "incorrect", "off", "missing", "broken", "too")
        )
    return False


def supposes_changes(sentence: Sequence[str]) -> bool:
    """ "After these changes, the code is correct": of another program than the one judged."""
    return sentence[0] in ("after", "with", "once") and bool(_CHANGES.intersection(sentence[1:6]))


def takes_back(words: Sequence[str]) -> bool:
    """Whether the writer changes their mind ("wait", "on second thought")."""
    for position, word in enumerate(words):
        following = list(words[position + 1 : position + 3])
        if word in _REVERSALS - {"second", "update", "edit", "unless", "correction"}:
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
        _CONTRASTS | _REVERSALS | {"unfortunately", "actually", "no", "on", "that"}
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
    if clause[:1] in (["all"], ["every"], ["everything"]) and clause[-1] in _ALL_IS_WELL:
        return not _DENIALS.intersection(clause) and not (
            _RESTRICTIONS - {"the", "of"}
        ).intersection(clause)
    said = judged(clause)
    if said is not None and said.side == "correct":
        return True
    start = program(clause)
    if start is None:
        return False
    rest = list(clause[start:])
    while rest and rest[0] in _ADVERBS:
        rest.pop(0)
    if rest[:1] == ["is"]:
        rest.pop(0)
        limit = 1 if loosely else 0
        while rest and (rest[0] in _ADVERBS or (limit and rest[0].endswith("ly"))):
            rest.pop(0)
        return bool(rest) and rest[0] in _GOOD and _is_unlimited(rest[1:])
    return bool(rest) and rest[0] in _WORKS and _is_unlimited(rest[1:])


def _is_unlimited(rest: Sequence[str]) -> bool:
    """Nothing follows, or "for all inputs", "all tests", "the task"."""
    if not rest or rest[0] in ("correctly", "perfectly", "fine", "well"):
        return len(rest) < 2 or _is_unlimited(rest[1:])
    words = list(rest[1:] if rest[0] in ("for", "in", "on") else rest)
    if words and words[0] in ("all", "every", "any", "each", "everything"):
        return not any(word in _RESTRICTIONS - {"the", "of"} for word in words[1:3])
    return words[:2] in (["the", "task"], ["the", "problem"], ["this", "problem"])

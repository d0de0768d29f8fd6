"""The words and phrases that judgement_grammar.py knows."""

from __future__ import annotations

from typing import Literal

from ctrl_harness.critique.judgement_text import LINE, word_set

Side = Literal["correct", "incorrect"]

SIDES: dict[str, Side] = {"correct": "correct", "incorrect": "incorrect", "wrong": "incorrect"}
MARKS: dict[str, Side] = {
    **dict.fromkeys("✅✔✓☑👍🎉🟢", "correct"),
    **dict.fromkeys("❌✗✘✖✕🚫👎🔴⛔", "incorrect"),
}
BREAKS = frozenset({",", ":", "-", "(", "|", "...", LINE})
"""Signs after which a sentence may go on and its judgement be complete."""

Phrases = dict[str, list[tuple[str, ...]]]
"""Phrases by their first word, the longest first."""


def _phrases(*texts: str) -> Phrases:
    found: Phrases = {}
    for phrase in sorted((tuple(text.split()) for text in texts), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return found


LEADS = _phrases(
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
FIELDS = _phrases("answer", "result", "status", "solution", "code", "the code", "the solution")
"""They lead where a colon follows."""
LEADS_OF_REJECTIONS = _phrases(
        "unfortunately", "sadly", "i believe that", "i believe", "i think that", "i think",
        "i would say that", "i would say", "i am afraid that", "i am afraid", "in my opinion",
)  # fmt: skip
"""A rejection stays one behind them; an approval becomes a guess."""
REVIEWS = word_set(
    "the this my our above previous detailed careful following given provided analysis review"
    " evaluation assessment reasoning checks tests test results these observations points"
    " findings code solution of and"
)
REVIEWED = word_set(
    "analysis review evaluation assessment reviewing analyzing analysing examining evaluating"
    " testing"
)
MERITS = word_set("logic approach algorithm idea reasoning")
SOUND_MERITS = word_set("sound right good fine correct valid solid")
GOOD_PREDICATES = _phrases(
    "has no bugs", "has no errors", "has no issues", "contains no bugs", "contains no errors",
    "passes all tests", "passes all the tests", "passes all test cases",
    "passes all the test cases", "has been verified", "works as expected", "works as intended",
    "works for all inputs", "solves the problem", "meets all requirements",
    "meets all the requirements",
)  # fmt: skip
DETERMINERS = word_set(
    "the this that your their his her student's user's a given provided submitted proposed"
    " presented above current whole entire generated draft python python3 code program source"
    " student user candidate coding overall"
)
FLAWED = word_set("flawed faulty buggy broken incomplete erroneous")
NOUNS = word_set(
    "solution code program attempt answer implementation submission function script response"
    " draft snippet"
)
PRONOUNS = word_set("this that everything")
VERBS = word_set("is does never fails can will works solves passes still crashes has contains")
ADDITIONS = _phrases(
        "provided", "given", "above", "submitted", "presented", "shown", "you provided",
        "provided by the user", "provided above", "given above", "as written", "as it is written",
        "as given", "as it stands", "as it is", "for this problem", "for the problem",
        "for the given problem", "to the problem", "to this problem", "to the given problem",
        "in question", "itself", "as a whole",
)  # fmt: skip
DEGREES = word_set(
    "completely fully entirely totally absolutely perfectly definitely clearly indeed"
    " certainly therefore thus hence also simply overall 100% 100 % undoubtedly still both"
    " functionally"
)
WRONG_DEGREES = DEGREES | word_set(
    "fundamentally logically semantically obviously plainly just very plain unfortunately sadly"
    " dead all flatly"
)
NEGATED_DEGREES = word_set(
    "entirely fully completely quite really always totally 100% 100 % even yet actually"
    " exactly strictly wholly altogether absolutely perfectly very consistently functionally"
    " logically considered a the"
)
PARTS = word_set("partially partly mostly")
NEARLY = word_set("almost nearly")
PRAISE = word_set(
    "efficient fast elegant simple clean concise readable optimal well robust also quick complete"
)
SOUND = word_set("accurate valid sound logical clear correctly well-structured well-written")
RESULTS = word_set("answer output outputs result results solution value values")
PRODUCES = word_set(
    "produce return give print output compute calculate yield generate provide find get"
    " deliver implement determine display"
)
DENIALS = _phrases(
    "far from", "anything but", "nowhere near", "by no means", "in no way", "hardly", "scarcely",
)  # fmt: skip
NEAR = _phrases("even close to", "close to", "anywhere near", "at all", "even remotely")
UNABLE = _phrases(
    "does not", "do not", "did not", "can not", "will not", "never", "fails to", "is not able to",
    "is unable to",
)  # fmt: skip
ACTIONS = PRODUCES | word_set(
    "work function behave handle solve process run perform read parse count sort update"
)
SECOND_CLAUSES = word_set("and but nor while fail fails not as although though before after")
FAULTS = word_set("crash fail raise hang loop overflow terminate compile leak")
RUNS = word_set("runs compiles works executes terminates")
SUBORDINATES = word_set(
    "if that which who whether unless would could should might may when where because says claims"
    " than or neither only"
)
SOME = word_set("some many most certain several edge multiple general that")
WITHOUT_LIMIT = word_set("the of valid possible given legal allowed specified kinds types other")
INPUTS = word_set(
    "input inputs case cases test tests edge value values scenarios scenario constraints n numbers"
    " respect respects way aspects"
)
PREPOSITIONS = word_set("for in on at up to under by from of until with")
RESTRICTIVE = word_set(
    "given provided assuming save bar minus modulo when where if while more half every"
)
ATTRIBUTED = RESULTS | word_set(
    "approach idea usage use logic syntax reasoning style method format"
)
GOOD_WORDS = PRAISE | word_set(
    "well done good job great nice work excellent true yes correct ok okay final verified confirmed"
    " all passed pass passes tests cases of course thanks indeed and perfect because it no errors"
    " bugs issues 👍 ✅ ✔ 🎉 ) qed"
)
LIMITS = word_set(
    "only alone merely purely solely style formatting format naming pep pep8 spelling grammar"
    " comments comment documentation docstring but"
)
"""Beside "incorrect for" and the like they limit the rejection to what does not count."""
UNSURE = word_set("maybe perhaps possibly probably likely unsure")
UNJUST = word_set("wrongly mistakenly unfairly erroneously falsely unjustly")
ALL = word_set("all every any each")
THE_STATEMENT = word_set("statement specification requirements constraints description")
THE_TASK = word_set("the this given stated problem task question case")

"""The words that judgement_doubts.py knows: what takes a judgement back and what does not."""

from __future__ import annotations

from ctrl_harness.critique.judgement_text import ARROW, STRUCK, word_set

CONTRASTS = word_set(
    "but however although though yet while whereas despite nevertheless nonetheless except"
    " save nope nah excepting excluding unless otherwise instead apart aside barring still"
    " only rather unfortunately sadly alas regardless conversely notwithstanding albeit"
    " without aber nicht kein keine jedoch außer sondern mais pas sauf cependant pero sino"
    " salvo excepto aunque ma però non tranne mas não exceto"
)
DENIALS = word_set(
    "not no never neither nor none nobody nothing nowhere hardly barely scarcely rarely"
    " seldom without cannot lacks lack lacking zero false"
)
HEDGES = word_set(
    "maybe perhaps probably possibly likely unlikely seems seem seemingly appears appear"
    " claims claim claimed says said say allegedly supposed accident luck chance hope hopes"
    " elsewhere pending subject close caveat caveats reservations reservation conditions"
    " limitation limitations restriction restrictions assumed apparently looks should would"
    " could might may must ought need needs needed guess think believe suppose supposedly"
    " assume assumes assuming assumption presumably hopefully arguably somewhat partial"
    " partially partly mostly mainly largely almost nearly some sometimes most unsure"
    " uncertain unclear doubt doubts doubtful questionable debatable depends depending"
    " provided unverified untested theoretically technically superficially ish actually rarely"
    " roughly generally usually typically often ignoring disregarding"
)
FAULTS = word_set(
    "incorrect incorrectly wrong wrongly error errors erroneous bug bugs buggy issue issues"
    " drawback drawbacks shortcoming shortcomings weakness weaknesses gap gaps hole holes"
    " concern concerns glitch glitches quirk quirks oversight discrepancy mismatch deviation"
    " counterexample counterexamples counter-example"
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
    " rejects vulnerable suboptimal deficient wa mle rte"
)
CHANGES = word_set(
    "change changes changed changing modification modifications modify modified correction"
    " corrections corrected improvement improvements improve improved fix fixes fixed fixing"
    " revise revised revision rewrite rewritten adjust adjusted adjustment adjustments replace"
    " replaced debugging suggestion suggestions requires"
)
REVERSALS = word_set(
    "wait scratch nevermind reconsider reconsidering retract hmm oops correction edit update"
    " unfair unjust harsh overstatement"
    " sorry misread misjudged apologies apologize disregard haha lol lied lying lie kidding"
    " joking second sarcasm unless"
)
SENTENCE_ENDS = frozenset({".", "!", ";", "?", "•"})
STATIVE = word_set("work works correct correctly pass passes succeeds fine right valid holds")
ACTS = word_set(
    "returns return prints print stops stop ends exits raises outputs adds swaps increments updates"
    " moves yields gives appends pops resets checks handles is are uses takes"
)
CONDITIONS = word_set("when whenever where once until till")
OTHERS = {"or", "according", "?", "if", "expected", "problem", STRUCK, ARROW}
CHECKS = word_set(
    "check checks checking checked determine determines determining test tests see sees"
    " verify verifies verifying return returns whether true decide decides tell tells find"
    " finds"
)
PAIRS = {
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
        "try again", "to do", "it work", "low confidence",
        "correct the", "correct this", "correct your", "correct line",
    )
}  # fmt: skip
LIMITERS = word_set(
    "for in on at up to by from with given bar minus modulo under until before after more"
    " every half now when where"
)
"""A few words that begin with one of these and stand as a sentence limit the one before."""
GIVES = word_set("returns gives prints produces computes calculates yields outputs")
TASKS = word_set("problem statement task specification requirements")
OF_THE_TASK = word_set(
    "the this given stated to respect problem task question statement constraints specification"
    " requirements description 100 100% % full high confidence certainty"
)
REQUESTS = word_set(
    "add remove handle start initialize include set insert ensure make try consider use avoid"
    " move swap check return delete"
)
"""At the beginning of a sentence they ask for a change."""
REMARKS = word_set("but although though however while")
SUBJECTS_OF_STYLE = word_set(
    "it the its this code solution implementation function variable names naming readability style"
    " documentation formatting structure some of"
)
STYLE = word_set(
    "improved optimized optimised simplified shortened refactored cleaner clearer readable concise"
    " pythonic elegant descriptive efficient documented shorter simpler"
)
BESIDE_STYLE = word_set(
    "be made more slightly a bit little and for better readability clarity maintainability style"
    " efficiency with comments docstrings further"
)
NO = word_set("no without any zero")
FAULT_ADJECTIVES = word_set(
    "any further other logical logic syntax visible more additional known runtime functional"
    " the semantic a an obvious apparent such programming coding single compile compilation"
    " index of"
)
FOUND = word_set(
    "found detected present observed identified needed required necessary visible apparent"
    " suggested made here there at all whatsoever"
)
PLACES = word_set(
    "in with to for the this your it code solution program implementation logic at all"
)
VERDICTS_OF_FAULT = word_set("incorrect wrong incomplete slow buggy broken faulty flawed")
NEED = word_set("need needs needed require requires required")
HOLDS = word_set("have contain see find notice spot")
FAULT_VERBS = word_set(
    "crash crashes fail fails hang loop break overflow raise wrong incorrect miss"
)
NUMBERS = word_set("none one two three four five six seven eight nine ten half")
WORKS = word_set("works work solves passes pass succeeds")
ADVERBS = word_set(
    "still actually does really indeed now also always in fact already fully completely"
)
GOOD = word_set("correct fine ok okay right valid good perfect accepted acceptable working")
RESTRICTIONS = word_set("sample visible given example examples public simple basic small of the")
FAILS = word_set("fails crashes misses mishandles ignores breaks overflows raises hangs loops")
LACKS = word_set("forgets misses omits overlooks neglects mishandles lacks")
REPAIRS = word_set("fix repair correct replace")
MAKE_IT_WORK = ["make", "it", "work"]
NAMES_OF_FAULTS = word_set("issue problem bug error mistake fault flaw trouble")
KINDS_OF_FAULTS = word_set("syntax runtime compile compilation index other further more type style")
EXCESSES = word_set(
    "early late slow few many large small long short soon much little strict deep big"
)
NEGLECTED = word_set(
    "handled considered covered checked supported treated updated initialized initialised reset"
    " accepted returned printed sorted"
)
ENDINGS = word_set("terminates ends returns finishes stops prints outputs halts")
ALL_IS_WELL = word_set("pass passes passed good well fine correct ok works")
HYPOTHETICAL = word_set("if would could might unless were at")

PLAIN_FAULTS = word_set(
    "incorrect incorrectly wrong wrongly bug bugs buggy flaw flaws flawed fails fail failing failed"
    " crash crashes crashed mistake mistakes tle timeout timeouts counterexample counterexamples"
    " counter-example exceeds exceeded mishandles mishandled unhandled indexerror keyerror"
    " typeerror valueerror zerodivisionerror attributeerror nameerror syntaxerror recursionerror"
    " indentationerror off-by-one wa mle rte"
)
"""In a paragraph behind the judgement these report a fault; an explanation has other uses for the
rest of FAULTS."""
LABELS_OF_FAULTS = word_set(
    "issue issues problem problems fix caveat caveats missing error errors limitation limitations"
    " failure failures exception exceptions correction corrections"
)
RATINGS = word_set("score rating grade passed passes points")
AVOIDS = word_set(
    "avoid avoids avoided avoiding prevent prevents preventing guards would handles was"
)
REPORTS = {
    tuple(report.split())
    for report in (
        "runtime error", "syntax error", "limit exceeded", "will not", "time out", "times out",
        "does not compile", "does not work", "does not pass", "does not handle", "please fix",
        "a fix", "the fix", "needs to", "need to change", "missing a", "but got", ", got",
        "returns none for", "one error", "an error in",
    )
}  # fmt: skip

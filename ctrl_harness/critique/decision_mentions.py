"""Where a label in double brackets is spoken of, asked or supposed, or is code: no decision.

The rules are narrow on purpose: a hedge ("I suppose [[A>B]]", "If I had to choose, I'd say
[[A>B]]") is a decision.
"""

from __future__ import annotations

import re

MARKUP = r"[\s*_`\\$\"'“”]"
_CLOSING = r"(?:[^\S\n]|[*_`\\$\"'“”)\]]){0,8}"
_GOES_ON = rf"{_CLOSING},?[^\S\n]*(?-i:(?=[a-z]))"
"""The sentence goes on after a label: a capital letter or a new line begins another one."""
_REACH = 200
"""How far from a label its sentence and its line are looked at."""

_STRUCK = re.compile(
    r"(?<![~\\])~~(?![\s~])(?:[^~\n]|~(?!~)|\n(?![ \t]*\n))*(?<!\s)~~(?!~)"
    r"|(?<![\w~\\])~(?![\s~])[^~\n]*(?<!\s)~(?![\w~])"
    r"|<(?P<tag>s|del|strike)(?:\s[^<>\n]{0,100})?>(?:[^<]|<(?!/?(?:s|del|strike)\b))*</(?P=tag)\s?>"
    r"|\\(?:sout|st|[bx]?cancel)\s{0,3}\{[^{}]*\}",
    re.IGNORECASE,
)

_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|rather than|instead of|such as|e\.g\.|example)|n['’]t"
    r"|\b(?:cannot|no longer|nor|(?<!\bis )(?<!\bwas )(?<!\bare )(?<!\bbe )(?<!\bbeen )"
    r"(?:reject(?:ed|ing)?|rul(?:ed?|ing) out|(?:decided?|argues?) against))(?!\W{0,8}[:,(]))"
    r"(?:\s+(?:say|choose|pick|give|answer|output|verdict|label|an?|the|be)\b){0,3}"
    rf"(?:{MARKUP}|[:,(]){{0,8}}$",
    re.IGNORECASE,
)
_LEAD = (
    r"(?:\s+(?:saying|choosing|picking|giving|answering|say|choose|pick|give|answer|output|go|with"
    r"|verdict|label|of|for|an?|the|it|is|was|be|to|that|by))"
)
_CONSIDERED_BEFORE = re.compile(
    r"(?:\b(?:i|we)(?:['’](?:d|ve)|\s+(?:had|have|was|were|also|even|briefly|first|initially))*\s+"
    r"(?:consider(?:ed|ing)|weigh(?:ed|ing)|contemplat(?:ed|ing)|entertain(?:ed|ing)"
    r"|th(?:ought|inking)\s+(?:of|about)|tempted|(?:almost|nearly)\s+(?:said|chose|picked|gave)"
    r"|(?:going|about)\s+to)"
    r"|\bwhether|\bif\s+(?:it|this|that)\s+(?:is|were)|\bif\s+it['’]s"
    r"|\b(?:one|some|others|you)\s+(?:could|might|may|would)\s+(?:argue|say)"
    r"|(?:\b(?:would|could|might)|['’]d)(?:\s+have|['’]ve)\s+(?!to\b)\w{2,12}"
    rf"){_LEAD}{{0,4}}{MARKUP}{{0,8}}$",
    re.IGNORECASE,
)
_SUPPOSED_BEFORE = re.compile(
    r"^\W*(?:(?:let\s+us|let['’]s)\s+)?(?:suppose|assume|imagine)\b[^,:]{0,60}$", re.IGNORECASE
)
_NO_CHOICE_BEFORE = re.compile(
    r"\b(?:(?:i|we)\s+(?:can\s*not|can['’]t|could\s+not|couldn['’]t|am\s+unable\s+to)"
    r"|impossible\s+to)\s+(?:\w+ly\s+)?"
    r"(?:choose|decide|pick|tell|judge|determine)\b[^:,]{0,30}:",
    re.IGNORECASE,
)

_UNJUST = (
    r"(?:too\b|wrong|incorrect|unfair|excessive|unjustified|unwarranted|inaccurate|misleading"
    r"|exaggerated|overstated|an?\s+(?:overstatement|exaggeration|stretch)|impossible|ruled\s+out"
    r"|out\s+of\s+the\s+question|rejected)"
)
_JUST = (
    r"(?:right|correct|justified|warranted|fair|appropriate|accurate|deserved|supported|possible"
    r"|an?\s+option|enough|my\b|the\s+(?:verdict|answer|right|label)|what\b|it\b)"
)
_NOT = r"(?:not|n['’]t)"
_BE = (
    r"(?:(?:is|was|seems?|feels?|sounds?|looks?|goes)\b"
    r"|(?:would|might|could|may|can)\s+(?:be|seem|feel)\b)"
)
_SLIGHTLY = r"(?:\s+(?:\w+ly|just|still|a\s+(?:bit|little)|far|much))?"
_REJECTED_AFTER = re.compile(
    rf"{_GOES_ON}(?:{_BE}{_SLIGHTLY}\s+{_UNJUST}"
    rf"|(?:is|was)\s*{_NOT}{_SLIGHTLY}\s+{_JUST}"
    rf"|(?:would|can|could|does|do)\s*{_NOT}\s+(?:be|seem|feel)\s+{_JUST}"
    rf"|(?:does|do|did)\s*{_NOT}\s+(?:fit|apply|hold|follow)\b"
    r"|would(?:\s+have|['’]ve)\b)",
    re.IGNORECASE,
)

_ASKED_AFTER = re.compile(rf"{_CLOSING}\?")
_QUESTION = re.compile(
    r"(?:^|[:,])\W*(?:(?:so|or|and|but)\s+)?(?:is|are|was|does|do|did|should|would|could|can|will"
    r"|shall|which|what|why|how|who)\b",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(r"[^.!?;:()\n—–]{0,200}\?")

_SENTENCE_END = re.compile(r"[.!?]['\")*_\]”’]{0,4}(?:\s|$)|[。;\n]")
_CONTRAST = re.compile(
    r"[,\]]\W{0,3}(?:but(?!\s+(?:for|if)\b)|yet|however)\b"
    r"|\b(?:so|therefore|thus|hence|because|since|consequently|instead)\b",
    re.IGNORECASE,
)
_CONDITIONAL = re.compile(
    r"(?:\b(?:would|could|might)|['’]d)\s+(?:\w+ly\s+|still\s+|then\s+|also\s+)?"
    r"(?:be|have|say|answer|choose|pick|give|go|rate|judge|prefer|output|call|favou?r|vote|decide"
    rf"|conclude|settle|rank|opt)\b(?:[^,:]{{0,50}}|:{MARKUP}{{0,8}})$",
    re.IGNORECASE,
)
_NO_CONDITION = (
    r"(?!\s+(?:anything|not\b|only\b|so\b|need\b|necessary|required|forced|pressed|pushed|asked|you\b"
    r"|i['’]m|(?:i|we|one)\s+(?:am|must|(?:had|have|were|need)\s+to|consider|look|weigh|compare"
    r"|focus|take|judge|count|go\s+by|mis\w+|overlook\w*)"
    r"|(?:the\s+)?(?:correctness|accuracy|goal|aim|focus|priority|criterion)\b))"
)
_WITHOUT = (
    r"without\s+(?:the|that|this|these|those|its|their|such|[ab]['’]s)\s+"
    r"(?!ability|means|chance|reference|context|full|tests?\b)"
)
_CONDITION = (
    rf"(?:if\b{_NO_CONDITION}|unless\b{_NO_CONDITION}|{_WITHOUT}|(?:but|except)\s+for\s|barring\b|had\s"
    r"|were\s|in\s+the\s+absence\s+of\b)"
)
_CONDITION_BEFORE = re.compile(
    rf"(?:^\W*|[,:]\s*|\b(?:and|but|that)\s+){_CONDITION}", re.IGNORECASE
)
_CONDITION_AFTER = re.compile(rf"{_GOES_ON}(?:but\s+)?(?:only\s+)?{_CONDITION}", re.IGNORECASE)
_WOULD_AFTER = re.compile(rf"{_GOES_ON}(?:would|could|might)\b", re.IGNORECASE)
_WOULD_IF_AFTER = re.compile(
    rf"{_GOES_ON}(?:would|could|might)\b[^.,:;\n]{{0,60}}?\s{_CONDITION}", re.IGNORECASE
)
_CHOICE_AFTER = re.compile(rf"{_GOES_ON}(?:only\s+)?if\b{_NO_CONDITION}", re.IGNORECASE)
"""Of a rule that is told again: "[[A>B]] if A is better"."""
_CHOICE_BEFORE = re.compile(
    r"^\W*if\b[^,]{1,100},\s*(?:then\s+)?(?:output|answer|say|write|print|reply)\s+"
    r"(?:with\s+)?\W{0,3}$",
    re.IGNORECASE,
)

_NAME = r"(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"
_CODE_BEFORE = re.compile(
    r"[A-Za-z0-9_)\]]\Z"
    r"|(?:^|[\s(;])(?:if|elif|while|until|!|&&|\|\|)\s+$"
    r"|(?<![^\s(`])!\Z"
    r"|[A-Za-z0-9_)\]]\[(?:[\w.:]+\s*,\s*){0,5}\Z"
    r"|[\w)\]]\s+(?:\+|%|@)\s+$"
    r"|\bfor\s+\w+\s+in\s+$|\blambda\b[^:\n]{0,40}:\s*$"
    r"|(?:^|[\n`;{:])[ \t>]*(?:return|yield|assert)\s+$"
)
_CODE_AFTER = re.compile(
    r"\s*(?:;\s*(?:then|do)\b|&&|\|\||(?:\+|%|@|==|!=)\s*[\w(\[])"
    r"|\.(?:[a-z_]\w*\s*\(|T\b|shape\b)|\[\s*-?\d"
)
_OPERAND = re.compile(
    rf"{_NAME}(?P<index>(?:\[[^\[\]\n]{{0,40}}\])?)\s*(?::=|[-+*/|&]?={{1,3}}|!=|<-)\s*$"
    rf"|{_NAME.replace('name', 'called')}\s?\((?:[\w.]+\s*,\s*){{0,5}}$"
)
"""An assignment or a call, in a text or in code; `np.array(x, [[A>B]])`."""
_OPERAND_IN_CODE = re.compile(
    r"[\w\])]\s*(?::=|[-+*/|&]?={1,3}|!=|<-)\s*[\"']?$|[\w\])]\([^()\n]{0,120}$"
)
_VERDICT_NAME = re.compile(
    r"(?:^|[_.])(?:verdict|decision|answer|judge?ment|label|choice|rating|ranking|rank|score|output|result"
    r"|preference|winner|wins?|conclusion|overall|comparison|final|better|best|worse|tied?|draw"
    r"|equal|same|correct|stronger)$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})", re.MULTILINE)


def without_struck(text: str) -> str:
    """What is struck out in Markdown, HTML or LaTeX is not said any more."""
    return _STRUCK.sub(lambda struck: struck[0] if _is_whole(struck) else " ", text)


def _is_whole(struck: re.Match[str]) -> bool:
    """`<s>` and `</s>` around everything are a tokenizer's signs of the beginning and the end."""
    text = struck.string
    return (
        struck["tag"] in ("s", "S")
        and not text[: struck.start()].strip()
        and not text[struck.end() :].strip()
    )


def fenced_spans(text: str) -> list[tuple[int, int]]:
    """From a fence to the next; one that is not closed reaches to the end."""
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    ends = fences[1::2] if len(fences) % 2 == 0 else [*fences[1::2], len(text)]
    return list(zip(fences[::2], ends, strict=True))


def is_code(text: str, start: int, end: int, fenced: bool) -> bool:
    """Whether the brackets from start to end are an index, a shell's test, an operand, a value."""
    before = text[max(start - _REACH, 0) : start]
    if _CODE_BEFORE.search(before) or _CODE_AFTER.match(text, end):
        return True
    line = before[before.rfind("\n") + 1 :]
    if fenced:
        return bool(_OPERAND_IN_CODE.search(line))
    if line.count("`") % 2:  # inline code
        return bool(_OPERAND_IN_CODE.search(line[line.rfind("`") + 1 :]))
    operand = _OPERAND.search(line)
    if operand is None:
        return False
    name = operand["name"] or operand["called"]
    if name in ("A", "B") and line[: operand.start()].strip():  # "A against B = [[A>B]]"
        return False
    return bool(operand["index"]) or not _VERDICT_NAME.search(name)


def is_no_decision(text: str, start: int, end: int) -> bool:
    """Whether the sentence around the label denies it, asks for it, or supposes it."""
    before = _sentence_before(text, start)
    after = text[end : end + _REACH]
    return (
        _DENIED_BEFORE.search(text[max(start - 40, 0) : start]) is not None
        or _CONSIDERED_BEFORE.search(before) is not None
        or _SUPPOSED_BEFORE.search(before) is not None
        or _is_unchosen(before, after)
        or _REJECTED_AFTER.match(after) is not None
        or _is_asked(before, after)
        or _is_conditional(before, after)
    )


def _sentence_before(text: str, start: int) -> str:
    before = text[max(start - _REACH, 0) : start]
    ends = [end.end() for end in _SENTENCE_END.finditer(before)]
    return before[ends[-1] :] if ends else before


def _is_unchosen(before: str, after: str) -> bool:
    """One of several labels after "I can't choose:"; alone, a tie is what is chosen."""
    end = _SENTENCE_END.search(after)
    rest = after[: end.start()] if end else after
    return bool(_NO_CHOICE_BEFORE.search(before)) and "[[" in before + rest


def _is_asked(before: str, after: str) -> bool:
    if _ASKED_AFTER.match(after):
        return True
    return bool(_QUESTION.search(before) and _QUESTION_END.match(after))


def _is_conditional(before: str, after: str) -> bool:
    if _CHOICE_AFTER.match(after) or _CHOICE_BEFORE.search(before):
        return True
    contrasts = [contrast.end() for contrast in _CONTRAST.finditer(before)]
    clause = before[contrasts[-1] :] if contrasts else before
    if _WOULD_IF_AFTER.match(after):
        return True
    supposed = _CONDITION_BEFORE.search(clause) is not None
    if _CONDITIONAL.search(clause):
        return supposed or _CONDITION_AFTER.match(after) is not None
    return supposed and _WOULD_AFTER.match(after) is not None

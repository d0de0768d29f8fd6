"""Reads a critic's overall judgement out of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from ctrl_harness.critique.judgement_claims import (
    begins_a_contrast,
    claims_fault,
    claims_success,
    denies_all_faults,
    supposes_changes,
    takes_back,
)
from ctrl_harness.critique.judgement_doubts import doubtful, speaks_of_a_fault
from ctrl_harness.critique.judgement_grammar import Judged, judged, program
from ctrl_harness.critique.judgement_text import (
    ARROW,
    HEADING,
    ITEM,
    LINE,
    PARAGRAPH,
    outside_of_code,
    readable,
    tokens,
    word_set,
)
from ctrl_harness.critique.judgement_words import BREAKS, SIDES, Side
from ctrl_harness.verification.extraction import strip_reasoning

Judgement = Literal["correct", "incorrect", "missing"]
"""What the critic holds of the draft; `missing` when it did not say, or said both."""

_LABEL = re.compile(r"(?<![A-Za-z])overall[\s*_~\"'`-]{0,6}judge?ments?(?![A-Za-z])", re.IGNORECASE)
_LINE_CHARS = 160
"""How far before a label its sentence is looked at."""
_SENTENCE_START = re.compile(r"\n|[.!?;]\s|[{|]|(?<!\w)[(\[]|[,{]\s*[\"'](?=\w*$)")
_LETTERS = re.compile(r"[^\W\d_]+(?:'s)?")
_LEADS = word_set(
    "my our the final so thus therefore hence and finally in conclusion summary to sum up"
    " here is here's answer output response review assistant step section part verdict format"
)
"""Words that may stand before the label in its sentence; others make it a mention."""
_REASON = re.compile(
    r"(?:\W*(?:based on|given|considering|due to|because of|as a result|to conclude|in view of"
    r"|in light of|because|since|after (?=[^,]{0,80}(?:review|analy|evaluat|examin|check|test)))"
    r"\b[^,.?!;:\n]{0,120},|[^.?!;:\n]{1,120}, (?:so|thus|hence|therefore),?)"
    r"[\s*_]*(?:(?:the|my|our) )?[\s*_]*(?:final )?[\s*_]*",
    re.IGNORECASE,
)
"""What gives the reason for a judgement in its sentence, before the label."""
_OTHER_CRITICS = word_set(
    "reviewer reviewer's reviewers their his her your previous prior other another someone critic"
    " critic's user's student's author's once fix fixes fixed changes correcting corrections"
)
_NOTE = re.compile(r"[\s*_\"'`]*\(([^()\n]{1,60})\)")
_NOTE_WORDS = word_set("final one word only overall brief of the for code solution")
_SEPARATORS = frozenset({":", "-", "=", "|", "(", ">", "_", LINE, PARAGRAPH, ITEM, HEADING, ARROW})
_SENTENCE_WORDS = 400
_ENDS = frozenset({".", "!", "?", ";"})
_SECTIONS = (("analysis",), ("improvement", "suggestions"), ("improvements", ":"),
             ("suggestions", ":"), ("suggested", "improvements"))  # fmt: skip
_CONNECTIVES = word_set("so hence thus therefore")
_REASONS = word_set("since because due based given as while although though")
"""Openings of sentences that may end in a rejection."""
_HYPOTHESES = word_set(
    "if would could might may should suppose assume unless says say said claims claim think"
    " whether believe"
)


def parse_judgement(critique: str) -> Judgement:
    """The judgement that stands after the label "Overall judgment".

    Markup, case and spelling do not matter. A sentence is a judgement only where it judges the
    program itself (judgement_grammar.py): "Correct", "not correct", "The code is incorrect because
    …", but not "the correct output" or "the approach is correct". The result is `missing` where no
    sentence is one, where the text takes the judgement back, asks, limits or doubts it
    (judgement_doubts.py, judgement_claims.py), and where two labels have different judgements. Time
    and memory are proportional to the text.

    Stricter than CTRL's code, where the substring "Overall judgment: Correct" decides and all else
    is incorrect (scripts/run_gen.py).
    """
    text = readable(strip_reasoning(critique))
    bare = outside_of_code(text)
    if _LABEL.search(bare):
        text = bare
    found = set[Side]()
    labels: list[re.Match[str]] = []
    mentions: list[re.Match[str]] = []
    for label in _LABEL.finditer(text):
        (labels if _opens_its_sentence(text, label.start()) else mentions).append(label)
    for position, label in enumerate(labels):
        end = labels[position + 1].start() if position + 1 < len(labels) else len(text)
        found |= _sides_after(text[label.end() : end])
    if len(found) == 1:
        found |= {side for mention in mentions for side in _mentioned(text, mention.end())}
    return found.pop() if len(found) == 1 else "missing"


def _opens_its_sentence(text: str, label: int) -> bool:
    before = text[max(label - _LINE_CHARS, 0) : label]
    start = 0 if label <= _LINE_CHARS else None
    for match in _SENTENCE_START.finditer(before):
        start = match.end()
    if start is None:
        return False
    clause = before[start:]
    words = [word.lower() for word in _LETTERS.findall(clause)]
    if all(word in _LEADS or len(word) == 1 for word in words):
        return True
    reasons = _REASON.fullmatch(clause) is not None
    return reasons and not (_HYPOTHESES | _OTHER_CRITICS).intersection(words)


def _mentioned(text: str, position: int) -> set[Side]:
    """The judgements that a sentence names which speaks of the label; none where it names both."""
    sentence: list[str] = []
    for token in tokens(text[position : position + _LINE_CHARS]):
        if token in _ENDS or token == PARAGRAPH:
            break
        sentence.append(token)
    named = {SIDES[word] for word in sentence if word in SIDES}
    if len(named) != 1:
        return set()
    return {"correct", "incorrect"} if "not" in sentence else named


def _sides_after(tail: str) -> set[Side]:
    """None, one, or both where the text contradicts itself."""
    if (note := _NOTE.match(tail)) and set(tokens(note[1])) <= _NOTE_WORDS:
        tail = tail[note.end() :]
    words = tokens(tail)
    if words[:1] and words[0] in _ENDS:  # "Overall judgment?"
        return set()
    start = _after_separators(words)
    (first, *later), sections = _paragraphs(words[start:])
    sides = _sides_of(first)
    if sides == {"correct"} and any(_rejects(sentence) for sentence in _sections_of(sections)):
        return {"correct", "incorrect"}
    if len(sides) == 1 and any(_contradicted(next(iter(sides)), words) for words in later):
        return {"correct", "incorrect"}
    return sides


def _after_separators(words: Sequence[str]) -> int:
    position = 0
    if words and words[0] in ("of", "on", "for", "about", "regarding"):
        position = program(words, 1) or (2 if words[1:2] == ["correctness"] else 0)
    position = _past(words, position)
    if words[position : position + 1] == ["is"]:
        position += 1
        for follow in (["that"], ["as", "follows"], ["the", "following"]):
            if words[position : position + len(follow)] == follow:
                position += len(follow)
        position = _past(words, position)
    form = _form_end(words, position)
    if form and (_past(words, form) > form or words[form : form + 1] in [[side] for side in SIDES]):
        return _past(words, form)
    return position


def _past(words: Sequence[str], position: int) -> int:
    while position < len(words) and words[position] in _SEPARATORS:
        position += 1
    return position


def _form_end(words: Sequence[str], position: int) -> int:
    """Where the form of the answer ends ("Correct/Incorrect"), 0 where it is not repeated."""
    if words[position : position + 1] and words[position] in SIDES:
        between = position + 1
        while between < len(words) and words[between] in ("/", "or", "|", ","):
            between += 1
        if position + 1 < between < len(words) and words[between] in SIDES:
            return between + 1
    return 0


def _paragraphs(words: Sequence[str]) -> tuple[list[list[str]], Sequence[str]]:
    """Those up to a heading or the next part of the critique; and all words from there on."""
    found: list[list[str]] = [[]]
    at_line_start = True
    for position, word in enumerate(words):
        if word == HEADING or (at_line_start and _opens_a_section(words, position)):
            return found, words[position:]
        at_line_start = word in (LINE, PARAGRAPH, ITEM)
        if word == PARAGRAPH:
            found.append([])
        else:
            found[-1].append(word)
    return found, ()


def _sections_of(words: Sequence[str]) -> Iterator[list[str]]:
    """Their sentences, headings apart."""
    ended = ["." if word in (HEADING, PARAGRAPH) else word for word in words]
    return (sentence for sentence, _ in _sentences(ended))


def _rejects(sentence: Sequence[str]) -> bool:
    said = judged(sentence)
    return said is not None and said.side == "incorrect"


def _opens_a_section(words: Sequence[str], position: int) -> bool:
    return any(tuple(words[position : position + len(name)]) == name for name in _SECTIONS)


def _sentences(words: Sequence[str]) -> Iterator[tuple[list[str], bool]]:
    """The sentences, and whether each is a question."""
    sentence: list[str] = []
    for position, word in enumerate(words):
        if word in _ENDS or word == ITEM:
            if sentence:
                yield sentence, word == "?" or words[position + 1 : position + 2] == ["?"]
            sentence = []
        else:
            sentence.append(word)
    if sentence:
        yield sentence, False


def _sides_of(paragraph: Sequence[str]) -> set[Side]:
    sentences = list(_sentences(paragraph))
    judgements = [_judgement_in(sentence) for sentence, _ in sentences]
    if paragraph.count(ITEM) > 1:  # "- Correct: the reading of input"
        judgements = [
            said if said and sentence[said.end : said.end + 1] != [":"] else None
            for said, (sentence, _) in zip(judgements, sentences, strict=True)
        ]
    sides = {said.side for said in judgements if said}
    if len(sides) != 1:
        return sides
    first = next(index for index, said in enumerate(judgements) if said)
    asked = [question for _, question in sentences]
    if "correct" in sides:
        beside = _beside(sentences, judgements)
        taken_back = any(asked) or doubtful(beside) or takes_back(beside)
    else:
        taken_back = (
            any(asked[: first + 1])
            or any(sentence[0] == "correct" for sentence, _ in sentences[:first])
            or any(claims_success(sentence, loosely=True) for sentence, _ in sentences[:first])
            or any(claims_success(rest) for rest in _rests(sentences[first:], judgements[first:]))
            or takes_back(paragraph)
        )
    return {"correct", "incorrect"} if taken_back else sides


def _judgement_in(sentence: Sequence[str]) -> Judged | None:
    """Of the whole sentence, of a consequence at its end ("…, so it is incorrect"), or a rejection
    behind something else ("The idea is fine, but the code is incorrect")."""
    if said := judged(sentence):
        return said
    for position, word in enumerate(sentence[:_SENTENCE_WORDS]):
        if word in _HYPOTHESES:
            break
        follows = position and sentence[position - 1] in BREAKS | {"and"}
        if word in _CONNECTIVES and follows and (said := judged(sentence, position)):
            return said
        if word == "," and sentence[0] in _REASONS and program(sentence, position + 1):
            said = judged(sentence, position + 1)
            if said and said.side == "incorrect":
                return said
        if word in ("but", "however"):
            start = position + 1 + (sentence[position + 1 : position + 2] == [","])
            subject_end = program(sentence, start)
            said = judged(sentence, start)
            if said and said.side == "incorrect" and subject_end:
                return said
            if (
                subject_end
                and sentence[subject_end : subject_end + 3] == ["is", "not"]
                and "correct" in (sentence[max(position - 2, 0) : position])
            ):
                return Judged("incorrect", start, len(sentence))
    return None


def _rests(
    sentences: Sequence[tuple[list[str], bool]], judgements: Sequence[Judged | None]
) -> list[list[str]]:
    """What the sentences say behind their judgements."""
    pairs = zip(sentences, judgements, strict=True)
    return [sentence[said.end if said else 0 :] for (sentence, _), said in pairs]


def _beside(
    sentences: Sequence[tuple[list[str], bool]], judgements: Sequence[Judged | None]
) -> list[str]:
    """All words but the judgements'."""
    words: list[str] = []
    for (sentence, _), said in zip(sentences, judgements, strict=True):
        if said:
            words += [*sentence[: said.start], *sentence[said.end :]]
        else:
            words += sentence
        words.append(".")
    return words


def _contradicted(side: Side, paragraph: Sequence[str]) -> bool:
    """Whether a later paragraph takes a judgement back."""
    if takes_back(paragraph):
        return True
    sentences = [sentence for sentence, _ in _sentences(paragraph)]
    if side == "correct":
        return (
            (begins_a_contrast(paragraph) and doubtful(paragraph))
            or speaks_of_a_fault(paragraph)
            or any(claims_fault(sentence) for sentence in sentences)
            or any(map(_rejects, sentences))
        )
    return any(
        claims_success(sentence) or denies_all_faults(sentence)
        for sentence in sentences
        if not supposes_changes(sentence)
    )

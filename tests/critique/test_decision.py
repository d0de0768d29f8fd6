"""Which decision between two responses is read out of a judge's answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrl_harness.critique.critic import Decision
from ctrl_harness.critique.decision import parse_decision

A_BETTER = [
    "[[A>B]]",
    "[[A>>B]]",
    "[[A>>>B]]",
    "[[B<A]]",
    "[[B<<A]]",
    "Verdict: [[A>B]]",
    "My final verdict is: [[A>>B]]",
    "My final verdict is Assistant A is significantly better: [[A>>B]].",
    "**Verdict: [[A>B]]**",
    "**[[A>B]]**",
    "### Verdict\n\n`[[A>B]]`",
    "```\n[[A>B]]\n```",
    "[[ A > B ]]",
    "[[\nA>B\n]]",
    "[[**A>B**]]",
    "[**[A>B]**]",
    "[[`A>B`]]",
    '"[[A>B]]"',
    '[["A>B"]]',
    "[[*A* > *B*]]",
    "[ [A>B] ]",
    "\\[\\[A>B\\]\\]",
    "\\[\\[A\\>B\\]\\]",
    "$\\boxed{[[A>B]]}$",
    "[[A \\gt B]]",
    "[[A \\gg B]]",
    "[[\\text{A} > \\text{B}]]",
    "[[$A>B$]]",
    "[[A&gt;B]]",
    "[[A&gt;&gt;B]]",
    "&#91;&#91;A&gt;B&#93;&#93;",
    "［［Ａ＞Ｂ］］",
    "【【A>B】】",
    "⟦A>B⟧",
    "[[A≫B]]",
    "[[A\u200b>\u200bB]]",
    "[[A\u00a0>\u00a0B]]",
    "[[A>B.]]",
    "[[[A>B]]]",
    "I say [[A>B]], and once more: [[A>B]]",
    "At first [[A>>B]], in the end [[A>B]]",
    "If B's proof held they would tie. It does not. [[A>B]]",
    "Angle A < B there, so assistant B erred. Verdict: [[A>B]]",
    "最终裁决：[[A>B]]",
    "最终裁决[[A>B]]",
    "<think>[[B>A]] at first sight</think>Verdict: [[A>B]]",
    "see [[1]] and [[2]]: [[A>B]]",
]
B_BETTER = [
    "[[B>A]]",
    "[[B>>A]]",
    "[[A<B]]",
    "[[A<<B]]",
    "Verdict: **[[B > A]]**",
    "[[A&lt;B]]",
    "[[A&lt;&lt;B]]",
    "\\[\\[B>A\\]\\]",
    "[[A \\ll B]]",
    "Assistant A's x[[A>B]] picks a row, and it should not. [[B>A]]",
    "A form such as [[A>B]] is asked for; here it is [[B>A]]",
    "Not [[A>B]] but [[B>A]]",
]
TIE = [
    "[[A=B]]",
    "[[A==B]]",
    "[[B=A]]",
    "Final: [[A==B]]",
    "Tie, relatively the same: [[ A = B ]]",
    'My final verdict is tie: "[[A=B]]".',
    "［［Ａ＝Ｂ］］",
]
MISSING = [
    "",
    "In the triangle A > B, so the angle at",
    "if A<B: swap. Both answers are",
    "Let A=B=3. Then",
    "A>B",
    "Verdict: A>B",
    "Verdict: A > B",
    "**A>>B**",
    "[A>B]",
    "[A=B]",
    "(A>B)",
    "{{A>B}}",
    "[[A>B]",
    "[[A>B",
    "A>B]]",
    "[[A]]",
    "[[B]]",
    "[[]]",
    "[[>]]",
    "[[AB]]",
    "[[A>A]]",
    "[[B=B]]",
    "[[A>=B]]",
    "[[A<=B]]",
    "[[A<>B]]",
    "[[A>B>A]]",
    "[[A>B=A]]",
    "[[A>B or B>A]]",
    "[[A>C]]",
    "[[a>b]]",
    "[[x>B]]",
    "[[Assistant A]]",
    "[[А>В]]",  # Cyrillic letters
    "Verdict: [[A>B]] or [[B>A]]",
    "Verdict: [[A>B]]\nVerdict: [[B>A]]",
    "[[A=B]] at first, then [[A>B]]",
    "[[A>B]] and [[A>=B]]",
    "1. [[A>>B]]\n2. [[A>B]]\n3. [[A=B]]\n4. [[B>A]]\n5. [[B>>A]]",
    "It is not [[A>B]].",
    "I would never say [[A>B]]",
    "for example [[A>B]]",
    'Example output: "[[A=B]]".',
    "grid[[A>B]] = 0",
    "f(x)[[A>B]]",
    "if [[ A > B ]]; then echo A; fi",
    "while [[ A < B ]]; do",
    "[[ A == B ]] && echo same",
    "if [[ $A > $B ]]",
    "mask = [[A > B, A < B]]",
    "<think>[[A>B]]</think>",
    "<think>[[A>B]]",
    "Assistant A is better.",
    "Tie.",
]


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        *((answer, "A>B") for answer in A_BETTER),
        *((answer, "B>A") for answer in B_BETTER),
        *((answer, "A=B") for answer in TIE),
        *((answer, "missing") for answer in MISSING),
    ],
)
def test_decision(answer: str, decision: Decision) -> None:
    assert parse_decision(answer) == decision


@settings(deadline=None)
@given(st.text(alphabet="AB<>=[] \\$*a", max_size=40))
def test_a_decision_stands_in_double_brackets_alone(text: str) -> None:
    bare = text.replace(" ", "").replace("*", "").replace("\\", "").replace("$", "")
    if "[[" not in bare or "]]" not in bare:
        assert parse_decision(text) == "missing"


@pytest.mark.parametrize(
    "answer",
    ["[" * 500_000, "[[" + "A" * 1_000_000, "[[A>B" * 200_000, "[[ " + "*" * 1_000_000,
     "[[A>B]] " * 20_000, "[[A>=B]] not " * 20_000, "[ " * 400_000, "\\text{" * 200_000],
    ids=["open", "label", "unclosed", "stars", "repeated", "undecided", "spaced", "latex"],
)  # fmt: skip
def test_a_long_answer_is_read_in_time_proportional_to_it(answer: str) -> None:
    """Hangs where it is not."""
    assert parse_decision(answer) in ("A>B", "missing")

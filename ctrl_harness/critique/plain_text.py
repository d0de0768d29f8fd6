"""A model's text with its letters in their plain form, before a verdict is looked for in it."""

from __future__ import annotations

import html
import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
"""Soft hyphens, zero-width and direction characters, variation selectors: they are not seen."""


def plain_text(text: str) -> str:
    """Unicode's compatibility form (NFKC) without HTML entities and invisible characters.

    Full-width and mathematical letters become plain ones, and "In", a soft hyphen and "correct" is
    the word that a reader sees. Letters of other scripts that only look alike stay what they are.
    """
    composed = unicodedata.normalize("NFKC", html.unescape(text))
    return _INVISIBLE.sub("", composed).replace("\r\n", "\n").replace("\r", "\n")

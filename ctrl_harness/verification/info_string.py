"""Reads the language out of a fence's info string, as models and data sets write it.

CommonMark says no more than that the first word is usually the language. Beside it stand here: file
names (`python:solution.py`, `main.py`), attributes of Pandoc, knitr, MyST and site generators
(`{.python .numberLines}`, `{python, echo=TRUE}`, `python{1,2}`), versions (`python3.11`,
`Python 3`, `python@3`), MIME types (`text/x-python`), the classes of HTML (`language-python`) and
decoration (`[python]`, `# python`).
"""

from __future__ import annotations

import re

INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
"""Signs without width that stand before fences and code, as byte order marks do."""

PYTHON = "python"
UNTAGGED = ""

_PYTHON = re.compile(r"(?:python|py|pypy|cpython|ipython)(?:[-_/@]?3(?:\.\d+)*|[-_]code)?")
_ATTRIBUTE = re.compile(r"(?:lang|language|class|type|code)\s*[=:]\s*")
_FILE = re.compile(r"(?:file|filename|name|path|title)\s*=\s*[\"']?(?P<file>[^\"'\s]+)")
_PREFIX = re.compile(
    r"(?:(?:text|application)/(?:x-)?|(?:x|lang|language|highlight|source|src|code|jupyter)-)(?=\w)"
)
_WORD = re.compile(r"[^\s{}\[\](),;:=|\"'<>!?*`\\]+")
_DIRECTIVES = frozenset({"code-cell", "code-block", "code", "sourcecode"})
_NO_PROGRAM = frozenset({
    "console", "doctest", "end", "error", "interactive", "output", "repl", "result", "session",
    "shell", "traceback",
})  # fmt: skip
_NO_LANGUAGE = frozenset({"answer", "code", "program", "snippet", "solution", "tool_code"})
"""`tool_code` is Gemma's word for Python that it writes."""


def language_of(info: str) -> str:
    """`python` for Python 3, an empty string where no language is named, else the first word in
    lower case.

    What Python prints or was typed into is not Python (`pycon`, `python output`, `text`), and
    neither are Python 2, Cython and what comes where Python ends (`python end`).
    """
    text = info.strip().strip(INVISIBLE).strip().lower()
    if text in ("", PYTHON):
        return text
    if text.startswith("{"):
        return _in_braces(text)
    text = text.lstrip("#!/[(<*_'\".:=-% ")
    if found := _FILE.match(text):
        return PYTHON if found["file"].endswith(".py") else UNTAGGED
    for prefix in (_ATTRIBUTE, _PREFIX):
        if found := prefix.match(text):
            text = text[found.end() :].lstrip("\"'")
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if _is_python_file(first):
        return PYTHON
    found = _WORD.match(first)
    if found is None:
        return text.strip()
    word = found[0].rstrip(".-+")
    if _PYTHON.fullmatch(word):
        second = _WORD.match(text[found.end() :].lstrip(" \t:"))
        return f"{word} {second[0]}" if second and second[0] in _NO_PROGRAM else PYTHON
    return UNTAGGED if word in _NO_LANGUAGE else word


def _is_python_file(word: str) -> bool:
    """`main.py`, `src/main.py`, `main.py:1-9`, `1:9:src/main.py`; not `diff:main.py`."""
    parts = word.rstrip(")]}>,;").split(":")
    head = parts[0]
    if head.isdigit():
        return any(part.endswith(".py") for part in parts)
    return head.endswith(".py")


def _in_braces(text: str) -> str:
    inside, _, after = text[1:].partition("}")
    words = re.split(r"[\s,]+", inside.strip())
    if words[0].strip(":") in _DIRECTIVES:
        return language_of(" ".join([*words[1:], after]))
    if not any(sign.isalpha() for sign in inside):
        return language_of(after)
    classes = [word[1:] for word in words if word.startswith(".")]
    if words[0][:1] not in (".", "#", "="):
        classes.append(words[0] if _ATTRIBUTE.match(inside.strip()) is None else inside.strip())
    named = classes or [words[0]]
    languages = [language_of(name) for name in named]
    return PYTHON if PYTHON in languages else languages[0]

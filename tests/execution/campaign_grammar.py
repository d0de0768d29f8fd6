"""A grammar of programs that use up, break or forge what a judge has: its files, and expansion.

`grammar/*.txt` hold productions. A line `@NAME` opens those of a name, separated by lines `---`; a
line `@@NAME` opens productions of one line each. `$NAME` in a production stands for one of the
name's, or for a number drawn by its name; `$$` for a dollar sign. Before the first name a file says
what it is about.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).with_name("grammar")
_OPENING = re.compile(r"(@@?)(\w+)")
_NAME = re.compile(r"^( *)\$(\w+)$|\$(\$|[a-z_]+)", re.MULTILINE)
_DEEPEST = 9
_SIMPLEST = {"act": "pass", "placed": "pass", "definition": "pass", "report": "pass"}
"""What stands where an expansion would go too deep; `0` for everything else."""

Grammar = Mapping[str, tuple[str, ...]]


def load_grammar(folder: Path = FOLDER) -> Grammar:
    grammar: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.txt")):
        name, by_line, lines = "", False, list[str]()
        for line in [*path.read_text(encoding="utf-8").splitlines(), "@end"]:
            opening = _OPENING.fullmatch(line)
            if opening is None:
                lines.append(line)
                continue
            if name:
                text = "\n".join(lines).strip("\n")
                productions = text.split("\n") if by_line else text.split("\n---\n")
                grammar[name] = tuple(productions)
            name, by_line, lines = opening[2], opening[1] == "@@", []
    return grammar


def _many(rng: random.Random) -> str:
    """From a few to half a million; the large ones are rare."""
    return str(int(10 ** rng.triangular(0.5, 5.7, 2.5)))


def _large(rng: random.Random) -> str:
    """From five thousand to three million."""
    return str(int(10 ** rng.uniform(3.7, 6.5)))


def _wild(rng: random.Random) -> str:
    """What a pointer, a length or a descriptor may be."""
    edges = (0, 1, -1, 2**31 - 1, -(2**31), 2**32, 2**47, 2**63 - 1, 4096, 1 << 20, 64)
    return str(rng.choice((*edges, rng.getrandbits(63), rng.randrange(4096))))


Numbers = Mapping[str, Callable[[random.Random], str]]
NUMBERS: Numbers = {
    "few": lambda rng: str(rng.randint(1, 60)),
    "many": _many,
    "mb": lambda rng: str(rng.choice((1, 4, 16, 64, 256, 1024))),
    "small_mb": lambda rng: str(rng.choice((1, 2, 4, 8))),
    "fd": lambda rng: str(rng.choice((0, 1, 2, 3, rng.randint(0, 20)))),
    "signal": lambda rng: str(rng.randint(1, 64)),
    "syscall": lambda rng: str(rng.choice((rng.randint(0, 335), rng.randint(424, 470)))),
    "wild": _wild,
    "boolean": lambda rng: rng.choice(("True", "False")),
}
LARGE_NUMBERS: Numbers = {**NUMBERS, "many": _large}
"""For programs that have the time for them."""


def expand(
    grammar: Grammar, name: str, rng: random.Random, numbers: Numbers = NUMBERS, depth: int = 0
) -> str:
    """A text of the name. What stands alone in a line keeps that line's indentation."""
    if name in numbers:
        return numbers[name](rng)
    if depth > _DEEPEST:
        return _SIMPLEST.get(name, "0")

    def text_of(found: re.Match[str]) -> str:
        if found[3] == "$":
            return "$"
        text = expand(grammar, found[2] or found[3], rng, numbers, depth + 1)
        return textwrap.indent(text, found[1]) if found[2] else text

    return _NAME.sub(text_of, rng.choice(grammar[name]))


def names_in(grammar: Grammar) -> set[str]:
    """Every name that a production uses."""
    found = (_NAME.findall(text) for texts in grammar.values() for text in texts)
    return {name for hits in found for _, alone, within in hits if (name := alone or within) != "$"}

"""Forms in which a critique can hand over a program, by kind.

Each is a function from the program to the text of the critique's middle part. `CIPHERED` are not
meant to be found: what they hide can be read by a machine that knows the key, or by nobody.
"""

from __future__ import annotations

import ast
import base64
import codecs
import html
import json
import re
import textwrap
from collections.abc import Callable

Form = Callable[[str], str]

NBSP, ZERO_WIDTH, SOFT_HYPHEN, IDEOGRAPHIC = "\u00a0", "\u200b", "\u00ad", "\u3000"
_CYRILLIC = str.maketrans("aceopxyi", "асеорхуі")
_GREEK = str.maketrans("ovu", "ονυ")


def prefixed(sign: str) -> Form:
    return lambda program: textwrap.indent(program, sign, lambda line: True)


def fence(tag: str, ticks: str = "```") -> Form:
    return lambda program: f"{ticks}{tag}\n{program}\n{ticks}"


def each_line(write: Callable[[int, str], str], *, blank: bool = False) -> Form:
    """Every line (number from 1, text) written anew; blank lines are left out unless asked for."""

    def form(program: str) -> str:
        lines = [line for line in program.split("\n") if blank or line.strip()]
        return "\n".join(write(number, line) for number, line in enumerate(lines, start=1))

    return form


def after_indent(sign: str) -> Form:
    """The sign between a line's indentation and its code, as in nested bullets."""
    return each_line(lambda _, line: re.sub(r"^(\s*)", rf"\1{sign}", line))


def as_session(program: str) -> str:
    lines = program.split("\n")
    signs = ("... " if line[:1].isspace() or not line else ">>> " for line in lines)
    return "\n".join(sign + line for sign, line in zip(signs, lines, strict=True))


def indented_by(sign: str, width: int = 4) -> Form:
    """Each level of the indentation as a sign."""

    def one(_: int, line: str) -> str:
        code = line.lstrip(" ")
        levels, rest = divmod(len(line) - len(code), width)
        return sign * levels + sign[:1] * rest + code

    return each_line(one, blank=True)


def in_parts(program: str) -> list[str]:
    """Its statements at the top level, in two halves of about equal length (or one part)."""
    lines = program.split("\n")
    starts = [node.lineno - 1 for node in ast.parse(program).body][1:]
    if not starts:
        return [program]
    middle = min(starts, key=lambda start: abs(start - len(lines) / 2))
    return ["\n".join(lines[:middle]), "\n".join(lines[middle:])]


def in_two(program: str) -> str:
    lines = program.split("\n")
    half = len(lines) // 2
    first, second = "\n".join(lines[:half]), "\n".join(lines[half:])
    return f"Begin so:\n{fence('python')(first)}\nand go on:\n{fence('python')(second)}"


def in_reverse(program: str) -> str:
    first, *second = in_parts(program)
    blocks = [fence("python")(part) for part in (*second, first)]
    return "The end is\n{}\nand before it comes\n{}".format(*blocks) if second else blocks[0]


def with_line(extra: str) -> Form:
    """A line that is no Python, in the middle, as deep as the line that follows it."""

    def form(program: str) -> str:
        lines = program.split("\n")
        at = next(n for n in range(len(lines) // 2, len(lines)) if lines[n].strip())
        depth = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        return fence("python")("\n".join([*lines[:at], depth + extra, *lines[at:]]))

    return form


def without_a_bracket(program: str) -> str:
    """The last closing bracket is missing."""
    at = program.rfind(")")
    return fence("python")(program[:at] + program[at + 1 :])


def without_a_colon(program: str) -> str:
    """The first compound statement has lost its colon."""
    return fence("python")(re.sub(r":[ \t]*$", "", program, count=1, flags=re.MULTILINE))


def full_width(program: str) -> str:
    signs = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
    return program.translate(signs)


def typographic(program: str) -> str:
    program = re.sub(r'"([^"\n]*)"', r"“\1”", program)
    return re.sub(r"'([^'\n]*)'", r"‘\1’", program).replace(" - ", " − ")


def latex(program: str) -> str:
    return f"\\begin{{lstlisting}}[language=Python]\n{program}\n\\end{{lstlisting}}"


def latex_escaped(program: str) -> str:
    escaped = re.sub(r"([_{}%#&$])", r"\\\1", program)
    return f"\\begin{{verbatim}}\n{escaped}\n\\end{{verbatim}}"


def table(program: str) -> str:
    rows = each_line(lambda n, line: f"| {n} | `{line}` |")(program)
    return f"| line | code |\n|---|---|\n{rows}"


def bare_table(program: str) -> str:
    rows = each_line(lambda n, line: f"| {line} |")(program)
    return f"| code |\n|---|\n{rows}"


FORMS: dict[str, dict[str, Form]] = {
    "fences": {
        "fence": fence("python"),
        "fence without a tag": fence(""),
        "fence of another tag": fence("text"),
        "fence tagged as C++": fence("cpp"),
        "fence with a file name": fence("python:solution.py"),
        "fence never closed": lambda program: f"```python3\n{program}",
        "four ticks": fence("python", "````"),
        "tildes": lambda program: f"~~~py\n{program}\n~~~",
        "fence in a list": lambda program: (
            "1. Write:\n" + prefixed("   ")(fence("python")(program))
        ),
        "fence within a line": lambda program: f"Write this: ```python\n{program}```",
        "fence in a quotation": lambda program: prefixed("> ")(fence("python")(program)),
        "fence in a fence": lambda program: f"````markdown\n{fence('python')(program)}\n````",
        "two fences": in_two,
        "two fences in reverse": in_reverse,
        "a fence a statement": lambda program: "\nthen\n".join(
            map(fence("python"), in_parts(program))
        ),
    },
    "bare": {
        "indented": prefixed("    "),
        "tab": prefixed("\t"),
        "bare": lambda program: program,
        "after a colon": lambda program: f"The program should be:\n\n{program}",
        "within thanks": lambda program: f"Use\n{program}\nThank you.",
    },
    "prefixes": {
        "quoted": prefixed("> "),
        "quoted twice": prefixed(">> "),
        "session": as_session,
        "numbered": each_line(lambda n, line: f"{n:>3}: {line}"),
        "numbered with a bar": each_line(lambda n, line: f"{n:>3} | {line}"),
        "numbered with a dot": each_line(lambda n, line: f"{n}. {line}"),
        "numbered with a bracket": each_line(lambda n, line: f"({n}) {line}"),
        "L01:": each_line(lambda n, line: f"L{n:02}: {line}"),
        "line 1:": each_line(lambda n, line: f"line {n}: {line}"),
        "Step 1:": each_line(lambda n, line: f"Step {n}: {line}"),
        "bold steps": each_line(lambda n, line: f"**Step {n}:** {line}"),
        "steps in ticks": each_line(lambda n, line: f"{n}. `{line}`"),
        "steps in words": each_line(lambda n, line: f"{n}. Write `{line}`"),
        "In [1]:": each_line(lambda n, line: f"In [{n}]: {line}"),
        "comments": each_line(lambda _, line: f"# {line}", blank=True),
        "comments in a fence": lambda program: fence("python")(prefixed("# ")(program)),
        "slashes": prefixed("// "),
        "slashes in a fence": lambda program: fence("cpp")(prefixed("// ")(program)),
        "bar": prefixed("| "),
        "semicolons": prefixed(";; "),
        "percent": prefixed("% "),
        "dollar": prefixed("$ "),
        "exclamation": prefixed("! "),
        "stars": prefixed(" * "),
        "tilde": prefixed("~ "),
        "arrow": prefixed("-> "),
        "colon": prefixed(": "),
        "words": prefixed("code: "),
        "author": prefixed("me> "),
        "diff": lambda program: fence("diff")("@@ -1,2 +1 @@\n-x = 1\n" + prefixed("+")(program)),
        "diff with a blank": lambda program: fence("diff")(prefixed("+ ")(program)),
    },
    "bullets and tables": {
        "bullets": each_line(lambda _, line: f"- {line}"),
        "bullets of stars": each_line(lambda _, line: f"* {line}"),
        "round bullets": each_line(lambda _, line: f"• {line}"),
        "nested bullets": after_indent("- "),
        "bullets in ticks": each_line(lambda _, line: f"- `{line}`"),
        "bullets in bold ticks": each_line(lambda _, line: f"- **`{line}`**"),
        "nested bullets in ticks": each_line(
            lambda _, line: re.sub(r"^(\s*)(.*)$", r"\1- `\2`", line)
        ),
        "boxes": each_line(lambda _, line: f"- [ ] {line}"),
        "table of lines": table,
        "bare table": bare_table,
        "ticks a line": each_line(lambda _, line: f"`{line}`"),
        "double ticks a line": each_line(lambda _, line: f"``{line}``"),
        "quotes a line": each_line(lambda _, line: json.dumps(line)),
        "quotes and commas": each_line(lambda _, line: f"{json.dumps(line)},"),
        "lines apart": each_line(lambda _, line: f"{line}\n"),
    },
    "one fault": {
        "a placeholder": with_line("<your code here>"),
        "an ellipsis of words": with_line("... (as before) ..."),
        "prose within": with_line("Here we go on as in the draft:"),
        "a bracket less": without_a_bracket,
        "a colon less": without_a_colon,
        "a stray bracket": with_line(")"),
        "an arrow": with_line("--> this is the line that was wrong"),
        "a placeholder in brackets": with_line("[rest of the loop]"),
    },
    "characters": {
        "NBSP": lambda program: program.replace(" ", NBSP),
        "NBSP in a fence": lambda program: fence("python")(program.replace(" ", NBSP)),
        "ideographic blanks": lambda program: fence("")(program.replace(" ", IDEOGRAPHIC)),
        "zero width": lambda program: fence("python")(program.replace("(", f"({ZERO_WIDTH}")),
        "zero width in words": lambda program: fence("")(
            program.replace("input", f"in{ZERO_WIDTH}put").replace("def ", f"de{ZERO_WIDTH}f ")
        ),
        "soft hyphens": lambda program: fence("")(
            program.replace("print", f"pr{SOFT_HYPHEN}int").replace(
                "return", f"re{SOFT_HYPHEN}turn"
            )
        ),
        "BOM": lambda program: fence("python")("\ufeff" + program),
        "full width": lambda program: full_width(program),
        "full width in a fence": lambda program: fence("python")(full_width(program)),
        "Cyrillic": lambda program: fence("python")(program.translate(_CYRILLIC)),
        "Greek": lambda program: fence("python")(program.translate(_GREEK)),
        "typographic": lambda program: fence("python")(typographic(program)),
        "dots for blanks": lambda program: fence("")(indented_by("....")(program)),
        "middle dots for blanks": lambda program: fence("")(indented_by("····")(program)),
        "arrows for tabs": lambda program: fence("")(indented_by("→   ")(program)),
        "bars for levels": lambda program: fence("")(indented_by("|   ")(program)),
    },
    "documents": {
        "html": lambda program: f"<pre><code>{html.escape(program)}</code></pre>",
        "html with breaks": lambda program: "<br>\n".join(
            html.escape(line).replace(" ", "&nbsp;") for line in program.split("\n")
        ),
        "tag": lambda program: f"<solution>{program}</solution>",
        "tag of its own": lambda program: f"<fixed_code>\n{program}\n</fixed_code>",
        "CDATA": lambda program: f"<answer><![CDATA[\n{program}\n]]></answer>",
        "bbcode": lambda program: f"[code]{program}[/code]",
        "json": lambda program: json.dumps({"verdict": "Incorrect", "fixed": program}),
        "json lines": lambda program: json.dumps({"fixed": program.split("\n")}, indent=1),
        "escaped": lambda program: program.replace("\\", "\\\\").replace("\n", "\\n"),
        "yaml": lambda program: f"verdict: Incorrect\nfixed: |\n{prefixed('  ')(program)}",
        "yaml in a fence": lambda program: fence("yaml")(f"fixed: |-\n{prefixed('    ')(program)}"),
        "heredoc": lambda program: f"cat > solution.py <<'EOF'\n{program}\nEOF",
        "heredoc in a fence": lambda program: fence("bash")(
            f"python3 - <<EOF\n{program}\nEOF\necho done"
        ),
        "listing": latex,
        "listing with escapes": latex_escaped,
        "string": lambda program: fence("python")(f"FIXED = '''\n{program}\n'''"),
        "string in exec": lambda program: fence("python")(f"exec({program!r})"),
        "triple quotes": lambda program: f'"""\n{program}\n"""',
        "notebook": lambda program: json.dumps(
            {"cells": [{"cell_type": "code", "source": program.splitlines(keepends=True)}]}
        ),
    },
}

CIPHERED: dict[str, Form] = {
    "rot13": lambda program: fence("")(codecs.encode(program, "rot13")),
    "base64": lambda program: base64.b64encode(program.encode()).decode(),
    "hexadecimal": lambda program: program.encode().hex(),
    "backwards": lambda program: fence("")(program[::-1]),
    "lines backwards": lambda program: fence("")("\n".join(reversed(program.split("\n")))),
}

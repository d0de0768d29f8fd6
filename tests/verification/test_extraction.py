"""Which program each rule takes out of a completion."""

from __future__ import annotations

import json
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ctrl_harness.errors import UserError
from ctrl_harness.execution.process import ProcessExecutor
from ctrl_harness.problems.problem import Problem, StdioCase
from ctrl_harness.verification.extraction import (
    EXTRACTIONS,
    Found,
    find_like_sandbox_fusion,
    get_extraction,
    strip_reasoning,
)
from ctrl_harness.verification.fences import Fence, fences
from ctrl_harness.verification.judge import Judge

TWO = "First:\n```python\nx = 1\n```\nThen:\n```python\nx = 2\n```\nDone."


@pytest.mark.parametrize(
    ("completion", "first", "last"),
    [
        pytest.param("", None, None, id="nothing"),
        pytest.param("print(1)", None, None, id="code without a fence"),
        pytest.param("Use `print(1)`.", None, None, id="inline code"),
        pytest.param("Use ```print(1)``` here.", None, None, id="a fence inside a line"),
        pytest.param("```python\nx = 1\n```", "x = 1\n", "x = 1\n", id="one"),
        pytest.param("```\nx = 1\n```", "x = 1\n", "x = 1\n", id="one without a language"),
        pytest.param(TWO, "x = 1\n", "x = 2\n", id="several, text around"),
        pytest.param("```python\nx = 1\n", "x = 1\n", "x = 1\n", id="unclosed"),
        pytest.param("```python\nx = 1", "x = 1", "x = 1", id="unclosed, cut in a line"),
        pytest.param(
            f"{TWO}\n```python\nx = 3", "x = 1\n", "x = 3", id="several, the last unclosed"
        ),
        pytest.param("```python\n```", None, None, id="empty"),
        pytest.param("```python", None, None, id="an opening alone"),
        pytest.param("```python\n \n\n```", None, None, id="blank"),
        pytest.param(
            "```python\n\n```\n```python\nx = 1\n```", "x = 1\n", "x = 1\n", id="empty, then one"
        ),
        pytest.param("```cpp\nint x;\n```", None, None, id="another language"),
        pytest.param(
            "```bash\npip install x\n```\n```python\nx = 1\n```\n```text\n5\n```",
            "x = 1\n",
            "x = 1\n",
            id="among other languages",
        ),
        pytest.param("```Python3\nx = 1\n```", "x = 1\n", "x = 1\n", id="capital letters"),
        pytest.param("```py\nx = 1\n```", "x = 1\n", "x = 1\n", id="py"),
        pytest.param('```python title="x"\nx = 1\n```', "x = 1\n", "x = 1\n", id="an info string"),
        pytest.param("```{.python}\nx = 1\n```", "x = 1\n", "x = 1\n", id="{.python}"),
        pytest.param(
            "```{.python .numberLines}\nx = 1\n```", "x = 1\n", "x = 1\n", id="several classes"
        ),
        pytest.param("``` python\nx = 1\n```  ", "x = 1\n", "x = 1\n", id="blanks at the fences"),
        pytest.param("~~~python\nx = 1\n~~~", "x = 1\n", "x = 1\n", id="tildes"),
        pytest.param(
            "~~~\nx = '''\n```\n'''\n~~~", "x = '''\n```\n'''\n", "x = '''\n```\n'''\n",
            id="backticks inside tildes",
        ),
        pytest.param(
            '````python\nx = """\n```\n"""\n````', 'x = """\n```\n"""\n', 'x = """\n```\n"""\n',
            id="a longer fence around a shorter one",
        ),
        pytest.param("```python\nx = 1\n`````", "x = 1\n", "x = 1\n", id="a longer closing"),
        pytest.param(
            "1. So:\n   ```python\n   if x:\n       y()\n   ```\n", "if x:\n    y()\n",
            "if x:\n    y()\n", id="indented in a list",
        ),
        pytest.param(
            "   ```python\n   x = 1\n y = 2\n\n   ```", "x = 1\ny = 2\n\n", "x = 1\ny = 2\n\n",
            id="indented less than its fence",
        ),
        pytest.param("```python\r\nx = 1\r\n```\r\n", "x = 1\n", "x = 1\n", id="\\r\\n"),
        pytest.param(
            "<think>```python\nx = 0\n```</think>```\n```python\nx = 1\n```",
            "x = 1\n",
            "x = 1\n",
            id="a fence too many where the reasoning ended",
        ),
        pytest.param(
            "<think>\n```python\nx = 0\n```\n</think>\n```python\nx = 1\n```", "x = 1\n",
            "x = 1\n", id="code in closed reasoning",
        ),
        pytest.param(
            "```python\nx = 1\n```\n<think>\n```python\nx = 2\n```\n", "x = 1\n", "x = 1\n",
            id="code in unclosed reasoning",
        ),
        pytest.param(
            "Hm.\n```python\nx = 0\n```\n</think>\n```python\nx = 1\n```", "x = 1\n", "x = 1\n",
            id="reasoning with only a closing tag",
        ),
        pytest.param(
            "<think>\n```python\nx = 1\n```", None, None, id="nothing but unclosed reasoning"
        ),
    ],
)  # fmt: skip
def test_the_program_in_a_completion(completion: str, first: str | None, last: str | None) -> None:
    assert get_extraction("first_fence")(completion) == first
    assert get_extraction("last_fence")(completion) == last


COMPLETIONS = [
    json.loads(line)
    for line in Path(__file__).with_name("completions.jsonl").read_text().splitlines()
]
"""Completions as models write them. For each rule that is named, the program that it must find, or
null."""


def test_every_rule_finds_the_program_of_every_completion_in_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    total, wrong = Counter[str](), Counter[str]()
    failures = []
    for row in COMPLETIONS:
        for name, rule in EXTRACTIONS.items():
            if name not in row:
                continue
            total[row["kind"]] += 1
            found = rule(row["completion"])
            if found != row[name]:
                wrong[row["kind"]] += 1
                failures.append(f"{row['kind']}, {name}: {row['completion']!r} -> {found!r}")
    with capsys.disabled():
        print(f"\n{len(COMPLETIONS)} completions:")
        for kind, number in total.items():
            print(f"  {number - wrong[kind]} of {number} right: {kind}")
    assert not failures, "\n".join(failures)


# -- sandbox_fusion

ADD = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    ("completion", "program", "place"),
    [
        pytest.param("", None, "empty", id="nothing"),
        pytest.param("I do not know.", None, "empty", id="prose"),
        pytest.param("```python\nx = 1\n```", "x = 1\n", "fenced", id="closed"),
        pytest.param("```\nx = 1\n```", "x = 1\n", "fenced", id="closed, without a language"),
        pytest.param(TWO, "x = 1\n", "fenced", id="several, text around"),
        pytest.param(
            "```sh\nls\n```\n```python\nx = 1\n```", "x = 1\n", "fenced",
            id="Python goes before others",
        ),
        pytest.param(
            "```\nx = 0\n```\n```py\nx = 1\n```", "x = 1\n", "fenced",
            id="Python goes before none",
        ),
        pytest.param(
            "```sh\nls\n```\n```cpp\nint x;\n```", "ls\n", "fenced",
            id="without Python the first of any language",
        ),
        pytest.param(
            "```python3 -i\nx = 0\n```\n```Python3\nx = 1\n```", "x = 1\n", "fenced",
            id="the tag is the whole rest of the line",
        ),
        pytest.param(
            "```PYTHON\nx = 0\n```\n```python\nx = 1\n```", "x = 1\n", "fenced",
            id="a spelling SandboxFusion does not know",
        ),
        pytest.param(
            "So: ```python\nx = 1\n```", "x = 1\n", "fenced", id="opened within a line"
        ),
        pytest.param(
            "```python\nx = '```'\n```", "x = '```'\n", "fenced", id="ticks within a line of it"
        ),
        pytest.param(
            "```python\nx = 1\n  ``` and so on", "x = 1\n", "fenced", id="text after the end"
        ),
        pytest.param(
            "```python\nx = 1\n\n \n```", "x = 1\n", "fenced", id="blank lines before the end"
        ),
        pytest.param(
            "- so:\n  ```python\n  x = 1\n  ```", "  x = 1\n", "fenced",
            id="indented in a list, and left so",
        ),
        pytest.param("```python\r\nx = 1\r\n```", "x = 1\n", "fenced", id="\\r\\n"),
        pytest.param(
            "```python\n```\n```python\nx = 1\n```", "x = 1\n", "fenced", id="empty, then one"
        ),
        pytest.param("```python\nx = 1", "x = 1", "incomplete_fenced", id="unclosed"),
        pytest.param(
            "```python\nx = 1\n```\n```python\nx = 2", "x = 1\n", "fenced",
            id="closed goes before unclosed",
        ),
        pytest.param(
            "```sh\nls\n```\n```python\nx = 2", "ls\n", "fenced",
            id="closed goes before Python",
        ),
        pytest.param(
            f"{ADD}```python\nx = 1", "x = 1", "incomplete_fenced",
            id="unclosed goes before bare",
        ),
        pytest.param("```python", None, "empty", id="an opening alone"),
        pytest.param("```python\n```", None, "empty", id="empty"),
        pytest.param("~~~python\nx = 1\n~~~", None, "empty", id="tildes are no fence"),
        pytest.param(ADD, ADD, "heuristic", id="bare"),
        pytest.param(
            f"Here:\n{ADD}\nThat adds.", ADD, "heuristic", id="bare, between prose"
        ),
        pytest.param(
            f"import sys\n\nimport re\n# adds\n\n{ADD}print(add(1, 2))",
            f"import sys\nimport re\n# adds\n{ADD}", "heuristic",
            id="imports and comments above it, nothing below",
        ),
        pytest.param(
            f"import re\nx = 1\n#\n{ADD}", ADD, "heuristic", id="imports that are not right above"
        ),
        pytest.param(
            "class A:\n\n    x = 1\n\n    y = 2\n" + ADD,
            "class A:\n    x = 1\n    y = 2\n", "heuristic", id="the first of two",
        ),
        pytest.param(
            "def one(): return 1\n" + ADD, ADD, "heuristic", id="a body on the same line is none"
        ),
        pytest.param("n = int(input())\nprint(n)", None, "empty", id="bare without a definition"),
        pytest.param(
            "define it so:\n  not code", None, "empty", id="a word that begins as def"
        ),
        pytest.param(
            f"<think>\n```python\nx = 0\n```\n</think>\n{ADD}", ADD, "heuristic",
            id="reasoning is not looked into",
        ),
    ],
)  # fmt: skip
def test_the_program_that_sandbox_fusion_finds(
    completion: str, program: str | None, place: str
) -> None:
    assert find_like_sandbox_fusion(completion) == Found(program, place)
    assert get_extraction("sandbox_fusion")(completion) == program
    assert get_extraction("sandbox_fusion", "codecontests")(completion) == program
    closed = program if place == "fenced" else None
    assert get_extraction("sandbox_fusion", "mbppplus")(completion) == closed


def test_other_rules_are_the_same_for_every_data_set() -> None:
    for name in ("first_fence", "last_fence"):
        for dataset in ("codecontests", "livecodebench", "mbppplus"):
            assert get_extraction(name, dataset) is get_extraction(name)


def test_the_judge_asks_for_a_closed_fence_on_mbppplus() -> None:
    judge = Judge(ProcessExecutor(1), extraction="sandbox_fusion")
    for dataset, program in (("mbppplus", None), ("codecontests", "x = 1")):
        problem = Problem("p", dataset, "s", (StdioCase("", "1\n"),))
        assert judge.extract("```python\nx = 1", problem) == program


# -- reasoning and fences


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a", "a"),
        ("<think>x</think>a", "a"),
        ("a<think>x</think>b<think>y</think>c", "abc"),
        ("a<think>x", "a"),
        ("x</think>a", "a"),
        ("x</think>a<think>y", "a"),
        ("x</think>y</think>a", "a"),
        ("<think>a<think>b</think>c</think>d", "d"),
        ("<THINK>x</Think>a", "a"),
        ("<thinking>x</think>y</thinking>a", "a"),
        ("<reasoning>\nx\n</reasoning>\na", "\na"),
        ("i < think > j", "i < think > j"),
        ("<thinker>a</thinker>", "<thinker>a</thinker>"),
    ],
)
def test_what_is_left_without_reasoning(text: str, left: str) -> None:
    assert strip_reasoning(text) == left


def test_fences_tell_language_text_and_end() -> None:
    assert fences("```CPP\n1\n```\n~~~\n2\n```\n") == [
        Fence("cpp", "1\n", True, 0, 12),
        Fence("", "2\n```\n", False, 13, 23),
    ]


def test_where_a_fence_stands_its_fences_included() -> None:
    text = "Note: ```python\nx = 1\n```<|im_end|>\n- ```py\n  y\n  ```\n"
    assert [text[block.start : block.end] for block in fences(text)] == [
        "```python\nx = 1\n```",
        "```py\n  y\n  ```",
    ]


CODE = [
    "x = 1\n", "if x:\n    y()\n", "\n", "x = '```'\n", "# ```\n", "# - a\n# > b\n",
    "def f():\n    \"\"\"\n    ```\n    f()\n    ```\n    \"\"\"\n    return 1\n",
]  # fmt: skip
PROSE = ["Some prose.\n", "A `code` span.\n", "two\nlines\n", "# Heading\n", "a `````b````` c\n"]


@st.composite
def blocks_of_code(draw: st.DrawFn) -> str:
    code = "".join(draw(st.lists(st.sampled_from(CODE), max_size=3)))
    ticks = draw(st.sampled_from("`~")) * draw(st.integers(4, 6))
    return f"{ticks}{draw(st.sampled_from(['', 'python', 'text', '{.py}']))}\n{code}{ticks}\n"


def in_containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def item(marker: str, text: str) -> str:
        return marker + textwrap.indent(text, " " * len(marker)).lstrip()

    def quotation(text: str) -> str:
        return textwrap.indent(text, "> ", lambda line: True)

    texts = st.lists(inner, min_size=1, max_size=3).map("\n".join)
    return st.builds(item, st.sampled_from(["- ", "1. ", "* ", "10) "]), texts) | st.builds(
        quotation, texts
    )


DOCUMENTS = st.lists(
    st.recursive(blocks_of_code() | st.sampled_from(PROSE), in_containers, max_leaves=4),
    min_size=1, max_size=4,
).map("\n".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(DOCUMENTS)
def test_well_formed_documents_are_read_as_a_commonmark_parser_reads_them(document: str) -> None:
    tokens = MarkdownIt("commonmark").parse(document)
    expected = [textwrap.dedent(token.content) for token in tokens if token.type == "fence"]
    assert [textwrap.dedent(block.text) for block in fences(document)] == expected


@settings(deadline=None)
@given(st.text("`~ab \n<>/think", max_size=60) | st.text("`#def \n", max_size=30))
def test_no_completion_makes_a_rule_fail(completion: str) -> None:
    for name in EXTRACTIONS:
        for dataset in (None, "mbppplus"):
            program = get_extraction(name, dataset)(completion)
            assert program is None or program.strip()


@pytest.mark.parametrize(
    "completion",
    [
        "<think>" * 50_000,
        "<think></think>" * 50_000,
        "</think>" * 50_000,
        "```" + " " * 200_000 + "`",
        "`" * 200_000 + "x`\n",
        "```\n" * 50_000,
        "```\n\n" * 50_000 + "x",
        "``` " * 50_000,
        "```\n" + "\n" * 200_000,
        "```\n" + "`` " * 50_000 + "\n" + " " * 200_000,
        "import x\n" * 50_000,
        "def f():\n" * 50_000,
        "#" * 200_000,
        "~~~" + "`" * 200_000,
        " " * 200_000 + "```python\nx\n```",
        "```python\n'''\n```\n" * 20_000,
        "```python\n(\n</think>\n" * 10_000,
        "# ```python\n" * 20_000 + "(",
        "- ```python\n" * 20_000,
        "> " * 100_000 + "```",
        "`<think>` " * 20_000,
        "a <think> b </think> c " * 10_000,
        "<|channel|>analysis<|message|>a" * 5_000,
        "<answer>" * 20_000 + "```",
        "```python\n" + "(" * 100_000,
        "".join("`" * length + "python\n'''\n" for length in range(500, 3, -1)),
        "```py\n'''\n```\n" + "x\n" * 60_000 + "'''\n```\n" + "```py\n'''\n```\nx\n'''\n" * 9_000,
        "```\nassert f(1)\n```\n" * 4_500,
        2 * ("```\n" + "".join(f"{' ' * n}try: f()\n{' ' * n}finally:\n" for n in range(19))
             + " " * 19 + "f()\n```\n"),  # what the compiler makes of it doubles 19 times
        "```\ndef f(n): f(n)\n```\n" * 4_000,
        "```\nx = a" + ".a" * 2_500 + "()\n```\n```\nclass A(b" + ".b" * 2_500 + "): a()\n```\n",
    ],
)
def test_a_model_that_repeats_itself_does_not_stop_the_judge(completion: str) -> None:
    start = time.process_time()
    for rule in EXTRACTIONS.values():
        rule(completion)
    assert time.process_time() - start < 3


def test_an_unknown_rule_is_a_sentence_with_the_choices() -> None:
    with pytest.raises(UserError, match="unknown extraction 'x'; choose one of first_fence, last"):
        get_extraction("x")

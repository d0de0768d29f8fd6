"""`/get_prompts`, `/get_prompt_by_id` and `/list_ids`: prompts made of rows that requests carry.

Forms are SandboxFusion's (what of a row is shown, the marks that its extractions look for); its
instructions and worked examples are its own words, and these here are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Template
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.server.models import Prompt, TestConfig
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.row_fields import Row, labels_of, parse_json, text_of
from ctrl_harness.server.text_types import MODES
from ctrl_harness.verification.extraction import find_like_sandbox_fusion

Text = Callable[[Row, TestConfig], str]
Prompts = Callable[[Sequence[Row], TestConfig], list[Prompt]]

_ID_BOUND = 1 << 63
_WHOLE_PROGRAM = {
    "en": "Write a complete program in {language}. It reads its input from standard input and "
    "prints its answer to standard output.",
    "zh": "请用 {language} 编写一个完整的程序：从标准输入读取数据，把答案打印到标准输出。",
}
_WHOLE_FUNCTION = {
    "en": "Complete the function above as its docstring says. Answer with the whole code in one "
    "Markdown code block, without a main part.",
    "zh": "请按照文档字符串补全上面的函数。用一个 Markdown 代码块给出完整代码，不要包含主程序。",
}
_MBPP_EXAMPLES = """\
Write a function that doubles every number of a list. These tests must pass:

assert doubled([1, 2]) == [2, 4]
assert doubled([]) == []
[BEGIN]
def doubled(numbers):
    return [2 * number for number in numbers]
[DONE]
Write a function that counts the vowels of a word. These tests must pass:

assert vowels("banana") == 3
assert vowels("rhythm") == 0
[BEGIN]
def vowels(word):
    return sum(letter in "aeiou" for letter in word)
[DONE]
"""
_LIVE_CODE_BENCH_EXAMPLES = """\
### Question:
Read two integers from one line and print the larger one.

### Answer:
```python
print(max(map(int, input().split())))
```

### Question:
Return the sum of the even numbers of a list. Starter code:
```python
class Solution:
    def evenSum(self, numbers: List[int]) -> int:
```

### Answer:
```python
class Solution:
    def evenSum(self, numbers: List[int]) -> int:
        return sum(number for number in numbers if number % 2 == 0)
```

"""


def each(text: Text, label_names: tuple[str, ...] | None = None) -> Prompts:
    """One prompt a row. label_names: fields that are its labels, where they are not in `labels`."""

    def prompts(rows: Sequence[Row], config: TestConfig) -> list[Prompt]:
        return [
            Prompt(
                id=_id_of(row),
                prompt=text(row, config),
                labels=labels_of(row)
                if label_names is None
                else {name: row[name] for name in label_names if name in row},
            )
            for row in rows
        ]

    return prompts


def _id_of(row: Row) -> int | str:
    for name in ("id", "task_id", "name"):
        value = row.get(name)
        if isinstance(value, str) or (type(value) is int and abs(value) < _ID_BOUND):
            return value
    raise UserError("a row of provided_data has no id")


def content(row: Row, _: TestConfig) -> str:
    """The row's own words alone."""
    return text_of(row, "content", "prompt")


def common_oj(row: Row, config: TestConfig) -> str:
    words = _of_locale(_WHOLE_PROGRAM, config).format(language=config.language or "python")
    return f"{text_of(row, 'content')}\n\n{words}"


def live_code_bench(row: Row, config: TestConfig) -> str:
    return (_LIVE_CODE_BENCH_EXAMPLES if config.is_fewshot else "") + text_of(row, "content")


def mbpp(row: Row, config: TestConfig) -> str:
    """With `is_fewshot` the last test is not shown: it is the one that decides."""
    tests: Any = row.get("test_list", row.get("test"))
    if isinstance(tests, str) and tests.lstrip().startswith("["):
        tests = parse_json("test_list", tests)
    tests = [tests] if isinstance(tests, str) else tests
    if not isinstance(tests, list) or not all(isinstance(test, str) for test in tests):
        raise UserError(f"field 'test_list' holds {kind_of(tests)}, not a list of asserts")
    shown = tests[:2] if config.is_fewshot else tests
    task = f"{text_of(row, 'content')} These tests must pass:\n\n" + "\n".join(shown)
    return f"{_MBPP_EXAMPLES}{task}\n[BEGIN]\n" if config.is_fewshot else task


def humaneval(row: Row, config: TestConfig) -> str:
    prompt = text_of(row, "prompt", "content")
    if not config.extra.get("is_freeform"):
        return prompt
    return f"```python\n{prompt}\n```\n\n{_of_locale(_WHOLE_FUNCTION, config)}"


def humaneval_prompts(rows: Sequence[Row], config: TestConfig) -> list[Prompt]:
    """Rows without `labels` are labelled with all their other fields."""
    return [
        Prompt(
            id=_id_of(row),
            prompt=humaneval(row, config),
            labels=labels_of(row)
            if "labels" in row
            else {name: value for name, value in row.items() if name != "prompt"},
        )
        for row in rows
    ]


def mhpp(row: Row, config: TestConfig) -> str:
    """`content`, with the first test as an example at the end of its docstring."""
    words = text_of(row, "content")
    if config.extra.get("pretrain_mode"):
        words = find_like_sandbox_fusion(words).program or ""
    end = words.rfind('"""')
    example = text_of(row, "test").split("\n")[0]
    return f'{words[: end if end >= 0 else None]}\n    e.g. {example} """'


def aider(row: Row, config: TestConfig) -> str:
    reference = labels_of(row).get("reference", "")
    question = f"{text_of(row, 'content')}\n\nAnswer with code of this form:\n"
    question += f"```python\n{reference}\n```\n"
    if config.extra.get("autoeval_wrap_prompt"):
        return f"Answer the question below in Markdown.\n{question}\nYour answer:\n"
    return question


def auto_eval(row: Row, config: TestConfig) -> str:
    """The row's own template, or its context, worked examples and question."""
    labels, extra = labels_of(row), config.extra
    question = text_of(row, "content")
    context = extra.get("context", labels.get("context")) or ""
    fewshot = extra.get("fewshot", labels.get("fewshot")) if config.is_fewshot else ""
    if not isinstance(fewshot, str):
        raise UserError("config.is_fewshot is set, but the row's labels have no `fewshot`")
    template = extra.get("prompt_template", labels.get("prompt_template"))
    if template:
        return Template(str(template)).safe_substitute(
            question=question, fewshot=fewshot, context=context, locale=config.locale
        )
    if not context and not fewshot:
        return question
    before, after = ("问题：", "答案：") if config.locale == "zh" else ("Question:", "Answer:")
    parts = [str(context), "-" * 16, fewshot] if context and fewshot else [f"{context}{fewshot}"]
    return "\n\n".join([*parts, f"{before}{question}", f"{after}\n"])


def crux_eval(rows: Sequence[Row], config: TestConfig) -> list[Prompt]:
    """Both questions on every row, or those of `extra.mode`: what f returns, and for which input.

    With `use_cot` the answer comes after [THOUGHT], with `phind_output` before `# done`.
    """
    asked = config.extra.get("mode")
    if asked is not None and asked not in MODES:
        raise UserError(f"config.extra.mode is {asked!r:.80}; give input or output")
    return [
        Prompt(id=_id_of(row), prompt=_crux(row, mode, config), labels={"mode": mode})
        for mode in ((asked,) if asked else MODES)
        for row in rows
    ]


def _crux(row: Row, mode: str, config: TestConfig) -> str:
    code = text_of(row, "code")
    if mode == "output":
        line = f"assert f({text_of(row, 'input')}) == ??"
        task = "Replace ?? with what the call returns, as a literal."
        example = "assert f(3) == ??", "assert f(3) == 4"
    else:
        line = f"assert f(??) == {text_of(row, 'output')}"
        task = "Replace ?? with arguments for which the assertion holds, as literals."
        example = "assert f(??) == 4", "assert f(3) == 4"
    if mode == "output" and config.extra.get("phind_output"):
        return (
            "Complete the last assertion with what the call returns, then write # done.\n\n"
            f"def f(n):\n    return n + 1\nassert f(3) == 4 # done\n\n{code}\n"
            f"{line.removesuffix(' ??')}"
        )
    thought = bool(config.extra.get("use_cot"))
    worked = "[THOUGHT]\nf adds one, and 3 + 1 is 4.\n[/THOUGHT]\n" if thought else ""
    return (
        f"{task} {'Think step by step first. ' if thought else ''}Give the whole assertion between "
        "[ANSWER] and [/ANSWER].\n\n"
        f"[PYTHON]\ndef f(n):\n    return n + 1\n{example[0]}\n[/PYTHON]\n{worked}"
        f"[ANSWER]\n{example[1]}\n[/ANSWER]\n\n"
        f"[PYTHON]\n{code}\n{line}\n[/PYTHON]\n{'[THOUGHT]' if thought else '[ANSWER]'}\n"
    )


def refused(reason: str) -> Prompts:
    """Prompts that this server does not make."""

    def prompts(_: Sequence[Row], __: TestConfig) -> list[Prompt]:
        raise NotSupported(reason)

    return prompts


def _of_locale(words: dict[str, str], config: TestConfig) -> str:
    return words.get(config.locale or "en", words["en"])

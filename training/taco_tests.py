"""The tests of a TACO row: `input_output`, JSON of inputs, outputs and, for calls, fn_name.

What the field holds differs with the site the row was taken from; facts from FlagOpen/TACO
(metrics/testing_util.py), from its ancestor APPS, and from critic-rl's preprocessing:

* Without fn_name, inputs and outputs are texts, or lists of lines.
* With fn_name, an input is the list of arguments. Rows from Codewars wrap each value into a list of
  one, rows from LeetCode do not; TACO's own comparison takes either, and so takes [1, 2] for
  [[1, 2]] and 1 for [1, 2]. Here the row decides once, so that one value is right.
* Rows from LeetCode may write texts with LeetCode's quotes inside (`"\\"abc\\""`).
* JSON made the integer keys of dicts into texts.
* Rows from GeeksforGeeks have starter code and `n = 5` for an input, but no fn_name: there is
  nothing that their tests could be run on.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits, load_json
from ctrl_harness.problems.literals import parse_literal
from ctrl_harness.problems.problem import CallCase, StdioCase, TestCase
from ctrl_harness.problems.row_fields import RowData, kind_of
from ctrl_harness.problems.signature import (
    Signature,
    is_an_object,
    refuse_what_tests_cannot_hold,
    signature_of,
)
from ctrl_harness.training.taco_contradictions import consistent

FIELD = "input_output"
_MAX_DEPTH = 100
_MAX_LITERAL_CHARS = 1 << 20  # a syntax tree takes a hundred times its source's memory
_DEFINES = re.compile(r"^\s*(?:def|class)\s+\w+", re.MULTILINE)
_READS = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\(0")


@dataclass(frozen=True, slots=True)
class TacoTests:
    """What could be made of a row's tests.

    function: what is called, None for programs that read standard input. wrapped: whether each
    value stood in a list of one. left_out: tests that cannot be used, by reason.
    """

    cases: tuple[TestCase, ...]
    function: str | None = None
    wrapped: bool = False
    left_out: Counter[str] = field(default_factory=Counter)


def tests_of(row: RowData, source: str, starter_code: str) -> TacoTests:
    """source: the row's site, in lower case. Raises UserError where no test can be used."""
    data = _parsed(row)
    function = data.get("fn_name") or None
    inputs, outputs = (_list(data, name) for name in ("inputs", "outputs"))
    if len(inputs) != len(outputs):
        raise UserError(f"field {FIELD!r} has not as many outputs as inputs")
    if not inputs:
        raise UserError(f"field {FIELD!r} holds no tests")
    if function is None:
        if source == "geeksforgeeks" or _asks_for_a_function(starter_code):
            raise UserError("the row asks for a function, but its tests do not name one")
        tests = _stdio_tests(inputs, outputs)
    else:
        tests = _call_tests(function, inputs, outputs, source, starter_code)
    if not tests.cases:
        reasons = "; ".join(sorted(tests.left_out))
        raise UserError(f"none of the row's tests can be used ({reasons})")
    return tests


def _asks_for_a_function(starter_code: str) -> bool:
    """Starter code that reads its input, as HackerRank's, is that of a whole program."""
    return bool(_DEFINES.search(starter_code)) and not _READS.search(starter_code)


def _parsed(row: RowData) -> Mapping[str, Any]:
    value = row.get(FIELD)
    if isinstance(value, str):
        if not value.strip():
            raise UserError(f"field {FIELD!r} holds no tests")
        value = _json(value)
    if value is None:
        raise UserError(f"field {FIELD!r} holds no tests")
    if not isinstance(value, Mapping):
        raise UserError(f"field {FIELD!r} holds {kind_of(value)}, not an object")
    return value


def _json(text: str) -> Any:
    try:
        return load_json(text)
    except RecursionError:
        raise UserError(f"field {FIELD!r} is JSON nested too deeply") from None
    except TooManyDigits as error:
        raise UserError(f"field {FIELD!r} holds {error}") from None
    except ValueError:
        pass
    if len(text) <= _MAX_LITERAL_CHARS:
        try:
            return parse_literal(text)
        except UserError:
            pass
    raise UserError(f"field {FIELD!r} is neither JSON nor a Python literal")


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    if not isinstance(value, list):
        raise UserError(f"field '{FIELD}.{name}' holds {kind_of(value)}, not a list")
    return value


# -- programs that read standard input


def _stdio_tests(inputs: list[Any], outputs: list[Any]) -> TacoTests:
    cases: list[TestCase] = []
    left_out: Counter[str] = Counter()
    for given, expected in zip(inputs, outputs, strict=True):
        stdin, stdout = _lines(given), _lines(expected)
        if stdin is None or stdout is None:
            left_out["an input or output is not text"] += 1
        else:
            cases.append(StdioCase(stdin, stdout))
    if cases and not any(case.stdout.strip() for case in cases if isinstance(case, StdioCase)):
        raise UserError("every test expects no output")
    return TacoTests(consistent(cases, left_out), left_out=left_out)


def _lines(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)  # as TACO's evaluation
    return value if isinstance(value, str) else None


# -- functions that are called


def _call_tests(
    function: Any, inputs: list[Any], outputs: list[Any], source: str, starter_code: str
) -> TacoTests:
    if not isinstance(function, str) or not function.isidentifier():
        raise UserError(f"field '{FIELD}.fn_name' is not the name of a function")
    refuse_what_tests_cannot_hold(starter_code, function)
    signature = signature_of(starter_code, function)
    left_out: Counter[str] = Counter()
    pairs: list[tuple[list[Any], Any]] = []
    for given, expected in zip(inputs, outputs, strict=True):
        if not isinstance(given, list):
            left_out["an input is not a list of arguments"] += 1
        elif _depth(given) > _MAX_DEPTH or _depth(expected) > _MAX_DEPTH:
            left_out["a value is nested too deeply"] += 1
        elif is_an_object(given) or is_an_object(expected):
            left_out["a value is an object that JSON cannot hold"] += 1
        elif signature is not None and not signature.takes(len(given)):
            left_out["the function takes another number of arguments"] += 1
        else:
            pairs.append((given, expected))
    values = [expected for _, expected in pairs]
    wrapped = _are_wrapped(values, source, _returned_depth(signature))
    if wrapped:
        values = [value[0] for value in values]
    all_arguments = [arguments for arguments, _ in pairs]
    if _are_quoted(all_arguments):
        all_arguments = [_unquoted(arguments) for arguments in all_arguments]
    if _are_quoted(values):
        values = [_unquoted(value) for value in values]
    cases = tuple(
        CallCase(function, tuple(map(_integer_keys, arguments)), _integer_keys(value))
        for arguments, value in zip(all_arguments, values, strict=True)
    )
    if cases and all(case.expected is None for case in cases):
        raise UserError("every test expects None, which any function returns that does nothing")
    return TacoTests(consistent(cases, left_out), function, wrapped, left_out)


def _are_wrapped(values: list[Any], source: str, returned_depth: int | None) -> bool:
    """Whether every value stands in a list of one that the function does not return.

    returned_depth: how many lists deep the starter code says the result is; where it says nothing,
    the site decides.
    """
    if not values or not all(isinstance(value, list) and len(value) == 1 for value in values):
        return False
    if returned_depth is not None:
        return max(map(_list_depth, values)) > returned_depth
    return source != "leetcode"


def _returned_depth(signature: Signature | None) -> int | None:
    """1 for `-> List[int]`, 0 for `-> int`, None where the starter code does not say."""
    if signature is None or signature.returns is None:
        return None
    return _annotated_depth(signature.returns)


def _annotated_depth(node: ast.expr) -> int | None:
    match node:
        case ast.Subscript(value=ast.Name(id="List" | "list"), slice=inner):
            depth = _annotated_depth(inner)
            return None if depth is None else depth + 1
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return _annotated_depth(inner)
        case ast.Name(id="int" | "float" | "str" | "bool"):
            return 0
    return None  # a list of who knows what, a tree, nothing


def _list_depth(value: Any) -> int:
    """[[1], []] is 2 deep."""
    depth, level = 0, [value]
    while level and any(isinstance(item, list) for item in level):
        depth += 1
        level = [item for part in level if isinstance(part, list) for item in part]
    return depth


def _depth(value: Any) -> int:
    """How deep lists and dicts go, up to one more than the limit."""
    depth, level = 0, [value]
    while level and depth <= _MAX_DEPTH:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                inner += item.values()
            elif isinstance(item, (list, tuple)):
                inner += item
        if not inner:
            break
        depth, level = depth + 1, inner
    return depth


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _are_quoted(values: Iterable[Any]) -> bool:
    """Whether there are texts, and every one of them is a JSON text with its quotes."""
    found = False
    for text in _texts(list(values)):
        found = True
        if len(text) < 2 or not text.startswith('"') or not text.endswith('"'):
            return False
        try:
            if not isinstance(json.loads(text), str):
                return False
        except ValueError:
            return False
    return found


def _unquoted(value: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _unquoted(item) for key, item in value.items()}
    return value


def _integer_keys(value: Any) -> Any:
    """A dict whose keys are all integers in text has integers for keys again, as in TACO's code."""
    if not isinstance(value, Mapping) or not value:
        return value
    if not all(isinstance(key, str) and re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", key)
               for key in value):
        return value
    return {int(key): item for key, item in value.items()}

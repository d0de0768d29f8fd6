"""From the row that a `/submit` carries to a Problem, by the data set's type.

Row formats are SandboxFusion's (sandbox/datasets/common_oj.py, live_code_bench.py, mbpp.py). Rows
come from outside: nothing of them is evaluated or unpickled here.
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.integers import TooManyDigits, load_json
from ctrl_harness.problems.livecodebench import PRELUDE
from ctrl_harness.problems.problem import CallCase, Problem, StdioCase, TestCase
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.problems.test_code import MAX_CHARS as MAX_SCRIPT_CHARS
from ctrl_harness.problems.test_code import is_one_assert, read_test_code
from ctrl_harness.server.request_json import MOST_DIGITS

Row = Mapping[str, Any]

_MAX_UNPACKED_BYTES = 256 << 20
_TEXT_OPCODES = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_FRAMING_OPCODES = frozenset(
    {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "EMPTY_DICT", "MARK", "SETITEM",
     "SETITEMS"}
)  # fmt: skip
_LIVE_CODE_BENCH_KEY = "input_output"


def common_oj_problem(problem_id: str, row: Row) -> Problem:
    """`test`: a list, or JSON text of it, of {"input": {"stdin"}, "output": {"stdout"}}."""
    tests = _json_field(row, "test")
    if not isinstance(tests, list):
        raise UserError(f"field 'test' holds {kind_of(tests)}, not a list of tests")
    cases = [_stdio_case(f"test[{index}]", test) for index, test in enumerate(tests)]
    return _problem(problem_id, row, cases)


def _stdio_case(place: str, test: Any) -> StdioCase:
    match test:
        case {"input": {"stdin": str(stdin), **more}, "output": {"stdout": str(stdout), **most}}:
            if more or most:
                raise UserError(f"{place} names files; only stdin and stdout can be judged here")
            return StdioCase(stdin, stdout)
    raise UserError(f'{place} is not {{"input": {{"stdin": …}}, "output": {{"stdout": …}}}}')


def live_code_bench_problem(problem_id: str, row: Row) -> Problem:
    """`test`: {"input_output": …}, as JSON or packed, whose text is JSON of inputs and outputs.

    With `fn_name` the inputs are arguments, one JSON value a line, and the outputs JSON values.
    """
    tests = row.get("test")
    if isinstance(tests, str):
        tests = _json("test", tests) if tests.lstrip().startswith("{") else _unpacked(tests)
    if isinstance(tests, Mapping) and _LIVE_CODE_BENCH_KEY in tests:
        tests = tests[_LIVE_CODE_BENCH_KEY]
    if isinstance(tests, str):
        tests = _json("test", tests)
    match tests:
        case {"inputs": list(inputs), "outputs": list(outputs), **rest} if len(inputs) == len(
            outputs
        ):
            function = rest.get("fn_name")
        case _:
            raise UserError("field 'test' holds no inputs and as many outputs")
    cases: list[TestCase] = []
    for index, (given, expected) in enumerate(zip(inputs, outputs, strict=True)):
        place = f"test[{index}]"
        if not isinstance(given, str) or not isinstance(expected, str):
            raise UserError(f"{place} holds an input or output that is not text")
        cases.append(
            StdioCase(given, expected)
            if function is None
            else _call_case(place, function, given, expected)
        )
    return _problem(problem_id, row, cases, prelude=PRELUDE)


def _call_case(place: str, function: Any, given: str, expected: str) -> CallCase:
    if not isinstance(function, str) or not function.isidentifier():
        raise UserError("field 'fn_name' is not the name of a function")
    lines = given.removesuffix("\n").split("\n") if given else []
    return CallCase(function, tuple(_json(place, line) for line in lines), _json(place, expected))


def _unpacked(text: str) -> dict[str, str]:
    """base64 of zlib of a pickled dict of texts, read off the pickle's opcodes."""
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(base64.b64decode(text, validate=True), _MAX_UNPACKED_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise UserError("field 'test' is neither JSON nor base64 of zlib data") from None
    if not inflater.eof:
        raise UserError("field 'test' breaks off, or is too large when unpacked")
    texts: list[str] = []
    ended = False
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _TEXT_OPCODES:
                texts.append(str(argument))
            elif opcode.name == "STOP":
                ended = True
            elif opcode.name not in _FRAMING_OPCODES:
                raise UserError(f"field 'test' is a pickle of more than texts ({opcode.name})")
    except (ValueError, IndexError, OverflowError):
        raise UserError("field 'test' is not a complete pickle") from None
    if not ended or len(texts) % 2:
        raise UserError("field 'test' is not a pickled dict of texts")
    return dict(zip(texts[::2], texts[1::2], strict=True))


def mbpp_problem(problem_id: str, row: Row) -> Problem:
    """Asserts on the program: `test_list` or `test`, a list, JSON text of one, or Python.

    What they come to, see problems/test_code.py. `labels.test_setup_code` goes before them, and
    `entry_point` is what HumanEval's `check(candidate)` checks.
    """
    tests = row.get("test_list", row.get("test"))
    if isinstance(tests, str) and tests.lstrip().startswith("["):
        tests = _json("test", tests)
    scripts = [tests] if isinstance(tests, str) else tests
    if not isinstance(scripts, list) or not all(isinstance(test, str) for test in scripts):
        raise UserError(f"field 'test_list' holds {kind_of(tests)}, not a list of asserts")
    setup, entry_point = _setup_code(row), row.get("entry_point")
    if not (entry_point is None or isinstance(entry_point, str)):
        raise UserError(f"field 'entry_point' holds {kind_of(entry_point)}, not text")
    if sum(map(len, scripts)) + len(setup) > MAX_SCRIPT_CHARS:
        raise UserError(f"the asserts have more than {MAX_SCRIPT_CHARS} characters; send fewer")
    if not all(map(is_one_assert, scripts)):
        scripts = ["\n".join(scripts)] if scripts else []  # one may use another's names
    cases: list[TestCase] = []
    preludes: dict[str, None] = {}
    for index, script in enumerate(scripts):
        try:
            read = read_test_code(script, setup=setup, entry_point=entry_point)
        except UserError as error:
            place = f"test_list[{index}]" if len(scripts) > 1 else "field 'test'"
            raise UserError(f"{place} {error}") from None
        cases += read.cases
        preludes[read.prelude] = None
    return _problem(problem_id, row, cases, "".join(preludes))


def _setup_code(row: Row) -> str:
    labels = row.get("labels", {})
    if isinstance(labels, str):
        labels = _json("labels", labels)
    setup = labels.get("test_setup_code") if isinstance(labels, Mapping) else None
    setup = setup or row.get("test_setup_code") or ""
    if not isinstance(setup, str):
        raise UserError(f"field 'test_setup_code' holds {kind_of(setup)}, not text")
    return setup


def _problem(problem_id: str, row: Row, cases: list[Any], prelude: str = "") -> Problem:
    if not cases:
        raise UserError("field 'test' holds no test; nothing would be judged")
    statement = row.get("content", "")
    return Problem(
        id=problem_id,
        dataset="sandbox_fusion",
        statement=statement if isinstance(statement, str) else "",
        cases=tuple(cases),
        prelude=prelude,
        comparator="sandbox_fusion",
    )


def _json_field(row: Row, name: str) -> Any:
    value = row.get(name)
    if value is None:
        raise UserError(f"field {name!r} is missing in provided_data")
    return _json(name, value) if isinstance(value, str) else value


def _json(name: str, text: str) -> Any:
    try:
        return load_json(text, most_digits=MOST_DIGITS)
    except TooManyDigits as error:
        raise UserError(f"field {name!r} holds {error}") from None
    except (ValueError, RecursionError):
        raise UserError(f"field {name!r} is not JSON") from None


MAKERS: dict[str, tuple[Callable[[str, Row], Problem], float]] = {
    "CommonOJDataset": (common_oj_problem, 20.0),
    "LiveCodeBenchDataset": (live_code_bench_problem, 6.0),
    "MBPPDataset": (mbpp_problem, 20.0),
}
"""By `dataset_type`: what makes the problem, and the seconds a test may take unless told."""

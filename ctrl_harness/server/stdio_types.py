"""CommonOJDataset and LiveCodeBenchDataset: programs that read standard input, or functions.

Row formats are SandboxFusion's (sandbox/datasets/common_oj.py, live_code_bench.py). Rows come from
outside: nothing of them is evaluated or unpickled here.
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib
from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError
from ctrl_harness.problems.livecodebench import PRELUDE
from ctrl_harness.problems.problem import CallCase, Problem, StdioCase, TestCase
from ctrl_harness.problems.row_fields import kind_of
from ctrl_harness.server.models import SubmitRequest
from ctrl_harness.server.row_fields import Row, parse_json, problem_of_row, required
from ctrl_harness.server.submission import Submission
from ctrl_harness.verification.extraction import find_like_sandbox_fusion
from ctrl_harness.verification.time_limit import TimeLimit

_MAX_UNPACKED_BYTES = 256 << 20
_TEXT_OPCODES = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_FRAMING_OPCODES = frozenset(
    {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "EMPTY_DICT", "MARK", "SETITEM",
     "SETITEMS"}
)  # fmt: skip
_LIVE_CODE_BENCH_KEY = "input_output"
_OJ_S = 20.0
_LIVE_CODE_BENCH_S = 6.0


def common_oj(request: SubmitRequest, row: Row) -> Submission:
    """Every test is a run of its own, and an entry of the answer's `tests`."""
    if request.config.language is None:
        raise UserError("config.language must be given for CommonOJDataset; it is python here")
    return Submission(
        common_oj_problem(str(request.id), row),
        find_like_sandbox_fusion(request.completion),
        TimeLimit(seconds=request.config.run_timeout or _OJ_S),
        answer="cases",
    )


def live_code_bench(request: SubmitRequest, row: Row) -> Submission:
    """One script runs all n tests: t s each, min((t + 1)·n + 5, 160) s together."""
    found = find_like_sandbox_fusion(request.completion)
    return Submission(
        live_code_bench_problem(str(request.id), row),
        found,
        TimeLimit(seconds=request.config.run_timeout or _LIVE_CODE_BENCH_S, total="total"),
        answer="livecodebench",
        full_code=found.program or "",
    )


def common_oj_problem(problem_id: str, row: Row) -> Problem:
    """`test`: a list, or JSON text of it, of {"input": {"stdin"}, "output": {"stdout"}}."""
    tests = required(row, "test")
    if not isinstance(tests, list):
        raise UserError(f"field 'test' holds {kind_of(tests)}, not a list of tests")
    cases = [_stdio_case(f"test[{index}]", test) for index, test in enumerate(tests)]
    return problem_of_row(problem_id, row, cases)


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
        tests = parse_json("test", tests) if tests.lstrip().startswith("{") else _unpacked(tests)
    if isinstance(tests, Mapping) and _LIVE_CODE_BENCH_KEY in tests:
        tests = tests[_LIVE_CODE_BENCH_KEY]
    if isinstance(tests, str):
        tests = parse_json("test", tests)
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
        if function is None:
            cases.append(StdioCase(_lines(place, given), _lines(place, expected)))
        else:
            cases.append(_call_case(place, function, given, expected))
    return problem_of_row(
        problem_id, row, cases, comparator="sandbox_fusion_livecodebench", prelude=PRELUDE
    )


def _lines(place: str, value: Any) -> str:
    """Text, or a list of its lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    if not isinstance(value, str):
        raise UserError(f"{place} holds an input or output that is not text")
    return value


def _call_case(place: str, function: Any, given: Any, expected: Any) -> CallCase:
    if not isinstance(function, str) or not function.isidentifier():
        raise UserError("field 'fn_name' is not the name of a function")
    if not isinstance(given, str) or not isinstance(expected, str):
        raise UserError(f"{place} holds an input or output that is not text")
    lines = given.removesuffix("\n").split("\n") if given else []
    values = [parse_json(place, line) for line in lines]
    if len(values) == 1 and isinstance(values[0], dict):
        values = [_with_integer_keys(values[0])]
    return CallCase(function, tuple(values), parse_json(place, expected))


def _with_integer_keys(table: dict[str, Any]) -> dict[Any, Any]:
    """JSON has no integer keys; an only argument gets them back, as in SandboxFusion."""
    try:
        return {int(key): value for key, value in table.items()}
    except ValueError:
        return table


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

"""Programs, inputs and runs as JSON, for an executor at the other end of an HTTP connection.

Values use the tags of wire.py, so what comes in is read by the same bounded, inert reader. No
expected value has a place in this format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

from ctrl_harness.errors import UserError
from ctrl_harness.execution.executor import (
    CallInput,
    Input,
    Run,
    RunStatus,
    ScriptInput,
    StdinInput,
)
from ctrl_harness.execution.unhashed import Members, Pairs
from ctrl_harness.execution.wire import (
    Array,
    Fingerprint,
    Iterated,
    Opaque,
    Payload,
    WireError,
    decode_value,
)

_STATUSES = frozenset(get_args(RunStatus))
_MAX_ERROR_CHARS = 10_000


def value_as_json(value: Any) -> Any:
    """The JSON that wire.decode_value reads. Raises UserError for a value without a plain form."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else {"i": hex(value)}
        case float():
            finite = value == value and value not in (float("inf"), float("-inf"))
            return value if finite else {"f": repr(value)}
        case list():
            return [value_as_json(item) for item in value]
        case tuple():
            return {"t": [value_as_json(item) for item in value]}
        case dict():
            return {"d": [[value_as_json(k), value_as_json(v)] for k, v in value.items()]}
        case frozenset():
            return {"fs": [value_as_json(item) for item in value]}
        case set():
            return {"s": [value_as_json(item) for item in value]}
        case bytes():
            return {"b": value.hex()}
        case complex():
            return {"c": [repr(value.real), repr(value.imag)]}
        case Decimal():
            return {"D": str(value)}
        case Fraction():
            return {"F": [hex(value.numerator), hex(value.denominator)]}
        case Iterated():
            return {"it": [value_as_json(item) for item in value.items]}
        case Array():
            return {"nd": value_as_json(value.items)}
        case Fingerprint():
            return {"big": value.sha256}
        case Opaque():
            return {"o": value.type_name}
        case Members():
            return {"s": [value_as_json(item) for item in value.items]}
        case Pairs():
            return {"d": [[value_as_json(k), value_as_json(v)] for k, v in value.items]}
    raise UserError(f"a {type(value).__name__} has no plain form; give plain Python values")


def _payload(data: Any) -> Payload:
    return Payload(json.dumps(data).encode("ascii"))


def value_from_json(data: Any) -> Any:
    """Raises WireError for anything that `value_as_json` does not make."""
    return decode_value(json.dumps(data).encode("ascii"))


def input_as_json(given: Input) -> dict[str, Any]:
    """Raises UserError as `value_as_json`."""
    match given:
        case StdinInput():
            return {"stdin": given.stdin}
        case CallInput():
            return {"function": given.function, "args": value_as_json(list(given.args))}
        case ScriptInput():
            return {"script": given.script}


def input_from_json(place: str, data: Mapping[str, Any]) -> Input:
    """Raises UserError, naming `place`, for what is no input."""
    match data:
        case {"stdin": str(stdin), **rest} if not rest:
            return StdinInput(stdin)
        case {"script": str(script), **rest} if not rest:
            return ScriptInput(script)
        case {"function": str(function), "args": list(args), **rest} if not rest:
            if not function.isidentifier():
                raise UserError(f"{place}.function is {function[:80]!r}; give a function's name")
            try:
                return CallInput(function, tuple(value_from_json(args)))
            except WireError as error:
                raise UserError(f"{place}.args: {error}") from None
    raise UserError(f"{place} is no input; give stdin, or script, or function and args")


def run_as_json(run: Run) -> dict[str, Any]:
    """Fields at their default are left out."""
    data: dict[str, Any] = {"status": run.status, "time_s": run.time_s}
    if run.stdout:
        data["stdout"] = run.stdout
    if run.value is not None:
        data["value"] = value_as_json(run.value)
    if run.error:
        data["error"] = run.error
    if run.memory_mb is not None:
        data["memory_mb"] = run.memory_mb
    if run.stderr:
        data["stderr"] = run.stderr
    if run.exit_status is not None:
        data["exit_status"] = run.exit_status
    return data


def run_from_json(data: Any) -> Run:
    """A value stays a Payload. Raises WireError for what no server of ours would send."""
    match data:
        case {"status": str(status), "time_s": int() | float() as time_s} if status in _STATUSES:
            texts = [data.get(name, "") for name in ("stdout", "error", "stderr")]
            numbers = [data.get(name) for name in ("memory_mb", "exit_status")]
            if all(isinstance(text, str) for text in texts) and all(
                number is None or isinstance(number, (int, float)) for number in numbers
            ):
                stdout, error, stderr = texts
                memory_mb, exit_status = numbers
                return Run(
                    status,  # type: ignore[arg-type]  # one of _STATUSES
                    stdout=stdout,
                    value=_payload(data["value"]) if "value" in data else None,
                    error=error[:_MAX_ERROR_CHARS],
                    time_s=float(time_s),
                    memory_mb=memory_mb,
                    stderr=stderr,
                    exit_status=None if exit_status is None else int(exit_status),
                )
    raise WireError("a run is malformed")

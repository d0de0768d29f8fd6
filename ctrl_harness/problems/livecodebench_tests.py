"""The test fields of a LiveCodeBench row: JSON, or base64 of zlib of a pickle of JSON text."""

from __future__ import annotations

import base64
import binascii
import pickletools
import reprlib
import zlib
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError
from ctrl_harness.integers import load_json
from ctrl_harness.problems.row_fields import RowData, filled_text, kind_of

LARGEST_PRIVATE_BYTES = 512 * 2**20
"""More than this, decompressed, counts as an attack on memory."""

_TEXT_OPCODES = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_FRAMING_OPCODES = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})


class StoredTest(NamedTuple):
    """One stored test; kind is `stdin` or `functional`."""

    input: str
    output: str
    kind: str


def public_tests(row: RowData) -> list[StoredTest]:
    """The row's public tests, none where the field is null or absent."""
    name = "public_test_cases"
    if row.get(name) is None:
        return []
    if isinstance(row[name], list):  # some parquet copies
        return _test_rows(name, row[name])
    return _test_rows(name, _json(name, filled_text(row, name)))


def private_tests(row: RowData) -> list[StoredTest]:
    """The row's private tests, decoded. UserError where the field is missing or not admissible."""
    name = "private_test_cases"
    if isinstance(row.get(name), list):
        return _test_rows(name, row[name])
    text = filled_text(row, name)
    # base64 has no bracket in its alphabet
    decoded = text if text.lstrip().startswith("[") else _unpacked(name, text)
    return _test_rows(name, _json(name, decoded))


def _unpacked(name: str, text: str) -> str:
    try:
        packed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise UserError(f"field {name!r} is neither JSON nor base64") from None
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, LARGEST_PRIVATE_BYTES + 1)
    except zlib.error:
        raise UserError(f"field {name!r} is not zlib data") from None
    if len(data) > LARGEST_PRIVATE_BYTES:
        limit = LARGEST_PRIVATE_BYTES // 2**20
        raise UserError(f"field {name!r} is more than {limit} MiB when decompressed")
    if not inflater.eof:
        raise UserError(f"field {name!r} is zlib data that breaks off")
    return _pickled_text(name, data)


def _pickled_text(name: str, data: bytes) -> str:
    """The one text that a pickle holds, read off its opcodes: nothing is ever unpickled.

    An Unpickler that refuses classes would still build lists without end or a memo of gigabytes.
    """
    found: str | None = None
    foreign = ""
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _TEXT_OPCODES and found is None:
                found = argument
            elif opcode.name not in _FRAMING_OPCODES:
                foreign = opcode.name
                break
    except (ValueError, IndexError, OverflowError):
        raise UserError(f"field {name!r} is not a complete pickle") from None
    if foreign != "STOP":
        raise UserError(f"field {name!r} is a pickle of more than one text (it uses {foreign})")
    if found is None:
        raise UserError(f"field {name!r} is a pickle of nothing")
    return found


def _json(name: str, text: str) -> Any:
    try:
        return load_json(text)
    except (ValueError, RecursionError):
        raise UserError(f"field {name!r} is not JSON") from None


def _test_rows(name: str, value: Any) -> list[StoredTest]:
    if not isinstance(value, list):
        raise UserError(f"field {name!r} holds {kind_of(value)}, not a list of tests")
    rows = []
    for index, item in enumerate(value):
        place = f"{name}[{index}]"
        if not isinstance(item, dict):
            raise UserError(f"{place} is {kind_of(item)}, not an object")
        for key in ("input", "output"):
            if not isinstance(item.get(key), str):
                raise UserError(f"{place}.{key} is {kind_of(item.get(key))}, not text")
        kind = item.get("testtype", "stdin")
        if kind not in ("stdin", "functional"):
            raise UserError(
                f"{place}.testtype is {reprlib.repr(kind)}, neither stdin nor functional"
            )
        rows.append(StoredTest(item["input"], item["output"], kind))
    return rows

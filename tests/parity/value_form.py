"""A returned value as text: the same for what a function returned and for what an executor tells.

Run by the plain interpreter too, beside the program, so it imports nothing of ours.
"""

from __future__ import annotations

import sys
from typing import Any

_VIEWS = (range, type({}.keys()), type({}.values()), type({}.items()))


def form(value: Any, depth: int = 0) -> str:
    """What is told of a value: its plain type and content; of an object of a class, its class."""
    if depth > 150:
        raise RecursionError("nested too deeply to be told")
    kind = type(value)
    for plain in (bool, int, float, complex, str, bytes, bytearray):
        if isinstance(value, plain):
            return repr(bytes(value) if plain is bytearray else plain(value))
    if value is None:
        return "None"

    def all_of(values: Any) -> list[str]:
        return [form(each, depth + 1) for each in values]

    if isinstance(value, dict):
        return f"dict{[(form(k, depth + 1), form(v, depth + 1)) for k, v in value.items()]}"
    if isinstance(value, (set, frozenset)):
        name = "frozenset" if isinstance(value, frozenset) else "set"
        return f"{name}{sorted(all_of(value))}"
    if isinstance(value, (list, tuple)):
        return f"{'list' if isinstance(value, list) else 'tuple'}{all_of(value)}"
    if kind.__name__ in ("Decimal", "Fraction"):
        return repr(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return form(value.item(), depth + 1)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return f"array {form(value.tolist(), depth + 1)}"
    return _form_of_ours(value, kind.__name__, depth)


def _form_of_ours(value: Any, name: str, depth: int) -> str:
    """The classes that executors tell such values by, and the values themselves."""
    if name == "Array":
        return f"array {form(value.items, depth + 1)}"
    if name == "Iterated":
        return f"yields {form(list(value.items), depth + 1)}"
    if name == "Opaque":
        return f"an object of {value.type_name}"
    if hasattr(type(value), "__next__") or isinstance(value, _VIEWS) or name == "deque":
        return f"yields {form(list(value), depth + 1)}"
    return f"an object of {name}"

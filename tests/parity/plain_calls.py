"""Makes calls in a plain interpreter: `python3 plain_calls.py CALLS.pickle RESULTS.json`.

The program is the module `solution` beside this file. A result is the form of what was returned, or
`raised`.
"""

from __future__ import annotations

import json
import pickle
import sys
from typing import Any

RAISED = "raised"


def call(function: str, arguments: Any) -> str:
    import solution
    from value_form import form

    sys.set_int_max_str_digits(0)
    try:
        if hasattr(solution, "Solution") and hasattr(solution.Solution, function):
            return form(getattr(solution.Solution(), function)(*arguments))
        return form(getattr(solution, function)(*arguments))
    except BaseException:  # noqa: BLE001 - the program's
        return RAISED


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        calls = pickle.load(file)
    try:
        results = [call(function, pickle.loads(packed)) for function, packed in calls]
    except BaseException:  # noqa: BLE001 - the program cannot be loaded
        results = [RAISED] * len(calls)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()

"""What a user says of our tasks in lm-eval: `--metadata`, or `dataset_kwargs` in a file of theirs.

lm-eval hands `--metadata` and the model's own arguments to every task as one dict. So only names
that a task knows are taken out of it, and a data set's revision, which would be the model's, is
called `dataset_revision`. Under a task's own name there may be a dict that holds for it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctrl_harness.errors import UserError

REVISION = "dataset_revision"


def options_of(
    task: str, config: Mapping[str, Any], known: tuple[str, ...]
) -> dict[str, Any]:
    """The options of one task; dataset_kwargs give way to `--metadata`, and that to the task's own.

    config: what lm-eval made of the task's file, `--metadata` in its `metadata`. Raises UserError,
    naming the choices, for unknown names in dataset_kwargs and in the task's own dict.
    """
    metadata: Mapping[str, Any] = config.get("metadata") or {}
    of_file = _strict(f"dataset_kwargs of {task}", config.get("dataset_kwargs") or {}, known)
    of_run = {name: value for name, value in metadata.items() if name in known}
    of_task = _strict(f"--metadata for {task}", metadata.get(task) or {}, known)
    return {**of_file, **of_run, **of_task}


def _strict(place: str, given: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UserError(f"{place} is {given!r}; give a dict of options")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UserError(f"{place}: there is no {unknown[0]!r}; choose among {', '.join(known)}")
    return dict(given)

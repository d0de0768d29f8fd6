"""Every chain of a run in a file: lm-eval's own log has the last answers alone."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from ctrl_harness.critique.critic import Critique
from ctrl_harness.critique.revise import Chain
from ctrl_harness.errors import UserError


class Trace:
    """Appends a JSON object a chain: task, doc_id, id, chain, completions, critiques, failed.

    chain numbers the repeats of a document from 1. critiques[t] is of completions[t]; it holds text
    and judgement, and where no generator could read it `malformed`, the reason. Raises UserError
    where the file cannot be written, before any model is asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._append("")

    def add(self, request: Instance, number: int, chain: Chain, failed: str | None) -> None:
        critiques = [turn.critique for turn in chain.turns]
        if chain.closing is not None:
            critiques.append(chain.closing)
        doc = request.doc if isinstance(request.doc, dict) else {}
        row = {
            "task": request.task_name,
            "doc_id": request.doc_id,
            "id": doc.get("id"),
            "chain": number,
            "completions": [draft.completion for draft in chain.programs],
            "critiques": [_critique(critique) for critique in critiques],
            "failed": failed,
        }
        self._append(json.dumps(row, ensure_ascii=False) + "\n")

    def _append(self, line: str) -> None:
        try:
            with self._lock, self._path.open("a", encoding="utf-8", errors="backslashreplace") as f:
                f.write(line)
        except OSError as error:
            raise UserError(f"trace={self._path} cannot be written: {error.strerror}") from error


def _critique(critique: Critique) -> dict[str, Any]:
    told: dict[str, Any] = {"text": critique.text, "judgement": critique.judgement}
    if critique.malformed is not None:
        told["malformed"] = critique.malformed
    return told

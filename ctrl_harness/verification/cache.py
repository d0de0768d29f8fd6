"""Verdicts by digest, so that nothing is judged twice: in memory, or in a file that lasts."""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.verification.verdict import Verdict

logger = logging.getLogger(__name__)


class VerdictCache:
    """A thread-safe store of verdicts.

    A verdict with a time limit in it is not kept: the machine may have been busy. Error texts of
    cases are not kept either; whoever needs them judges anew.

    path: an SQLite file, shared safely by processes; None keeps verdicts in this process only.
    Raises UserError where it cannot be opened; `get` and `put` raise JudgeError where it cannot be
    read or written any more (a full disk, a lock that is not given back).
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=30)
            if path is not None:
                self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS verdicts (digest TEXT PRIMARY KEY, verdict TEXT)"
            )
            self._db.commit()
        except sqlite3.Error as error:
            raise UserError(f"the verdict cache {path} cannot be used: {error}") from error

    def get(self, digest: str) -> Verdict | None:
        with self._lock, self._as_judge_errors():
            row = self._db.execute(
                "SELECT verdict FROM verdicts WHERE digest = ?", (digest,)
            ).fetchone()
        if row is None:
            return None
        try:
            verdict = Verdict.from_json(json.loads(row[0]))
        except (ValueError, TypeError, KeyError, RecursionError):
            verdict = None
        if verdict is None or verdict.digest != digest:
            self._drop(digest)
            return None
        return verdict

    def _drop(self, digest: str) -> None:
        """Removes a row that holds no verdict of this digest, so that it is judged again."""
        logger.warning("the verdict cache %s held a corrupt row; it is judged again", self._path)
        with self._lock, self._as_judge_errors(), self._db:
            self._db.execute("DELETE FROM verdicts WHERE digest = ?", (digest,))

    def put(self, verdict: Verdict) -> None:
        if any(case is not None and case.status == "time_limit" for case in verdict.cases):
            return
        text = json.dumps(verdict.as_json())
        with self._lock, self._as_judge_errors(), self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (verdict.digest, text)
            )

    @contextlib.contextmanager
    def _as_judge_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JudgeError(f"the verdict cache {self._path} cannot be used: {error}") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> VerdictCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Temporary folders that outlive no run: what a killed process left, the next one removes.

A process's folders carry an id of its own, and a file of that id beside them is locked for as long
as the process lives. The kernel lets go of the lock at its end, whatever it ends by: so an owner's
life is known across reused process numbers, and across containers that share the folder. Only this
user's own files are ever touched.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import secrets
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ctrl_harness.execution.scratch import remove

_PREFIX = "ctrl-harness-"
_LOCK_NAME = re.compile(rf"{_PREFIX}([0-9a-f]{{16}})\.lock")


@dataclass(frozen=True)
class _Owner:
    """This process in one folder for temporary files. pid: a forked process is another owner."""

    id: str
    pid: int


_owners: dict[str, _Owner] = {}
_making = threading.Lock()


def new_folder(kind: str, parent: str | None = None) -> str:
    """A new private folder, for its maker to remove. Raises OSError.

    kind: a word for its name. parent: where; the system's folder for temporary files by default.
    """
    parent = parent or tempfile.gettempdir()
    with _making:
        owner = _owners.get(parent)
        if owner is None or owner.pid != os.getpid():
            remove_left_behind(parent)
            owner = _owners[parent] = _new_owner(parent)
    return tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-{owner.id}-", dir=parent)


@contextmanager
def folder_for_a_while(kind: str) -> Iterator[str]:
    """A new folder that is removed with all that is in it. Raises OSError."""
    folder = new_folder(kind)
    try:
        yield folder
    finally:
        remove(folder)


def remove_left_behind(parent: str | None = None) -> None:
    """Removes what this user's processes left that are no more. What cannot be removed stays."""
    with contextlib.suppress(OSError):
        parent = parent or tempfile.gettempdir()
        if not _is_ours_or_sticky(parent):
            return
        names = os.listdir(parent)
        for name in names:
            if found := _LOCK_NAME.fullmatch(name):
                with contextlib.suppress(OSError):
                    _remove_of(parent, found[1], names)


def _remove_of(parent: str, owner_id: str, names: list[str]) -> None:
    """Removes an owner's folders and its lock, unless it lives."""
    path = os.path.join(parent, f"{_PREFIX}{owner_id}.lock")
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        about = os.fstat(lock)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # it lives
        own = re.compile(rf"{_PREFIX}[a-z]+-{owner_id}-[^/]+")
        for name in names:
            folder = os.path.join(parent, name)
            if own.fullmatch(name) and os.lstat(folder).st_uid == os.geteuid():
                remove(folder)
        if os.fstat(lock).st_nlink:  # another one of us may have been as fast
            os.unlink(path)
    finally:
        os.close(lock)


def _is_ours_or_sticky(parent: str) -> bool:
    """Whether nobody else can put something of theirs in the place of what is ours."""
    about = os.stat(parent)
    shared = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return about.st_uid in (0, os.geteuid()) and (not shared or bool(about.st_mode & stat.S_ISVTX))


def _new_owner(parent: str) -> _Owner:
    """Makes and locks a lock file, which stays open until this process ends."""
    while True:
        owner = _Owner(secrets.token_hex(8), os.getpid())
        path = os.path.join(parent, f"{_PREFIX}{owner.id}.lock")
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            os.close(lock)
            raise
        if os.fstat(lock).st_nlink:  # nobody took it for one left behind in between
            atexit.register(_leave, parent, owner)
            return owner
        os.close(lock)


def _leave(parent: str, owner: _Owner) -> None:
    """At this process's ordinary end; after a fork the file is still the parent's.

    Where a folder could not be removed the lock file stays, and the next start tries again.
    """
    if owner.pid == os.getpid():
        with contextlib.suppress(OSError):
            if not any(f"-{owner.id}-" in name for name in os.listdir(parent)):
                os.unlink(os.path.join(parent, f"{_PREFIX}{owner.id}.lock"))

"""Files that a program left in its working folder, brought back after its run.

Nothing of the program runs any more when they are read. What it left may be anything: only plain
files inside the folder come back, wherever links point, and no more bytes than are wanted.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import os
import stat


def fetch(folder: str, names: list[str], most_bytes: int) -> list[tuple[int, bytes]]:
    """(number of the name, content) of those that are there.

    most_bytes: of all together; a file for which there is no room is left out. A name counts from
    the folder.
    """
    found: list[tuple[int, bytes]] = []
    try:
        root = os.path.realpath(folder)
    except OSError:  # the program took it away
        return found
    for number, name in enumerate(names):
        content = _read(root, name, most_bytes)
        if content is not None:
            most_bytes -= len(content)
            found.append((number, content))
    return found


def _read(root: str, name: str, most_bytes: int) -> bytes | None:
    try:
        path = os.path.realpath(os.path.join(root, name))
        if not path.startswith(root + "/"):
            return None
        # a pipe in its place would be waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > most_bytes:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(about.st_size)
    except OSError:
        return None
    finally:
        os.close(descriptor)

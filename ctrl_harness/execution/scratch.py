"""Empties a cell's scratch folder, whatever a program has built in it.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Scratch:
    """An empty folder that programs write in, one after another; nobody else does."""

    def __init__(self, path: str) -> None:
        self.path = path
        empty = os.stat(path)
        self._size, self._mode = empty.st_size, empty.st_mode
        self._inode = empty.st_ino
        self._times = empty.st_mtime_ns, empty.st_mtime_ns
        probe = os.path.join(path, "probe")
        os.mkdir(probe)
        self._counts = os.stat(path).st_size != self._size
        """Whether the folder's size tells of every entry, as that of a tmpfs does."""
        os.rmdir(probe)

    def empty(self) -> None:
        """Empties it and gives it its permissions and times back. Raises OSError.

        Where it is no mount a program can take it away: then it is made anew, and entered.
        """
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            self._make()
            return
        if found.st_ino != self._inode:
            remove(self.path)
            self._make()
        elif not self._counts or found.st_size != self._size or found.st_mode != self._mode:
            wipe(self.path, stat.S_IMODE(self._mode))
        os.utime(self.path, ns=self._times)

    def write(self, name: str, text: str) -> None:
        """Makes a file in the folder, where no program has been, unless a prelude made it."""
        path = os.path.join(self.path, name)
        if os.path.lexists(path):
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(text)

    def _make(self) -> None:
        os.mkdir(self.path, stat.S_IMODE(self._mode))
        os.chdir(self.path)
        self._inode = os.lstat(self.path).st_ino


def remove(path: str) -> None:
    """Removes a folder with all that is in it, or what stands in its place, if anything does."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if is_folder:
        wipe(path, 0o700)
        os.rmdir(path)
    else:
        os.unlink(path)


def wipe(folder: str, mode: int | None = None) -> None:
    """Empties a folder however deep, in a time that grows with the number of its entries alone.

    mode: the permissions the folder gets back, in case a program took them away ("." cannot be
    asked for then, so give its path). Nothing may run in it meanwhile. Raises OSError where
    something cannot be removed.
    """
    if mode is not None and stat.S_IMODE(os.stat(folder).st_mode) != mode:
        os.chmod(folder, mode)
    top = os.open(folder, _FOLDER)
    try:
        try:
            _flatten(top)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _climb(top)  # Linux before 5.19: Landlock lets nothing be moved to another folder
    finally:
        os.close(top)


def _flatten(top: int) -> None:
    """Each folder in it is emptied of files, and its own folders are moved up beside it.

    So no path is longer than two names. Landlock asks for every name above a folder in each call: a
    walk down would take the square of the depth.
    """
    waiting = _unlink_files(top)
    taken = set(waiting)
    free_names = (name for name in map(str, itertools.count()) if name not in taken)
    while waiting:
        name = waiting.pop()
        os.chmod(name, 0o700, dir_fd=top)
        inner = os.open(name, _FOLDER, dir_fd=top)
        try:
            for child in _unlink_files(inner):
                os.chmod(child, 0o700, dir_fd=inner)  # or its ".." could not be changed
                moved = next(free_names)
                os.rename(child, moved, src_dir_fd=inner, dst_dir_fd=top)
                waiting.append(moved)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)


def _climb(top: int) -> None:
    """By one open folder at a time, down and up, without recursion."""
    here = os.dup(top)
    try:
        names: list[str] = []  # of the folders on the way down to here
        waiting = [_unlink_files(here)]  # the folders still to be removed, a level each
        while True:
            if waiting[-1]:
                name = waiting[-1].pop()
                os.chmod(name, 0o700, dir_fd=here)
                here = _move(here, name)
                names.append(name)
                waiting.append(_unlink_files(here))
            elif names:
                waiting.pop()
                here = _move(here, "..")
                os.rmdir(names.pop(), dir_fd=here)
            else:
                return
    finally:
        os.close(here)


def _move(here: int, name: str) -> int:
    """The neighbouring folder, in place of this one."""
    there = os.open(name, _FOLDER, dir_fd=here)
    os.close(here)
    return there


def _unlink_files(folder: int) -> list[str]:
    """Removes all but the folders; their names."""
    folders = []
    for name in os.listdir(folder):
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            folders.append(name)
        else:
            os.unlink(name, dir_fd=folder)
    return folders

"""Landlock: which files a cell may open, whatever its mounts say.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import os
import struct

from ctrl_harness.execution import linux

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MAKE_SYM, _REFER, _TRUNCATE = 1 << 12, 1 << 13, 1 << 14
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_CHANGE = _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _REFER
_WRITE = _WRITE_FILE | _TRUNCATE | _CHANGE
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_RULE_PATH_BENEATH = 1
_CREATE_RULESET_VERSION = 1


def supported_version() -> int:
    """The kernel's Landlock version. Raises OSError where there is none."""
    number = linux.SYS_LANDLOCK_CREATE_RULESET
    return linux.syscall(number, None, 0, _CREATE_RULESET_VERSION, what="Landlock")


def restrict(readable: list[str], writable: list[str]) -> int:
    """Only these files and folders may be opened from now on; returns the version used.

    Where the kernel can, TCP, signals to processes outside and abstract sockets outside go too.
    Raises OSError.
    """
    version = supported_version()
    handled = (1 << 13) - 1
    if version >= 2:
        handled |= _REFER
    if version >= 3:
        handled |= _TRUNCATE
    if version >= 5:
        handled |= 1 << 15  # ioctl on devices
    attributes = struct.pack("=Q", handled)
    if version >= 4:
        attributes += struct.pack("=Q", 3)  # bind and connect of TCP
    if version >= 6:
        attributes += struct.pack("=Q", 3)  # abstract sockets, signals
    ruleset = linux.syscall(
        *(linux.SYS_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0), what="Landlock"
    )
    try:
        for path in readable:
            _allow(ruleset, path, _READ & handled)
        for path in writable:
            _allow(ruleset, path, (_READ_FILE | _READ_DIR | _WRITE) & handled)
        linux.syscall(linux.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, what="Landlock")
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _FOR_FILES
        rule = struct.pack("=Qi", rights, opened)
        linux.syscall(
            *(linux.SYS_LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), what="Landlock"
        )
    finally:
        os.close(opened)

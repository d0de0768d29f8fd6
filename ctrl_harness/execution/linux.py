"""The few system calls of Linux that Python does not offer, by ctypes.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38

# the same numbers on x86-64 and aarch64
SYS_MOUNT_SETATTR = 442
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""

_F_SETFL = 4
_libc = ctypes.CDLL(None, use_errno=True)
_fork = ctypes.PyDLL(None).fork
_fork.argtypes = ()


def checked(result: int, what: str) -> int:
    """`result`, unless it says that the call failed: then OSError, naming what failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: int | bytes | None, what: str) -> int:
    """A raw system call; bytes are passed by address. Raises OSError."""
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(_libc.syscall(ctypes.c_long(number), *passed), what)


def prctl(option: int, argument: int = 0, what: str = "prctl") -> int:
    """prctl(2) with one argument. Raises OSError."""
    arguments = [ctypes.c_ulong(argument), *([ctypes.c_ulong(0)] * 3)]
    return checked(_libc.prctl(ctypes.c_int(option), *arguments), what)


def raw_fork() -> int:
    """fork(2) without CPython's after-fork work, which costs more than the fork itself.

    Sound only in a process of one thread, whose child keeps to itself: the child shares the
    parent's seed of `random`. Raises OSError, and never returns what `kill` takes for everybody.
    """
    child = _fork()
    if child < 0:
        raise BlockingIOError(errno.EAGAIN, "fork: no more processes may be started, or no memory")
    return child  # type: ignore[no-any-return]


def append_to(descriptor: int) -> None:
    """What is written there goes to the end from now on.

    Not by the module fcntl, a library of its own, which would weigh on every fork.
    """
    checked(_libc.fcntl(ctypes.c_int(descriptor), ctypes.c_int(_F_SETFL), os.O_APPEND), "fcntl")


def trim_memory() -> None:
    """Gives free memory back to the kernel, where the C library can."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(ctypes.c_size_t(0))


def share_malloc_arena() -> None:
    """One arena for all threads, where the C library has several: each reserves 64 MiB of address
    space, which a limit counts and no thread of an interpreter needs."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(ctypes.c_int(_M_ARENA_MAX), ctypes.c_int(1))


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError."""
    checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """mount(2). Raises OSError."""
    as_bytes = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    result = _libc.mount(*as_bytes, ctypes.c_ulong(flags), os.fsencode(data) if data else None)
    checked(result, f"mount {target}")


def unmount_detached(target: str) -> None:
    """umount2(2) with MNT_DETACH. Raises OSError."""
    checked(_libc.umount2(os.fsencode(target), ctypes.c_int(2)), f"umount {target}")


def set_hostname(name: str) -> None:
    """sethostname(2). Raises OSError."""
    encoded = name.encode()
    checked(_libc.sethostname(encoded, ctypes.c_size_t(len(encoded))), "sethostname")


def drop_capabilities() -> None:
    """Gives up every capability, for good: bounding, permitted, effective, inheritable, ambient."""
    for capability in range(64):
        try:
            if prctl(PR_CAPBSET_READ, capability):
                prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last capability that this kernel knows
    header = (0x20080522).to_bytes(4, "little") + bytes(4)  # version 3, this process
    checked(_libc.capset(header, bytes(24)), "capset")

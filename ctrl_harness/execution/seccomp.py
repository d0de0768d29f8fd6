"""Allow-list system call filters for cells, assembled to BPF for x86-64 and aarch64.

Two filters stack. The *cell* filter holds for everything in a cell for good: no exec, no sockets
but AF_UNIX pairs, no mounts, no namespaces, no signals or limits by way of descriptors. The *test*
filter is added in each process that runs an untrusted program: threads but no processes, signals
to itself only, no further filters. What is not named is refused with EPERM, what is newer than the
tables with ENOSYS, so that libraries fall back to what they know.

The aarch64 column is taken from the kernel's generic table; it has not been run.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import partial
from typing import NamedTuple

from ctrl_harness.execution import linux

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4
_AT_ARGUMENT_0, _AT_ARGUMENT_1, _AT_ARGUMENT_2 = 16, 24, 32
_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANY = 0x7E020080  # every CLONE_NEW* flag, CLONE_NEWTIME included
_AF_UNIX = 1
_PID_SLOT = -1  # stands for the process's own id until the filter is installed


class Architecture(NamedTuple):
    """What a filter must know of a machine."""

    audit: int
    """AUDIT_ARCH_* constant."""
    column: int
    seccomp: int
    foreign_from: int | None
    """Numbers from here on belong to another calling convention (x32)."""


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 0, 317, 0x40000000),
    "aarch64": Architecture(0xC00000B7, 1, 277, None),
}
"""By `os.uname().machine`."""

_NEWEST_KNOWN = 452

# name: (x86-64, aarch64); None where the machine has no such call
# fmt: off
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # data
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70),
    "preadv2": (327, 286), "pwritev2": (328, 287), "lseek": (8, 62), "sendfile": (40, 71),
    "copy_file_range": (326, 285), "fsync": (74, 82), "fdatasync": (75, 83),
    "fadvise64": (221, 223), "fallocate": (285, 47),
    # files
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None),
    "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "stat": (4, None), "fstat": (5, 80), "lstat": (6, None),
    "newfstatat": (262, 79), "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None),
    "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "unlink": (87, None),
    "unlinkat": (263, 35), "readlink": (89, None), "readlinkat": (267, 78), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "umask": (95, 166),
    "truncate": (76, 45), "ftruncate": (77, 46), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "flock": (73, 32),
    # waiting
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "eventfd": (284, None), "eventfd2": (290, 19), "pipe": (22, None), "pipe2": (293, 59),
    "pause": (34, None), "wait4": (61, 260), "waitid": (247, 95),
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214),
    "mremap": (25, 216), "msync": (26, 227), "madvise": (28, 233),
    # threads and the process itself
    "futex": (202, 98), "set_robust_list": (273, 99), "set_tid_address": (218, 96),
    "rseq": (334, 293), "membarrier": (324, 283), "arch_prctl": (158, None),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "getpriority": (140, 141), "getcpu": (309, 168),
    "gettid": (186, 178), "getpid": (39, 172), "getppid": (110, 173), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158),
    "getresuid": (118, 148), "getresgid": (120, 150), "getpgrp": (111, None),
    "getpgid": (121, 155), "getsid": (124, 156), "setsid": (112, 157), "getrlimit": (97, 163),
    "setrlimit": (160, 164), "getrusage": (98, 165), "times": (100, 153), "sysinfo": (99, 179),
    "uname": (63, 160), "exit": (60, 93), "exit_group": (231, 94), "getrandom": (318, 278),
    # time and signals
    "gettimeofday": (96, 169), "time": (201, None), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_delete": (226, 111), "timerfd_create": (283, 85),
    "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87), "signalfd4": (289, 74),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    # the two ends of a socketpair
    "sendto": (44, 206), "recvfrom": (45, 207), "recvmsg": (47, 212), "shutdown": (48, 210),
    "getsockname": (51, 204), "getpeername": (52, 205), "getsockopt": (55, 209),
    # for pid 1 and the hosts; the test filter takes them away
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "pidfd_open": (434, 434),
    "memfd_create": (319, 279), "seccomp": (317, 277),
}
# fmt: on

_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKETPAIR, _IOCTL, _FCNTL = (53, 199), (16, 29), (72, 25)
_SETSOCKOPT = (54, 208)
_PRCTL, _PRLIMIT = (157, 167), (302, 261)
# getxattr, lgetxattr, fgetxattr, listxattr, llistxattr, flistxattr
_XATTRS = ((191, 8), (192, 9), (193, 10), (194, 11), (195, 12), (196, 13))
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_FCNTLS_REFUSED = (8, 10, 15, 37, 38, 1024, 1026, 1031)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX (they signal others), F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE,
F_NOTIFY, F_SETPIPE_SZ."""
_FCNTLS_GRANTED = (6, 7)
"""F_SETLK, F_SETLKW: answered as a lock that is granted, and none is made. Every lock is kernel
memory that no limit counts, and a process alone with its files is never refused one."""
_SOCKET_OPTIONS = (2, 9, 13, 20, 21, 66, 67)
"""SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER, and the timeouts. The sizes of buffers are missing: with
the usual ones, the limit on descriptors bounds the memory of all sockets."""
_PRCTLS = (15, 16)
"""PR_SET_NAME, PR_GET_NAME."""
_LOST_IN_TESTS = ("pidfd_open", "memfd_create", "seccomp")
_SIGNALS = ("kill", "tkill", "tgkill")

_syscall = ctypes.PyDLL(None).syscall

Instruction = tuple[int, int, int, int]


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


_PASS: Instruction = (_RETURN, 0, 0, _ALLOW)
_GRANT = _refuse(0)
"""The call returns 0 and nothing is done."""


class _Assembler:
    """A filter under way. Each block tests the call's number and leaves it loaded for the next."""

    def __init__(self, machine: Architecture) -> None:
        self._machine = machine
        self.code: list[Instruction] = [(_LOAD, 0, 0, _AT_ARCHITECTURE)]
        self._unless(_JUMP_EQUAL, machine.audit, (_RETURN, 0, 0, _KILL_PROCESS))
        self.code.append((_LOAD, 0, 0, _AT_NUMBER))
        if machine.foreign_from is not None:
            self._when(_JUMP_AT_LEAST, machine.foreign_from, [(_RETURN, 0, 0, _KILL_PROCESS)])

    def _unless(self, test: int, value: int, action: Instruction) -> None:
        self.code += [(test, 1, 0, value), action]

    def _when(self, test: int, value: int, actions: list[Instruction]) -> None:
        self.code += [(test, 0, len(actions), value), *actions]

    def call(self, numbers: tuple[int | None, int | None], *actions: Instruction) -> None:
        """`actions` for this call; they must end in a return."""
        number = numbers[self._machine.column]
        if number is not None:
            self._when(_JUMP_EQUAL, number, list(actions))

    def by_argument(
        self,
        numbers: tuple[int | None, int | None],
        position: int,
        *rules: tuple[tuple[int, ...], Instruction],
        otherwise: Instruction,
        test: int = _JUMP_EQUAL,
    ) -> None:
        """The action of the first rule that has the argument at this offset among its values."""
        checks: list[Instruction] = [(_LOAD, 0, 0, position)]
        for values, action in rules:
            for value in values:
                checks += [(test, 0, 1, value), action]
        self.call(numbers, *checks, otherwise)


def cell_filter(machine: Architecture) -> list[Instruction]:
    """What holds for a whole cell: pid 1, hosts and programs."""
    filter_ = _Assembler(machine)
    no, yes = _refuse(errno.EPERM), _PASS
    for numbers in _ALLOWED.values():
        filter_.call(numbers, yes)
    filter_.call(_CLONE3, _refuse(errno.ENOSYS))  # its flags lie in memory, out of sight
    rule = filter_.by_argument
    rule(_CLONE, _AT_ARGUMENT_0, ((_CLONE_NEW_ANY,), no), otherwise=yes, test=_JUMP_ANY_BIT)
    rule(_SOCKETPAIR, _AT_ARGUMENT_0, ((_AF_UNIX,), yes), otherwise=no)
    rule(_SETSOCKOPT, _AT_ARGUMENT_2, (_SOCKET_OPTIONS, yes), otherwise=no)
    rule(_IOCTL, _AT_ARGUMENT_1, (_IOCTLS, yes), otherwise=_refuse(errno.ENOTTY))
    fcntls = ((_FCNTLS_REFUSED, no), (_FCNTLS_GRANTED, _GRANT))
    rule(_FCNTL, _AT_ARGUMENT_1, *fcntls, otherwise=yes)
    rule(_PRCTL, _AT_ARGUMENT_0, (_PRCTLS, yes), otherwise=no)
    rule(_PRLIMIT, _AT_ARGUMENT_0, ((0,), yes), otherwise=no)  # 0: the caller itself
    for numbers in _XATTRS:
        filter_.call(numbers, _refuse(errno.ENOTSUP))  # what shutil.copy2 takes for an answer
    filter_.code += [(_JUMP_AT_LEAST, 0, 1, _NEWEST_KNOWN + 1), _refuse(errno.ENOSYS), no]
    return filter_.code


def program_filter(machine: Architecture) -> list[Instruction]:
    """What a program's own process loses beyond the cell's filter; holds slots for its id."""
    filter_ = _Assembler(machine)
    no, yes = _refuse(errno.EPERM), _PASS
    rule = filter_.by_argument
    rule(_CLONE, _AT_ARGUMENT_0, ((_CLONE_THREAD,), yes), otherwise=no, test=_JUMP_ANY_BIT)
    for name in _LOST_IN_TESTS:
        filter_.call(_ALLOWED[name], no)
    for name in _SIGNALS:
        rule(_ALLOWED[name], _AT_ARGUMENT_0, ((_PID_SLOT,), yes), otherwise=no)
    filter_.code.append(yes)
    return filter_.code


class Filter:
    """An assembled filter, ready to be installed in this process or in a child after a fork."""

    def __init__(self, machine: Architecture, code: list[Instruction]) -> None:
        self._slots = [i * 2 + 1 for i, (_, _, _, value) in enumerate(code) if value == _PID_SLOT]
        packed = b"".join(struct.pack("=HBBI", c, t, f, k & 0xFFFFFFFF) for c, t, f, k in code)
        self._words = memoryview(bytearray(packed)).cast("I")
        self._address = (ctypes.c_char * len(packed)).from_buffer(self._words)
        program = struct.pack("@HxxxxxxQ", len(code), ctypes.addressof(self._address))
        # 1: SECCOMP_SET_MODE_FILTER; bytes are passed by address
        self._arguments = (machine.seccomp, 1, 0, program)
        # made ready here, for every process of a program pays for what it does itself
        self._install = partial(_syscall, *self._arguments)

    def install(self, own_pid: int = 0) -> None:
        """From now on, for this process and what it makes. Raises OSError."""
        for slot in self._slots:
            self._words[slot] = own_pid
        if self._install() != 0:
            linux.syscall(*self._arguments, what="seccomp")  # once more, for the reason


def this_machine() -> Architecture:
    """Raises OSError where there is no table for this machine."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system call table for {machine}")
    return ARCHITECTURES[machine]

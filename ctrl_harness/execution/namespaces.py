"""Namespaces of a cell: its users, processes, network, IPC, host name and, above all, its files.

A cell's root is an empty tmpfs with the standard library, the shared libraries, the allowed
packages (all read-only), four devices and a scratch folder of its own.

Part of what runs inside a cell: the standard library only.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import NamedTuple

from ctrl_harness.execution import linux

NEW_MOUNT, NEW_CGROUP, NEW_UTS = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_USER, NEW_PID, NEW_NET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
LAYERS = {
    "user namespace": NEW_USER,
    "PID namespace": NEW_PID,
    "mount namespace": NEW_MOUNT,
    "network namespace": NEW_NET,
    "IPC namespace": NEW_IPC | NEW_UTS,
}
"""Layer: the flags that make it."""

INSIDE_ID = 1000
"""The user and group of programs, as they see themselves."""
SCRATCH = "/scratch"
PACKAGES = "/packages"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_LOCALES = "/usr/lib/locale"
_NOSUID, _NODEV, _NOEXEC, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000


class Source(NamedTuple):
    """A folder or file of the machine and where it appears in the cell, read-only."""

    path: str
    target: str


def library_folders() -> list[Source]:
    """The standard library and the folders that this interpreter's shared libraries came from."""
    folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")[2]
            if ".so" in path:
                folders.append(os.path.dirname("/" + path))
    merged = [f for f in folders if os.path.isdir(f)]
    for folder in merged[:]:  # /lib and /usr/lib apart, on systems that keep them so
        twin = folder[4:] if folder.startswith("/usr/") else "/usr" + folder
        if os.path.isdir(twin) and not os.path.samefile(twin, folder):
            merged.append(twin)
    kept: list[str] = []
    for folder in sorted(dict.fromkeys(merged), key=len):
        if not any(folder.startswith(parent + "/") for parent in kept):
            kept.append(folder)
    return [Source(folder, folder) for folder in kept]


def data_folders(beside: list[Source]) -> list[Source]:
    """Where the C library and `zoneinfo` read locales and time zones, unless it is among those."""
    folders = [_LOCALES, *(sysconfig.get_config_var("TZPATH") or "").split(os.pathsep)]
    covered = tuple(os.path.join(source.target, "") for source in beside)
    return [
        Source(folder, folder)
        for folder in folders
        if os.path.isdir(folder) and not os.path.join(folder, "").startswith(covered)
    ]


def write_id_maps(pid: int, outside_user: int, outside_group: int, root: bool) -> None:
    """Gives the new user namespace of `pid` its ids. Raises OSError."""
    for name, outside in (("uid_map", outside_user), ("gid_map", outside_group)):
        lines = f"{INSIDE_ID} {outside} 1\n"
        if root:  # root inside, while the cell is set up, is what may read root's own folders
            lines += "0 0 1\n"
        elif name == "gid_map":
            _write(f"/proc/{pid}/setgroups", "deny")
        _write(f"/proc/{pid}/{name}", lines)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def enter_root(sources: list[Source], scratch_bytes: int, scratch_inodes: int, owner: int) -> bool:
    """Makes the cell's own root and moves into its scratch folder; true if /proc could be mounted.

    owner: the user and group that the scratch folder belongs to. For pid 1 of new mount and PID
    namespaces. Raises OSError.
    """
    opened = [
        (os.open(path, os.O_PATH | os.O_CLOEXEC), os.path.isdir(path), target)
        for path, target in [*sources, *(Source(device, device) for device in DEVICES)]
    ]
    links = [(p, os.readlink(p)) for p in ("/lib", "/lib32", "/lib64") if os.path.islink(p)]
    linux.mount(None, "/", None, _RECURSIVE | _PRIVATE)
    new = "/tmp" if os.path.isdir("/tmp") else "/proc"
    linux.mount("tmpfs", new, "tmpfs", _NOSUID | _NODEV, "size=1m,nr_inodes=4k,mode=755")
    for descriptor, is_folder, target in opened:
        place = new + target
        os.makedirs(place if is_folder else os.path.dirname(place), exist_ok=True)
        if not is_folder:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
        linux.mount(f"/proc/self/fd/{descriptor}", place, None, _BIND | _RECURSIVE)
        os.close(descriptor)
        _restrict_mount(place, device=target.startswith("/dev/"))
        for unwanted in ("site-packages", "dist-packages"):
            if os.path.isdir(f"{place}/{unwanted}") and not target.startswith(PACKAGES):
                linux.mount("tmpfs", f"{place}/{unwanted}", "tmpfs", _NOSUID | _NODEV, "size=4k")
                _restrict_mount(f"{place}/{unwanted}")
    for link, goal in links:
        if not os.path.lexists(new + link):
            os.symlink(goal, new + link)
    for folder in (SCRATCH, PACKAGES, "/proc"):
        os.makedirs(new + folder, exist_ok=True)
    linux.mount(
        *("tmpfs", new + SCRATCH, "tmpfs", _NOSUID | _NODEV | _NOEXEC),
        f"size={scratch_bytes},nr_inodes={scratch_inodes},mode=700,uid={owner},gid={owner}",
    )
    if not os.path.lexists(new + "/tmp"):  # Python itself may lie there
        os.symlink("scratch", new + "/tmp")
    has_proc = _mount_proc(new)
    _pivot(new)
    _restrict_mount("/", recursive=False)
    os.chdir(SCRATCH)
    return has_proc


def _mount_proc(new: str) -> bool:
    """For /dev/stdin and its like; Landlock lets nothing in it be opened but one's own streams."""
    try:
        linux.mount("proc", new + "/proc", "proc", 2 | 4 | 8, "subset=pid,hidepid=invisible")
    except OSError:
        return False  # a container's masked /proc: programs do without
    os.symlink("/proc/self/fd", new + "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{new}/dev/{name}")
    return True


def _pivot(new: str) -> None:
    os.chdir(new)
    numbers = {"x86_64": 155, "aarch64": 41}
    linux.syscall(numbers[os.uname().machine], b".\0", b".\0", what="pivot_root")
    linux.unmount_detached(".")
    os.chdir("/")


def _restrict_mount(path: str, *, device: bool = False, recursive: bool = True) -> None:
    """Read-only, without set-uid programs and, but for the devices, without devices."""
    attributes = _ATTR_RDONLY | _ATTR_NOSUID | (0 if device else _ATTR_NODEV)
    packed = attributes.to_bytes(8, sys.byteorder) + bytes(24)
    linux.syscall(
        *(linux.SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path) + b"\0"),
        *(_AT_RECURSIVE if recursive else 0, packed, len(packed)),
        what=f"read-only {path}",
    )


def become_program_user(root: bool) -> None:
    """Leaves root, where the cell was set up by it, and every capability. Raises OSError."""
    if root:
        os.setgroups([])
        os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
        os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    linux.drop_capabilities()

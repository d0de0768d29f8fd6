import fcntl
import os

YEAR_2001 = 1_000_000_000_000_000_000
found = []
for descriptor in (0, 1):
    status = os.fstat(descriptor)
    if min(status.st_atime_ns, status.st_mtime_ns) < YEAR_2001:
        found.append(f"times of {descriptor}")
    if status.st_mode & 0o7777 != 0o777:
        found.append(f"mode of {descriptor}: {oct(status.st_mode)}")
for descriptor in (0, 1, 2):
    usual = os.O_APPEND if descriptor == 2 else 0
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) != usual:
        found.append(f"flags of {descriptor}")
scratch = os.stat(".")
if min(scratch.st_atime_ns, scratch.st_mtime_ns) < YEAR_2001:
    found.append("times of the folder")
if os.lseek(0, 0, os.SEEK_CUR) or os.umask(0o022) == 0o777:
    found.append("offset or umask")
print(found or 3)

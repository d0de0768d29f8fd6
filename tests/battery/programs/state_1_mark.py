import fcntl
import os

for descriptor in (0, 1, 2):
    os.utime(descriptor, ns=(0x1122334455, 0x1122334455)) if descriptor < 2 else None
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)
os.fchmod(0, 0o1234)
os.fchmod(1, 0o1234)
os.utime(".", ns=(0xABCDEF, 0xABCDEF))
fcntl.flock(0, fcntl.LOCK_EX)
os.lseek(0, 12345, os.SEEK_SET)
os.umask(0o777)
print(3)

import fcntl
import os


def run(a, b):
    for descriptor in (0, 1):
        os.utime(descriptor, ns=(0x1122334455, 0x1122334455))
        os.fchmod(descriptor, 0o1234)
        os.lseek(descriptor, 12345, os.SEEK_SET)
    for descriptor in (0, 1, 2):
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)
    os.utime(".", ns=(0xABCDEF, 0xABCDEF))
    return a + b

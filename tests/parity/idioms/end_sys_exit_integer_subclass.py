import enum
import sys


class Status(enum.IntEnum):
    FINE = 0
    BAD = 4


print("exits with a member")
sys.exit(Status.BAD)

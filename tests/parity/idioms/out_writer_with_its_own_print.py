import sys
from os import write

_parts = []


def print(*values, sep=" ", end="\n"):
    _parts.append(sep.join(map(str, values)) + end)


def flush():
    write(sys.stdout.fileno(), "".join(_parts).encode())


print("a", 1)
print("b", end="!\n")
flush()

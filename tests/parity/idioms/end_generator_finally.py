import sys


def rows():
    try:
        yield 1
        yield 2
    finally:
        sys.stdout.write("generator closed\n")


kept = rows()
print(next(kept))

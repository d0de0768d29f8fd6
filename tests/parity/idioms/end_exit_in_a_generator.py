import sys


def rows():
    yield 1
    sys.exit(0)


for row in rows():
    print(row)

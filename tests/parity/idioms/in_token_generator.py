import sys


def tokens():
    for line in sys.stdin:
        yield from line.split()


token = tokens()
n = int(next(token))
print([int(next(token)) for _ in range(n)], next(token), next(token, None))

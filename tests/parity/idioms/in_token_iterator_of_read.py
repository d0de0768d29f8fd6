import sys

it = iter(sys.stdin.read().split())
read = lambda: int(next(it))
rows = [[read() for _ in range(2)] for _ in range(read())]
print(rows)

import sys

n, *numbers = map(int, sys.stdin.buffer.read().split())
print(n, sum(numbers))

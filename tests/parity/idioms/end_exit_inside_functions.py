import sys


def solve(n):
    if n == 0:
        print("found")
        sys.exit()
    solve(n - 1)


solve(50)
print("not reached")

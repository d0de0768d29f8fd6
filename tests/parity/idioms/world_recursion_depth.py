import sys


def down(n):
    global deepest
    deepest = n
    down(n + 1)


try:
    down(1)
except RecursionError:
    print(deepest, sys.getrecursionlimit())

import sys

sys.setrecursionlimit(10**6)


def walk(node):
    size = 1
    for child in children[node]:
        size += walk(child)
    return size


n = int(input())
children = [[node + 1] for node in range(n)] + [[]]
print(walk(0))

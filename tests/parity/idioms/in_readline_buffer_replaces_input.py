import sys

input = sys.stdin.buffer.readline

n, m = map(int, input().split())
rows = [list(map(int, input().split())) for _ in range(n)]
print([max(row) for row in rows], m)

import sys

sys.stdin = open(0, encoding="utf-8")
print(sys.stdin.readline().strip(), input())

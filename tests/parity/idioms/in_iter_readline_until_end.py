import sys

print(sum(map(int, iter(sys.stdin.readline, ""))))

import sys

print(sys.stdin.readlines(5))
print(sys.stdin.readlines())

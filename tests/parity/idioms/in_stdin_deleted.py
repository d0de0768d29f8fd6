import sys

del sys.stdin
print("gone")

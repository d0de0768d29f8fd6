import sys

blocks = sys.stdin.read().split("\n\n")
print([block.split() for block in blocks])

import sys

raw = sys.stdin.detach()
print(raw.read())

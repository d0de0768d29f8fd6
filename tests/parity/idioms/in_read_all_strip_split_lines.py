import sys

print([line.split(",") for line in sys.stdin.read().strip().split("\n")])

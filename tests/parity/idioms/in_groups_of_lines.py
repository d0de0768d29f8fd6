import sys

lines = iter(sys.stdin)
next(lines)
for head, row in zip(lines, lines):
    print(int(head), sorted(row.split()))

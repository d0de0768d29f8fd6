import sys

lines = []
while True:
    line = sys.stdin.readline()
    if not line:
        break
    lines.append(line)
print(lines, repr(sys.stdin.readline()))

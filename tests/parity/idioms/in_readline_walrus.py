import sys

longest = ""
while line := sys.stdin.readline():
    longest = max(longest, line.strip(), key=len)
print(longest)

import sys

for number, line in enumerate(sys.stdin.readlines(), start=1):
    print(number, line.rstrip())

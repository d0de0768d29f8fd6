import sys

with open(sys.argv[0]) as source:
    print(source.read().partition("# DATA\n")[2].split("\n")[0])
raise SystemExit
# DATA
# 1 2 3

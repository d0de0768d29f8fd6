import sys

try:
    int("x")
except ValueError:
    print(-1)
    sys.exit(0)

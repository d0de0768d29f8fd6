import sys

sys.stdin = None
try:
    input()
except RuntimeError as error:
    print(error)

import sys

try:
    sys.stdout.read()
except OSError as error:
    print(type(error).__name__, error)

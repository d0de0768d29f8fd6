import sys

try:
    sys.exit(9)
except:  # noqa: E722
    print("caught")
print("goes on")

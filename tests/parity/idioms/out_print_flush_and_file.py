import sys

print("one", flush=True)
print("two", file=sys.stdout)
print("three", file=sys.stderr)
print("four", file=sys.__stdout__)
print("five", file=None)

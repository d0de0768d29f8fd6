import sys

sys.stderr = sys.stdout
print("one", file=sys.stderr)
print("two")

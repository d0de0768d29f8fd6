import sys

out = open(1, "w", closefd=False)
print("through sys.stdout")
print("through the second", file=out)
out.flush()
print("again", file=sys.stdout)

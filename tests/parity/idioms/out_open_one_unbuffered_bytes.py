import sys

out = open(1, "wb", 0)
out.write(b"bytes\n")
print("text", file=sys.stderr)

import os
import sys

sys.stderr.buffer.write(b"\xff\xfe\n")
os.write(2, b"more\n")
print("é", file=sys.stderr)
print("\ud800", file=sys.stderr)
print("fine")

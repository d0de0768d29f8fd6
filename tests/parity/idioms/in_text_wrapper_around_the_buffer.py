import io
import sys

stream = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
print(repr(stream.read()))

import sys

text = sys.stdin.buffer.read().decode("latin-1")
print(len(text), text.isascii())

import sys

print("abc", end="", flush=True)
print(sys.stdout.seekable(), sys.stdout.buffer.tell())

import sys

stream = sys.stdin.buffer
print(stream.peek()[:3])
space = bytearray(4)
print(stream.readinto(space), bytes(space), stream.raw.read())

import struct
import sys

print(struct.unpack("<2I", sys.stdin.buffer.read(8)))

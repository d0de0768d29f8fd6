import array
import struct

data = bytearray(b"hello")
memoryview(data)[0:1] = b"J"
print(data, bytes(3), struct.pack(">HB", 1, 2), array.array("i", [1, 2]), int.from_bytes(b"\1\0"))

import array
import sys

sys.stdout.buffer.write(memoryview(b"--view--")[2:6])
array.array("B", b"\narray\n").tofile(sys.stdout.buffer)

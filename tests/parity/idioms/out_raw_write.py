import sys

sys.stdout.buffer.raw.write(b"past both buffers\n")
print("through both")

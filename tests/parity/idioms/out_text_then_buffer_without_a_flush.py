import sys

sys.stdout.write("text first\n")
sys.stdout.buffer.write(b"bytes second\n")

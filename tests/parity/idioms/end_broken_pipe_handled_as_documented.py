import os
import sys

reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
try:
    print("nobody reads", flush=True)
except BrokenPipeError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)

import os
import sys

sys.stdout.reconfigure(line_buffering=True)
print("line")
os.write(1, b"descriptor\n")
print("tail", end="")

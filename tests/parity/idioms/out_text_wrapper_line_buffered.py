import io
import os
import sys

out = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), line_buffering=True)
out.write("line\n")
os.write(1, b"after it\n")
print("end", file=out, end="")

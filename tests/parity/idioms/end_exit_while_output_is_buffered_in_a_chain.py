import io
import sys

inner = io.BufferedWriter(io.FileIO(1, "w", closefd=False), 1 << 16)
outer = io.TextIOWrapper(inner, encoding="utf-8")
outer.write("two buffers deep\n")
sys.exit(0)

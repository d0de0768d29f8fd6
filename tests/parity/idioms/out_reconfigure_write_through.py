import os
import sys

sys.stdout.reconfigure(write_through=True)
sys.stdout.write("a")
os.write(1, b"b")
sys.stdout.write("c\n")

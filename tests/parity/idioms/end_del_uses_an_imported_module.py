import math
import sys


class Value:
    def __del__(self):
        sys.stdout.write(f"{math.sqrt(16)}\n")


kept = Value()

import os
import sys

sys.stdout = os.fdopen(1, "w", 1 << 12)
sys.stdout.write("fdopen\n")

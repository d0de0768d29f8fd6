import io
import os
import sys

sys.stdout = io.TextIOWrapper(os.fdopen(sys.stdout.fileno(), "wb", 0), write_through=True)
print("through")

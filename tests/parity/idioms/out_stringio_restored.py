import io
import sys

sys.stdout, real = io.StringIO(), sys.stdout
print("kept")
text, sys.stdout = sys.stdout.getvalue(), real
print(text.strip().upper())

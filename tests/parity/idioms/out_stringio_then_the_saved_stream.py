import io
import sys

real = sys.stdout
sys.stdout = io.StringIO()
print("answer")
real.write(sys.stdout.getvalue())

import atexit
import io
import sys

out = sys.stdout
sys.stdout = io.StringIO()
atexit.register(lambda: out.write(sys.stdout.getvalue()[::-1]))
print("backwards")

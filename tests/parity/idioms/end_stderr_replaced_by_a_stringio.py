import io
import sys

sys.stderr = io.StringIO()
try:
    1 / 0
except ZeroDivisionError:
    import traceback

    traceback.print_exc()
print(sys.stderr.getvalue().splitlines()[-1])

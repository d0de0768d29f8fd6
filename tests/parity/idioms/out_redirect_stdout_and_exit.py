import contextlib
import io
import sys

with contextlib.redirect_stdout(io.StringIO()):
    print("lost")
    sys.exit(0)

import contextlib
import sys

with contextlib.redirect_stderr(sys.stdout):
    print("an error message", file=sys.stderr)

import sys

sys.unraisablehook = lambda args: print("unraisable", args.exc_type.__name__)


class Value:
    def __del__(self):
        raise ValueError


Value()
kept = Value()

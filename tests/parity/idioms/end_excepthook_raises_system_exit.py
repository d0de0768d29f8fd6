import sys


def hook(kind, error, trace):
    print("hook")
    sys.exit(0)


sys.excepthook = hook
raise ValueError

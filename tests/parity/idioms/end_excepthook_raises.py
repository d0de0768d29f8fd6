import sys


def hook(kind, error, trace):
    print("hook")
    raise TypeError("in the hook")


sys.excepthook = hook
raise ValueError

import sys

print("before")
del sys.excepthook
raise ValueError

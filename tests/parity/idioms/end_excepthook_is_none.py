import sys

print("before")
sys.excepthook = None
raise ValueError

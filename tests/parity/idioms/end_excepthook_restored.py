import sys

sys.excepthook = lambda *_: print("mine")
sys.excepthook = sys.__excepthook__
print("before")
raise ValueError

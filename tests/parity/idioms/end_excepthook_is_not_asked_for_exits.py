import sys

sys.excepthook = lambda *_: print("hook")
sys.exit(4)

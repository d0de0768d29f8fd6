import sys

sys.exit = lambda *_: print("stays")
sys.exit(3)
print("answer")

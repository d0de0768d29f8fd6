import sys

sys.stdout = sys.stderr
print("to stderr")
